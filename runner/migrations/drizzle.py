"""Drizzle's files ("drizzle" in the settings): what ``meta/_journal.json`` lists, in its order.

A file is cut at ``--> statement-breakpoint``, each piece is one message, and one transaction holds all that is pending: what the
journal dates later than the newest row. An entry with an older date is passed over for good, which here is a failure
(drizzle-orm, ``migrator.ts`` and ``pg-core/dialect.ts``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from checks.evidence import Place
from runner.errors import UsageError
from runner.migrations import versioned
from runner.migrations.books import Plain, make, quoted
from runner.migrations.folders import detected
from runner.migrations.interface import Detected, Event, Project, Revision
from runner.migrations.scripts import Refused, Script
from runner.migrations.sql_files import read, section
from runner.migrations.sql_folder import current as current
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

if TYPE_CHECKING:
    from runner.migrations.books import Connected

NAME: Final = "drizzle"
TITLE = "Drizzle"
FILES_ONLY = True
#: Why nothing of it can be undone.
NO_WAY_BACK = "Drizzle offers no way back"

_JOURNAL = "meta/_journal.json"
_BREAK = "--> statement-breakpoint"
_STARTS = ("", "*/", "*/*/", "*/*/*/")


def detect(root: Path) -> Detected | None:
    """A journal of PostgreSQL's dialect."""
    journals = [path for start in _STARTS for path in sorted(root.glob(f"{start}{_JOURNAL}")) if "node_modules" not in path.parts]
    ours = [path for path in journals if re.search(r'"dialect":\s*"(?:postgresql|pg)"', path.read_text("utf-8", "replace"))]
    if not ours:
        return None
    directory = ours[0].parent.parent.relative_to(root).as_posix()
    found = detected(NAME, root, ours, sure=True)
    return found and replace(
        found, settings=MigrationSettings(tool=NAME, directory=directory), because=Place(ours[0].relative_to(root).as_posix())
    )


def revisions(project: Project) -> Sequence[Revision]:
    """The entries of the journal, in its order."""
    return versioned.revisions(_scripts(project))


def faults(project: Project) -> Sequence[str]:
    """Numbered files that the journal does not list, which Drizzle passes over."""
    listed = {script.path for script in _scripts(project)}
    passed = sorted(path for path in project.directory.glob("[0-9]*.sql") if path not in listed)
    names = ", ".join(project.relative(path) for path in passed)
    return (
        [f"{project.relative(project.directory / _JOURNAL)} does not list {names}: Drizzle never applies that."] if passed else []
    )


def apply(project: Project, on: Address) -> Iterator[Event]:
    """Apply what the journal dates later than the newest row of ``drizzle.__drizzle_migrations``."""
    return versioned.apply(project, on, _scripts(project), _Books(project.applied))


def _scripts(project: Project) -> list[Script]:
    journal = project.directory / _JOURNAL
    name = project.relative(journal)
    try:
        entries = json.loads(journal.read_text("utf-8"))["entries"]
        return [_script(project, name, entry) for entry in entries]
    except FileNotFoundError:
        remedy = "Set migrations.directory to the folder that `drizzle-kit generate` writes to."
        raise UsageError(f"there is no journal {name}, in which Drizzle lists its migrations", remedy) from None
    except (ValueError, KeyError, TypeError) as wrong:
        raise UsageError(f"{name}: this is not Drizzle's journal: {wrong}", "`drizzle-kit generate` writes it.") from None


def _script(project: Project, journal: str, entry: Mapping[str, Any]) -> Script:
    tag, when = str(entry["tag"]), int(entry["when"])
    path = project.directory / f"{tag}.sql"
    if not path.is_file():
        raise UsageError(f"{journal}: it lists '{tag}', and there is no file {project.relative(path)}", "Commit that file.")
    file = read(path, project.relative(path), "whole")
    ends = [found.start() for found in re.finditer(_BREAK, file.text)]
    starts = [0, *(end + len(_BREAK) for end in ends)]
    parts = tuple(section(file, start, end) for start, end in zip(starts, [*ends, len(file.text)], strict=True))
    return Script(tag, str(when), tag.partition("_")[2].replace("_", " ") or tag, path, file.name, parts)


class _Books(Plain):
    """A row for each entry, with the digest of its file and the journal's date."""

    at_once = True

    def __init__(self, applied: frozenset[str]) -> None:
        self.applied = applied
        self.table = quoted("drizzle", "__drizzle_migrations")

    def pending(self, connection: Connected, scripts: Sequence[Script]) -> Sequence[Script]:
        """What is later than the newest row. Refused: a new entry that is not."""
        connection.execute(b"CREATE SCHEMA IF NOT EXISTS drizzle")
        make(connection, self.table, "id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint")
        row = connection.execute(b"SELECT max(created_at) FROM %s" % self.table).fetchone()
        newest = int(str(row[0])) if row and row[0] is not None else -1
        older = [script for script in scripts if int(script.version) <= newest]
        if lost := next((script for script in older if self.applied and script.id not in self.applied), None):
            raise Refused("Drizzle passes this entry over: the journal dates it before the newest that is applied", lost)
        return [script for script in scripts if int(script.version) > newest]

    def end(self, connection: Connected, script: Script) -> None:
        """Its row."""
        row = (script.digest, int(script.version))
        connection.execute(b"INSERT INTO %s (hash, created_at) VALUES (%%s, %%s)" % self.table, row)
