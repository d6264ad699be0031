"""dbmate's files ("dbmate" in the settings): ``-- migrate:up``, in the order of their names.

The text up to ``-- migrate:down`` goes to the server as one message, in a transaction unless the mark says ``transaction:false``
(dbmate, ``pkg/dbmate/migration.go`` and ``db.go``). What is older than the newest is applied too. ``schema.sql`` is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from checks.evidence import Place
from runner.migrations import versioned, versioned_steps
from runner.migrations.books import Plain, make, on_engine, own_table, quoted
from runner.migrations.folders import detected, holding
from runner.migrations.interface import Detected, Event, Project, Revision, Step
from runner.migrations.scripts import Script, Way
from runner.migrations.sql_files import SqlFile, read, section
from runner.migrations.sql_folder import current as current
from runner.servers.interface import Address

if TYPE_CHECKING:
    from runner.migrations.books import Connected

NAME: Final = "dbmate"
TITLE = "dbmate"
FILES_ONLY = True
KEEPS_BOOKS = True

_NAME = re.compile(r"([0-9]+).*\.sql", re.ASCII)
_UP = re.compile(r"^--\s*migrate:up(\s*$|\s+\S+)", re.MULTILINE)
_DOWN = re.compile(r"^--\s*migrate:down(\s*$|\s+\S+)$", re.MULTILINE)
_NEITHER = re.compile(r"^(?!\s*--)(?=.*\S)", re.MULTILINE)


def detect(root: Path) -> Detected | None:
    """Files that say ``-- migrate:up``, which no other tool reads."""
    return detected(NAME, root, holding(root, lambda path: _UP.search(path.read_text("utf-8", "replace")) is not None), sure=True)


def revisions(project: Project) -> Sequence[Revision]:
    """The files in the order of their names."""
    return versioned.revisions(_scripts(project))


def apply(project: Project, on: Address) -> Iterator[Event]:
    """Apply every file that ``schema_migrations`` does not name."""
    return versioned.apply(project, on, _scripts(project), _Books())


def reversible(project: Project) -> bool:  # noqa: ARG001 - every file has a way down, or is refused
    """By ``dbmate rollback``."""
    return True


def rehearse(project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
    """``dbmate up`` of one file and ``dbmate rollback``."""
    return versioned_steps.rehearse(project, on, _scripts(project), _Books(), _back, steps)


def _scripts(project: Project) -> list[Script]:
    found = [(path, match) for path in project.directory.glob("*.sql") if (match := _NAME.fullmatch(path.name))]
    return [_script(project, path, match[1]) for path, match in sorted(found, key=lambda each: each[0].name)]


def _script(project: Project, path: Path, version: str) -> Script:
    file = read(path, project.relative(path), "whole")
    up, down = _UP.search(file.text), _DOWN.search(file.text)
    title = path.stem.removeprefix(version).strip("_").replace("_", " ") or path.stem
    if up is None or down is None or _wrong(file.text, up.start(), down.start()):
        said = _wrong(file.text, up.start() if up else -1, down.start() if down else -1)
        return Script(path.stem, version, title, path, file.name, wrong=(1, said))
    part = section(file, up.start(), down.start())
    return Script(path.stem, version, title, path, file.name, (part,), bracket=_in_transaction(part))


def _in_transaction(part: SqlFile) -> bool:
    return "transaction:false" not in part.text.partition("\n")[0].split()


def _back(script: Script) -> Way:
    """What stands after ``-- migrate:down``; without a statement dbmate forgets the file, and nothing is undone."""
    file = read(script.path, script.name, "whole")
    down = _DOWN.search(file.text)
    if down is None:
        return Way(Place(script.name, 1), wrong=script.wrong)
    part = section(file, down.start())
    place = Place(script.name, file.text.count("\n", 0, down.start()) + 1)
    empty = not part.statements and any(one.statements for one in script.parts)
    return Way(place, (part,), _in_transaction(part), "it has no statement after `-- migrate:down`" if empty else "")


def _wrong(text: str, up: int, down: int) -> str:
    """What dbmate says of a file with its marks at these positions."""
    if up < 0:
        return "dbmate requires each migration to define an up block with '-- migrate:up'"
    if down < 0:
        return "dbmate requires each migration to define a down block with '-- migrate:down'"
    if up > down:
        return "dbmate requires '-- migrate:up' to appear before '-- migrate:down'"
    return "dbmate does not support statements preceding the '-- migrate:up' block" if _NEITHER.search(text[:up]) else ""


class _Books(Plain):
    """A row for each file, with the digits that its name begins with."""

    def __init__(self) -> None:
        self.table = quoted("public", "schema_migrations")

    def pending(self, connection: Connected, scripts: Sequence[Script]) -> Sequence[Script]:
        """What has no row."""
        self.table = own_table(connection, "schema_migrations")
        key = "version varchar(128) PRIMARY KEY"
        make(connection, self.table, on_engine(connection, "version varchar NOT NULL PRIMARY KEY", key, key))
        applied = {row[0] for row in connection.execute(b"SELECT version FROM %s" % self.table)}
        return [script for script in scripts if script.version not in applied]

    def end(self, connection: Connected, script: Script) -> None:
        """Its row, in the schema that new tables go to by now: dbmate asks for it each time."""
        self.table = own_table(connection, "schema_migrations")
        connection.execute(b"INSERT INTO %s (version) VALUES (%%s)" % self.table, (script.version,))

    def held(self, connection: Connected, scripts: Sequence[Script]) -> Sequence[Script]:
        """By their names, as dbmate goes back."""
        self.table = own_table(connection, "schema_migrations")
        applied = {row[0] for row in connection.execute(b"SELECT version FROM %s" % self.table)}
        return [script for script in scripts if script.version in applied]

    def undo(self, connection: Connected, script: Script) -> None:
        """Its row goes."""
        self.table = own_table(connection, "schema_migrations")
        connection.execute(b"DELETE FROM %s WHERE version = %%s" % self.table, (script.version,))
