"""pymongo-migrate, run by its own command line in the project's interpreter ("pymongo-migrate" in the settings).

Its files have ``dependencies``, ``upgrade(db)`` and ``downgrade(db)``; the order is that of its graph, and it keeps its books in
the collection ``pymongo_migrate``.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from checks.evidence import Place
from runner.migrations import hearing, python_tools
from runner.migrations.interface import Detected, Event, Project, Revision, Step
from runner.migrations.rehearsing import stepping
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

NAME = "pymongo-migrate"
TITLE = "pymongo-migrate"
FILES_ONLY = True
KEEPS_BOOKS = True

_MODULE = "pymongo_migrate"
#: Its own folder, and others that are usual.
_FOLDERS = ("pymongo_migrations", "migrations", "db/migrations", "mongo/migrations")
_DEPTHS = ("", "*/")


def detect(root: Path) -> Detected | None:
    """A folder in a usual place whose files all have ``dependencies`` and ``upgrade(db)``; sure if there is one."""
    folders = [path for depth in _DEPTHS for name in _FOLDERS for path in sorted(root.glob(f"{depth}{name}")) if path.is_dir()]
    ours = [folder for folder in folders if _is_ours(folder)]
    if not ours:
        return None
    first = min(_paths(ours[0]), key=lambda path: path.name)
    settings = MigrationSettings(tool="pymongo-migrate", directory=ours[0].relative_to(root).as_posix())
    return Detected(settings, Place(first.relative_to(root).as_posix()), sure=len(ours) == 1)


def _is_ours(folder: Path) -> bool:
    modules = [python_tools.parsed(path) for path in _paths(folder)]
    return bool(modules) and all(
        isinstance(python_tools.assigned(one, "dependencies"), list)
        and python_tools.defined(one, "upgrade")
        and not python_tools.assigns(one, "down_revision")
        for one in modules
    )


def _paths(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.py") if not path.name.startswith("__")]


@dataclass(frozen=True)
class _File:
    """A migration: its path and those that it depends on."""

    path: Path
    module: ast.Module | None
    dependencies: Sequence[str]


def revisions(project: Project) -> Sequence[Revision]:
    """The migrations in the order of the tool's graph; what it would refuse stands at the end, in the order of names."""
    files = {path.stem: _read(path) for path in _paths(project.directory)}
    return [_revision(project, name, files[name]) for name in _order(files)]


def _read(path: Path) -> _File:
    module = python_tools.parsed(path)
    told = python_tools.assigned(module, "dependencies")
    return _File(path, module, [str(one) for one in told] if isinstance(told, list | tuple) else [])


def _order(files: Mapping[str, _File]) -> list[str]:
    """From the one that depends on nothing, each followed by those that depend on it, in the order of names, as the tool goes."""
    required = {name: sorted(other for other, file in files.items() if name in file.dependencies) for name in files}
    found: dict[str, None] = {}

    def follow(name: str) -> None:
        if name not in found:
            found[name] = None
            for other in required[name]:
                follow(other)

    for name in sorted(files):
        if not files[name].dependencies:
            follow(name)
    return [*found, *sorted(files.keys() - found.keys())]


def _revision(project: Project, name: str, file: _File) -> Revision:
    place = Place(project.relative(file.path), python_tools.defined(file.module, "upgrade") or 1)
    digest = hashlib.sha256(file.path.read_bytes()).hexdigest()
    return Revision(name, python_tools.title(file.module, name), place, digest)


def current(project: Project, on: Address) -> Iterator[Event]:
    """The project's interpreter connects; the tool itself gets the address on its command line."""
    return hearing.reading(python_tools.command(NAME, _MODULE, project, on, "current"))


def apply(project: Project, on: Address) -> Iterator[Event]:
    """One ``pymongo-migrate upgrade``."""
    return hearing.events(python_tools.command(NAME, _MODULE, project, on, "apply"))


def reversible(project: Project) -> bool:  # noqa: ARG001 - every file may have a ``downgrade``
    """By ``pymongo-migrate downgrade``."""
    return True


def rehearse(project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
    """``upgrade`` to a migration and ``downgrade`` to the one before it, in one process."""
    names = [one.id for one in revisions(project)]
    before = dict(zip(names[1:], names, strict=False))
    return stepping(steps, lambda more: python_tools.command(NAME, _MODULE, project, on, "rehearse", {**more, "before": before}))
