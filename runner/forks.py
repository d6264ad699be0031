"""Starts a program of ours in the user's Python many times for one start of Python: each start is a fork of one that stands by.

What stands by (runner/migrations/inside/ahead.py) has imported the libraries that every start needs, and nothing of the
project's. A fork begins as a start from nothing does, with its own environment, folder and output; where there can be none, the
program is started from nothing.
"""

from __future__ import annotations

import atexit
import json
import select
import socket
import time
from collections.abc import Callable, Hashable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol

from runner.channels import MARK, Channel
from runner.errors import ToolFailed

if TYPE_CHECKING:
    from runner.children import Command

#: How many programs stand by at most: base's and head's, where they have different ones.
_MOST = 2

#: Seconds until a fork has begun, the imports of the first one included.
_PATIENCE = 60.0

#: The status of a program whose end nobody saw.
_LOST = -9

_CHUNK = 65_536


class Process(Protocol):
    """A program that was started: its number, which is its group's too, and how it ended."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    def poll(self) -> int | None:
        """The status, negative for a signal; ``None`` where it has not ended."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """The status once it has ended; raises where that takes longer than ``timeout`` seconds."""
        ...


#: Starts a program from nothing, with a descriptor that it keeps.
Start = Callable[["Command", Channel, int], Process]

#: Ends what :data:`Start` started.
End = Callable[[Process], None]


class _Fork:
    """A program that another one was forked into."""

    def __init__(self, ahead: _Ahead, pid: int) -> None:
        self._ahead = ahead
        self.pid = pid

    def poll(self) -> int | None:
        return self._ahead.status(self.pid, 0)

    def wait(self, timeout: float | None = None) -> int:
        until = None if timeout is None else time.monotonic() + timeout
        while (status := self._ahead.status(self.pid, 1 if until is None else max(until - time.monotonic(), 0))) is None:
            if until is not None and time.monotonic() > until:
                raise TimeoutError(self.pid)
        return status


class _Ahead:
    """What stands by, in a session of its own, until it is closed; it ends with us too, however we end."""

    def __init__(self, command: Command, start: Start, end: End) -> None:
        self._lock = RLock()
        self._running: set[int] = set()
        self._statuses: dict[int, int] = {}
        self._said = bytearray()
        self._answer: Mapping[str, Any] | None = None
        self._gone = False
        with ExitStack() as stack:
            channel = stack.enter_context(Channel())
            ours, theirs = socket.socketpair()
            stack.callback(ours.close)
            python, program, *rest = command.arguments
            standing = replace(command, arguments=(python, program, "ahead", str(theirs.fileno()), *rest))
            with theirs:
                stack.callback(end, start(standing, channel, theirs.fileno()))
            channel.started()
            self._socket = ours
            self._stack = stack.pop_all()

    def fork(self, command: Command, channel: Channel) -> _Fork | None:
        """The program with the environment, folder and output of this command; ``None`` where what stands by is unfit."""
        environment = {**command.environment, MARK: str(channel.directory)}
        text = json.dumps({"environment": environment, "directory": str(command.directory)}).encode()
        output = [channel.written if command.output is None else command.output, channel.written]
        with self._lock, suppress(OSError):
            self._answer = None
            socket.send_fds(self._socket, [len(text).to_bytes(8, "big")], output)
            self._socket.sendall(text)
            until = time.monotonic() + _PATIENCE
            while self._answer is None and not self._gone and time.monotonic() < until:
                self._hear(until - time.monotonic())
            if self._answer is not None and "started" in self._answer:
                fork = _Fork(self, int(self._answer["started"]))
                self._running.add(fork.pid)
                return fork
        return None

    @property
    def busy(self) -> bool:
        """Whether anything that was forked off it has not ended."""
        with self._lock:
            self._hear(0)
            return not self._gone and bool(self._running - self._statuses.keys())

    def status(self, pid: int, patience: float) -> int | None:
        """How a fork has ended, after at most ``patience`` seconds."""
        with self._lock:
            if pid not in self._statuses and not self._gone:
                self._hear(patience)
            return self._statuses.get(pid, _LOST if self._gone else None)

    def _hear(self, patience: float) -> None:
        with suppress(OSError):
            if not select.select([self._socket], [], [], patience)[0]:
                return
            said = self._socket.recv(_CHUNK)
            self._gone = not said
            *lines, rest = (bytes(self._said) + said).split(b"\n")
            self._said = bytearray(rest)
            for told in map(json.loads, lines):
                if "ended" in told:
                    self._statuses[int(told["ended"])] = int(told["status"])
                else:
                    self._answer = told
            return
        self._gone = True

    def close(self) -> None:
        """End it, and what was forked off it and is still there."""
        with self._lock:
            self._gone = True
            self._stack.close()


_STANDING: dict[Hashable, _Ahead] = {}
_LOCK = RLock()


def forked(command: Command, channel: Channel, start: Start, end: End) -> Process | None:
    """The program as a fork of one that stands by, which begins to where none does; ``None`` where there can be none.

    Idle ones that were asked longest ago are ended where there are more than a few.
    """
    key = _key(command)
    with _LOCK:
        for _ in range(2):  # what was installed since makes the first one unfit
            ahead = _STANDING.pop(key, None)
            if ahead is None:
                with suppress(ToolFailed, OSError):
                    ahead = _Ahead(command, start, end)
            if ahead is None:
                return None
            fork = ahead.fork(command, channel)
            if fork is None and not ahead.busy:
                ahead.close()
                continue
            _STANDING[key] = ahead
            _close_first()
            return fork
    return None


def _key(command: Command) -> Hashable:
    """All that the imports may rest on. A search path may be relative, so then the folder counts too."""
    varying = command.varying or frozenset()
    kept = {name: value for name, value in command.environment.items() if name not in varying}
    return command.arguments, frozenset(kept.items()), command.directory if "PYTHONPATH" in kept else None


def _close_first() -> None:
    for key in [key for key, ahead in _STANDING.items() if not ahead.busy][: max(len(_STANDING) - _MOST, 0)]:
        _STANDING.pop(key).close()


@atexit.register
def close_all() -> None:
    """End what stands by."""
    with _LOCK:
        while _STANDING:
            _STANDING.popitem()[1].close()
