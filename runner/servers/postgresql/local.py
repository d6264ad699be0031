"""A server from binaries on this machine: a copy of the cached cluster, in a run directory, on a free port."""

from __future__ import annotations

import platform
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

from psycopg import sql

from runner.errors import ServerFailed
from runner.servers.account import Account, own_account, server_account
from runner.servers.files import copy_cluster, link_installation
from runner.servers.installations import Installation
from runner.servers.interface import Address, Server
from runner.servers.postgresql.backup import copy_running
from runner.servers.postgresql.cluster import cluster_name, lay
from runner.servers.postgresql.following import OnDisk
from runner.servers.postgresql.process import Seat, start
from runner.servers.postgresql.server import PostgresServer
from runner.servers.postgresql.sessions import ours, session
from runner.servers.runs import data_directory, server_directory


@contextmanager
def local_server(installation: Installation, preload: tuple[str, ...] = (), origin: str = "") -> Iterator[PostgresServer]:
    """An empty server for the length of the context; raises ServerFailed. ``origin`` says where it comes from."""
    with seated(installation, preload) as seat, _served(seat, origin or str(installation.binaries), {}) as server:
        yield server


@contextmanager
def seated(installation: Installation, preload: tuple[str, ...] = (), initdb_options: tuple[str, ...] = ()) -> Iterator[Seat]:
    """A fresh cluster in a run directory, not started yet, for the length of the context; raises ServerFailed."""
    account = server_account()
    with server_directory(account) as run:
        binaries = _reachable(installation, run, account)
        build = repr((cluster_name(installation, initdb_options), sorted(preload), platform.machine()))
        seat = _seat(run, Seat(binaries, installation.major, run, run, run, account, preload, build))
        lay(installation, binaries, run, account, seat.data, initdb_options)
        yield seat


def _seat(run: Path, like: Seat) -> Seat:
    seat = replace(like, data=data_directory(run), socket=run / "socket", logs=run / "logs")
    seat.prepare()
    return seat


@contextmanager
def _served(seat: Seat, origin: str, passwords: dict[str, str]) -> Iterator[PostgresServer]:
    postmaster = start(seat)
    try:
        private = ours(Address(str(seat.socket), postmaster.port, "postgres", "", "postgres"))
        password = secrets.token_urlsafe(24)
        with session(private) as connection:
            connection.execute(sql.SQL("ALTER ROLE postgres PASSWORD {}").format(sql.Literal(password)))
            version = connection.info.parameter_status("server_version") or ""
        yield PostgresServer(
            version=version.split()[0],
            origin=origin,
            admin=Address("127.0.0.1", postmaster.port, "postgres", password, "postgres"),
            private=private,
            logfile=OnDisk(seat.log),
            forked=partial(_fork, seat),
            passwords=passwords,
            keeping=_Keeping(seat, origin),
        )
    finally:
        postmaster.stop()


@contextmanager
def _fork(seat: Seat, server: PostgresServer) -> Iterator[PostgresServer]:
    with server_directory(seat.account) as run:
        copied = _seat(run, seat)
        copy_running(server.private, seat.data, copied.data, seat.account)
        with _served(copied, server.origin, dict(server.passwords)) as fork:
            yield fork


@dataclass(frozen=True)
class _Keeping:
    """Keeps the data directory, copied while the server runs."""

    seat: Seat
    origin: str

    @property
    def build(self) -> str:
        return self.seat.build

    def keep(self, server: Server, directory: Path) -> None:
        """Copy it for whoever runs dbproof, private to that user. Raises ServerFailed, OSError."""
        private = cast("PostgresServer", server).private
        copy_running(private, self.seat.data, directory, own_account())

    @contextmanager
    def again(self, directory: Path, names: Sequence[str]) -> Iterator[PostgresServer]:
        """A server on a copy of what was kept. Raises ServerFailed, OSError."""
        with server_directory(self.seat.account) as run:
            copied = _seat(run, self.seat)
            copy_cluster(directory, copied.data, self.seat.account)
            with _served(copied, self.origin, {}) as server:
                for name in names:
                    server.take_over(name)
                yield server


def _reachable(installation: Installation, run: Path, account: Account) -> Path:
    """Binaries that the server's user can execute: root's own are laid out again where that user can come to them."""
    if account.reaches(installation.binaries):
        return installation.binaries
    top = installation.binaries.parent
    if not (top / "share").is_dir() or not (top / "lib").is_dir():
        raise ServerFailed(
            f"the user that servers run as (uid {account.uid}) cannot come to {installation.binaries}",
            "Install Debian's postgresql packages, or make that directory readable for all.",
        )
    target = run / "installation" / top.parent.name / top.name
    link_installation(top, target)
    if installation.support is not None:
        link_installation(installation.support, run / "installation" / installation.support.name)
    for path in (run / "installation", target.parent):
        path.chmod(0o755)
    return target / installation.binaries.name
