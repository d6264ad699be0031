"""Servers such as users have them: standalone, or reached by TLS, with users of their own; started for a test, gone after it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from runner.servers.account import server_account
from runner.servers.interface import Address
from runner.servers.mongodb import process
from runner.servers.mongodb.configuration import configuration
from runner.servers.mongodb.installations import Installation
from runner.servers.mongodb.process import Seat
from runner.servers.mongodb.sessions import keyholder
from runner.servers.runs import data_directory, server_directory

Settings = dict[str, Any]


@dataclass(frozen=True)
class Given:
    """A server that runs. ``keyholder`` is its own internal user; ``certificates`` is a directory that it may read."""

    port: int
    keyholder: Address
    log: Path


@contextmanager
def standing(installation: Installation, change: Callable[[Settings, Path], None] = lambda _, __: None) -> Iterator[Given]:
    """A standalone server that wants users; ``change`` changes its configuration, given a directory that it may read."""
    account = server_account("mongodb")
    with server_directory(account) as run:
        seat = Seat(installation.program, data_directory(run), run / "logs", account, secrets.token_hex(48))
        seat.prepare()
        seat.data.mkdir(mode=0o700)
        account.own(seat.data)

        def configured(port: int, data: str, key: str, log: str, bind: str) -> str:
            settings = json.loads(configuration(port, data, key, log, bind))
            del settings["replication"]
            change(settings, seat.logs)
            for file in seat.logs.iterdir():
                account.own(file)
            return json.dumps(settings)

        with mock.patch.object(process, "configuration", configured):
            mongod = process.start(seat)
        try:
            yield Given(mongod.port, keyholder("127.0.0.1", mongod.port, seat.key), seat.log)
        finally:
            mongod.stop()
