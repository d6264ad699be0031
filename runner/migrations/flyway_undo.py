"""Flyway's way back: ``U1__name.sql`` undoes version 1, the last that was applied first (Flyway's documentation, "Undo").

There is none for a repeatable file. The books keep the version's row, and get one of their own for the undoing; from then on the
version is pending again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checks.evidence import Place
from runner.migrations.flyway_books import Books, FlywayScript, version
from runner.migrations.flyway_settings import Flyway
from runner.migrations.scripts import Script, Way

if TYPE_CHECKING:
    from runner.migrations.books import Connected

#: A file, the folder of the settings that it lies in, and its name taken apart.
Found = tuple[Path, Path, re.Match[str]]


def undo_files(flyway: Flyway) -> Mapping[tuple[int, ...], Sequence[Found]]:
    """The U files by the versions that they undo, of which Flyway takes one each."""
    prefix = re.escape(flyway.says("undoSqlMigrationPrefix", "U"))
    name = re.compile(rf"(?P<kind>{prefix})(?P<version>\d[\d._]*?)__(?P<title>.+)\.sql", re.ASCII)
    files = [(folder, path) for folder in flyway.locations for path in sorted(folder.rglob("*.sql")) if path.is_file()]
    found = [(folder, path, match) for folder, path in files if (match := name.fullmatch(path.name))]
    files_of = dict[tuple[int, ...], list[Found]]()
    for one in found:
        files_of.setdefault(version(one[2]["version"]), []).append(one)
    return files_of


@dataclass(frozen=True)
class Undoing:
    """What undoes each version; ``read`` makes a script of a file."""

    files: Mapping[tuple[int, ...], Sequence[Found]]
    read: Callable[[Path, Path, re.Match[str]], FlywayScript]

    def of(self, script: FlywayScript) -> FlywayScript | None:
        """What undoes a script, or ``None`` where there is no such file."""
        found = self._found(script)
        return self.read(*found[0]) if found else None

    def _found(self, script: FlywayScript) -> Sequence[Found]:
        return self.files.get(version(script.version), ()) if script.kind == "V" else ()

    def way(self, script: Script) -> Way:
        """How a script is undone, or why it is not."""
        one = _flyways(script)
        undo = self.of(one)
        if undo is None:
            return Way(Place(one.name, 1), missing=_MISSING.get(one.kind, f"there is no U{one.version}__*.sql"))
        empty = not undo.parts[0].statements and bool(one.parts[0].statements)
        missing = f"{undo.path.name} has no statement" if empty else ""
        others = [path.name for _, path, _ in self._found(one)[1:]]
        twice = (1, f"Flyway: found more than one undo migration with version {one.version}: {', '.join(others)}")
        return Way(Place(undo.name, 1), undo.parts, undo.bracket, missing, twice if others else undo.wrong)


_MISSING = {"R": "Flyway undoes no repeatable migration", "B": "Flyway undoes no baseline"}


class UndoBooks(Books):
    """The books of a project whose versions are undone too."""

    def __init__(self, flyway: Flyway, undoing: Undoing) -> None:
        super().__init__(flyway)
        self.undoing = undoing

    def held(self, connection: Connected, scripts: Sequence[Script]) -> Sequence[Script]:
        """The versions that are applied, in their order; repeatable ones are in no one's way."""
        self._open(connection)
        applied, _ = self._applied(connection)
        return [one for one in map(_flyways, scripts) if one.kind != "R" and version(one.version) in applied]

    def back(self, connection: Connected, script: Script, before: Script | None) -> None:  # noqa: ARG002 - its own file says all
        """As before a file that is applied."""
        self.begin(connection, script)

    def undo(self, connection: Connected, script: Script) -> None:
        """A row that says so."""
        undo = self.undoing.of(_flyways(script))
        assert undo is not None  # noqa: S101 - without a file nothing is undone
        self._add(connection, undo, "UNDO_SQL", script.id)


def _flyways(script: Script) -> FlywayScript:
    assert isinstance(script, FlywayScript)  # noqa: S101 - the scripts of these books
    return script
