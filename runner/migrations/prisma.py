"""Prisma's migrations ("prisma" in the settings), applied as ``prisma migrate deploy`` does, without Node.

Each ``migration.sql`` goes to the server whole, as one message. The bookkeeping table is Prisma's own, written as Prisma writes
it, because histories refer to it (prisma-engines, ``sql_migration_persistence.rs`` and ``flavour/postgres.rs``).
"""

from __future__ import annotations

import hashlib
import time
import tomllib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from checks.evidence import Place
from runner.migrations.interface import Began, Broke, Detected, Ended, Event, Project, Revision, Said
from runner.migrations.simple_query import Session, session
from runner.migrations.sql_files import SqlFile, apply_file, read
from runner.migrations.sql_folder import current as current
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

NAME = "prisma"
TITLE = "Prisma"
FILES_ONLY = True
#: Why nothing of it can be undone.
NO_WAY_BACK = "Prisma offers no way back: it runs no down.sql"

#: What to do where `directory` holds none.
DIRECTORY = "`directory` is the folder that Prisma runs in, in which `prisma/migrations` stands."

_FILE = "migration.sql"
_LOCK = "migrations/migration_lock.toml"
#: Where Prisma's folder stands in the folder that it runs in.
_HOMES = ("prisma", ".", "prisma/schema")
_REPOSITORY = ("", "*/", "*/*/")

_BOOKS = """CREATE TABLE _prisma_migrations (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
)"""


def detect(root: Path) -> Detected | None:
    """The lock file that Prisma writes beside its migrations says that they are PostgreSQL's; one such project is sure."""
    locks = sorted({lock for start in _REPOSITORY for home in _HOMES for lock in root.glob(f"{start}{home}/{_LOCK}")})
    ours = [lock for lock in locks if "node_modules" not in lock.parts and _provider(lock) == "postgresql"]
    if not ours:
        return None
    directory = _directory(root, ours[0].parent.parent)
    because = Place(ours[0].relative_to(root).as_posix())
    return Detected(MigrationSettings(tool="prisma", directory=directory), because, sure=len(ours) == 1)


def _provider(lock: Path) -> object:
    try:
        return tomllib.loads(lock.read_text("utf-8")).get("provider")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None


def _directory(root: Path, home: Path) -> str:
    """The folder that Prisma runs in: the one that ``prisma/`` stands in."""
    for suffix in (("prisma", "schema"), ("prisma",)):
        if home.relative_to(root).parts[-len(suffix) :] == suffix:
            home = home.parents[len(suffix) - 1]
            break
    return home.relative_to(root).as_posix()


def revisions(project: Project) -> Sequence[Revision]:
    """The folders of migrations in the order of their names, which is Prisma's."""
    return [_revision(project, folder) for folder in _folders(project) if (folder / _FILE).is_file()]


def _revision(project: Project, folder: Path) -> Revision:
    title = folder.name.partition("_")[2].replace("_", " ") or folder.name
    return Revision(folder.name, title, Place(project.relative(folder / _FILE), 1), _checksum(folder))


def _checksum(folder: Path) -> str:
    return hashlib.sha256((folder / _FILE).read_bytes()).hexdigest()


def _folders(project: Project) -> list[Path]:
    homes = [project.directory / home for home in _HOMES]
    if project.settings.config is not None:
        homes.insert(0, (project.root / project.settings.config).parent)
    for home in homes:
        if (home / "migrations").is_dir():
            return sorted((path for path in (home / "migrations").iterdir() if path.is_dir()), key=lambda path: path.name)
    return []


def apply(project: Project, on: Address) -> Iterator[Event]:
    """Apply every migration that ``_prisma_migrations`` does not name as finished."""
    folders = _folders(project)
    lost = next((folder for folder in folders if not (folder / _FILE).is_file()), None)
    if lost is not None:
        yield Broke(lost.name, Place(project.relative(lost)), "", f"Prisma's P3015: there is no {_FILE} in this folder")
        return
    notices: list[str] = []
    with session(on, time.monotonic() + project.settings.timeout, notices.append) as opened:
        yield from _apply(project, folders, opened, notices)


def _apply(project: Project, folders: Sequence[Path], opened: Session, notices: list[str]) -> Iterator[Event]:
    import psycopg

    at: Path | None = None
    try:
        for at in _pending(opened, folders):
            began = time.monotonic()
            yield Began(at.name)
            broke = _migrate(opened, at, read(at / _FILE, project.relative(at / _FILE), "whole"))
            yield from (Said(f"{project.relative(at)}: {text}") for text in notices)
            notices.clear()
            if broke is not None:
                yield replace(broke, revision=at.name)
                return
            yield Ended(at.name, time.monotonic() - began)
    except psycopg.Error as failed:
        place = Place(project.relative(at / _FILE)) if at else None
        said = f"Prisma's own table _prisma_migrations cannot be written: {str(failed).strip()}"
        yield Broke(at.name if at else None, place, "", said, failed.sqlstate or "")


def _pending(opened: Session, folders: Sequence[Path]) -> list[Path]:
    """The folders without a finished row; Prisma's search path is set and its table made on the way."""
    opened.connection.execute('SET search_path = "public"')
    if opened.connection.execute("SELECT to_regclass('_prisma_migrations')").fetchone() == (None,):
        opened.connection.execute(_BOOKS)
    rows = opened.connection.execute(
        "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL"
    )
    finished = {str(name) for (name,) in rows}
    return [folder for folder in folders if folder.name not in finished]


def _migrate(opened: Session, folder: Path, file: SqlFile) -> Broke | None:
    """One migration with its row: written before, counted and finished after, as Prisma does."""
    row = str(uuid.uuid4())
    opened.connection.execute(
        "INSERT INTO _prisma_migrations (id, checksum, started_at, migration_name) VALUES (%s, %s, %s, %s)",
        (row, _checksum(folder), datetime.now(UTC), folder.name),
    )
    broke = apply_file(opened, file, "whole")
    if broke is None:
        opened.connection.execute(
            "UPDATE _prisma_migrations SET applied_steps_count = applied_steps_count + 1 WHERE id = %s", (row,)
        )
        opened.connection.execute("UPDATE _prisma_migrations SET finished_at = %s WHERE id = %s", (datetime.now(UTC), row))
    return broke
