"""Run directories: one for each server of ours, private, and gone when the run is, however it ended.

A run directory holds ``owner.lock``, locked by the process it belongs to. When the lock can be taken, the owner is dead
(SIGKILL, power), and whoever starts a server next stops what is left and removes the directory. It gets its name only once it
is locked, so a directory of that name without an owner is always a dead one's.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runner.errors import ServerFailed
from runner.servers.account import Account
from runner.servers.leftovers import PID_FILES, stop_server
from runner.servers.locks import LOCK, held, try_lock
from runner.servers.shield import shielded
from runner.servers.spreading import spread

_PREFIX = "dbproof-run-"
_STAGING = "dbproof-new-"

#: A file within the run directory that says that its server is a Docker container.
CONTAINER = "container"

#: The longest path of a Unix socket that every system takes (104 bytes on macOS, 108 on Linux, a NUL included).
_SOCKET_LIMIT = 103
_SOCKET_TAIL = len("/new-12345678/socket/.s.PGSQL.65535.lock")


def _anywhere(_: Path) -> bool:
    return True


@contextmanager
def run_directory(reached: Callable[[Path], bool] = _anywhere) -> Iterator[Path]:
    """A new private directory (0700), locked for as long as the context lasts; servers in it are stopped at the end.

    ``reached`` says whether the server's user can come to a directory. Raises ServerFailed where nothing fits.
    """
    with shielded():
        sweep()
        path, file = _made(_base(reached))
    with held(file):
        try:
            yield path
        finally:
            with shielded():
                clear(path)


@contextmanager
def server_directory(account: Account) -> Iterator[Path]:
    """A run directory that the server's user can pass through; what lies in it is private to that user."""
    with run_directory(account.reaches) as run:
        if account.other:
            run.chmod(0o711)
        yield run


def data_directory(run: Path) -> Path:
    """The data directory of a server within its run directory; its name is that run's own, see :func:`spread`."""
    return run / f"data-{run.name.removeprefix(_PREFIX)}"


def sweep() -> None:
    """Stop the servers of owners that died without cleaning up, and remove their directories. Only this uid's own."""
    for base in _bases():
        for path in (*base.glob(f"{_PREFIX}*"), *base.glob(f"{_STAGING}*")):
            _sweep_one(path)


def clear(path: Path) -> None:
    """Stop what runs in a run directory and remove it. What cannot be stopped (Docker is down) keeps its directory."""
    for name in PID_FILES:
        for file in (*path.glob(f"*/{name}"), *path.glob(f"*/*/{name}")):  # of the server, of a cluster in the making
            stop_server(file)
    if (path / CONTAINER).exists() and not _container_gone(path):
        return
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():  # a backend that was dying wrote a last file
        shutil.rmtree(path, ignore_errors=True)


def _container_gone(path: Path) -> bool:
    from runner.servers.containers import remove_run

    return remove_run(path.name)


def _sweep_one(path: Path) -> None:
    """A directory that another uid made is not ours to trust: it could name any process for us to stop."""
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        if path.is_symlink() or path.stat().st_uid != os.geteuid():
            return
        file = try_lock(path / LOCK, create=False)
        if file is None:
            return
        with held(file):
            clear(path)


def _made(base: Path) -> tuple[Path, int]:
    try:
        staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=base))
        spread(staging)
        file = try_lock(staging / LOCK)
        path = staging.rename(staging.with_name(f"{_PREFIX}{secrets.token_hex(4)}"))
    except OSError as error:
        raise ServerFailed(
            f"no directory for a server could be made: {error.strerror}: {error.filename or base}",
            "Make room there, or set TMPDIR to a directory that this user may write to.",
        ) from None
    if file is None:
        raise ServerFailed(f"{path} was taken by another process", "Run dbproof again.")
    return path, file


def _bases() -> list[Path]:
    """Where run directories may be: the temporary directory, and ``/tmp`` where its path is too long for a socket."""
    return list(dict.fromkeys((Path(tempfile.gettempdir()), Path("/tmp"))))  # noqa: S108 (names in it are random, made 0700)


def _base(reached: Callable[[Path], bool]) -> Path:
    name = len(_PREFIX) + 8
    for path in _bases():
        if len(os.fsencode(path)) + 1 + name + _SOCKET_TAIL <= _SOCKET_LIMIT and path.is_dir() and reached(path):
            return path
    raise ServerFailed(
        f"{tempfile.gettempdir()} cannot hold a server: its path is too long for a socket, or the server's user cannot enter it",
        "Set TMPDIR to a directory with a short path that every user may enter.",
    )
