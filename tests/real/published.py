"""Published projects, installed from PyPI when the tests run: their own migrations and their own Python."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standing import completed

from runner.servers.locks import held, lock

_MINUTE = 60.0


class NotInstalled(Exception):
    """A package could not be installed: the index cannot be reached, or has it no longer."""


@dataclass(frozen=True)
class Published:
    """A project as it is installed: its interpreter, and the folder of its package that holds ``alembic.ini``."""

    python: Path
    folder: Path

    def copied(self, to: Path) -> Path:
        """The folder as a checkout has it."""
        return Path(shutil.copytree(self.folder, to, ignore=shutil.ignore_patterns("__pycache__")))

    def alembic(self, directory: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """The project's own tool, as its users run it."""
        return _run([str(self.python.with_name("alembic")), *arguments], directory, variables)


@dataclass(frozen=True)
class Run:
    """What ``dbproof run`` came to: its exit code, its report, what it printed, and the home that its children had."""

    code: int
    report: dict[str, Any]
    said: str
    home: Path

    @property
    def database(self) -> dict[str, Any]:
        """The one database of the report."""
        (database,) = self.report["databases"]
        return dict(database)

    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        """The checks by id."""
        return {check["id"]: check for check in self.database["checks"]}

    def findings(self, *severities: str) -> list[dict[str, Any]]:
        """The findings of these severities."""
        return [one for check in self.checks.values() for one in check["findings"] if one["severity"] in severities]


def install(requirements: Sequence[str], folder: str, cache: Path) -> Published:
    """An environment with packages, made once a list of them; ``folder`` is seen from its site-packages. Raises NotInstalled."""
    wanted = "\n".join([sys.version, *requirements])
    environment = cache / hashlib.sha256(wanted.encode()).hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    with held(lock(cache / f"{environment.name}.lock", 10 * _MINUTE)):
        if not (environment / "ready").is_file():
            shutil.rmtree(environment, ignore_errors=True)
            _make(environment, requirements)
            (environment / "ready").touch()
    (found,) = environment.glob(f"lib/python3*/site-packages/{folder}")
    return Published(environment / "bin" / "python", found)


def installed_into(cache: Path, package: str, *options: str) -> Path:
    """The content of one package without what it depends on, made once, for its files. Raises NotInstalled."""
    target = cache / hashlib.sha256(" ".join([package, *options]).encode()).hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    with held(lock(cache / f"{target.name}.lock", 10 * _MINUTE)):
        if not (target / "ready").is_file():
            shutil.rmtree(target, ignore_errors=True)
            uv = Path(sys.executable).with_name("uv")
            pip = [str(uv), "pip"] if uv.exists() else [sys.executable, "-m", "pip"]
            _installed([*pip, "install", "--quiet", "--no-deps", "--target", str(target), *options, package])
            (target / "ready").touch()
    return target


def _make(environment: Path, requirements: Sequence[str]) -> None:
    uv = Path(sys.executable).with_name("uv")
    python = str(environment / "bin" / "python")
    if uv.exists():
        _installed([str(uv), "venv", "--quiet", "--python", sys.executable, str(environment)])
        _installed([str(uv), "pip", "install", "--quiet", "--python", python, *requirements])
    else:
        _installed([sys.executable, "-m", "venv", str(environment)])
        _installed([python, "-m", "pip", "install", "--quiet", *requirements])


def _installed(command: Sequence[str]) -> None:
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=10 * _MINUTE)
    if ended.returncode:
        raise NotInstalled(ended.stderr[-2000:])


def dbproof(root: Path, *arguments: str) -> Run:
    """``dbproof run`` as a user starts it, with an empty home and outside of every CI system."""
    home = root.parent / "home"
    home.mkdir(exist_ok=True)
    report = root.parent / "report"
    told = ["run", str(root), "--report-dir", str(report), *arguments]
    ended = completed(told, cwd=root.parent, env=_environment({"HOME": str(home)}), timeout=5 * _MINUTE)
    said = ended.stdout + ended.stderr
    assert (report / "report.json").is_file(), said
    return Run(ended.returncode, json.loads((report / "report.json").read_text("utf-8")), said, home)


def _run(command: Sequence[str], directory: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    environment = _environment(variables)
    return subprocess.run(
        command, cwd=directory, env=environment, check=False, capture_output=True, text=True, timeout=5 * _MINUTE
    )


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "TMPDIR", "DBPROOF_CACHE"}}
    return {**kept, **variables}
