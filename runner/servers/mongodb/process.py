"""Starts and stops a ``mongod`` on a data directory, and says why it did not start."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import ServerFailed
from runner.servers.account import Account
from runner.servers.mongodb.configuration import configuration
from runner.servers.shield import shielded

_START = 60.0
_STOP = 4.0
_ATTEMPTS = 8
#: How many lines of a server's words are shown.
LINES = 8
_TAIL = 65536
_TAKEN = "Address already in use"
_WAITING = b'"Waiting for connections"'
_REMEDIES = (
    ("No space left on device", "The disk is full: make room, or set TMPDIR to a directory that has room."),
    ("libcurl", "Install libcurl (Debian: `apt install libcurl4`), which this mongod is linked with."),
    ("cannot open shared object file", "Install the library that is named above."),
    ("GLIBC", "This mongod is for a newer system: install MongoDB's own packages, or make a Docker engine reachable."),
    ("Illegal instruction", "MongoDB 5.0 and later need a processor with AVX: set `version` to 4.4, or use another machine."),
    ("ermission denied", "Let the user that the server runs as execute mongod and write to TMPDIR."),
    ("Cannot allocate memory", "Give the machine or the container more memory."),
)
#: The signal by which a processor refuses instructions that it does not have.
_ILLEGAL = -4


@dataclass(frozen=True)
class Seat:
    """What a server process needs: its program, its directories, its user and the key of its replica set."""

    program: Path
    data: Path
    logs: Path
    account: Account
    key: str = field(repr=False)

    @property
    def log(self) -> Path:
        """The file that the server logs to."""
        return self.logs / "server.json"

    @property
    def keyfile(self) -> Path:
        """The file with the key, readable for the server's user alone."""
        return self.logs / "key"

    def prepare(self) -> None:
        """Make the directory for log and key, private to the server's user, and the key."""
        self.logs.mkdir(mode=0o700)
        self.account.own(self.logs)
        _private(self.keyfile, self.key, self.account)


@dataclass(frozen=True)
class Mongod:
    """A server process that takes connections on ``port`` of the loopback."""

    process: subprocess.Popen[bytes]
    port: int

    def stop(self) -> None:
        """End it at once and wait: nobody needs its data any more."""
        with shielded():
            self.process.kill()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_STOP)


def start(seat: Seat) -> Mongod:
    """Start a server on a free port and wait until it takes connections; raises ServerFailed with its last words."""
    for _ in range(_ATTEMPTS):
        try:
            return _started(seat)
        except _PortTaken:
            seat.log.unlink(missing_ok=True)
    raise ServerFailed(
        f"MongoDB found no free port on 127.0.0.1 in {_ATTEMPTS} attempts", "See what takes all ports of the loopback address."
    )


class _PortTaken(Exception):
    """Somebody took the port between our look and the server's."""


def _started(seat: Seat) -> Mongod:
    port = _free_port()
    file = seat.logs / "mongod.json"
    text = configuration(port, str(seat.data), str(seat.keyfile), str(seat.log), "127.0.0.1")
    _private(file, text, seat.account)
    with shielded():
        mongod = Mongod(_spawned(seat, file), port)
    try:
        _wait(mongod.process, seat)
    except BaseException:
        mongod.stop()
        raise
    return mongod


def _private(file: Path, content: str, account: Account) -> None:
    file.unlink(missing_ok=True)
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(content, encoding="utf-8")
    account.own(file)


def _spawned(seat: Seat, file: Path) -> subprocess.Popen[bytes]:
    """A session of its own, so that Ctrl-C in a terminal does not reach the server before we end it.

    The data directory stands on the command line too: by it whoever sweeps up knows the process.
    """
    with _words(seat).open("wb") as words:
        try:
            return subprocess.Popen(  # noqa: S603 (our own arguments, no shell)
                [str(seat.program), "--config", str(file), "--dbpath", str(seat.data)],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                cwd=seat.data.parent,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,
                **seat.account.options(),
            )
        except OSError as error:
            raise ServerFailed(
                f"{seat.program} could not be started: {error.strerror}",
                "Let the user that servers run as execute it; root needs the right to change to that user (CAP_SETUID).",
            ) from None


def _words(seat: Seat) -> Path:
    return seat.data.parent / "start.log"


def _wait(process: subprocess.Popen[bytes], seat: Seat) -> None:
    """The log says when connections are taken: a port that answers could be a stranger's."""
    deadline = time.monotonic() + _START
    while _WAITING not in _tail(seat.log):
        if process.poll() is not None:
            raise _failure(seat, process.returncode, f"MongoDB ended at its start with exit code {process.returncode}")
        if time.monotonic() > deadline:
            raise _failure(seat, 0, f"MongoDB was not ready within {_START:.0f} s")
        time.sleep(0.002)


def _failure(seat: Seat, code: int, message: str) -> Exception:
    words = "\n".join(f"  {line}" for line in last_words(seat))
    words = words or ("  Illegal instruction" if code == _ILLEGAL else "  (it said nothing)")
    if _TAKEN in words:
        return _PortTaken()
    remedies = [remedy for pattern, remedy in _REMEDIES if pattern in words]
    return ServerFailed(f"{message} ({seat.program})\n{words}", remedies[0] if remedies else "See the server's words above.")


def last_words(seat: Seat) -> list[str]:
    """The last lines that the server wrote: to its standard error, and what its log holds of errors, else its last lines."""
    told = _tail(_words(seat)).decode("utf-8", "replace").splitlines()
    return last_lines(told, _tail(seat.log))


def last_lines(told: Iterable[str], log: bytes) -> list[str]:
    """The last lines of what a server told and of its log, whose first records are told before there is a file for them."""
    lines = [line for line in told if line.strip()]
    records = [record for line in [*map(str.encode, lines), *log.splitlines()] if (record := _record(line))]
    errors = [record for record in records if record.get("s") in ("E", "F")]
    plain = [line for line in lines if _record(line.encode()) is None]
    return [*plain, *(_said(record) for record in errors or records)][-LINES:]


def _tail(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            return file.read()
    except OSError:
        return b""


def _record(line: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _said(record: dict[str, object]) -> str:
    """The message with its error or reason; other attributes are left out, as they may hold what a client sent."""
    attributes = record.get("attr")
    known = attributes if isinstance(attributes, dict) else {}
    error = known.get("error")
    reason = error.get("errmsg") if isinstance(error, dict) else error
    more = [str(each) for each in (reason, known.get("msg"), known.get("reason")) if each]
    return ": ".join([str(record.get("msg")), *more])


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
