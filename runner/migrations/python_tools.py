"""What the adapters of Python tools for MongoDB have in common: pymongo-migrate and Beanie, run in the project's interpreter."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from runner.children import Command
from runner.migrations import interpreter
from runner.migrations.alembic import guarded
from runner.migrations.environment import environment, varying
from runner.migrations.interface import Project
from runner.servers.interface import Address

_INSIDE = Path(__file__).with_name("inside")


def command(
    tool: str, module: str, project: Project, on: Address, verb: str, more: Mapping[str, object] | None = None
) -> Command:
    """The child that runs a tool, which imports ``module``. Raises ToolFailed where no interpreter has that."""
    python = interpreter.find(project, (module,))
    request = {
        **(more or {}),
        "tool": tool,
        "verb": verb,
        "url": on.url(),
        "database": on.database,
        "folder": str(project.directory),
    }
    variables = {
        **environment(project, on, python.variables),
        **guarded(project, on),
        "DBPROOF_REQUEST": json.dumps(request),
    }
    variables["PYTHONPATH"] = os.pathsep.join(part for part in (str(project.root), variables.get("PYTHONPATH", "")) if part)
    return Command(
        (str(python.python), str(_INSIDE / "start.py"), "tool_child"),
        project.root,
        variables,
        project.settings.timeout,
        varying=varying(project),
    )


def parsed(path: Path) -> ast.Module | None:
    """A file's syntax tree; ``None`` for what Python cannot read, which fails when it is applied."""
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return None


def defined(module: ast.Module | None, name: str) -> int:
    """The line on which a file defines a function or class, 0 where it does not."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return next((one.lineno for one in (module.body if module else ()) if isinstance(one, kinds) and one.name == name), 0)


def assigned(module: ast.Module | None, name: str) -> object:
    """What a file assigns to a name as plain text or a list of it, else ``None``."""
    for one in module.body if module else ():
        targets = one.targets if isinstance(one, ast.Assign) else [one.target] if isinstance(one, ast.AnnAssign) else []
        value = getattr(one, "value", None)
        if value is not None and any(isinstance(target, ast.Name) and target.id == name for target in targets):
            try:
                found: object = ast.literal_eval(value)
            except ValueError:
                return None
            return found
    return None


def assigns(module: ast.Module | None, name: str) -> bool:
    """Whether a file assigns anything to a name."""
    targets = (target for one in (module.body if module else ()) if isinstance(one, ast.Assign) for target in one.targets)
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def imports(module: ast.Module | None, package: str) -> bool:
    """Whether a file imports from a package."""
    return any(name.partition(".")[0] == package for name in _imported(module))


def _imported(module: ast.Module | None) -> Iterator[str]:
    for one in module.body if module else ():
        if isinstance(one, ast.Import):
            yield from (alias.name for alias in one.names)
        elif isinstance(one, ast.ImportFrom) and one.module:
            yield one.module


def title(module: ast.Module | None, name: str) -> str:
    """The first line of a file's docstring, else the words of its name."""
    said = ast.get_docstring(module) if module else None
    return (said or "").partition("\n")[0].strip() or name.lstrip("0123456789T_-").replace("_", " ") or name
