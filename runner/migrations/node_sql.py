"""What the adapters of Node's tools for PostgreSQL have in common: the project's own command line, led to our database.

How the tool is called is read from the scripts of ``package.json``, so that its options are the project's. A file that is loaded
before the tool leads its driver (``pg``) to our database, and sees which migration file is at work.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from checks.evidence import Place
from runner.children import Command
from runner.errors import ToolFailed
from runner.migrations import hearing, node
from runner.migrations.alembic import guarded
from runner.migrations.environment import environment
from runner.migrations.interface import Detected, Direction, Event, Project, Revision, Step
from runner.migrations.rehearsing import walked
from runner.migrations.revision_files import digest
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings, Tool

_PRELOAD = node.INSIDE / "preload_sql.cjs"
_PACKAGE = "package.json"
_ENDS = frozenset({"&&", "||", ";", "|"})
_FILE = re.compile(r"\.(?:[cm]?[jt]s|sql)$")
_NO_FILE = re.compile(r"\.d\.[cm]?ts$|^\.|\.down\.sql$")
_PATTERN = re.compile(r"[*?\[{]")
_UP = re.compile(r"\bup\b\s*[:=(]")

#: Where a file stands in the order in which a tool applies them.
Order = Callable[[Path], tuple[int, str]]


@dataclass(frozen=True)
class NodeTool:
    """A tool: its word, its package, the words that its programs are called by, and what migrates where no script says how.

    ``option`` names a folder of migrations on its command line; ``in_file`` finds it in its configuration. ``up`` and ``down``
    stand in the place of the action where one migration is applied or undone, ``{file}`` for its file.
    """

    name: Tool
    package: str
    programs: tuple[str, ...]
    actions: tuple[str, ...]
    options: tuple[str, ...]
    order: Order
    config_option: str
    up: tuple[str, ...]
    down: tuple[str, ...]
    configurations: tuple[str, ...] = ()
    in_file: re.Pattern[str] | None = None

    def detect(self, root: Path) -> Detected | None:
        """A ``package.json`` that has the tool among its packages, up to two folders deep, with a folder of migrations beside.

        Never sure: which settings the project needs is known to its people only.
        """
        for pattern in (_PACKAGE, f"*/{_PACKAGE}", f"*/*/{_PACKAGE}"):
            for path in sorted(root.glob(pattern)):
                if node.MODULES in path.parts or self.package not in _packages(path):
                    continue
                settings = MigrationSettings(tool=self.name, directory=path.parent.relative_to(root).as_posix())
                if _files(self.folder(Project(root, path.parent, settings, root))):
                    return Detected(settings, Place(path.relative_to(root).as_posix()), sure=False)
        return None

    def folder(self, project: Project) -> Path:
        """The folder of migrations: as the command line or the configuration says it, else ``migrations``."""
        words = self.words(project)
        for at, word in enumerate(words):
            option, _, value = word.partition("=")
            if option in self.options:
                return _within(project.directory, value or (words[at + 1] if at + 1 < len(words) else ""))
        for path in self._configuration(project):
            if self.in_file is not None and (found := self.in_file.search(path.read_text("utf-8", "replace"))):
                beside = _within(path.parent, found[1])
                return beside if beside.is_dir() else _within(project.directory, found[1])
        return project.directory / "migrations"

    def _configuration(self, project: Project) -> Iterator[Path]:
        if project.settings.config is not None:
            yield from (path for path in (project.root / project.settings.config,) if path.is_file())
        yield from (path for name in self.configurations if (path := project.directory / name).is_file())

    def words(self, project: Project) -> Sequence[str]:
        """What follows the program's name: from a script of ``package.json`` that migrates, else the usual."""
        config = project.settings.config
        told = [self.config_option, str(project.root / config)] if config is not None and self.config_option else []
        for script in _scripts(project.directory / _PACKAGE):
            at = next((number for number, word in enumerate(script) if Path(word).name in self.programs), None)
            if at is None:
                continue
            words = [word for word in script[at + 1 :] if word != "--"]  # of `npm run typeorm -- migration:run`
            end = next((number for number, word in enumerate(words) if word in _ENDS), len(words))
            if any(word in self.actions for word in words[:end]):
                return [*words[:end], *told]
        return [self.actions[0], *told]

    def called(self, project: Project) -> str:
        """The program that the scripts call: one that takes TypeScript (``typeorm-ts-node-commonjs``) before the plain one."""
        words = (Path(word).name for script in _scripts(project.directory / _PACKAGE) for word in script)
        names = [name for name in words if name in self.programs]
        return next((name for name in names if "ts-node" in name), names[0] if names else self.package)

    def revisions(self, project: Project) -> Sequence[Revision]:
        """The files of the folder in the tool's order."""
        return [_revision(project, path) for path in sorted(_files(self.folder(project)), key=self.order)]

    def current(self, project: Project, on: Address) -> Iterator[Event]:
        """The same program, which is ended once it has connected: what these tools call a look makes their tables already."""
        return hearing.reading(self._command(project, on, {"DBPROOF_READING": "1"}))

    def apply(self, project: Project, on: Address) -> Iterator[Event]:
        """The tool's own program, once."""
        return hearing.events(self._command(project, on))

    def _command(self, project: Project, on: Address, more: Mapping[str, str] | None = None) -> Command:
        return self.command(project, on, self.words(project), more or {})

    def reversible(self, project: Project) -> bool:  # noqa: ARG002 - every file may have a ``down``
        """By the tool's own way to undo the last one."""
        return True

    def rehearse(self, project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
        """The tool's own commands for one migration up and the last one down, each as a process of its own."""
        of = {one.id: one for one in self.revisions(project)}
        return walked(steps, _Steps(self, project, on, of))

    def single(self, words: Sequence[str], way: Sequence[str], file: str) -> Sequence[str]:
        """The words of a call, with those of one step in the place of the action."""
        at = next(number for number, word in enumerate(words) if word in self.actions)
        rest = words[at + 1 :]
        rest = rest[1:] if rest and rest[0].isdecimal() else rest  # how many
        return [*words[:at], *(word.replace("{file}", file) for word in way), *rest]

    def command(self, project: Project, on: Address, words: Sequence[str], more: Mapping[str, str]) -> Command:
        """The tool's own program with these words; ``more`` are variables for our file that goes with it."""
        package = node.package(project, self.package)
        order = [[one.id, one.place.file, one.place.line] for one in self.revisions(project)]
        done = sorted(project.applied)
        led = {"host": on.host, "port": on.port, "user": on.user, "password": on.password, "database": on.database}
        variables = environment(project, on)
        variables = {
            **variables,
            **guarded(project, on),
            "NODE_OPTIONS": " ".join(filter(None, (f'--require "{_PRELOAD}"', variables.get("NODE_OPTIONS", "")))),
            **more,
            "DBPROOF_LEAD": json.dumps(
                {**led, "order": order, "applied": done, "folders": [str(self.folder(project).resolve())]}
            ),
        }
        arguments = ("node", str(_program(package.folder, self.called(project))), *words)
        return Command(arguments, project.directory, variables, project.settings.timeout)


@dataclass(frozen=True)
class _Steps:
    """Single steps, each a process; ``of`` are the revisions by their names."""

    tool: NodeTool
    project: Project
    on: Address
    of: Mapping[str, Revision]

    def no_way_back(self, revision: str) -> str:  # noqa: ARG002 - the tool says it
        return ""

    def place(self, step: Step) -> Place | None:
        return self.of[step.revision].place if step.revision else None

    def take(self, step: Step) -> Iterator[Event]:
        words, more = self.tool.words(self.project), dict[str, str]()
        if step.direction is not Direction.AGAIN:
            down = step.direction is Direction.DOWN
            more = {"DBPROOF_UNDOING": step.revision} if down else {"DBPROOF_ONE": "1", "DBPROOF_STEP": step.revision}
            file = Path(self.of[step.revision].place.file).name
            words = self.tool.single(words, self.tool.down if down else self.tool.up, file)
        return hearing.events(self.tool.command(self.project, self.on, words, more))


def by_name(path: Path) -> tuple[int, str]:
    """The order of file names."""
    return 0, path.name


def by_number(path: Path) -> tuple[int, str]:
    """The order of the numbers that names begin with, then of the names."""
    found = re.match(r"\d+", path.name)
    return (int(found[0]) if found else 0, path.name)


def _within(folder: Path, name: str) -> Path:
    """The folder that a name says, which may be a pattern of the files in it."""
    pattern = _PATTERN.search(name)
    named = name[: pattern.start()].rpartition("/")[0] if pattern else name
    return folder / named if name else folder / "migrations"


def _files(folder: Path) -> list[Path]:
    """The files of a folder that can be migrations: those that say ``up``, and SQL."""
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if _FILE.search(path.name) and not _NO_FILE.search(path.name))
    return [path for path in found if path.suffix == ".sql" or _UP.search(path.read_text("utf-8", "replace"))]


def _revision(project: Project, path: Path) -> Revision:
    lines = path.read_text("utf-8", "replace").splitlines()
    line = next((number for number, text in enumerate(lines, 1) if _UP.search(text)), 1)
    name = re.sub(r"(\.up)?\.[cm]?[jt]s$|\.sql$", "", path.name)
    title = name.lstrip("0123456789_-").replace("_", " ").replace("-", " ") or name
    return Revision(name, title, Place(project.relative(path), line), digest(path))


def _package(path: Path) -> Mapping[str, object]:
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _packages(path: Path) -> frozenset[str]:
    told = _package(path)
    parts = (told.get(key) for key in ("dependencies", "devDependencies"))
    return frozenset(name for part in parts if isinstance(part, dict) for name in part)


def _scripts(path: Path) -> Iterator[list[str]]:
    scripts = _package(path).get("scripts")
    for script in scripts.values() if isinstance(scripts, dict) else ():
        try:
            yield shlex.split(str(script))
        except ValueError:  # a quote that is not closed: npm could not run it either
            continue


def _program(folder: Path, name: str) -> Path:
    told = _package(folder / _PACKAGE).get("bin")
    path = told.get(name) or next(iter(told.values()), None) if isinstance(told, dict) else told
    if not isinstance(path, str):
        raise ToolFailed(f"{folder.name}: its package.json names no program", "Install the package again (npm ci).")
    return folder / path
