"""Starts and stops a ``mariadbd`` on a data directory, and says why it did not start."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.errors import ServerFailed
from runner.servers.account import Account
from runner.servers.shield import shielded

#: The file in the data directory that begins with the server's process id.
PID_FILE = "mariadbd.pid"

_START = 60.0
_STOP = 4.0
_ATTEMPTS = 8
_LINES = 8
_TAIL = 65536
_READY = b"ready for connections"
_TAKEN = "Address already in use"
_REMEDIES = (
    ("No space left on device", "The disk is full: make room, or set TMPDIR to a directory that has room."),
    ("Cannot allocate memory", "Give the machine or the container more memory."),
    ("cannot open shared object file", "Install the library that is named above."),
    ("io_uring", "Let the container's seccomp profile allow io_uring, or raise the limit of locked memory."),
    ("ermission denied", "Let the user that the server runs as execute mariadbd and write to TMPDIR."),
)
#: ``2026-11-21  8:24:16 0 [Note] `` before what the server says.
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d +\d+:\d\d:\d\d \d+ ")

#: For a server whose data nobody needs after a run: nothing waits for the disk, and little memory is taken. The log of all
#: statements goes to a table, from which it is read as it was sent.
_OPTIONS = (
    "--skip-name-resolve",
    "--skip-log-bin",
    "--skip-slave-start",
    "--skip-external-locking",
    "--local-infile=0",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=16M",
    "--innodb-flush-log-at-trx-commit=2",  # written, not waited for: with 0 a copy of the files lacks what was committed last
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-dump-at-shutdown=OFF",
    "--innodb-buffer-pool-load-at-startup=OFF",
    "--innodb-temp-data-file-path=ibtmp1:1M:autoextend",
    "--key-buffer-size=1M",
    "--performance-schema=OFF",
    "--sync-binlog=0",
    "--skip-sync-frm",
    "--debug-no-sync",
    "--max-allowed-packet=64M",
    "--default-time-zone=+00:00",
    "--log-output=TABLE",
    "--general-log=ON",
    "--general-log-file=unused.log",
)
#: For a copy whose sessions are looked at while they work: what each statement went through is kept in memory, by one clock.
#: Which of it is asked for is said by whoever looks; what nobody looks at here is not kept.
_OBSERVED = (
    "--performance-schema=ON",
    "--performance-schema-events-statements-history-long-size=5000",
    "--performance-schema-events-stages-history-long-size=10000",
    "--performance-schema-events-waits-history-long-size=10000",
    "--performance-schema-max-sql-text-length=4096",
    *(
        f"--loose-performance-schema-{name}=0"
        for name in (
            *("events-statements-history-size", "events-stages-history-size", "events-waits-history-size"),
            *("events-transactions-history-size", "events-transactions-history-long-size"),
            *("max-digest-length", "digests-size", "accounts-size", "hosts-size", "session-connect-attrs-size"),
            *("max-mutex-instances", "max-rwlock-instances", "max-cond-instances", "max-file-instances"),
            *("max-memory-classes", "max-socket-instances", "max-prepared-statements-instances"),
        )
    ),
)


@dataclass(frozen=True)
class Seat:
    """What a server process needs: its program, its directories and its user."""

    program: Path
    data: Path
    place: Path
    account: Account

    @property
    def socket(self) -> Path:
        """The private Unix socket, which only the server's user and root can come to."""
        return self.place / "s"

    @property
    def log(self) -> Path:
        """The file with the server's errors and notes."""
        return self.place / "server.log"

    def prepare(self) -> None:
        """Make the directory for socket and log, private to the server's user."""
        self.place.mkdir(mode=0o700)
        self.account.own(self.place)


@dataclass(frozen=True)
class Mariadbd:
    """A server process that takes connections on ``port`` of the loopback and on its socket."""

    process: subprocess.Popen[bytes]
    port: int

    def stop(self) -> None:
        """End it at once and wait: nobody needs its data any more."""
        with shielded():
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGCONT)
            self.process.kill()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_STOP)

    def end(self) -> None:
        """Let it write everything to its data directory and end; raises ServerFailed where it does not."""
        self.process.terminate()
        try:
            self.process.wait(_START)
        except subprocess.TimeoutExpired:
            self.stop()
            raise ServerFailed(f"MariaDB did not end within {_START:.0f} s", "See what slows the disk down.") from None


def start(seat: Seat, statements: str = "", *, observed: bool = False) -> Mariadbd:
    """Start a server on a free port and wait until it takes connections; raises ServerFailed with its last words.

    ``statements`` (a line each) are executed before anybody can connect. ``observed`` is for a server whose sessions are looked
    at while they work: it has its performance schema.
    """
    for _ in range(_ATTEMPTS):
        try:
            return _started(seat, statements, _OBSERVED if observed else ())
        except _PortTaken:
            seat.log.unlink(missing_ok=True)
    raise ServerFailed(
        f"MariaDB found no free port on 127.0.0.1 in {_ATTEMPTS} attempts", "See what takes all ports of the loopback address."
    )


class _PortTaken(Exception):
    """Somebody took the port between our look and the server's."""


def _started(seat: Seat, statements: str, more: Sequence[str]) -> Mariadbd:
    port = _free_port()
    first = seat.place / "first.sql"
    try:
        if statements:
            _private(first, statements, seat.account)
        with shielded():
            server = Mariadbd(_spawned(seat, port, first if statements else None, more), port)
        try:
            _wait(server.process, seat)
        except BaseException:
            server.stop()
            raise
    finally:
        first.unlink(missing_ok=True)
    return server


def _private(file: Path, content: str, account: Account) -> None:
    file.unlink(missing_ok=True)
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(content, encoding="utf-8")
    account.own(file)


def _spawned(seat: Seat, port: int, first: Path | None, more: Sequence[str]) -> subprocess.Popen[bytes]:
    """A session of its own, so that Ctrl-C in a terminal does not reach the server before we end it."""
    command = [
        str(seat.program),
        "--no-defaults",
        f"--datadir={seat.data}",
        f"--pid-file={seat.data / PID_FILE}",
        f"--socket={seat.socket}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--tmpdir={seat.place}",
        *_OPTIONS,
        *more,
        *([f"--init-file={first}"] if first else []),
    ]
    with seat.log.open("wb") as words:
        try:
            return subprocess.Popen(  # noqa: S603 (our own arguments, no shell)
                command,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                cwd=seat.data,
                env=environment(),
                start_new_session=True,
                **seat.account.options(),
            )
        except OSError as error:
            raise ServerFailed(*unstartable(seat.program, error)) from None


def environment() -> dict[str, str]:
    """What MariaDB's own programs see: none of the user's ``MYSQL_*`` variables, plain messages."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def unstartable(program: Path, error: OSError) -> tuple[str, str]:
    """Message and remedy for a program that could not even be started."""
    return (
        f"{program} could not be started: {error.strerror}",
        "Let the user that servers run as execute it; root needs the right to change to that user (CAP_SETUID).",
    )


def _wait(process: subprocess.Popen[bytes], seat: Seat) -> None:
    """The log says when connections are taken: a port that answers could be a stranger's."""
    deadline = time.monotonic() + _START
    while _READY not in _tail(seat.log):
        if process.poll() is not None:
            raise _failure(seat, f"MariaDB ended at its start with exit code {process.returncode}")
        if time.monotonic() > deadline:
            raise _failure(seat, f"MariaDB was not ready within {_START:.0f} s")
        time.sleep(0.002)


def _failure(seat: Seat, message: str) -> Exception:
    lines = _tail(seat.log).decode("utf-8", "replace").splitlines()
    if any(_TAKEN in line for line in lines):
        return _PortTaken()
    words = "\n".join(f"  {line}" for line in last_words(seat)) or "  (it said nothing)"
    remedies = [remedy for pattern, remedy in _REMEDIES if pattern in words]
    return ServerFailed(f"{message} ({seat.program})\n{words}", remedies[0] if remedies else "See the server's words above.")


def last_words(seat: Seat) -> list[str]:
    """What the server's log holds of errors, else its last lines."""
    lines = [_STAMP.sub("", line) for line in _tail(seat.log).decode("utf-8", "replace").splitlines() if line.strip()]
    plain = [line for line in lines if "[Note]" not in line and "[Warning]" not in line]
    return (plain or lines)[-_LINES:]


def _tail(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            return file.read()
    except OSError:
        return b""


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
