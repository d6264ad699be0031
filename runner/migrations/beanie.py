"""Beanie's migrations, run by ``beanie migrate`` in the project's interpreter ("beanie" in the settings).

Its files have the classes ``Forward`` and ``Backward``; they are applied in the order of their names, and it keeps its books in
the collection ``migrations_log``. It is given our address and the folder; what else it takes from ``[tool.beanie.migrations]`` in
the ``pyproject.toml`` of the repository it reads itself.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from checks.evidence import Place
from runner.migrations import hearing, python_tools
from runner.migrations.interface import Detected, Event, Project, Revision, Step
from runner.migrations.rehearsing import stepping
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

NAME = "beanie"
TITLE = "Beanie"
FILES_ONLY = True
KEEPS_BOOKS = True

_FOLDERS = ("migrations", "*/migrations", "*/*/migrations")


def detect(root: Path) -> Detected | None:
    """The folder that pyproject.toml names, else one of files with ``Forward`` that import Beanie; sure if there is one."""
    named = _named(root)
    if named is not None:
        settings = MigrationSettings(tool="beanie", directory=named)
        return Detected(settings, Place("pyproject.toml"), sure=(root / named).is_dir())
    folders = [path for pattern in _FOLDERS for path in sorted(root.glob(pattern)) if path.is_dir() and _is_ours(path)]
    if not folders:
        return None
    first = _paths(folders[0])[0]
    settings = MigrationSettings(tool="beanie", directory=folders[0].relative_to(root).as_posix())
    return Detected(settings, Place(first.relative_to(root).as_posix()), sure=len(folders) == 1)


def _named(root: Path) -> str | None:
    try:
        told = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
        path = told["tool"]["beanie"]["migrations"]["path"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Path(path).as_posix() if isinstance(path, str) and not Path(path).is_absolute() else None


def _is_ours(folder: Path) -> bool:
    modules = [python_tools.parsed(path) for path in _paths(folder)]
    return bool(modules) and all(python_tools.imports(one, "beanie") and python_tools.defined(one, "Forward") for one in modules)


def _paths(folder: Path) -> list[Path]:
    """The files in the tool's order; those that begin with an underscore are none."""
    return sorted(path for path in folder.glob("[!_]*.py"))


def revisions(project: Project) -> Sequence[Revision]:
    """The files in the order of their names."""
    return [_revision(project, path) for path in _paths(project.directory)]


def _revision(project: Project, path: Path) -> Revision:
    module = python_tools.parsed(path)
    place = Place(project.relative(path), python_tools.defined(module, "Forward") or 1)
    return Revision(path.stem, python_tools.title(module, path.stem), place, hashlib.sha256(path.read_bytes()).hexdigest())


def current(project: Project, on: Address) -> Iterator[Event]:
    """The project's interpreter connects; the tool itself gets the address on its command line."""
    return hearing.reading(python_tools.command(NAME, NAME, project, on, "current"))


def apply(project: Project, on: Address) -> Iterator[Event]:
    """One ``beanie migrate --forward``."""
    return hearing.events(python_tools.command(NAME, NAME, project, on, "apply"))


def reversible(project: Project) -> bool:  # noqa: ARG001 - every file may have a ``Backward``
    """By ``beanie migrate --backward``."""
    return True


def rehearse(project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
    """``--forward`` and ``--backward`` by a distance of one, in one process."""
    return stepping(steps, lambda more: python_tools.command(NAME, NAME, project, on, "rehearse", more))
