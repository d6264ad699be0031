"""What marks a child and all its descendants, and what programs of ours that run inside them talk through.

The mark is a private directory with a named pipe; a lock on it tells the next run that its owner is dead.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import signal
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

#: The variable that marks a child and all its descendants; its value is a directory that holds the pipe ``events``.
MARK = "DBPROOF_CHILD"

_PREFIX = "dbproof-child-"


def sweep() -> None:
    """End what a killed run of dbproof left behind: marked processes whose owner is dead, and their directories."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Without the pipe it is one that its owner is about to lock.
                if (directory / "events").exists():
                    kill_marked(directory)
                    shutil.rmtree(directory, ignore_errors=True)
            finally:
                os.close(held)


class Channel:
    """The private directory of one child: its lock, and the pipe that messages come through."""

    def __enter__(self) -> Channel:
        self.directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
            held = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, held)
            fcntl.flock(held, fcntl.LOCK_EX)
            pipe = self.directory / "events"
            os.mkfifo(pipe, 0o600)
            self.events = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
            stack.callback(os.close, self.events)
            # Held open, so that the pipe does not end when the first of several writers does.
            stack.callback(os.close, os.open(pipe, os.O_WRONLY))
            self.output, self.written = os.pipe()
            stack.callback(os.close, self.output)
            self._stack_of_written = stack.enter_context(ExitStack())
            self._stack_of_written.callback(os.close, self.written)
            self._stack = stack.pop_all()
        _LIVE_DIRECTORIES.add(self.directory)
        atexit.unregister(end_all)
        atexit.register(end_all)
        return self

    def started(self) -> None:
        """Let go of the end that the child writes to, so that its output can come to an end."""
        self._stack_of_written.close()

    def __exit__(self, *_: object) -> None:
        try:
            kill_marked(self.directory)
        finally:
            _LIVE_DIRECTORIES.discard(self.directory)
            self._stack.close()


_LIVE_DIRECTORIES: set[Path] = set()


def end_all() -> None:
    """Kill every child of this process at once, whichever thread started it."""
    for directory in tuple(_LIVE_DIRECTORIES):
        kill_marked(directory)


def kill_marked(directory: Path) -> None:
    """Kill every process that carries the mark, again and again while they start new ones (Linux; elsewhere groups must do)."""
    mark = f"{MARK}={directory}".encode()
    for _ in range(10):
        marked = [pid for pid in _processes() if mark in _environment_of(pid)]
        if not marked:
            return
        for pid in marked:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _processes() -> list[int]:
    root = Path("/proc")
    ours = os.getpid()
    return (
        [int(entry.name) for entry in root.iterdir() if entry.name.isdigit() and int(entry.name) != ours] if root.is_dir() else []
    )


def _environment_of(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
