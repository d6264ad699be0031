"""One project applied by its own tool and by dbproof, on two empty databases of one server, and both compared by pg_dump."""

from __future__ import annotations

import difflib
import os
import re
import secrets
import subprocess
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from real.own_tool import ask
from real.published import NotInstalled

from checks.targets import Role
from runner.migrations.interface import Adapter, Broke, Direction, Elsewhere, Event, Project, Reversible, Step
from runner.migrations.registry import ADAPTERS
from runner.servers.installations import installations
from runner.servers.interface import Database, Server
from runner.settings.model import MigrationSettings
from tools.samples import Call, Command, Had, Sample

_TIMEOUT = 300.0
_COLOURS = re.compile("\x1b\\[[0-9;]*m")
#: Lines of a difference that are shown.
_MOST = 60


class Failed(Exception):
    """The tool or the adapter did not come to an end."""


@dataclass(frozen=True)
class Compared:
    """What came of a sample: ``outcome`` is one or two words, ``why`` the difference or the reason."""

    name: str
    version: str
    outcome: str
    undone: str = ""
    why: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing is different; a tool that cannot be had is no difference."""
        return self.outcome in ("same", "both stop", "not to be had") and self.undone in ("", "same", "none")


def compared(sample: Sample, server: Server, cache: Path) -> Compared:
    """Fetch the tool, apply the project twice, compare."""
    try:
        had = sample.fetch(cache)
    except NotInstalled as error:
        return Compared(sample.name, "", "not to be had", why=str(error).strip())
    with ExitStack() as stack:
        own, ours = (Path(stack.enter_context(TemporaryDirectory(prefix="dbproof-tools-"))) / "project" for _ in range(2))
        try:
            return _compared(sample, server, had, own, ours)
        except Failed as failed:
            return Compared(sample.name, had.version, "failed", why=str(failed))


def _compared(sample: Sample, server: Server, had: Had, own_root: Path, our_root: Path) -> Compared:
    for root in (own_root, our_root):
        _lay(sample, had, root)
    own, ours = (server.create(f"tools_{secrets.token_hex(4)}") for _ in range(2))
    project = _project(sample, had, our_root)
    found = _applied(sample, had, (own_root, own), (project, ours))
    project = replace(project, applied=frozenset(one.id for one in ADAPTERS[sample.tool].revisions(project)))
    if found.outcome == "same" and sample.books_kept:  # with nothing pending nothing changes, but for what a tool does each time
        found = _applied(sample, had, (own_root, own), (project, ours))
    if found.outcome != "same":
        return found
    return _undone(sample, sample.undo, had, (own_root, own), (project, ours)) if sample.undo else replace(found, undone="none")


def _applied(sample: Sample, had: Had, own: tuple[Path, Database], ours: tuple[Project, Database]) -> Compared:
    """Everything that is pending, by the tool and by dbproof."""
    stops = (_stop(lambda: _call(sample.apply, had, *own)), _stop(lambda: _apply(ADAPTERS[sample.tool], *ours)))
    if all(stops) != any(stops):
        who = "the tool" if stops[0] else "dbproof"
        return Compared(sample.name, had.version, "different", why=f"only {who} stops: {''.join(stops)}")
    if why := _difference(sample, own[1], ours[1]):
        return Compared(sample.name, had.version, "different", why=why)
    return Compared(sample.name, had.version, "both stop" if any(stops) else "same", why=_last_words(stops) if any(stops) else "")


def _undone(sample: Sample, undo: Call, had: Had, own: tuple[Path, Database], ours: tuple[Project, Database]) -> Compared:
    """The last migration undone, by the tool and by dbproof."""
    adapter, (project, on) = ADAPTERS[sample.tool], ours
    _call(undo, had, *own)
    last = adapter.revisions(project)[-1].id
    _well(cast("Reversible", adapter).rehearse(project, on.addresses[Role.OWNER], [Step(Direction.DOWN, last)]))
    why = _difference(sample, own[1], on)
    return Compared(sample.name, had.version, "same", "different" if why else "same", why)


def _stop(doing: Callable[[], None]) -> str:
    """Why it stopped, or nothing."""
    try:
        doing()
    except Failed as failed:
        return str(failed)
    return ""


def _last_words(stops: Sequence[str]) -> str:
    """Of each the first line that tells of an error, else the last one."""
    said = [_COLOURS.sub("", stop).strip().splitlines() for stop in stops]
    first = (next((line for line in lines if "error" in line.lower()), lines[-1]) for lines in said)
    return "\n".join(line.strip()[:300] for line in first)


def _apply(adapter: Adapter, project: Project, on: Database) -> None:
    _well(adapter.apply(project, on.addresses[Role.OWNER]))


def _lay(sample: Sample, had: Had, root: Path) -> None:
    root.mkdir()
    for name, text in sample.files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    sample.lay(had, root)


def _project(sample: Sample, had: Had, root: Path) -> Project:
    settings = MigrationSettings.model_validate({"tool": sample.tool, **sample.settings(had)})
    return Project(root, root / settings.directory, settings, root)


def _call(call: Call, had: Had, root: Path, on: Database) -> None:
    command: Command = call(had, root, on.addresses[Role.OWNER])
    home = root.parent / "home"
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "JAVA_HOME"}}
    environment = {**kept, "HOME": str(home), **command.environment}
    done = subprocess.run(
        command.words, cwd=root / command.folder, env=environment, capture_output=True, text=True, timeout=_TIMEOUT, check=False
    )
    if done.returncode:
        raise Failed(f"the tool itself, {Path(command.words[0]).name}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def _well(events: object) -> list[Event]:
    told = list(cast("Sequence[Event]", events))
    wrong = [event for event in told if isinstance(event, Broke | Elsewhere)]
    if wrong:
        raise Failed(f"dbproof: {wrong}")
    return told


def _difference(sample: Sample, own: Database, ours: Database) -> str:
    """The lines in which the tool's database (-) and dbproof's (+) differ: schema, rows, books."""
    (one, other) = ([*_schema(sample, each), *_rows(sample, each), *_books(sample, each)] for each in (own, ours))
    lines = list(difflib.unified_diff(one, other, "the tool itself", "dbproof", lineterm="", n=2))
    more = [f"and {len(lines) - _MOST} more lines"] if len(lines) > _MOST else []
    return "\n".join([*lines[:_MOST], *more])


def _schema(sample: Sample, database: Database) -> list[str]:
    left_out = [f"--exclude-schema={name}" for name in sample.without]
    return _dump(database, "--schema-only", *left_out)


def _rows(sample: Sample, database: Database) -> list[str]:
    left_out = [f"--exclude-table={name}" for name in sample.book_tables]
    left_out += [f"--exclude-schema={name}" for name in sample.without]
    return _dump(database, "--data-only", "--inserts", *left_out)


def _dump(database: Database, *options: str) -> list[str]:
    program = max(installations(), key=lambda one: one.version).binaries / "pg_dump"
    at = database.addresses[Role.OWNER]
    place = ["--host", at.host, "--port", str(at.port), "--username", at.user, "--dbname", at.database]
    command, environment = [str(program), *options, *place], {"PGPASSWORD": at.password}
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=_TIMEOUT).stdout
    lines = said.replace(at.user, "the_owner").splitlines()
    return [line for line in lines if not line.startswith(("\\restrict ", "\\unrestrict "))]


def _books(sample: Sample, database: Database) -> list[str]:
    return ["books:", *map(str, ask(database, sample.books))] if sample.books else []
