"""Django's migration files read as text, for a project that Django itself cannot set up here."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from checks.evidence import Place
from runner.migrations.interface import Project, Revision
from runner.migrations.python_tools import defined, parsed
from runner.migrations.revision_files import digest

_NOT_OURS = frozenset({"node_modules", "site-packages", "venv", "env", "build", "dist", "__pycache__"})


@dataclass(frozen=True)
class _File:
    path: Path
    line: int
    after: tuple[str, ...]


def files(folder: Path) -> Sequence[Path]:
    """The Python files in folders called ``migrations`` below a folder, without those of packages that are installed there."""
    return sorted(_files(folder))


def _files(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _NOT_OURS]
        if Path(where).name == "migrations":
            yield from (Path(where, name) for name in names if name.endswith(".py") and not name.startswith("_"))


def read(project: Project) -> Sequence[Revision]:
    """The migrations in the repository, each after its ``dependencies``; an application is called as its folder."""
    found = {_id(path): one for path in files(project.directory) if (one := _file(path)) is not None}
    return [_revision(project, name, found[name]) for name in _sorted(found)]


def _id(path: Path) -> str:
    return f"{path.parent.parent.name}.{path.stem}"


def _file(path: Path) -> _File | None:
    module = parsed(path)
    line = defined(module, "Migration")
    if module is None or not line:
        return None
    body = next(one.body for one in module.body if isinstance(one, ast.ClassDef) and one.name == "Migration")
    return _File(path, line, tuple(name for one in body for name in _dependencies(one)))


def _dependencies(statement: ast.stmt) -> Iterator[str]:
    """What ``dependencies = [("shop", "0001_initial"), …]`` names; a swappable one is left out."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.List | ast.Tuple):
        return
    if not any(isinstance(target, ast.Name) and target.id == "dependencies" for target in statement.targets):
        return
    for one in statement.value.elts:
        parts = [part.value for part in one.elts if isinstance(part, ast.Constant)] if isinstance(one, ast.Tuple) else []
        if len(parts) == 2:
            yield ".".join(map(str, parts))


def _sorted(found: Mapping[str, _File]) -> Sequence[str]:
    done: dict[str, None] = {}
    todo = [(name, False) for name in sorted(found, reverse=True)]
    begun: set[str] = set()
    while todo:
        name, ready = todo.pop()
        if ready:
            done[name] = None
        elif name in found and name not in begun:
            begun.add(name)
            todo += [(name, True), *((one, False) for one in sorted(found[name].after, reverse=True))]
    return list(done)


def _revision(project: Project, name: str, file: _File) -> Revision:
    stem = file.path.stem
    title = stem.lstrip("0123456789_").replace("_", " ") or stem
    return Revision(name, title, Place(project.relative(file.path), file.line), digest(file.path))
