"""Stands by with what a program imports first, and is forked at each start of it, so that its libraries are loaded once.

Requests come through a socket, each with two descriptors (standard output and error). A fork begins as a start from nothing does:
with the environment and the folder of its request, nothing of the project's own imported, and as the leader of a session. What it
tells through the socket: ``started`` or ``unfit`` in answer to a request, and ``ended`` with the status of each that has.
"""

from __future__ import annotations

import array
import gc
import importlib
import io
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import Any, Dict, List, Optional, Sequence, Tuple

from . import telling

_DESCRIPTORS = 2
_CHUNK = 65536


def stand_by(number: int, names: Sequence[str]) -> None:
    """Import these modules and serve the socket of that number; comes back in each fork, and ends with whoever asks."""
    asked = socket.socket(fileno=number)
    for name in names:
        with suppress(Exception):  # the program itself says what is missing
            importlib.import_module(name)
    seen, woken = _folders(), _woken_by_ends()
    gc.freeze()
    while True:
        ready = select.select([asked.fileno(), woken], [], [])[0]
        if woken in ready:
            os.read(woken, _CHUNK)
            _tell_ends(asked)
        if asked.fileno() in ready:
            request, output = _request(asked)
            if request is None:
                os._exit(0)
            if seen != _folders() or threading.active_count() > 1:
                _say(asked, {"unfit": "changed" if seen != _folders() else "threads"})
            elif os.fork() == 0:
                _begin(asked, request, output)
                return
            for descriptor in output:
                os.close(descriptor)


def _folders() -> List[Tuple[str, int]]:
    """Where modules are looked for, as it is now: what was installed since is not what was imported."""
    found = []
    for path in sys.path:
        with suppress(OSError):
            found.append((path, os.stat(path).st_mtime_ns))
    return found


def _woken_by_ends() -> int:
    """A descriptor that can be read when a fork has ended."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    return woken


def _tell_ends(asked: socket.socket) -> None:
    with suppress(ChildProcessError):
        while True:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                break
            code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            _say(asked, {"ended": process, "status": code})


def _request(asked: socket.socket) -> Tuple[Optional[Dict[str, Any]], List[int]]:
    """The next request with its descriptors, or nothing where whoever asks is gone."""
    output = array.array("i")
    begun, ancillary, _, _ = asked.recvmsg(8, socket.CMSG_SPACE(_DESCRIPTORS * output.itemsize))
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            output.frombytes(data[: len(data) - len(data) % output.itemsize])
    while 0 < len(begun) < 8:
        more = asked.recv(8 - len(begun))
        if not more:
            break
        begun += more
    if len(begun) < 8 or len(output) != _DESCRIPTORS:
        return None, list(output)
    text = bytearray()
    while len(text) < int.from_bytes(begun, "big"):
        chunk = asked.recv(min(_CHUNK, int.from_bytes(begun, "big") - len(text)))
        if not chunk:
            return None, list(output)
        text += chunk
    request: Dict[str, Any] = json.loads(text)
    return request, list(output)


def _say(asked: socket.socket, what: Dict[str, Any]) -> None:
    with suppress(OSError):
        asked.sendall(json.dumps(what).encode() + b"\n")


def _stream(number: int, before: Any) -> Any:
    """A stream like the one before: that one goes by what its descriptor was when Python started, which no pipe is."""
    raw: Any = open(number, "wb", 0, closefd=False)  # noqa: SIM115 - to the end of the process
    raw.name = before.name
    whole = raw if isinstance(before.buffer, io.FileIO) else io.BufferedWriter(raw)
    through, lines = before.write_through, before.line_buffering
    return io.TextIOWrapper(whole, before.encoding, before.errors, "\n", line_buffering=lines, write_through=through)


def _begin(asked: socket.socket, request: Dict[str, Any], output: Sequence[int]) -> None:
    """What a start from nothing would have."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for descriptor, number in zip(output, (1, 2)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdout = sys.__stdout__ = _stream(1, sys.stdout)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _stream(2, sys.stderr)  # type: ignore[misc]
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    try:
        os.chdir(request["directory"])
    except OSError as error:
        _say(asked, {"unfit": str(error)})
        os._exit(1)
    telling.listen()
    importlib.invalidate_caches()
    _say(asked, {"started": os.getpid()})
    asked.close()
