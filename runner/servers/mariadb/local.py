"""A server from a ``mariadbd`` on this machine: a copy of the cached data directory, in a run directory, on a free port."""

from __future__ import annotations

import os
import platform
import re
import secrets
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

from runner.errors import ServerFailed
from runner.servers.account import Account, own_account, server_account
from runner.servers.files import copy_cluster
from runner.servers.interface import Address, Server
from runner.servers.mariadb.directory import directory_name, lay
from runner.servers.mariadb.installations import Installation
from runner.servers.mariadb.process import PID_FILE, Mariadbd, Seat, start
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import ADMIN_USER, OUR_USER, rows, session
from runner.servers.runs import data_directory, server_directory
from runner.servers.shield import shielded

#: What a copied data directory must not hold, as it belongs to the process that made it.
_LEFT = frozenset({PID_FILE, "ibtmp1"})
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


@contextmanager
def local_server(installation: Installation, origin: str = "") -> Iterator[MariadbServer]:
    """An empty server for the length of the context; raises ServerFailed. ``origin`` says where it comes from."""
    account = server_account("mysql")
    if not account.reaches(installation.program.parent):
        raise ServerFailed(
            f"the user that servers run as (uid {account.uid}) cannot come to {installation.program}",
            "Install Debian's mariadb-server, or make that directory readable for all.",
        )
    with server_directory(account) as run:
        seat = _seat(run, Seat(installation.program, run, run, account))
        lay(installation, run, account, seat.data)
        ours, theirs = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        build = repr((directory_name(installation), platform.machine()))
        server = _Served(ours, theirs, origin or str(installation.program), build)
        with server.running(seat, {}, _users(ours, theirs)) as running:
            yield running


def _seat(run: Path, like: Seat) -> Seat:
    seat = replace(like, data=data_directory(run), place=run / "place")
    seat.prepare()
    return seat


def _users(ours: str, theirs: str) -> str:
    """The two superusers with their passwords (of letters, digits, ``-`` and ``_``); nobody else is left."""
    return "\n".join(
        (
            "DELETE FROM mysql.global_priv WHERE User IN ('root', '');",
            "FLUSH PRIVILEGES;",
            f"CREATE USER `{OUR_USER}`@`localhost` IDENTIFIED BY '{ours}';",
            f"GRANT ALL PRIVILEGES ON *.* TO `{OUR_USER}`@`localhost` WITH GRANT OPTION;",
            f"CREATE USER `{ADMIN_USER}`@`%` IDENTIFIED BY '{theirs}';",
            f"GRANT ALL PRIVILEGES ON *.* TO `{ADMIN_USER}`@`%` WITH GRANT OPTION;",
            "",
        )
    )


class _Served:
    """Starts servers that know the same two superusers."""

    def __init__(self, ours: str, theirs: str, origin: str, build: str) -> None:
        self._ours = ours
        self._theirs = theirs
        self._origin = origin
        self._build = build

    @contextmanager
    def running(
        self, seat: Seat, passwords: dict[str, str], statements: str = "", *, observed: bool = False
    ) -> Iterator[MariadbServer]:
        """A server on a seat whose data directory is there."""
        process = start(seat, statements, observed=observed)
        try:
            private = Address(str(seat.socket), 0, OUR_USER, self._ours, "mysql", scheme="mysql")
            with session(private) as driver:
                found = _NUMBERS.match(str(rows(driver, "SELECT version()")[0][0]))
            yield MariadbServer(
                version=found[0] if found else "",
                origin=self._origin,
                admin=Address("127.0.0.1", process.port, ADMIN_USER, self._theirs, "mysql", scheme="mysql"),
                private=private,
                forked=partial(self._fork, seat, process),
                passwords=passwords,
                keeping=_Keeping(self, seat, process, self._build),
            )
        finally:
            process.stop()

    @contextmanager
    def _fork(self, seat: Seat, process: Mariadbd, server: MariadbServer, observed: bool) -> Iterator[MariadbServer]:
        with server_directory(seat.account) as run:
            copied = _seat(run, seat)
            _copy_running(server, seat, process, copied.data, seat.account)
            with self.running(copied, dict(server.passwords), observed=observed) as fork:
                yield fork

    def passwords(self) -> str:
        """Statements that give the two superusers of a kept directory these passwords."""
        users = ((OUR_USER, "localhost", self._ours), (ADMIN_USER, "%", self._theirs))
        return "".join(f"ALTER USER `{user}`@`{host}` IDENTIFIED BY '{password}';\n" for user, host, password in users)


def _copy_running(server: MariadbServer, seat: Seat, process: Mariadbd, target: Path, account: Account) -> None:
    with session(server.private) as driver:
        rows(driver, "FLUSH TABLES WITH READ LOCK")  # ends with the session
        rows(driver, "FLUSH ENGINE LOGS")
        with _held_still(process):
            copy_cluster(seat.data, target, account, leave=lambda path: path in _LEFT)


@dataclass(frozen=True)
class _Keeping:
    """Keeps the data directory, copied while the server holds still."""

    served: _Served
    seat: Seat
    process: Mariadbd
    build: str

    def keep(self, server: Server, directory: Path) -> None:
        """Copy it for whoever runs dbproof, private to that user. Raises ServerFailed, OSError."""
        _copy_running(cast("MariadbServer", server), self.seat, self.process, directory, own_account())

    @contextmanager
    def again(self, directory: Path, names: Sequence[str]) -> Iterator[MariadbServer]:
        """A server on a copy of what was kept. Raises ServerFailed, OSError."""
        with server_directory(self.seat.account) as run:
            copied = _seat(run, self.seat)
            copy_cluster(directory, copied.data, self.seat.account)
            with self.served.running(copied, {}, self.served.passwords()) as server:
                for name in names:
                    server.take_over(name)
                yield server


@contextmanager
def _held_still(process: Mariadbd) -> Iterator[None]:
    """Stop the process as it is, so that its files are those of one moment: the copy starts as after a crash.

    Its log is whole by then, and what stands in it is more than the files need.
    """
    with shielded():
        os.kill(process.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(process.process.pid, signal.SIGCONT)
