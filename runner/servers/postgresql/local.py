"""A server from binaries on this machine: a copy of the cached cluster, in a run directory, on a free port."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from psycopg import sql

from runner.errors import ServerFailed
from runner.servers.account import Account, server_account
from runner.servers.files import link_installation
from runner.servers.installations import Installation
from runner.servers.interface import Address
from runner.servers.postgresql.backup import copy_running
from runner.servers.postgresql.cluster import lay
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
        seat = _seat(run, Seat(binaries, installation.major, run, run, run, account, preload))
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
