"""Runs dbproof many times for one start of Python: each run is a process of its own, forked off one that has imported dbproof.

All that a run does is what it does when it is started from nothing; only the imports, the same every time, are done already.
Tests of starting, of signals and of the command line start it from nothing. With DBPROOF_TEST_STARTS=1 every test does.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

#: What every run imports, as runs of each engine do.
_IMPORTED = (
    "runner.cli.application",
    "runner.cli.run",
    "runner.pipeline",
    "runner.backends.registry",
    "runner.selftest.in_a_run",
    "runner.servers.postgresql.provider",
)

_ARGUMENTS = "DBPROOF_TEST_ARGUMENTS"
_PROGRAM = str(Path(sys.executable).with_name("dbproof"))
_CHUNK = 65_536


def completed(arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
    """As ``subprocess.run`` of dbproof with its output captured, and nothing to read on standard input."""
    if os.environ.get("DBPROOF_TEST_STARTS") or not hasattr(socket, "send_fds"):
        return subprocess.run(
            [_PROGRAM, *arguments], cwd=cwd, env=env, check=False, capture_output=True, text=True, encoding="utf-8",
            stdin=subprocess.DEVNULL, timeout=timeout,
        )  # fmt: skip
    global _one
    _one = _one or _Standing()
    try:
        return _one.run(arguments, cwd, env, timeout)
    except _Changed:  # a folder of modules: what was imported may be old
        _one.end()
        _one = _Standing()
        return _one.run(arguments, cwd, env, timeout)


class _Changed(Exception):
    """What stands by will not be forked any more."""


class _Standing:
    """The process that runs are forked off, until this one ends."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())], stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
        self._said = b""
        atexit.register(self.end)

    def end(self) -> None:
        """End what stands by."""
        self._socket.close()
        self._process.wait(10)

    def run(
        self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """One run, with the whole of its output."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            environment = {**env, _ARGUMENTS: json.dumps(list(arguments))}
            text = json.dumps({"environment": environment, "directory": str(cwd)}).encode()
            socket.send_fds(self._socket, [len(text).to_bytes(8, "big")], [out.fileno(), err.fileno()])
            self._socket.sendall(text)
            pid = self._heard("started", None, time.monotonic() + timeout)["started"]
            try:
                code = self._heard("ended", pid, time.monotonic() + timeout)["status"]
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.kill(pid, 9)
                raise
            out.seek(0)
            err.seek(0)
            said = (one.read().decode("utf-8").replace("\r\n", "\n") for one in (out, err))
            return subprocess.CompletedProcess([_PROGRAM, *arguments], code, *said)

    def _heard(self, what: str, which: int | None, until: float) -> Mapping[str, int]:
        while True:
            line, found, rest = self._said.partition(b"\n")
            if found:
                self._said = rest
                told = json.loads(line)
                if "unfit" in told:
                    raise _Changed(told)
                if what in told and which in (None, told[what]):
                    return dict(told)
            elif not select.select([self._socket], [], [], max(until - time.monotonic(), 0))[0]:
                raise subprocess.TimeoutExpired(_PROGRAM, until)
            else:
                self._said += self._socket.recv(_CHUNK)


_one: _Standing | None = None


def _main() -> int:
    """What stands by. A program of ours that does the same for the user's tools does it here (inside/ahead.py)."""
    number = int(sys.argv[1])
    sys.path[0] = str(Path(__file__).parents[1])
    sys.argv = [_PROGRAM]
    from runner.migrations.inside.ahead import stand_by

    stand_by(number, _IMPORTED)
    tempfile.tempdir = None  # as the environment has it now
    sys.argv += json.loads(os.environ.pop(_ARGUMENTS))
    from runner.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(_main())
