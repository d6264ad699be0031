"""Which extensions a project's migrations create, so that a server is chosen that has them."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

from runner.migrations.interface import Project
from runner.migrations.statements import Statement, split

#: Larger files are dumps or data; in bytes.
LARGEST = 4_000_000
_NOT_OURS = frozenset({".git", ".venv", "venv", "node_modules", "site-packages", "__pycache__", "faults"})


def created_extensions(project: Project) -> frozenset[str]:
    """The names after CREATE EXTENSION in the SQL of a project's migrations, and in the texts of its revision files.

    Read as statements, so a comment or a text that only speaks of one does not count. SQL that a program puts together as it
    runs is not seen; the server then says so when it is applied.
    """
    return frozenset(name for path in _files(project.directory) for text in _sql(path) for name in _created(text))


def _files(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _NOT_OURS]
        paths = (Path(where, name) for name in files if name.endswith((".sql", ".py")))
        yield from (path for path in paths if path.stat().st_size <= LARGEST)


def _sql(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    if "extension" not in text.lower():
        return
    if path.suffix == ".sql":
        yield text
        return
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    if any(isinstance(node, ast.Assign) and _assigns_revision(node) for node in module.body) or _annotates_revision(module):
        yield from (node.value for node in ast.walk(module) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _assigns_revision(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "revision" for target in node.targets)


def _annotates_revision(module: ast.Module) -> bool:
    named = (node.target for node in module.body if isinstance(node, ast.AnnAssign))
    return any(isinstance(target, ast.Name) and target.id == "revision" for target in named)


def _created(text: str) -> Iterator[str]:
    for piece in split(text):
        if isinstance(piece, Statement):
            words = piece.text.replace(";", " ").split()
            folded = [word.lower() for word in words]
            if folded[:2] == ["create", "extension"]:
                at = 5 if folded[2:5] == ["if", "not", "exists"] else 2
                yield from (word.strip('"') if word.startswith('"') else word.lower() for word in words[at : at + 1])
