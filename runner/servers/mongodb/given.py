"""A server that is given by its URL: only read from, or, when it is disposable, with databases of our own that are dropped.

Nothing said here carries the URL or the driver's words about it, which repeat hosts.
"""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.interface import Engine
from checks.targets import Role
from runner.errors import NoFork, ServerFailed, UsageError
from runner.servers.interface import Address, Database, LogRecord, Server, Wanted
from runner.servers.looked_at import LookedAt
from runner.servers.mongodb.address import parsed, unusable
from runner.servers.mongodb.reasons import reason_of
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session

if TYPE_CHECKING:
    from runner.servers.mongodb.sessions import Client

#: Seconds that one command of a look may take, where nothing else is said.
STATEMENT_TIMEOUT = 60.0
_PATIENCE = 5.0
_OLDEST = (4, 4)


@contextmanager
def given_server(wanted: Wanted) -> Iterator[Server]:
    """The given server for the length of the context.

    Raises UsageError for a bad URL or one that names no database, ServerFailed where nothing answers.
    """
    address = parsed(wanted.url or "")
    if wanted.disposable and not wanted.standing:
        with _disposable(address) as server:
            yield server
        return
    if not address.database:
        raise UsageError(
            "the given database URL names no database (it is not repeated here, as it may hold a password)",
            "Put the database's name behind its host and port: host:port/database?authSource=admin",
        )
    version = _greeted(address)
    _require_collections(address)
    yield GivenServer(version, address, wanted.disposable, wanted.statement_timeout or STATEMENT_TIMEOUT)


def _greeted(address: Address) -> str:
    """The version of the server that answers there."""
    with _reached(address) as client:
        client.admin.command("ping")
        version = str(client.server_info()["version"])
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < _OLDEST:
        raise ServerFailed(
            f"the given database server is MongoDB {version}, older than dbproof reads", "MongoDB 4.4 and later are read."
        )
    return version


@contextmanager
def _reached(address: Address) -> Iterator[Client]:
    """A client, whose first commands tell why it does not come to the server."""
    from pymongo.errors import PyMongoError

    try:
        with session(address, patience=_PATIENCE) as client:
            yield client
    except PyMongoError as error:
        raise ServerFailed(
            f"the given database server cannot be reached: {reason_of(error)}", "Check the URL and that the server is up."
        ) from None
    except OSError as error:
        raise unusable(error) from None


def _require_collections(address: Address) -> None:
    """A database that nobody may look into, or that is none, is not judged as an empty one."""
    from pymongo.errors import OperationFailure

    name = address.database
    with _reached(address) as client:
        try:
            if client[name].list_collection_names():
                return
        except OperationFailure as refused:
            raise ServerFailed(
                f"the collections of the database '{name}' cannot be listed: {reason_of(refused)}{_near(name, client)}",
                f"Give its user the role `read` on '{name}' (nothing is written), or correct the name in the URL.",
            ) from None
        near = _near(name, client)
    raise UsageError(
        f"the given server has no database '{name}', or none with a collection{near}",
        "Correct the name behind the host and port of the URL. MongoDB knows of a database from its first collection on.",
    )


def _near(name: str, client: Client) -> str:
    """``; did you mean 'shop'?`` where the user may see a database of such a name."""
    from pymongo.errors import OperationFailure

    try:
        near = difflib.get_close_matches(name, set(client.list_database_names()) - {name}, 1)
    except OperationFailure:
        return ""
    return f"; did you mean '{near[0]}'?" if near else ""


@dataclass(frozen=True)
class GivenServer(LookedAt):
    """A server whose one database is only looked at, by reads with limits of time; what would write is refused.

    ``disposable`` lets what is tried be tried in a database of our own beside it.
    """

    version: str
    address: Address
    disposable: bool = False
    statement_timeout: float = STATEMENT_TIMEOUT
    origin: str = "given"
    engine: Engine = Engine.MONGODB

    def database(self, name: str) -> Database:  # noqa: ARG002 (the URL names the one database that there is)
        """The database that the URL names, whatever it is called in the settings."""
        return Database(self.address.database, {Role.ADMIN: self.address}, self.address, self.statement_timeout)


@dataclass
class DisposableServer(MongoServer):
    """A given server that may be written to: databases get random endings, and all that was made is dropped at the end.

    Its log cannot be read by a driver, so what was executed is known only where the migration tool tells it.
    """

    made: list[str] = field(default_factory=list)

    def create(self, name: str) -> Database:
        """An empty database ``<name>_<random>`` with its owner."""
        fresh = super().create(f"{name}_{secrets.token_hex(4)}")
        self.made.append(fresh.name)
        return fresh

    def mark(self) -> int:
        """The beginning: its log cannot be read."""
        return 0

    def log(self, since: int = 0) -> Iterator[LogRecord]:  # noqa: ARG002 (the protocol's)
        """Nothing: its log cannot be read."""
        return iter(())

    def drop_all(self) -> None:
        """Drop what was made here; a server that is gone by then keeps nothing from us."""
        from pymongo.errors import PyMongoError

        for name in self.made:
            with suppress(PyMongoError):
                self.client[name].command("dropAllUsersFromDatabase")
                self.client.drop_database(name)


@contextmanager
def _disposable(address: Address) -> Iterator[Server]:
    version = _greeted(address)
    extra = address.extra if "authSource" in address.extra else {**address.extra, "authSource": address.database or "admin"}
    admin = replace(address, database="admin", extra=extra)
    with session(admin) as client:
        _require_rights(client.admin.command("connectionStatus"))
        server = DisposableServer(version, "given", admin, admin, client, _no_log, _no_fork)
        try:
            yield server
        finally:
            server.drop_all()


def _require_rights(status: dict[str, object]) -> None:
    """Of a server that asks for users, the role ``root``: databases and their owners are made and dropped."""
    told = status["authInfo"]
    roles = told["authenticatedUserRoles"] if isinstance(told, dict) else []
    users = told["authenticatedUsers"] if isinstance(told, dict) else []
    if users and not any(role["role"] in ("root", "atlasAdmin", "__system") for role in roles):
        raise ServerFailed(
            "the given server is to be disposable, but its user has not the role root (databases and owners are made)",
            "Give the URL of a user with that role, or let dbproof start its own server.",
        )


def _no_log(_: int) -> bytes:
    return b""


def _no_fork(_: MongoServer) -> AbstractContextManager[MongoServer]:
    raise NoFork("a given server cannot be forked", "Let dbproof start its own server for what runs migrations again.")
