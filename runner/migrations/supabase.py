"""Supabase's files ("supabase" in the settings): ``supabase/migrations/20240101000000_name.sql``, in the order of their names.

Each file goes in one transaction with its row, and what it set for its session does not reach the next (Supabase's CLI,
``pkg/migration/apply.go``, ``file.go``). The platform's own roles and schemas are not made: ``before`` in the settings does it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.migrations import versioned
from runner.migrations.books import Plain, make, quoted
from runner.migrations.folders import detected
from runner.migrations.interface import Detected, Event, Project, Revision
from runner.migrations.scripts import Refused, Script
from runner.migrations.sql_files import SqlFile, read, refuse_psql
from runner.migrations.sql_folder import current as current
from runner.migrations.statements import comments
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

if TYPE_CHECKING:
    from runner.migrations.books import Connected

NAME: Final = "supabase"
TITLE = "Supabase"
FILES_ONLY = True
#: Why nothing of it can be undone.
NO_WAY_BACK = "Supabase offers no way back"

_FILE = re.compile(r"([0-9]+)_(.*)\.sql", re.ASCII)
_FOLDERS = ("supabase/migrations", "migrations", ".")


def detect(root: Path) -> Detected | None:
    """Numbered files in a folder ``supabase/migrations``."""
    places = [*root.glob("supabase/migrations"), *sorted(root.glob("*/supabase/migrations"))]
    first = [next((path for path in sorted(place.glob("*.sql")) if _FILE.fullmatch(path.name)), None) for place in places]
    found = detected(NAME, root, [path for path in first if path is not None], sure=True)
    if found is None:
        return None
    home = Path(found.settings.directory).parent.parent.as_posix()
    return replace(found, settings=MigrationSettings(tool=NAME, directory=home))


def revisions(project: Project) -> Sequence[Revision]:
    """The files in the order of their names."""
    return versioned.revisions(_scripts(project))


def apply(project: Project, on: Address) -> Iterator[Event]:
    """Apply every file that ``supabase_migrations.schema_migrations`` does not name."""
    return versioned.apply(project, on, _scripts(project), _Books())


def _scripts(project: Project) -> list[Script]:
    folder = next((place for name in _FOLDERS if (place := project.directory / name).is_dir()), project.directory)
    found = [(path, match) for path in sorted(folder.glob("*.sql")) if (match := _FILE.fullmatch(path.name))]
    return [_script(project, path, match) for path, match in found]


def _script(project: Project, path: Path, found: re.Match[str]) -> Script:
    file = read(path, project.relative(path), "statement")
    refuse_psql(file)
    title = found[2].replace("_", " ")
    return Script(path.stem, found[1], title, path, file.name, (file,), "statement", bracket=True)


class _Books(Plain):
    """A row for each file, with its statements."""

    def __init__(self) -> None:
        self.table = quoted("supabase_migrations", "schema_migrations")

    def pending(self, connection: Connected, scripts: Sequence[Script]) -> Sequence[Script]:
        """What has no row. Refused: what stands before the newest row, as ``supabase db push`` refuses it."""
        connection.execute(b"CREATE SCHEMA IF NOT EXISTS supabase_migrations")
        make(connection, self.table, "version text NOT NULL PRIMARY KEY, statements text[], name text")
        applied = {str(row[0]) for row in connection.execute(b"SELECT version FROM %s" % self.table)}
        pending = [script for script in scripts if script.version not in applied]
        late = next((script for script in pending if script.version < max(applied, default="")), None)
        if late is not None:
            raise Refused("found local migration files to be inserted before the last migration on remote database", late)
        return pending

    def begin(self, connection: Connected, script: Script) -> None:
        """What the file before set for the session ends, once a file is there."""
        if script.parts:
            connection.execute(b"RESET ALL")

    def end(self, connection: Connected, script: Script) -> None:
        """Its row."""
        statements = [text for part in script.parts for text in _written(part)]
        name = script.path.stem.partition("_")[2]
        row = (script.version, name, statements)
        connection.execute(b"INSERT INTO %s (version, name, statements) VALUES (%%s, %%s, %%s)" % self.table, row)


def _written(part: SqlFile) -> Iterator[str]:
    """The statements as they are written down: what stands between two semicolons, the comments with it."""
    spans = [(one.start, one.end) for one in part.statements] + [(one.start, one.end) for one in comments(part.text)]
    inside = bytearray(len(part.text))
    for start, end in spans:
        inside[start:end] = b"\1" * (end - start)
    start = 0
    for end in (*(found.start() for found in re.finditer(";", part.text) if not inside[found.start()]), len(part.text)):
        if text := part.text[start:end].strip():
            yield text
        start = end + 1
