"""The project's own programs that make rows: a command of the settings, and Django, which loads its fixtures itself."""

from __future__ import annotations

import re
import shlex
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from checks.evidence import MigrationFailure, Place
from runner.backends.interface import Backend
from runner.data.load import failure as failure_of
from runner.data.own.refusing import Refused
from runner.data.own.sources import RowFile
from runner.errors import ToolFailed, UsageError
from runner.migrations import command as commands
from runner.migrations.address import went_elsewhere
from runner.migrations.interface import Broke, Came, Elsewhere, Event, Project, Ran, Said
from runner.servers.interface import Address, Database, Server
from runner.settings.loading import Format, LoadSettings
from runner.settings.model import MigrationSettings

#: What Django says of an object that it could not save, and of one whose parent is missing at the end.
_OBJECT = re.compile(r"Could not load (?P<model>[\w.]+)\(pk=(?P<pk>[^)]*)\): (?P<said>.*)")
_ORPHAN = re.compile(r"The row in table '(?P<table>[^']+)' with primary key '(?P<pk>[^']*)' has an invalid foreign key")
#: So many of the last lines are looked through.
_LINES = 200

#: A frame of Python's tracebacks.
_FRAME = re.compile(r'File "(?P<file>[^"\n]+)", line (?P<line>\d+)')
_FIXTURE = re.compile(r"Problem installing fixtures? '(?P<file>[^']+)'")


@dataclass(frozen=True)
class ProjectPrograms:
    """Starts programs as the project's migrations are started: in its environment, led to our database.

    ``project`` is the checkout's, with the settings of its migrations where it has any.
    """

    project: Project
    backend: Backend
    server: Server
    database: Database
    on: Address

    def command(self, entry: LoadSettings) -> MigrationFailure | None:
        """Run a command of the settings. Raises WrongAddress where it went elsewhere, ToolFailed where it cannot start."""
        text = entry.command or ""
        failure, lines = self._run(self._as_command(text, self.project.root))
        if failure is None or failure.place is not None:
            return failure
        place = _traced("\n".join(lines), self.project.root)
        if place is None:
            return replace(failure, place=Place(text))
        said, *more = _raised(lines)
        return replace(failure, place=place, said=said, detail="\n".join(more))

    def ran(self, text: str) -> str:
        """Run a program of the project's and give its last words where it failed, nothing where it ended well.

        Raises WrongAddress where it went elsewhere, ToolFailed where it cannot start or never came.
        """
        failure, _ = self._run(self._as_command(text, self.project.root))
        return (failure.said or "it failed and said nothing") if failure is not None else ""

    def fixtures(self, files: Sequence[RowFile]) -> MigrationFailure | None:
        """``manage.py loaddata``, once for all files. Raises UsageError where there is no Django project."""
        folder = _django(self.project.root)
        if folder is None:
            raise UsageError(
                f"{files[0].name}: is a fixture of Django, which only a Django project loads, and there is no manage.py",
                'Where the objects are rows of a table, say so: { file = "…", format = "json", table = "…" }.',
            )
        words = ["python", "manage.py", "loaddata", *(str(file.path.resolve()) for file in files)]
        failure, lines = self._run(self._as_command(" ".join(map(_quoted, words)), folder))
        return None if failure is None else _placed(failure, "\n".join(lines), files)

    def _as_command(self, text: str, directory: Path) -> Project:
        kept = self.project.settings.model_copy(update={"tool": "command", "command": text})
        return replace(self.project, settings=kept, directory=directory)

    def _run(self, project: Project) -> tuple[MigrationFailure | None, Sequence[str]]:
        """Why a program failed, and the last lines that it said."""
        mark = self.server.mark()
        told: list[Event] = []
        lines: deque[str] = deque(maxlen=_LINES)
        broke: Broke | None = None
        with closing(cast("Any", commands.apply(project, self.on))) as events:
            for event in cast("Iterator[Event]", events):
                if isinstance(event, Elsewhere):
                    raise went_elsewhere(event, self.database)
                if isinstance(event, Came | Ran):
                    told.append(event)
                if isinstance(event, Said) and event.text.strip():
                    lines.append(event.text)
                broke = event if isinstance(event, Broke) else broke
        if broke is not None:
            return failure_of(broke), tuple(lines)
        if not self.backend.arrived(self.server, self.database, mark, told):
            raise ToolFailed(
                f"`{project.settings.command}` came to an end without a session on our database: it did nothing there",
                "Let it connect to DATABASE_URL, or say in migrations.env which variable it reads.",
            )
        return None, ()


def _traced(said: str, root: Path) -> Place | None:
    """The last line of the project's own that a traceback of Python names."""
    places = [(Path(found["file"]), int(found["line"])) for found in _FRAME.finditer(said)]
    own = [(path, line) for path, line in places if path.is_relative_to(root)]
    return Place(own[-1][0].relative_to(root).as_posix(), own[-1][1]) if own else None


def _raised(lines: Sequence[str]) -> Sequence[str]:
    """What a traceback of Python ends in: the error in one line, and what else it says, which may quote rows."""
    last = max(number for number, line in enumerate(lines) if _FRAME.search(line))
    ends = [number for number, line in enumerate(lines) if number > last and not line.startswith((" ", "\t"))]
    return lines[ends[0] :] if ends else lines[-1:]


def unmigrated(root: Path, work_tree: Path) -> Project:
    """A checkout of a project without migrations."""
    return Project(root, root, MigrationSettings(tool="command", command="true"), work_tree)


def _quoted(word: str) -> str:
    return shlex.quote(word).replace("{", "{{").replace("}", "}}") if "{" in word else shlex.quote(word)


def _django(root: Path) -> Path | None:
    """The folder of the project's manage.py."""
    places = (root / "manage.py", *sorted(root.glob("*/manage.py")))
    return next((place.parent for place in places if place.is_file() and "django" in place.read_text("utf-8", "replace")), None)


def _placed(failure: MigrationFailure, lines: str, files: Sequence[RowFile]) -> MigrationFailure:
    """The failure at the object of the fixture that it is about, in the database's words."""
    text = f"{lines}\n{failure.said}\n{failure.detail}"
    named = _FIXTURE.search(text)
    file = next((one for one in files if named and named["file"] == str(one.path.resolve())), files[0])
    found = _OBJECT.search(text)
    if found is not None:
        line = _line(file, found["model"], found["pk"])
        return replace(failure, place=Place(file.name, line), said=found["said"].strip() or failure.said)
    if (orphan := _ORPHAN.search(text)) is not None:
        for one in files:
            if (line := _line_of_row(one, orphan["table"], orphan["pk"])) is not None:
                return replace(failure, place=Place(one.name, line), said=_first_line(text, orphan[0]))
    return replace(failure, place=Place(file.name))


def _first_line(text: str, beginning: str) -> str:
    rest = text[text.index(beginning) :]
    return rest.partition("\n")[0]


def _line(file: RowFile, model: str, key: str) -> int | None:
    return next((line for line, name, pk in _objects(file) if name.lower() == model.lower() and pk == key), None)


def _line_of_row(file: RowFile, table: str, key: str) -> int | None:
    """By the table's usual name, ``app_model``."""
    return next((line for line, name, pk in _objects(file) if name.lower().replace(".", "_") == table and pk == key), None)


def _objects(file: RowFile) -> Iterator[tuple[int, str, str]]:
    """The line, model and key of each object of a fixture, as far as it can be read."""
    try:
        for line, content in _read(file):
            if isinstance(content, dict):
                yield line, str(content.get("model", "")), str(content.get("pk"))
    except (Refused, ValueError):
        return


def _read(file: RowFile) -> Iterator[tuple[int, object]]:
    if file.format is not Format.FIXTURE:
        import json

        from runner.data.own.json_files import objects

        yield from objects(file, json.JSONDecoder())
        return
    from runner.settings import structured

    found = structured.read(file.path.read_text("utf-8-sig"), file.path.name)
    for number, content in enumerate(found.content if isinstance(found.content, list) else ()):
        yield found.line(str(number)) or 1, content
