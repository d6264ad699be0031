"""Atlas' folders ("atlas" in the settings): the files that ``atlas.sum`` names, by version.

A file is one transaction unless it says ``-- atlas:txmode none``. What ``atlas.sum`` does not confirm is refused, as Atlas does
(Atlas' documentation, "Migration Directory Integrity" and "Transaction Configuration").
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.errors import ToolFailed
from runner.migrations import versioned
from runner.migrations.books import Plain, make, quoted
from runner.migrations.folders import detected
from runner.migrations.interface import Detected, Event, Project, Revision
from runner.migrations.scripts import Refused, Script
from runner.migrations.sql_files import read, refuse_psql
from runner.migrations.sql_folder import current as current
from runner.servers.interface import Address

if TYPE_CHECKING:
    from runner.migrations.books import Connected

NAME: Final = "atlas"
TITLE = "Atlas"
FILES_ONLY = True
#: Why nothing of it can be undone.
NO_WAY_BACK = "a folder of Atlas holds no way back: `atlas migrate down` plans it from the database"

_SUM = "atlas.sum"
_PLACES = (_SUM, f"*/{_SUM}", f"*/*/{_SUM}", f"*/*/*/{_SUM}")
_DIRECTIVE = re.compile(r"^--\s*atlas:(\w+)\s*(.*?)\s*$", re.MULTILINE)
#: Directives that change what is applied, and that are not heeded here.
_FOREIGN = frozenset({"delimiter", "import"})
_BOOKS = (
    "version character varying NOT NULL PRIMARY KEY, description character varying NOT NULL, type bigint NOT NULL DEFAULT 2, "
    "applied bigint NOT NULL DEFAULT 0, total bigint NOT NULL DEFAULT 0, executed_at timestamp with time zone NOT NULL, "
    "execution_time bigint NOT NULL, error text, error_stmt text, hash character varying NOT NULL, partial_hashes jsonb, "
    "operator_version character varying NOT NULL"
)


def detect(root: Path) -> Detected | None:
    """An ``atlas.sum``; it does not say of which engine the files are, so that it is only suggested."""
    sums = [path for place in _PLACES for path in sorted(root.glob(place)) if "node_modules" not in path.parts]
    return detected(NAME, root, sums, sure=False)


def revisions(project: Project) -> Sequence[Revision]:
    """The files in the order of their names, which is that of their versions."""
    return versioned.revisions(_scripts(project))


def apply(project: Project, on: Address) -> Iterator[Event]:
    """Apply every file that the books do not name."""
    return versioned.apply(project, on, _scripts(project), _Books(project.directory))


def _scripts(project: Project) -> list[Script]:
    scripts = [_script(project, path) for path in sorted(project.directory.glob("*.sql"), key=lambda path: path.name)]
    starts = [at for at, script in enumerate(scripts) if _checkpoint(script)]
    return scripts[starts[-1] :] if starts else scripts


def _checkpoint(script: Script) -> bool:
    """Whether a new database begins here; one that has rows in its books passes it over."""
    return any(name == "checkpoint" for name, _ in _directives(script.path))


def _directives(path: Path) -> list[tuple[str, str]]:
    """What stands in the file's head, before an empty line, is Atlas' of the whole file."""
    head = re.split(r"\r?\n\s*\r?\n", path.read_text("utf-8", "replace"), maxsplit=1)[0]
    return [(name, value) for name, value in _DIRECTIVE.findall(head)]


def _script(project: Project, path: Path) -> Script:
    file = read(path, project.relative(path), "statement")
    refuse_psql(file)
    foreign = next((name for name, _ in _directives(path) if name in _FOREIGN), None)
    if foreign is not None:
        raise ToolFailed(
            f"{file.name}: 'atlas:{foreign}' is not understood here: cannot run here",
            'Set migrations.tool to "command" and migrations.command to your call of Atlas.',
        )
    version, _, title = path.stem.partition("_")
    bracket = ("txmode", "none") not in _directives(path)
    return Script(path.stem, version, title.replace("_", " ") or path.stem, path, file.name, (file,), "statement", bracket)


def sums(folder: Path) -> list[str]:
    """The lines that ``atlas.sum`` must have: of the whole, then of each file with all that went before it."""
    running, lines, whole = hashlib.sha256(), list[str](), hashlib.sha256()
    for path in sorted(folder.glob("*.sql"), key=lambda path: path.name):
        running.update(path.name.encode())
        if "atlas:sum ignore" not in path.read_text("utf-8", "replace").partition("\n")[0]:
            running.update(path.read_bytes())
        digest = base64.b64encode(running.digest()).decode()
        whole.update(path.name.encode() + digest.encode())
        lines.append(f"{path.name} h1:{digest}")
    return [f"h1:{base64.b64encode(whole.digest()).decode()}", *lines]


class _Books(Plain):
    """A row for each file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines = dict[str, str]()
        self.table = quoted("atlas_schema_revisions", "atlas_schema_revisions")

    def pending(self, connection: Connected, scripts: Sequence[Script]) -> Sequence[Script]:
        """What has no row. Refused: a folder that ``atlas.sum`` does not confirm, and what is older than the newest row."""
        self._confirmed(scripts)
        connection.execute(b"CREATE SCHEMA IF NOT EXISTS atlas_schema_revisions")
        make(connection, self.table, _BOOKS)
        applied = {str(row[0]) for row in connection.execute(b"SELECT version FROM %s" % self.table)}
        pending = [script for script in scripts if script.version not in applied and not (applied and _checkpoint(script))]
        late = next((script for script in pending if script.version < max(applied, default="")), None)
        if late is not None:
            raise Refused(f"Atlas: migration file {late.path.name} was added out of order", late)
        return pending

    def _confirmed(self, scripts: Sequence[Script]) -> None:
        file = self.folder / _SUM
        there = [line.strip() for line in file.read_text("utf-8", "replace").splitlines()] if file.is_file() else []
        self.lines = {line.split(" ")[0]: line for line in sums(self.folder)}
        changed = next((script for script in scripts if self.lines[script.path.name] not in there), None)
        if changed is not None or not self.lines.keys() & set(there[:1]):
            raise Refused("Atlas: checksum mismatch, atlas.sum does not have this folder as it is: `atlas migrate hash`", changed)

    def end(self, connection: Connected, script: Script) -> None:
        """Its row."""
        count = sum(len(part.statements) for part in script.parts)
        row = (script.version, script.title, count, count, self.lines[script.path.name].partition("h1:")[2], "dbproof")
        connection.execute(
            b"INSERT INTO %s (version, description, applied, total, executed_at, execution_time, hash, operator_version) "
            b"VALUES (%%s, %%s, %%s, %%s, now(), 0, %%s, %%s)" % self.table,
            row,
        )
