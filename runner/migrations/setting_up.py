"""Runs the settings' ``setup`` once, in an environment of its own in the cache, kept for as long as the lock files stay."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from runner import children
from runner.child_environment import clean_environment
from runner.errors import ToolFailed
from runner.migrations.templates import words
from runner.servers import cache
from runner.servers.locks import held, lock
from runner.settings.model import MigrationSettings

_LOCKS = (
    "uv.lock", "poetry.lock", "pdm.lock", "Pipfile", "Pipfile.lock", "pyproject.toml", "setup.py", "setup.cfg", ".python-version",
    "requirements*.txt", "requirements*.in", "requirements/*.txt", "requirements/*.in", "constraints*.txt",
    "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "Gemfile.lock", "composer.lock", "go.sum",
)  # fmt: skip
_COMPLETE = "dbproof-complete"
_SHOWN = 30
_PATIENCE = 3600.0


def environment(directory: Path, work_tree: Path, settings: MigrationSettings) -> Path:
    """The virtual environment that ``setup`` filled, made now where it is not in the cache.

    ``setup`` runs in ``directory``. What fails leaves nothing behind and raises :class:`ToolFailed` with the last lines it said.
    """
    top = _top()
    place = top / f"environment-{_key(directory, work_tree, settings)}"
    try:
        file = lock(place.with_suffix(".lock"), _PATIENCE)
    except (OSError, TimeoutError) as error:
        raise _nowhere(top, error) from error
    with held(file):
        if not (place / _COMPLETE).exists():
            _make(place, directory, settings)
        os.utime(place / _COMPLETE)
    return place


def _top() -> Path:
    """The cache, or where there is none that can be written (a read-only image) a temporary directory of this user's."""
    cached = cache.root()
    if cached is not None:
        with suppress(OSError):
            cached.mkdir(parents=True, exist_ok=True)
            if os.access(cached, os.W_OK | os.X_OK):
                return cached
    own = Path(tempfile.gettempdir()) / f"dbproof-{os.getuid()}"
    try:
        own.mkdir(mode=0o700, exist_ok=True)
        if own.lstat().st_uid != os.getuid():
            raise PermissionError(errno.EPERM, "it belongs to another user", str(own))
    except OSError as error:
        raise _nowhere(own, error) from error
    return own


def _nowhere(top: Path, error: Exception) -> ToolFailed:
    return ToolFailed(f"no environment can be made in {top}: {error}", "Set DBPROOF_CACHE to a directory of yours.")


def _key(directory: Path, work_tree: Path, settings: MigrationSettings) -> str:
    """A digest of all that decides what ends up in the environment; installed projects point to their directory."""
    digest = hashlib.sha256(f"{directory}\0{settings.setup}\0{sys.version}\0".encode())
    for file in lock_files(directory, work_tree):
        digest.update(f"{file}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()[:24]


def lock_files(*folders: Path) -> Iterator[Path]:
    """The files in these folders that decide what installers bring."""
    for folder in dict.fromkeys(folders):
        for pattern in _LOCKS:
            yield from sorted(file for file in folder.glob(pattern) if file.is_file())


def _make(place: Path, directory: Path, settings: MigrationSettings) -> None:
    # An environment knows its own path, so it is made in place, and only the mark says that it is whole.
    shutil.rmtree(place, ignore_errors=True)
    try:
        _run((sys.executable, "-m", "venv", str(place)), directory, settings, clean_environment(settings.pass_env))
        _run(words(settings.setup or "", "setup"), directory, settings, _variables(place, settings))
        (place / _COMPLETE).touch()
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _variables(place: Path, settings: MigrationSettings) -> dict[str, str]:
    """What makes pip, uv, poetry and pdm fill this environment and no other."""
    clean = clean_environment(settings.pass_env)
    path = f"{place / 'bin'}{os.pathsep}{clean.get('PATH', os.defpath)}"
    ours = {"PATH": path, "VIRTUAL_ENV": str(place), "UV_PROJECT_ENVIRONMENT": str(place)}
    return {**clean, **ours, "HOME": _home(clean.get("HOME"), place.parent)}


def _home(home: str | None, top: Path) -> str:
    """A home that installers can write to: a container's user without a passwd entry has ``/`` or none at all."""
    if home and os.access(home, os.W_OK | os.X_OK):
        return home
    own = top / f"home-{os.getuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    return str(own)


def _run(arguments: tuple[str, ...], directory: Path, settings: MigrationSettings, variables: dict[str, str]) -> None:
    finished = children.run(children.Command(arguments, directory, variables, settings.timeout))
    if finished.timed_out or finished.status:
        how = f"did not end within {settings.timeout:g} s" if finished.timed_out else f"ended with status {finished.status}"
        said = "\n".join(finished.tail[-_SHOWN:])
        remedy = "Run it by hand in that directory; the environment is kept only when it ends well."
        raise ToolFailed(f"setup: `{' '.join(arguments)}` {how} in {directory}\n{said}".rstrip(), remedy)
