"""golang-migrate's files ("golang-migrate" in the settings): ``1_name.up.sql``, in the order of their numbers.

Each file goes to the server as one message, with no transaction but the message's own. ``schema_migrations`` holds one row: the
version, which is written as dirty before its file and as clean after it (golang-migrate, ``migrate.go`` and
``database/postgres/postgres.go``). A file whose version is older than that is passed over for good, which here is a failure.
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
from runner.migrations.scripts import Refused, Script, Way, twice
from runner.migrations.sql_files import read
from runner.migrations.sql_folder import current as current
from runner.servers.interface import Address

if TYPE_CHECKING:
    from runner.migrations.books import Connected

NAME: Final = "golang-migrate"
TITLE = "golang-migrate"
FILES_ONLY = True
KEEPS_BOOKS = True

_UP = re.compile(r"([0-9]+)_(.*)\.up\.(.*)", re.ASCII)
_DOWN = re.compile(r"([0-9]+)_(.*)\.down\.(.*)", re.ASCII)
#: golang-migrate's version before the first.
_NONE = -1
_MODULE = "github.com/golang-migrate/migrate"


def detect(root: Path) -> Detected | None:
    """Numbered ``.up.sql`` files; sure where a ``go.mod`` names golang-migrate, as other tools name theirs so too."""
    modules = [path for pattern in ("go.mod", "*/go.mod") for path in sorted(root.glob(pattern))]
    named = any(_MODULE in path.read_text("utf-8", "replace") for path in modules)
    found = holding(root, lambda path: _UP.fullmatch(path.name) is not None and path.suffix == ".sql")
    return detected(NAME, root, found, sure=named)


def revisions(project: Project) -> Sequence[Revision]:
    """The up files in the order of their numbers."""
    return versioned.revisions(_scripts(project))


def _scripts(project: Project, on: Address | None = None) -> list[Script]:
    """Each file, which on SQLite alone golang-migrate puts into a transaction of its own."""
    alone = on is not None and on.scheme == "sqlite"
    found = [(path, match) for path in project.directory.glob("*.up.sql") if (match := _UP.fullmatch(path.name))]
    return sorted(
        (_script(project, path, match, alone) for path, match in found), key=lambda script: (int(script.version), script.id)
    )


def _script(project: Project, path: Path, found: re.Match[str], alone: bool) -> Script:
    name = project.relative(path)
    title = found[2].replace("_", " ") or path.name
    return Script(
        path.name.removesuffix(".up.sql"), str(int(found[1])), title, path, name, (read(path, name, "whole"),), bracket=alone
    )


def apply(project: Project, on: Address) -> Iterator[Event]:
    """Apply every file whose version is newer than the database's."""
    return versioned.apply(project, on, _scripts(project, on), _Books(project.applied))


def reversible(project: Project) -> bool:  # noqa: ARG001 - every version may have a down file
    """By ``migrate down 1``."""
    return True


def rehearse(project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
    """``migrate up 1`` and ``migrate down 1``."""
    return versioned_steps.rehearse(project, on, _scripts(project, on), _Books(project.applied), _back, steps)


def _back(script: Script) -> Way:
    """The down file; without one golang-migrate changes the version and nothing else."""
    downs = ((path, _DOWN.fullmatch(path.name)) for path in sorted(script.path.parent.iterdir()))
    path = next((path for path, found in downs if found and int(found[1]) == int(script.version)), None)
    if path is None:
        return Way(Place(script.name, 1), missing=f"there is no {script.id}.down.sql")
    name = script.name.removesuffix(script.path.name) + path.name
    part = read(path, name, "whole")
    empty = not part.statements and any(one.statements for one in script.parts)
    return Way(Place(name, 1), (part,), script.bracket, missing=f"{path.name} has no statement" if empty else "")


class _Books(Plain):
    """One row: the version, and whether it stopped half-way. The schema is that of the session's beginning."""

    def __init__(self, applied: frozenset[str]) -> None:
        self.applied = applied
        self.table = quoted("public", "schema_migrations")

    def pending(self, connection: Connected, scripts: Sequence[Script]) -> Sequence[Script]:
        """What is newer. Refused: two files of one version, a dirty database, a new file that is passed over."""
        if found := twice(scripts):
            raise Refused(f"duplicate migration file: {found[0].name} has the same version", found[1])
        self.table = own_table(connection, "schema_migrations")
        usual = "version bigint not null primary key, dirty boolean not null"
        if make(connection, self.table, on_engine(connection, usual, usual, "version uint64, dirty bool")):
            also = on_engine(connection, "", "", "CREATE UNIQUE INDEX version_unique ON schema_migrations (version)")
            if also:
                connection.execute(also.encode())
        row = connection.execute(b"SELECT version, dirty FROM %s LIMIT 1" % self.table).fetchone()
        version = int(str(row[0])) if row else -1
        if row and row[1]:
            raise Refused(f"Dirty database version {version}. Fix and force version.")
        older = [script for script in scripts if int(script.version) <= version]
        if lost := next((script for script in older if self.applied and script.id not in self.applied), None):
            raise Refused(f"golang-migrate passes this file over: a database at version {version} never applies it", lost)
        return scripts[len(older) :]

    def held(self, connection: Connected, scripts: Sequence[Script]) -> Sequence[Script]:
        """Up to the version."""
        row = connection.execute(b"SELECT version FROM %s LIMIT 1" % self.table).fetchone()
        return [script for script in scripts if row and int(script.version) <= int(str(row[0]))]

    def begin(self, connection: Connected, script: Script) -> None:
        """Dirty, from here on. What is stepped through one by one is no file that is passed over at the next step."""
        if self.applied:
            self.applied |= {script.id}
        self._set(connection, int(script.version), dirty=True)

    def ended(self, connection: Connected, script: Script) -> None:
        """Clean."""
        self._set(connection, int(script.version), dirty=False)

    def back(self, connection: Connected, script: Script, before: Script | None) -> None:  # noqa: ARG002 - its version goes
        """The version before it, dirty."""
        self._set(connection, int(before.version) if before else _NONE, dirty=True)

    def undone(self, connection: Connected, script: Script, before: Script | None) -> None:  # noqa: ARG002 - its version went
        """The version before it, clean; no row where there is none."""
        self._set(connection, int(before.version) if before else _NONE, dirty=False)

    def _set(self, connection: Connected, version: int, *, dirty: bool) -> None:
        with connection.transaction():
            connection.execute(f"{on_engine(connection, 'TRUNCATE', 'DELETE FROM', 'DELETE FROM')} ".encode() + self.table)
            if version >= 0 or dirty:
                connection.execute(b"INSERT INTO %s (version, dirty) VALUES (%%s, %%s)" % self.table, (version, dirty))
