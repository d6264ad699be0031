"""A folder of Python files with ``up(db)`` and ``down(db)``, ``db`` a pymongo Database ("python" in the settings).

They are applied in the order of their names, as an SQL folder's, by the project's own interpreter. The folder keeps no books:
what a database holds already is told by ``Project.applied``.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from checks.evidence import Place
from runner.children import Command
from runner.errors import UsageError
from runner.migrations import hearing, interpreter
from runner.migrations.alembic import guarded
from runner.migrations.environment import environment, varying
from runner.migrations.interface import Detected, Event, Project, Revision, Step
from runner.migrations.rehearsing import stepping
from runner.migrations.sql_folder import order
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

NAME = "python"
TITLE = "Python files"
FILES_ONLY = True
KEEPS_BOOKS = False

_INSIDE = Path(__file__).with_name("inside")
_FOLDERS = ("migrations", "db/migrations", "database/migrations", "mongo/migrations")
_NUMBERED = re.compile(r"\d+_\w+\.py", re.ASCII)
#: What stands before the name of a file: ``0001_``, ``20250602T120000_``.
_VERSION = re.compile(r"\d[\dT._-]*[_-](?P<title>.+)", re.ASCII)


def detect(root: Path) -> Detected | None:
    """A folder in a usual place whose numbered files all have ``up(db)``. Never sure: such a file says no engine."""
    for folder in _FOLDERS:
        inside = sorted(path for path in (root / folder).glob("*.py") if not path.name.startswith("_"))
        if inside and all(_NUMBERED.fullmatch(path.name) and _takes_a_database(path) for path in inside):
            first = min(inside, key=lambda path: order(path.name))
            return Detected(MigrationSettings(tool="python", directory=folder), Place(f"{folder}/{first.name}"), sure=False)
    return None


def _takes_a_database(path: Path) -> bool:
    function = _up(path.read_text("utf-8", "replace"))
    return function is not None and len(function.args.args) == 1


def revisions(project: Project) -> Sequence[Revision]:
    """The files that have ``up``, in the order of their names; a file that Python cannot read counts as one."""
    return [_revision(project, path) for path in _files(project)]


def _revision(project: Project, path: Path) -> Revision:
    text = path.read_bytes()
    function = _up(text.decode("utf-8", "replace"))
    place = Place(project.relative(path), function.lineno if function else 1)
    return Revision(_id(project, path), _title(path, text.decode("utf-8", "replace")), place, hashlib.sha256(text).hexdigest())


def _id(project: Project, path: Path) -> str:
    return path.relative_to(project.directory).as_posix().removesuffix(".py")


def _title(path: Path, text: str) -> str:
    """The first line of the docstring, else the file's name without its number."""
    try:
        said = ast.get_docstring(ast.parse(text))
    except (SyntaxError, ValueError):
        said = None
    found = _VERSION.fullmatch(path.stem)
    return (said or "").partition("\n")[0].strip() or (found["title"] if found else path.stem).replace("_", " ")


def _files(project: Project) -> list[Path]:
    pattern = project.settings.files or "*.py"
    if PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts:
        raise UsageError(
            f"migrations.files: '{pattern}' leaves the folder '{project.settings.directory}'",
            'Give a pattern relative to migrations.directory, such as "*.py".',
        )
    found = (path for path in project.directory.glob(pattern) if path.is_file() and not path.name.startswith("_"))
    migrations = [path for path in found if _is_migration(path.read_text("utf-8", "replace"))]
    return sorted(migrations, key=lambda path: order(path.relative_to(project.directory).as_posix()))


def _is_migration(text: str) -> bool:
    """Whether a file has ``up``; what Python cannot read fails when it is applied, and is not passed over here."""
    try:
        return _up(text, strict=True) is not None
    except (SyntaxError, ValueError):
        return True


def _up(text: str, strict: bool = False) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        if strict:
            raise
        return None
    functions = (one for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
    return next((one for one in functions if one.name == "up"), None)


def current(project: Project, on: Address) -> Iterator[Event]:
    """The project's interpreter connects and asks for nothing."""
    return hearing.reading(_command(project, "current", on))


def apply(project: Project, on: Address) -> Iterator[Event]:
    """``up`` of every file that the database does not hold yet, in one process."""
    return hearing.events(_command(project, "apply", on))


def reversible(project: Project) -> bool:  # noqa: ARG001 - every file may have a ``down``
    """By ``down(db)``."""
    return True


def rehearse(project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
    """``up`` and ``down`` of single files, in one process."""
    return stepping(steps, lambda more: _command(project, "rehearse", on, more))


def _command(project: Project, verb: str, on: Address, more: Mapping[str, object] | None = None) -> Command:
    python = interpreter.find(project, ("pymongo",))
    pending = [path for path in _files(project) if verb == "rehearse" or _id(project, path) not in project.applied]
    request = {
        **(more or {}),
        "verb": verb,
        "url": on.url(),
        "database": on.database,
        "folder": str(project.directory),
        "files": [{"path": str(path), "revision": _id(project, path)} for path in pending],
    }
    variables = {
        **environment(project, on, python.variables),
        **guarded(project, on),
        "DBPROOF_REQUEST": json.dumps(request),
    }
    variables["PYTHONPATH"] = os.pathsep.join(part for part in (str(project.root), variables.get("PYTHONPATH", "")) if part)
    arguments = (str(python.python), str(_INSIDE / "start.py"), "python_child")
    return Command(arguments, project.root, variables, project.settings.timeout, varying=varying(project))
