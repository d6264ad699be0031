"""dbproof's own sessions on a MongoDB server, and whom it takes a user for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.servers.interface import OURS, Address

if TYPE_CHECKING:
    from typing import Any

    from pymongo import MongoClient

    Client = MongoClient[dict[str, Any]]

#: Seconds that finding the server, connecting and waiting for an answer may take.
_PATIENCE = 10
_ANSWER = 600

#: The user of dbproof itself, and what tools connect as where they need a superuser; both have the role ``root``.
OUR_USER = "dbproof"
ADMIN_USER = "admin"


def admin_address(host: str, port: int, user: str, password: str) -> Address:
    """The address of a superuser. Drivers are not to look for the other members of the replica set: there are none."""
    extra = {"authSource": "admin", "directConnection": "true"}
    return Address(host, port, user, password, "admin", extra, scheme="mongodb")


def keyholder(host: str, port: int, key: str) -> Address:
    """The address of the server's own internal user, whose password is the key of the replica set."""
    return replace(admin_address(host, port, "__system", key), extra={"authSource": "local", "directConnection": "true"})


@contextmanager
def session(address: Address, *, patience: float = _PATIENCE, answer: float = _ANSWER) -> Iterator[Client]:
    """A client for the length of the context; it connects with its first command, which raises PyMongoError.

    Values come as they are stored: dates that Python has no name for as numbers, text that is no UTF-8 with U+FFFD.
    """
    from pymongo import MongoClient

    client: Client = MongoClient(
        address.url(),
        appname=OURS,
        serverSelectionTimeoutMS=round(patience * 1000),
        connectTimeoutMS=round(patience * 1000),
        socketTimeoutMS=round(answer * 1000),
        datetime_conversion="DATETIME_AUTO",
        unicode_decode_error_handler="replace",
        uuidRepresentation="standard",
        tz_aware=True,
    )
    try:
        yield client
    finally:
        client.close()
