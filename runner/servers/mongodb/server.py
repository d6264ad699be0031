"""A running MongoDB server, wherever it runs: its databases, goldens, clones and its log."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.interface import Engine
from checks.targets import Role
from runner.errors import ServerFailed
from runner.servers.growing_logs import Read
from runner.servers.interface import OURS, Address, Database, Golden, LogRecord
from runner.servers.mongodb.copying import copy_database
from runner.servers.mongodb.following import position_now, records_until_now
from runner.servers.mongodb.sessions import ADMIN_USER
from runner.servers.names import NAME_LIMIT, shortened

if TYPE_CHECKING:
    from typing import Any

    from runner.servers.mongodb.sessions import Client

_PATIENCE = 10.0
_WRITES = ("readWrite", "dbAdmin")
#: Databases that every server has.
TAKEN = frozenset({"admin", "config", "local"})

#: Makes a second server with everything that one holds.
Fork = Callable[["MongoServer"], AbstractContextManager["MongoServer"]]


@dataclass
class MongoServer:
    """A server of which we are the superuser.

    ``admin`` is what tools connect to as superuser, ``private`` how our own sessions do; ``client`` is one of ours, for the
    server's length of life. ``passwords`` are those of the owners made here, by database.
    """

    version: str
    origin: str
    admin: Address
    private: Address
    client: Client
    read: Read
    forked: Fork
    passwords: dict[str, str] = field(default_factory=dict, repr=False)
    engine: Engine = Engine.MONGODB
    disposable: bool = True
    _marked: int = 0

    def create(self, name: str) -> Database:
        """An empty database with its owner (``readWrite`` and ``dbAdmin`` on it); raises ServerFailed where it exists.

        MongoDB itself knows of it from its first collection on.
        """
        if len(name.encode()) > NAME_LIMIT:
            raise ServerFailed(f"database name {name} is longer than MongoDB's {NAME_LIMIT} bytes", "Choose a shorter one.")
        if name in TAKEN or name in self.passwords or name in self.client.list_database_names():
            raise ServerFailed(f"database {name} exists already on {self.origin}", "Give each database a name of its own.")
        password = secrets.token_urlsafe(24)
        self.client[name].command("createUser", owner_of(name), pwd=password, roles=_roles(name, _WRITES))
        self.passwords[name] = password
        return self._named(name, name)

    def database(self, name: str) -> Database:
        """A database that exists already; raises ServerFailed where it does not."""
        if name not in self.passwords and name not in self.client.list_database_names():
            raise ServerFailed(f"there is no database {name} on {self.origin}")
        return self._named(name, name)

    def seal(self, database: Database) -> Golden:
        """End what the project still does in it and let its owner only read from then on.

        MongoDB cannot refuse connections to one database, and a superuser's password stays good.
        """
        name = database.name
        if name in self.passwords:
            self.client[name].command("grantRolesToUser", owner_of(name), roles=_roles(name, ("read",)))
            self.client[name].command("revokeRolesFromUser", owner_of(name), roles=_roles(name, _WRITES))
        self._end_sessions(name)
        return Golden(database)

    def open(self, golden: Golden) -> Database:
        """Take the seal off; the name is that of the golden, on this server (which may be a fork of the golden's)."""
        name = golden.database.name
        if name in self.passwords:
            self.client[name].command("grantRolesToUser", owner_of(name), roles=_roles(name, _WRITES))
        return self.database(name)

    @contextmanager
    def clone(self, golden: Golden) -> Iterator[Database]:
        """A copy of a golden under another name, with the same owner, dropped at the end.

        References between its views and collections stay within it; a view that reads another database reads that one still.
        """
        source = golden.database.name
        name = shortened(source, f"_{secrets.token_hex(4)}")
        try:
            copy_database(self.client, source, name)
            if source in self.passwords:
                self.client[source].command("grantRolesToUser", owner_of(source), roles=_roles(name, _WRITES))
            yield self._named(name, source)
        finally:
            self._drop(name, source)

    def fork(self) -> AbstractContextManager[MongoServer]:
        """A second server with everything this one holds, users included."""
        return self.forked(self)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Everything is on disk, and nothing is written until the context ends."""
        self.client.admin.command("fsync", lock=True)
        try:
            yield
        finally:
            self.client.admin.command("fsyncUnlock")

    def mark(self) -> int:
        """A position in the log: everything logged so far stands before it."""
        self._marked = position_now(self.read, self.client, self._marked)
        return self._marked

    def log(self, since: int = 0) -> Iterator[LogRecord]:
        """The records from a mark up to now, in order, complete (it waits until the log has caught up)."""
        return records_until_now(self.read, self.client, since)

    def _named(self, name: str, owned: str) -> Database:
        """``owned`` is the database that the owner's user belongs to: a clone has none of its own."""
        addresses = {Role.ADMIN: replace(self.admin, database=name)}
        if owned in self.passwords:
            extra = {**self.admin.extra, "authSource": owned}
            addresses[Role.OWNER] = Address(
                self.admin.host, self.admin.port, owner_of(owned), self.passwords[owned], name, extra, scheme="mongodb"
            )
        return Database(name, addresses, replace(self.private, database=name))

    def _end_sessions(self, name: str) -> None:
        """End everybody else's transactions and operations in a database and wait until they are gone."""
        if users := [*self._others(name)]:
            self.client.admin.command("killAllSessions", users)
        deadline = time.monotonic() + _PATIENCE
        while busy := _busy(self.client, name):
            if time.monotonic() > deadline:
                raise ServerFailed(
                    f"operations in database {name} did not end within {_PATIENCE:.0f} s", "See what they wait for."
                )
            for operation in busy:
                self.client.admin.command("killOp", op=operation)
            time.sleep(0.005)

    def _others(self, name: str) -> Iterator[dict[str, str]]:
        """Who may be at work in a database beside us. On a given server tools connect as the user that we are, too."""
        if self.admin.user != self.private.user:
            yield {"user": ADMIN_USER, "db": "admin"}
        if name in self.passwords:
            yield {"user": owner_of(name), "db": name}

    def _drop(self, name: str, owned: str) -> None:
        from pymongo.errors import PyMongoError

        with suppress(PyMongoError):  # a dead server holds no clones
            self.client.drop_database(name)
            if owned in self.passwords:
                self.client[owned].command("revokeRolesFromUser", owner_of(owned), roles=_roles(name, _WRITES))


def owner_of(database: str) -> str:
    """The user that owns a database, which is kept in that database."""
    return f"{database}_owner"


def _roles(database: str, names: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"role": name, "db": database} for name in names]


def _busy(client: Client, name: str) -> list[Any]:
    """Operations of others in a database that have not ended."""
    found = client.admin.aggregate(
        [
            {"$currentOp": {"allUsers": True, "idleSessions": False}},
            {
                "$match": {
                    "ns": {"$regex": f"^{re.escape(name)}\\."},
                    "appName": {"$ne": OURS},
                    "active": True,
                    "opid": {"$exists": True},
                }
            },
        ]
    )
    return [operation["opid"] for operation in found]
