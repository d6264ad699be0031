"""A server from a ``mongod`` on this machine: a fresh replica set of one, in a run directory, on a free port."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import ServerFailed
from runner.servers.account import Account, server_account
from runner.servers.files import copy_cluster, link_file
from runner.servers.mongodb.following import on_disk
from runner.servers.mongodb.installations import Installation
from runner.servers.mongodb.process import Mongod, Seat, last_words, start
from runner.servers.mongodb.replica_set import found, take_over
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import ADMIN_USER, OUR_USER, admin_address, keyholder, session
from runner.servers.runs import data_directory, server_directory

if TYPE_CHECKING:
    from runner.servers.interface import Address

#: What a copied data directory must not hold: it says that a server runs on it.
_LEFT = frozenset({"mongod.lock", "WiredTiger.lock"})

#: Makes a server that runs ready, as this address, under this host and port; gives its version.
_Prepare = Callable[["Address", str], str]


@contextmanager
def local_server(installation: Installation, origin: str = "") -> Iterator[MongoServer]:
    """An empty server for the length of the context; raises ServerFailed. ``origin`` says where it comes from."""
    account = server_account("mongodb")
    password = secrets.token_urlsafe(24)
    with server_directory(account) as run:
        program = _reachable(installation.program, run, account)
        seat = _seat(run, Seat(program, run, run, account, secrets.token_hex(48)))
        seat.data.mkdir(mode=0o700)
        account.own(seat.data)
        with _served(seat, origin or str(installation.program), password, {}, partial(_founded, password)) as server:
            yield server


def _founded(password: str, internal: Address, host: str) -> str:
    return found(internal, host, password)


def _seat(run: Path, like: Seat) -> Seat:
    seat = replace(like, data=data_directory(run), logs=run / "logs")
    seat.prepare()
    return seat


@contextmanager
def _served(seat: Seat, origin: str, password: str, passwords: dict[str, str], prepare: _Prepare) -> Iterator[MongoServer]:
    with ExitStack() as stack:
        mongod = start(seat)
        stack.callback(mongod.stop)
        version = _prepared(seat, mongod, prepare)
        private = admin_address("127.0.0.1", mongod.port, OUR_USER, password)
        yield MongoServer(
            version=version,
            origin=origin,
            admin=admin_address("127.0.0.1", mongod.port, ADMIN_USER, password),
            private=private,
            client=stack.enter_context(session(private)),
            read=on_disk(seat.log),
            forked=partial(_fork, seat, password),
            passwords=passwords,
        )


def _prepared(seat: Seat, mongod: Mongod, prepare: _Prepare) -> str:
    from pymongo.errors import PyMongoError

    try:
        return prepare(keyholder("127.0.0.1", mongod.port, seat.key), f"127.0.0.1:{mongod.port}")
    except PyMongoError as error:
        words = "\n".join(f"  {line}" for line in last_words(seat))
        raise ServerFailed(
            f"MongoDB started, but could not be made ready: {type(error).__name__} ({seat.program})\n{words}",
            "See the server's words above.",
        ) from None


@contextmanager
def _fork(seat: Seat, password: str, server: MongoServer) -> Iterator[MongoServer]:
    """On a copy of the data directory, 0.35 s whatever it holds.

    (A fresh server with all documents sent to it: 0.5 s with 2000 documents, 2.6 s with 200 000.)
    """
    with server_directory(seat.account) as run:
        copied = _seat(run, seat)
        with server.standing_still():
            copy_cluster(seat.data, copied.data, seat.account, leave=lambda path: path in _LEFT)
        with _served(copied, server.origin, password, dict(server.passwords), take_over) as fork:
            yield fork


def _reachable(program: Path, run: Path, account: Account) -> Path:
    """A program that the server's user can execute: root's own is laid out again where that user can come to it."""
    if account.reaches(program.parent):
        return program
    target = run / program.name
    link_file(program, target)
    target.chmod(0o755)
    return target
