"""Locks between processes: ``flock`` on a file, which the kernel lets go when the holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: The name of the lock in a run directory, held by the process that the directory belongs to.
LOCK = "owner.lock"


def try_lock(path: Path, *, create: bool = True) -> int | None:
    """A file descriptor that holds the lock until it is closed, or ``None`` where another process holds it.

    Raises OSError where the file cannot be opened.
    """
    file = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0) | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    except BaseException:
        os.close(file)
        raise
    return file


def lock(path: Path, patience: float) -> int:
    """Like :func:`try_lock`, waiting up to ``patience`` seconds; raises TimeoutError."""
    deadline = time.monotonic() + patience
    while (file := try_lock(path)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} is locked by another process")
        time.sleep(0.02)
    return file


@contextmanager
def held(file: int) -> Iterator[None]:
    """Let a lock go at the end of the context."""
    try:
        yield
    finally:
        os.close(file)
