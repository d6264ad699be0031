"""Alembic's revision files read as text: ids, order and titles without running anything of the project's."""

from __future__ import annotations

import ast
import configparser
import hashlib
import os
import re
import tomllib
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from checks.evidence import Place
from runner.migrations.interface import Project, Revision

_IN_BROKEN_FILE = re.compile(r"^(revision|down_revision)\b[^=\n]*=\s*['\"]([^'\"]+)['\"]", re.MULTILINE)


@dataclass(frozen=True)
class _File:
    path: Path
    revision: str
    after: tuple[str, ...]
    title: str
    line: int | None
    down: tuple[str, ...] = ()


def read(project: Project, folders: Sequence[Path]) -> Sequence[Revision]:
    """The revisions in folders of versions, in an order in which each comes after those that it needs."""
    files = {file.revision: file for folder in folders for file in _files(folder)}
    return [_revision(project, file) for file in _sorted(files)]


def heads(folders: Sequence[Path], among: Container[str] | None = None) -> Sequence[str]:
    """The revisions that no other goes on from, as ``alembic heads`` has them; ``among`` some of them where that is said.

    None where one goes on from what no file is: that is no history.
    """
    files = {file.revision: file for folder in folders for file in _files(folder)}
    if any(name not in files for file in files.values() for name in file.down):
        return ()
    chosen = [file for name, file in files.items() if among is None or name in among]
    behind = {name for file in chosen for name in file.down}
    return sorted(file.revision for file in chosen if file.revision not in behind)


def faults(project: Project, folders: Sequence[Path]) -> Iterator[str]:
    """What Alembic passes over with a warning that nobody reads: files of one revision, and revisions without a file."""
    by_revision: dict[str, list[_File]] = {}
    for folder in folders:
        for file in _files(folder):
            by_revision.setdefault(file.revision, []).append(file)
    for revision, files in by_revision.items():
        names = sorted(project.relative(file.path) for file in files)
        if len(set(names)) > 1:
            yield f"{' and '.join(names)} are one revision, {revision}: Alembic runs one of them and never the others."
        for gone in sorted({name for file in files for name in file.down if name not in by_revision}):
            yield f"{names[0]} goes on from revision {gone}, and no file is that."


def digest(path: Path) -> str:
    """The digest of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def folders(config: Path, directory: Path) -> Sequence[Path]:
    """Where a configuration says that revision files lie, seen from the directory that Alembic runs in."""
    options = _options(config)
    here = str(config.parent)
    script = (options.get("script_location") or str(config.parent)).replace("%(here)s", here)
    separator = {"os": os.pathsep, "space": " ", "newline": "\n"}.get(options.get("path_separator", "os"), os.pathsep)
    listed = options.get("version_locations", "").replace("%(here)s", here)
    places = [part.strip() for part in re.split(rf"[{re.escape(separator)}\n]", listed) if part.strip()]
    return [directory / place for place in places or [f"{script}/versions"]]


def _options(config: Path) -> Mapping[str, str]:
    if config.name == "pyproject.toml":
        tool = tomllib.loads(config.read_text("utf-8", "replace")).get("tool", {}).get("alembic", {})
        return {key: value if isinstance(value, str) else os.pathsep.join(map(str, value)) for key, value in tool.items()
                if isinstance(value, (str, list))}  # fmt: skip
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(config.read_text("utf-8", "replace"))
    options = dict(parser["alembic"]) if parser.has_section("alembic") else {}
    return {**options, "path_separator": options.get("path_separator") or options.get("version_path_separator") or "os"}


def _files(folder: Path) -> Iterator[_File]:
    for path in sorted(folder.rglob("*.py")):
        if path.is_file() and (file := _read(path)) is not None:
            yield file


def _read(path: Path) -> _File | None:
    text = path.read_text("utf-8", "replace")
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError):
        found = dict(_IN_BROKEN_FILE.findall(text))
        down = _names(found.get("down_revision"))
        return _File(path, found["revision"], down, path.stem, None, down) if "revision" in found else None
    values = dict(_assigned(module))
    if not isinstance(values.get("revision"), str) or "down_revision" not in values:
        return None
    line = next((one.lineno for one in module.body if isinstance(one, ast.FunctionDef) and one.name == "upgrade"), None)
    title = (ast.get_docstring(module) or path.stem).strip().splitlines()[0]
    down = _names(values["down_revision"])
    return _File(path, str(values["revision"]), (*down, *_names(values.get("depends_on"))), title, line, down)


def _assigned(module: ast.Module) -> Iterator[tuple[str, object]]:
    for statement in module.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        value = getattr(statement, "value", None)
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(value, ast.expr):
                try:
                    yield target.id, ast.literal_eval(value)
                except ValueError:
                    continue


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(one) for one in value) if isinstance(value, (tuple, list, set)) else ()


def _sorted(files: Mapping[str, _File]) -> Iterator[_File]:
    """Each file after what it needs; what stands in a circle comes as it is found."""
    seen: set[str] = set()
    for revision in sorted(files):
        todo = [revision]
        while todo:
            current = todo[-1]
            before = [name for name in files[current].after if name in files and name not in seen and name not in todo]
            if before and current not in seen:
                todo.append(before[0])
                continue
            todo.pop()
            if current not in seen:
                seen.add(current)
                yield files[current]


def _revision(project: Project, file: _File) -> Revision:
    return Revision(file.revision, file.title, Place(project.relative(file.path), file.line), digest(file.path))
