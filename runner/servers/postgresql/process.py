"""Starts and stops the server process of a data directory, and says why it did not start."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.errors import ServerFailed
from runner.servers.account import Account
from runner.servers.postgresql.configuration import PRIVATE, Doors, local, log_name, text, throwaway
from runner.servers.shield import shielded

_START = 60.0
_STOP = 4.0
_LOGGED = 2.0
_ATTEMPTS = 8
_LINES = 8
_TAKEN = "Address already in use"
_REMEDIES = (
    ("No space left on device", "The disk is full: make room, or set TMPDIR to a directory that has room."),
    ("could not access file", "A library of `preload` is not installed here: install it, or set `image` to one that has it."),
    ("shared memory", "Raise the limits of shared memory, of the system or of the container."),
    ("semaphores", "Raise the system's limit of semaphores (kernel.sem)."),
    ("ermission denied", "Let the user that the server runs as read the PostgreSQL installation and write to TMPDIR."),
    ("Cannot allocate memory", "Give the machine or the container more memory."),
)


@dataclass(frozen=True)
class Seat:
    """What a server process needs: its binaries, its directories, its user, what it preloads.

    ``build`` says which program of which version with which recorder it is, wherever the binaries were laid out.
    """

    binaries: Path
    major: int
    data: Path
    socket: Path
    logs: Path
    account: Account
    preload: tuple[str, ...] = ()
    build: str = ""

    @property
    def log(self) -> Path:
        """The file that the server logs to."""
        return self.logs / log_name(self.major)

    def prepare(self) -> None:
        """Make the directories for socket and log, private to the server's user."""
        for path in (self.socket, self.logs):
            path.mkdir(mode=0o700)
            self.account.own(path)


@dataclass(frozen=True)
class Postmaster:
    """A server process that takes connections on ``port`` (of the loopback, and in the socket's name)."""

    process: subprocess.Popen[bytes]
    port: int

    def stop(self, number: int = signal.SIGQUIT) -> None:
        """Stop it and wait: SIGQUIT at once, SIGINT with a checkpoint, so that the data directory is whole."""
        with shielded():
            self.process.send_signal(number)
            try:
                self.process.wait(_STOP if number == signal.SIGQUIT else _START)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def start(seat: Seat, settings: Mapping[str, str] | None = None, doors: Doors = PRIVATE) -> Postmaster:
    """Start a server and wait until it takes connections; raises ServerFailed with its last words."""
    _write(seat, "pg_hba.conf", doors.access)
    if doors.port is not None and _is_taken(doors.addresses, doors.port):
        raise _taken(doors.port)
    for _ in range(_ATTEMPTS):
        try:
            return _started(seat, {**throwaway(seat.major), **(settings or {})}, doors)
        except _PortTaken:
            seat.log.unlink(missing_ok=True)
            if doors.port is not None:
                raise _taken(doors.port) from None
    raise ServerFailed(
        f"PostgreSQL found no free port on 127.0.0.1 in {_ATTEMPTS} attempts", "See what takes all ports of the loopback address."
    )


def _taken(port: int) -> ServerFailed:
    return ServerFailed(f"port {port} is taken here", "Choose another one with --port.")


def _is_taken(addresses: str, port: int) -> bool:
    """Whether somebody listens there already. The server would say so too, somewhere among its last words."""
    host = "" if addresses in ("*", "0.0.0.0") else addresses.partition(",")[0].strip()  # noqa: S104 - compared with only
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False


class _PortTaken(Exception):
    """Somebody took the port between our look and the server's."""


def _started(seat: Seat, settings: Mapping[str, str], doors: Doors) -> Postmaster:
    port = doors.port or _free_port()
    run = local(port, seat.socket, seat.logs, seat.preload, doors)
    _write(seat, "postgresql.conf", text({**settings, **run}))
    with shielded():
        postmaster = Postmaster(_spawned(seat), port)
    try:
        _wait(postmaster.process, seat)
    except BaseException:
        postmaster.stop()
        raise
    return postmaster


def _write(seat: Seat, name: str, content: str) -> None:
    file = seat.data / name
    file.write_text(content, encoding="utf-8")
    file.chmod(0o600)
    seat.account.own(file)


def _spawned(seat: Seat) -> subprocess.Popen[bytes]:
    """A session of its own, so that Ctrl-C in a terminal does not reach the server before we end it."""
    with (seat.data.parent / "start.log").open("wb") as words:
        try:
            return subprocess.Popen(  # noqa: S603 (our own arguments, no shell)
                [str(seat.binaries / "postgres"), "-D", str(seat.data)],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                cwd=seat.data.parent,
                env=environment(),
                start_new_session=True,
                **seat.account.options(),
            )
        except OSError as error:
            raise ServerFailed(*unstartable(seat.binaries / "postgres", error)) from None


def environment() -> dict[str, str]:
    """What PostgreSQL's own programs see: none of the user's ``PG*`` variables, plain messages."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def unstartable(program: Path, error: OSError) -> tuple[str, str]:
    """Message and remedy for a program that could not even be started."""
    return (
        f"{program} could not be started: {error.strerror}",
        "Let the user that servers run as execute it; root needs the right to change to that user (CAP_SETUID).",
    )


def _wait(process: subprocess.Popen[bytes], seat: Seat) -> None:
    """The last line of ``postmaster.pid`` says ``ready`` when connections are taken."""
    deadline = time.monotonic() + _START
    file = seat.data / "postmaster.pid"
    while not _ready(file):
        if process.poll() is not None:
            raise _failure(seat, f"PostgreSQL ended at its start with exit code {process.returncode}")
        if time.monotonic() > deadline:
            raise _failure(seat, f"PostgreSQL was not ready within {_START:.0f} s")
        time.sleep(0.002)


def _ready(file: Path) -> bool:
    with suppress(OSError):
        lines = file.read_bytes().splitlines()
        return len(lines) > 7 and lines[7].strip() == b"ready"
    return False


def _failure(seat: Seat, message: str) -> Exception:
    lines = _settled_words(seat)
    words = "\n".join(f"  {line}" for line in lines)
    if _TAKEN in words:
        return _PortTaken()
    remedies = [remedy for pattern, remedy in _REMEDIES if pattern in words]
    remedy = remedies[0] if remedies else "See the server's words above; DBPROOF_CACHE may be deleted at any time."
    return ServerFailed(f"{message} ({seat.binaries})\n{words}", remedy)


def _settled_words(seat: Seat) -> list[str]:
    """The last words once they are complete: the process that writes the log outlives the server that died by a moment."""
    deadline = time.monotonic() + _LOGGED
    lines = last_words(seat)
    while not any(end in line for line in lines for end in ("FATAL", "PANIC")) and time.monotonic() < deadline:
        time.sleep(0.005)
        lines = last_words(seat)
    return lines


def last_words(seat: Seat) -> list[str]:
    """The last lines that the server wrote, to its standard error and to its log."""
    lines = _tail(seat.data.parent / "start.log") + [_said(line) for line in _tail(seat.log)]
    return [line for line in lines if line.strip()][-_LINES:]


def _tail(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 16384))
            return file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []


def _said(line: str) -> str:
    """The message of a line of the JSON log, or the line as it is."""
    try:
        record = json.loads(line)
    except ValueError:
        return line
    return f"{record.get('error_severity')}: {record.get('message')}" if isinstance(record, dict) else line


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
