"""Flyway's files ("flyway" in the settings): ``V1__name.sql`` by version, then ``R__name.sql`` by name, with placeholders.

A file is one transaction, unless a statement in it is one that PostgreSQL takes in none, or ``V1__name.sql.conf`` says so. An
empty database begins at the newest ``B`` file. What was applied must not change. ``U1__name.sql`` undoes version 1 (Flyway's
documentation, "Migrations", "Undo migrations" and "Script Config Files").
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from runner.errors import ToolFailed
from runner.migrations import flyway_settings, versioned, versioned_steps
from runner.migrations.flyway_books import Books, FlywayScript, version
from runner.migrations.flyway_settings import Flyway
from runner.migrations.flyway_undo import UndoBooks, Undoing, undo_files
from runner.migrations.folders import detected
from runner.migrations.interface import Detected, Event, Project, Revision, Step
from runner.migrations.sql_files import SqlFile, read, refuse_psql
from runner.migrations.sql_folder import current as current
from runner.migrations.statements import split
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

NAME: Final = "flyway"
TITLE = "Flyway"
FILES_ONLY = True
KEEPS_BOOKS = True
#: Why nothing of a project can be undone.
NO_WAY_BACK = "Flyway undoes a version by its U file, and there is none"

_FILE = re.compile(r"(?:(?P<kind>[VB])(?P<version>\d[\d._]*?)|R)__(?P<title>.+)\.sql", re.ASCII)
_FOREIGN = re.compile(r"(?:[VBR].*__.*\.(?:java|kt|py|sh|bash|ps1|cmd|class)|(?:before|after|create)[A-Z]\w*(?:__.*)?\.sql)")
_USUAL = ("src/main/resources/db/migration", "*/src/main/resources/db/migration", "db/migration", "resources/db/migration")
#: What PostgreSQL refuses within a transaction, as Flyway tells it.
_ALONE = re.compile(
    r"(?:create|drop)\s+(?:database|tablespace|subscription)\b|alter\s+system\b|vacuum\b|discard\s+all\b"
    r"|(?:create\s+(?:unique\s+)?|drop\s+|re)index\s+(?:\w+\s+)??concurrently\b|reindex\s+(?:schema|database|system)\b",
    re.IGNORECASE,
)


def detect(root: Path) -> Detected | None:
    """Flyway's settings, or versioned files in the folder that it looks into by itself."""
    named = [
        path for name in flyway_settings.FILES[:2] for path in (root / name, *sorted(root.glob(f"*/{name}"))) if path.is_file()
    ]
    if named:
        found = detected(NAME, root, named, sure=True)
        return found and replace(found, sure=len(named) == 1)
    first = [next((path for path in sorted(place.glob("V*__*.sql"))), None) for each in _USUAL for place in root.glob(each)]
    found = detected(NAME, root, [path for path in first if path is not None], sure=True)
    return found and replace(found, settings=MigrationSettings(tool=NAME, directory=found.settings.directory))


def revisions(project: Project) -> Sequence[Revision]:
    """The baselines and versions in order, then the repeatable ones by name. One that was edited is another revision."""
    return versioned.revisions(_scripts(project, flyway_settings.read(project)))


def apply(project: Project, on: Address) -> Iterator[Event]:
    """Apply what ``flyway_schema_history`` does not name, and each repeatable one that changed."""
    flyway = flyway_settings.read(project)
    return versioned.apply(project, on, _scripts(project, flyway, on), Books(flyway))


def reversible(project: Project) -> bool:
    """Where a version has a U file, which the editions of Flyway run that are paid for."""
    return bool(undo_files(flyway_settings.read(project)))


def rehearse(project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
    """``flyway -target=next migrate`` and ``flyway undo``."""
    flyway = flyway_settings.read(project)

    def script(folder: Path, path: Path, found: re.Match[str]) -> FlywayScript:
        return _script(project, flyway, folder, path, found, on)

    undoing = Undoing(undo_files(flyway), script)
    return versioned_steps.rehearse(project, on, _scripts(project, flyway, on), UndoBooks(flyway, undoing), undoing.way, steps)


def _scripts(project: Project, flyway: Flyway, on: Address | None = None) -> list[FlywayScript]:
    found = [(folder, path) for folder in flyway.locations for path in sorted(folder.rglob("*")) if path.is_file()]
    foreign = next((path for _, path in found if _FOREIGN.fullmatch(path.name)), None)
    if foreign is not None:
        raise ToolFailed(
            f"{project.relative(foreign)}: a callback, or a migration that is not in SQL, cannot run here without Flyway",
            'Set migrations.tool to "command" and migrations.command to your call of Flyway.',
        )
    named = [(folder, path, match) for folder, path in found if (match := _FILE.fullmatch(path.name))]
    scripts = [_script(project, flyway, folder, path, match, on) for folder, path, match in named]
    return sorted(scripts, key=lambda one: (one.kind == "R", version(one.version), one.kind == "V", one.title))


def _given(flyway: Flyway, path: Path, on: Address | None) -> Mapping[str, str]:
    """What Flyway itself gives values for; the schemas of MariaDB are its databases, and SQLite has one."""
    usual = {"mysql": on.database, "sqlite": "main"}.get(on.scheme, "public") if on else "public"
    schema = flyway.says("defaultSchema") or flyway.says("schemas").partition(",")[0] or usual
    return {
        "flyway:defaultschema": schema,
        "flyway:table": flyway.says("table", "flyway_schema_history"),
        "flyway:filename": path.name,
        "flyway:user": on.user if on else "",
        "flyway:database": on.database if on else "",
    }


def _script(project: Project, flyway: Flyway, folder: Path, path: Path, found: re.Match[str], on: Address | None) -> FlywayScript:
    on_postgresql = on is not None and on.scheme == "postgresql"
    raw = read(path, project.relative(path), "statement")
    own = dict(_own(path))
    text = (
        raw.text
        if own.get("placeholderreplacement") == "false"
        else flyway.replaced(raw.text, raw.name, _given(flyway, path, on))
    )
    file = raw if text == raw.text else SqlFile(raw.name, text, split(text))
    if on_postgresql:
        refuse_psql(file)
    kind = found["kind"] or "R"
    checksum = _checksum(text if kind == "R" else raw.text)
    alone = [on_postgresql and bool(_ALONE.match(statement.text)) for statement in file.statements]
    mixed = any(alone) and not all(alone) and flyway.says("mixed") != "true" and "executeintransaction" not in own
    bracket = own.get("executeintransaction", "false" if any(alone) else "true") == "true"
    script = FlywayScript(
        f"{path.stem} {checksum & 0xFFFFFFFF:08x}" if kind == "R" else path.stem,
        (found["version"] or "").replace("_", "."),
        found["title"].replace("_", " "),
        path,
        file.name,
        (file,),
        "statement",
        bracket,
        repeatable=kind == "R",
        kind=kind,
        checksum=checksum,
        script=path.relative_to(folder).as_posix(),
    )
    return replace(script, wrong=(file.statements[alone.index(True)].line, _MIXED)) if mixed else script


_MIXED = (
    "Flyway: detected both transactional and non-transactional statements within the same migration (even though mixed is false)"
)


def _own(path: Path) -> Iterator[tuple[str, str]]:
    """The settings of one script."""
    for line in _lines(path.with_name(f"{path.name}.conf")):
        key, equals, value = line.partition("=")
        if equals and not key.lstrip().startswith("#"):
            yield key.strip().lower(), value.strip().lower()


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8", "replace").splitlines() if path.is_file() else []


def _checksum(text: str) -> int:
    """Flyway's: CRC-32 of all lines without their ends, as a signed number."""
    checksum = 0
    for line in re.split(r"\r\n|\r|\n", text):
        checksum = zlib.crc32(line.encode("utf-8", "surrogateescape"), checksum)
    return checksum - (1 << 32) if checksum >= 1 << 31 else checksum
