"""The project's own interpreter: a setting, ``VIRTUAL_ENV``, ``.venv``, an environment made by ``setup``, else dbproof's own."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner import children
from runner.child_environment import clean_environment
from runner.errors import ToolFailed, UsageError
from runner.migrations import setting_up
from runner.migrations.interface import Project

_LOCK_FILES = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "requirements.txt", "pyproject.toml")
_PATIENCE = 60.0


@dataclass(frozen=True)
class Interpreter:
    """A Python to run the project's programs with.

    ``origin`` names it for people ("backend/.venv, Python 3.12"), ``because`` is the file or setting that led to it, ``remarks``
    are sentences about what was passed over, and ``variables`` make it the first one on the child's PATH.
    """

    python: Path
    origin: str
    because: str
    remarks: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Candidate:
    python: Path
    label: str
    because: str


def find(project: Project, needs: tuple[str, ...] = ("alembic",)) -> Interpreter:
    """The first interpreter that can import what the tool needs; raises with the remedy where there is none.

    It is looked for in the user's own work tree, whichever checkout is applied. A ``python`` that is set must do.
    """
    found = _found(project, needs)
    if isinstance(found, Interpreter):
        return found
    remedy = (
        'Name what installs the project, for example setup = "uv sync --frozen" or setup = "pip install -r requirements.txt", '
        'or the interpreter that has it: python = "path/to/python".'
    )
    raise ToolFailed(_sentence(f"no Python here can import {' and '.join(needs)}", found), remedy)


def find_any(project: Project) -> Interpreter | None:
    """The project's interpreter for a program that may be no Python at all; ``None`` where the project has none."""
    found = _found(project, (), own=False)
    return found if isinstance(found, Interpreter) else None


def on_path(needs: tuple[str, ...]) -> Mapping[str, str]:
    """Variables by which ``python`` is one that can import what is needed, for a project that shows no environment.

    The one that is on PATH already, else dbproof's own.
    """
    path = clean_environment().get("PATH", os.defpath)
    there = shutil.which("python", path=path) or shutil.which("python3", path=path)
    if there is not None and not _examine(Path(there), needs)[1]:
        return {}
    return {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{path}"}


def _found(project: Project, needs: tuple[str, ...], own: bool = True) -> Interpreter | list[str]:
    """The interpreter, or remarks that say why none of the candidates was one."""
    remarks: list[str] = []
    for candidate in _candidates(project, remarks):
        version, missing = _examine(candidate.python, needs)
        if not missing:
            return _interpreter(candidate, version, tuple(remarks))
        remarks.append(
            f"{candidate.label} cannot import {' and '.join(missing)}" if version else f"{candidate.label} does not run"
        )
        if candidate.because == "setting python" or candidate.label.startswith("set up by"):
            return remarks
    if own and not _examine(Path(sys.executable), needs)[1]:
        remarks.append("dbproof's own Python runs the migrations, for the project shows none")
        return Interpreter(Path(sys.executable), f"dbproof's own Python {platform.python_version()}", "", tuple(remarks))
    return remarks


def _candidates(project: Project, remarks: list[str]) -> Iterator[_Candidate]:
    if project.settings.python is not None:
        yield _Candidate(_named(project, project.settings.python), project.settings.python, "setting python")
        return
    active = os.environ.get("VIRTUAL_ENV")
    if active and Path(active).resolve() != Path(sys.prefix).resolve():
        yield from _environment(Path(active), "VIRTUAL_ENV", "VIRTUAL_ENV", remarks)
    for folder in dict.fromkeys((home(project), project.work_tree)):
        place = folder / ".venv"
        label = place.relative_to(project.work_tree).as_posix() if place.is_relative_to(project.work_tree) else str(place)
        yield from _environment(place, label, _lock_file(folder), remarks)
    if project.settings.setup is not None:
        environment = setting_up.environment(home(project), project.work_tree, project.settings)
        yield _Candidate(environment / "bin" / "python", f"set up by `{project.settings.setup}`", _lock_file(home(project)))


def home(project: Project) -> Path:
    """The directory that the tool runs in, in the user's own work tree."""
    inside = project.directory.is_relative_to(project.root)
    return project.work_tree / project.directory.relative_to(project.root) if inside else project.directory


def _environment(place: Path, label: str, because: str, remarks: list[str]) -> Iterator[_Candidate]:
    python = place / "bin" / "python"
    if python.exists():
        yield _Candidate(python, label, because)
    elif (place / "pyvenv.cfg").exists():
        gone = python.readlink() if python.is_symlink() else _home_of(place)
        remarks.append(f"{label} was made on another machine: its interpreter {gone} does not exist here")


def _home_of(place: Path) -> str:
    lines = (place / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace").splitlines()
    settings = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    return settings.get("executable") or settings.get("home") or "python"


def _named(project: Project, name: str) -> Path:
    if os.sep not in name and not (project.work_tree / name).exists():
        found = shutil.which(name)
        if found is None:
            raise UsageError(f"migrations.python: there is no program '{name}' on PATH", "Name an interpreter that exists here.")
        return Path(found)
    path = project.work_tree / name
    if not path.exists():
        remedy = "The path is relative to the root of the repository; an environment of another machine does not run here."
        raise UsageError(f"migrations.python: there is no file {name}", remedy)
    return path


def _lock_file(folder: Path) -> str:
    return next((name for name in _LOCK_FILES if (folder / name).exists()), "")


_EXAMINE = """
import importlib.util, platform, sys
# The folder here may hold one called `alembic`, which is no installed Alembic.
sys.path[:] = [folder for folder in sys.path if folder]
missing = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]
print(platform.python_version(), *missing)
"""

_EXAMINED: dict[tuple[Path, tuple[str, ...]], tuple[str, tuple[str, ...]]] = {}


def _examine(python: Path, needs: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The interpreter's version (empty where it does not run), and what it cannot import. Asked once a run."""
    key = (python, needs)
    if key not in _EXAMINED:
        command = children.Command((str(python), "-c", _EXAMINE, *needs), Path.cwd(), clean_environment(), _PATIENCE)
        try:
            finished = children.run(command)
        except ToolFailed:
            return "", needs or ("anything",)
        if finished.status or not finished.tail:
            return "", needs or ("anything",)
        version, *missing = finished.tail[-1].split()
        _EXAMINED[key] = version, tuple(missing)
    return _EXAMINED[key]


def _interpreter(candidate: _Candidate, version: str, remarks: tuple[str, ...]) -> Interpreter:
    folder = candidate.python.parent
    variables = {"PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    if (folder.parent / "pyvenv.cfg").exists():
        variables["VIRTUAL_ENV"] = str(folder.parent)
    return Interpreter(candidate.python, f"{candidate.label}, Python {version}", candidate.because, remarks, variables)


def _sentence(first: str, remarks: list[str]) -> str:
    return "; ".join([first, *remarks])
