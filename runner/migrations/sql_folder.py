"""A folder of SQL files, applied in the order of their versions ("sql" in the settings).

The folder keeps no books: what a database holds already is told by ``Project.applied``. Each file has a session of its own,
as with ``psql -f``, so that what one file sets (``search_path`` in a dump) does not reach the next. ``x.down.sql`` beside
``x.up.sql`` undoes it.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from checks.evidence import Place
from runner.errors import UsageError
from runner.migrations import file_steps
from runner.migrations.flyway_settings import FILES as FLYWAYS
from runner.migrations.interface import Began, Broke, Came, Detected, Direction, Ended, Event, Project, Revision, Said, Step
from runner.migrations.scripts import Way
from runner.migrations.simple_query import session
from runner.migrations.sql_files import SqlFile, Transaction, apply_file, read_all
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

NAME = "sql"
TITLE = "SQL files"
FILES_ONLY = True
KEEPS_BOOKS = False

_FOLDERS = ("migrations", "db/migrations", "database/migrations", "sql/migrations")
_NUMBERED = re.compile(r"(?:\d+|V\d[\d._]*_)_\w[^/]*\.sql", re.ASCII)
_BESIDE = frozenset({"README.md", "README", ".gitkeep", ".gitignore"})
#: Markers by which other tools split a file, and that mean: this folder is not ours to apply.
_OTHER_TOOLS = re.compile(
    r"^--\s*(?:\+goose|\+migrate|\+micrate|migrate:|liquibase|//@UNDO|Deploy \S+:|rambler|>\s*statement-breakpoint)"
    r"|^-->\s*statement-breakpoint",
    re.MULTILINE | re.IGNORECASE,
)
_DOWN = re.compile(r"(?:.*\.)?(?:down|undo|rollback)\.sql|U\d[\d._]*__.*\.sql", re.ASCII)
_UP_END = ".up.sql"
_FLYWAY = re.compile(r"V(?P<version>\d[\d._]*?)__(?P<title>.*)", re.ASCII)
_VERSIONED = re.compile(r"\d[\d._-]*[_-](?P<title>.+)", re.ASCII)

_Key = tuple[tuple[int, int, str], ...]


def detect(root: Path) -> Detected | None:
    """A folder in a usual place that holds numbered SQL files and nothing else, none of them with another tool's markers."""
    found = [folder for folder in _FOLDERS if _unmistakable(root / folder)]
    if len(found) != 1 or any((root / name).is_file() for name in FLYWAYS):
        return None
    first = min((root / found[0]).glob("*.sql"), key=lambda path: order(path.name))
    return Detected(MigrationSettings(tool="sql", directory=found[0]), Place(f"{found[0]}/{first.name}"), sure=True)


def _unmistakable(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    inside = [path for path in folder.iterdir() if path.name not in _BESIDE]
    if not inside or not all(path.is_file() and _NUMBERED.fullmatch(path.name) for path in inside):
        return False
    ups_and_downs = any(path.name.endswith((".up.sql", ".down.sql")) for path in inside)
    return not ups_and_downs and not any(_OTHER_TOOLS.search(path.read_text("utf-8", "replace")) for path in inside)


def revisions(project: Project) -> Sequence[Revision]:
    """The files in the order of their versions; down files are left out."""
    return [_revision(project, path) for path in _files(project)]


def _revision(project: Project, path: Path) -> Revision:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Revision(_id(project, path), _title(path), Place(project.relative(path), 1), digest)


def _id(project: Project, path: Path) -> str:
    return path.relative_to(project.directory).as_posix().removesuffix(".sql").removesuffix(".up")


def _title(path: Path) -> str:
    stem = path.name.removesuffix(".sql").removesuffix(".up")
    found = _FLYWAY.fullmatch(stem) or _VERSIONED.fullmatch(stem)
    return (found["title"] if found else stem).replace("_", " ").strip() or stem


def _files(project: Project) -> list[Path]:
    pattern = project.settings.files or "*.sql"
    if PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts:
        raise UsageError(
            f"migrations.files: '{pattern}' leaves the folder '{project.settings.directory}'",
            'Give a pattern relative to migrations.directory, such as "*.sql" or "**/*.sql".',
        )
    found = {path for path in project.directory.glob(pattern) if path.is_file() and not _DOWN.fullmatch(path.name)}
    return sorted(found, key=lambda path: order(path.relative_to(project.directory).as_posix()))


def order(name: str) -> tuple[int, _Key, str]:
    """What files are sorted by: numbers as numbers, so that V2 stands before V10.

    Flyway's versioned files go by version in whatever folder they lie, and before its repeatable ones (``R__…``).
    """
    file = PurePosixPath(name).name
    if flyway := _FLYWAY.fullmatch(file):
        numbers = [int(number) for number in re.split(r"[._]", flyway["version"]) if number]
        while numbers and not numbers[-1]:
            numbers.pop()
        return 0, tuple((0, number, "") for number in numbers), name
    return (1 if file.startswith("R__") else 0), _natural(name), name


def _natural(name: str) -> _Key:
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return tuple((0, int(part), "") if part.isdecimal() and part.isascii() else (1, 0, part) for part in parts)


def current(project: Project, on: Address) -> Iterator[Event] | None:
    """Connect and ask for nothing: the address is ours by construction."""
    return iter((Came(),)) if on.scheme == "sqlite" else _connect(project, on)


def _connect(project: Project, on: Address) -> Iterator[Event]:
    if on.scheme == "mysql":
        yield from _connect_to_mariadb(on)
        return
    with session(on, time.monotonic() + project.settings.timeout) as opened:
        refusal = opened.send("select 1").refusal
    if refusal is not None:
        yield Broke(None, None, "select 1", refusal.said, refusal.code, refusal.detail, refusal.timed_out)


def apply(project: Project, on: Address) -> Iterator[Event]:
    """Apply every file that the database does not hold yet, in the settings' transaction mode ("statement" by default)."""
    pending = [path for path in _files(project) if _id(project, path) not in project.applied]
    files = _read_all(pending, project, on)
    deadline = time.monotonic() + project.settings.timeout
    for path, file in zip(pending, files, strict=True):
        for event in _sent(project, on, _id(project, path), file, deadline):
            yield event
            if isinstance(event, Broke):
                return


def reversible(project: Project) -> bool:
    """Where a file ``x.up.sql`` has one ``x.down.sql`` beside it."""
    return any(_down(path).is_file() for path in _files(project) if path.name.endswith(_UP_END))


def rehearse(project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
    """Single files ``x.up.sql`` and ``x.down.sql``."""
    paths = {_id(project, path): path for path in _files(project)}

    def way(step: Step) -> Way:
        path = paths[step.revision]
        undoing = step.direction is Direction.DOWN
        if undoing and not (path.name.endswith(_UP_END) and _down(path).is_file()):
            missing = f"there is no {path.name.removesuffix('.sql').removesuffix('.up')}.down.sql"
            return Way(Place(project.relative(path), 1), missing=missing)
        path = _down(path) if undoing else path
        return Way(Place(project.relative(path), 1), tuple(_read_all([path], project, on)))

    def send(revision: str, way: Way) -> Iterator[Event]:
        return _sent(project, on, revision, way.parts[0], time.monotonic() + project.settings.timeout)

    return file_steps.rehearse(steps, way, send)


def _down(path: Path) -> Path:
    return path.with_name(f"{path.name.removesuffix(_UP_END)}.down.sql")


def _sent(project: Project, on: Address, revision: str, file: SqlFile, deadline: float) -> Iterator[Event]:
    send = {"sqlite": _on_sqlite, "mysql": _on_mariadb}.get(on.scheme, _on_postgresql)
    began = time.monotonic()
    yield Began(revision)
    broke = yield from send(on, file, _transaction(project), deadline)
    yield replace(broke, revision=revision) if broke is not None else Ended(revision, time.monotonic() - began)


def _transaction(project: Project) -> Transaction:
    return project.settings.transaction or "statement"


def _read_all(paths: Sequence[Path], project: Project, on: Address) -> Sequence[SqlFile]:
    """Every file before the first is applied, so that what cannot run here changes nothing."""
    if on.scheme == "sqlite":
        from runner.migrations import sqlite_files

        return [sqlite_files.read(path, project.relative(path)) for path in paths]
    if on.scheme == "mysql":
        from runner.migrations import mariadb_files

        return [mariadb_files.read(path, project.relative(path)) for path in paths]
    return read_all(((path, project.relative(path)) for path in paths), _transaction(project))


def _on_postgresql(on: Address, file: SqlFile, transaction: Transaction, deadline: float) -> Generator[Event, None, Broke | None]:
    said: list[str] = []
    with session(on, deadline, said.append) as opened:
        broke = apply_file(opened, file, transaction)
    yield from (Said(f"{file.name}: {text}") for text in said)
    return broke


def _on_sqlite(on: Address, file: SqlFile, transaction: Transaction, deadline: float) -> Generator[Event, None, Broke | None]:
    from runner.migrations import sqlite_files

    return (yield from sqlite_files.apply_file(on, file, transaction, deadline))


def _on_mariadb(on: Address, file: SqlFile, transaction: Transaction, deadline: float) -> Generator[Event, None, Broke | None]:
    from runner.migrations import mariadb_files

    yield Came()
    return mariadb_files.apply_file(on, file, transaction, deadline)


def _connect_to_mariadb(on: Address) -> Iterator[Event]:
    import pymysql

    from runner.servers.mariadb.sessions import code_of, session, words_of

    try:
        with session(on):
            yield Came()
    except (pymysql.err.Error, OSError) as failure:
        yield Broke(None, None, "", words_of(failure), code_of(failure))
