"""The project's own Node: its packages in ``node_modules``, which ``setup`` brings where they are missing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner import children
from runner.child_environment import clean_environment
from runner.children import Command
from runner.errors import ToolFailed
from runner.migrations.interface import Project
from runner.migrations.interpreter import home
from runner.migrations.templates import words
from runner.servers.interface import Address

#: The files that are loaded into the project's Node, the first of them before its own program.
INSIDE = Path(__file__).with_name("inside") / "node"
PRELOAD = INSIDE / "preload.cjs"

MODULES = "node_modules"
_SHOWN = 30
#: What a package's folder holds whatever it is.
_PACKAGE = "package.json"


@dataclass(frozen=True)
class Package:
    """A package of the project's: its folder without links, and whether it is made of ES modules."""

    folder: Path
    modules: bool


def package(project: Project, name: str) -> Package:
    """A package that the project has, after its ``setup`` where it has it not yet; else one that is installed for all.

    Raises ToolFailed with the remedy.
    """
    found = _in_modules(project, name)
    if found is None and project.settings.setup is not None:
        _set_up(project)
        found = _in_modules(project, name)
    found = found or _for_all(name)
    if found is None:
        raise ToolFailed(
            f"{name} is not installed: {_where(project)} has no {MODULES}/{name}, and neither has any folder above it",
            'Let `setup` install the project\'s packages (setup = "npm ci"), and name the tool among them.',
        )
    link(project)
    return Package(found, _is_modules(found))


def heard(variables: Mapping[str, str], reading: bool) -> Mapping[str, str]:
    """What makes every Node that a program starts load our file before its own."""
    options = (f'--require "{PRELOAD}"', variables.get("NODE_OPTIONS", ""))
    return {"NODE_OPTIONS": " ".join(filter(None, options)), "DBPROOF_READING": "1" if reading else "0"}


def there(on: Address) -> Mapping[str, Sequence[str]]:
    """The collections of a MongoDB with the names of their indexes: what Node's program tells is what it sends from then on."""
    from runner.servers.mongodb.sessions import session

    with session(on) as client:
        database = client[on.database]
        names = database.list_collection_names(filter={"type": "collection"})
        return {name: list(database[name].index_information()) for name in names if not name.startswith("system.")}


def _where(project: Project) -> str:
    return project.settings.directory if project.settings.directory != "." else "the repository"


def _in_modules(project: Project, name: str) -> Path | None:
    for folder in _folders(project):
        place = folder / MODULES / name
        if (place / _PACKAGE).is_file():
            return place.resolve()
    return None


def _folders(project: Project) -> Iterator[Path]:
    """The folder that the tool runs in and those above it, as Node looks for packages, in the user's own work tree."""
    folder = home(project)
    yield folder
    while folder != project.work_tree and folder.is_relative_to(project.work_tree):
        folder = folder.parent
        yield folder


def _for_all(name: str) -> Path | None:
    """The package of a program on PATH that is called like it."""
    program = shutil.which(name)
    if program is None:
        return None
    folders = Path(program).resolve().parents
    return next((one for one in folders if one.name == name and (one / _PACKAGE).is_file()), None)


def _set_up(project: Project) -> None:
    """Run ``setup`` where the project lies: packages belong into its folder. Raises ToolFailed with the last lines."""
    directory = home(project)
    command = words(project.settings.setup or "", "setup")
    environment = clean_environment(project.settings.pass_env)
    finished = children.run(Command(command, directory, environment, project.settings.timeout))
    if finished.timed_out or finished.status:
        late = f"did not end within {project.settings.timeout:g} s"
        how = late if finished.timed_out else f"ended with status {finished.status}"
        said = "\n".join(finished.tail[-_SHOWN:])
        message = f"setup: `{' '.join(command)}` {how} in {directory}\n{said}".rstrip()
        raise ToolFailed(message, "Run it by hand in that directory.")


def link(project: Project) -> None:
    """Base's files lie elsewhere, in a directory of ours: what they import is found in the user's own packages."""
    if project.root == project.work_tree:
        return
    for folder in _folders(project):
        there = project.root / folder.relative_to(project.work_tree) / MODULES
        if (folder / MODULES).is_dir() and there.parent.is_dir() and not os.path.lexists(there):
            with suppress(FileExistsError):
                there.symlink_to(folder / MODULES, target_is_directory=True)


def _is_modules(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / _PACKAGE).read_text("utf-8")).get("type") == "module")
    except (OSError, ValueError):
        return False
