"""A server that is given by its URL: read-only, or, when it is disposable, with databases of our own that are dropped at the end.

Nothing said here carries the URL or the server's words about it: a URL that is quoted wrongly makes a host name of the
password's tail, and drivers repeat it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict

from checks.interface import Engine
from checks.targets import Role
from runner.errors import NoFork, ServerFailed, UsageError
from runner.servers.interface import Address, Database, Server
from runner.servers.looked_at import LookedAt
from runner.servers.postgresql import databases
from runner.servers.postgresql.following import OverSession
from runner.servers.postgresql.recorded import is_ours_to_use, is_service, recorded_server
from runner.servers.postgresql.server import PostgresServer
from runner.servers.postgresql.sessions import ours, session

if TYPE_CHECKING:
    from typing import Any

#: Seconds that one statement of a look may take, where nothing else is said.
STATEMENT_TIMEOUT = 60.0
_READ_ONLY = (
    "-c default_transaction_read_only=on -c statement_timeout={}ms -c lock_timeout=2s -c idle_in_transaction_session_timeout=120s"
)
_OLDEST = 120000
_NOT_ITS_SUPERUSER = "a dbproof service, whose log only its superuser may read"
_REASONS = (
    (
        "could not translate host name",
        "its host name is not known (a password with '@', '/' or '#' in it must be percent-encoded)",
    ),
    ("refused", "nothing listens at its address"),
    ("timeout", "it did not answer in time"),
    ("authentication failed", "it does not accept the user and password"),
    ("no password supplied", "it wants a password"),
    ("permission denied to set parameter", "its user is no superuser, which `disposable = true` needs"),
    ("does not exist", "it does not know the database or the user"),
    ("pg_hba.conf", "it does not let this machine or user in"),
    ("SSL", "it and the URL do not agree on encryption"),
    ("certificate", "its certificate is not accepted"),
    ("too many", "it has no room for another session"),
    ("remaining connection slots", "it has no room for another session"),
    ("starting up", "it is starting up"),
    ("shutting down", "it is shutting down"),
    ("unreachable", "its address cannot be reached from here"),
    ("No route to host", "its address cannot be reached from here"),
)
#: What poolers say to options of the session: PgBouncer, Amazon's RDS Proxy.
_NO_OPTIONS = ("unsupported startup parameter", "command-line options")


@contextmanager
def given_server(url: str, *, disposable: bool) -> Iterator[Server]:
    """The given server for the length of the context; raises UsageError for a bad URL, ServerFailed where nothing answers."""
    address = parsed(url)
    if disposable:
        private = ours(address)
        with _disposable(address, private, _greeted(private)) as server:
            yield server
    else:
        yield looked_at(address)


@contextmanager
def standing_server(url: str, statement_timeout: float | None = None, *, disposable: bool = False) -> Iterator[Server]:
    """The server of a database that is looked at as it stands; ``disposable`` lets writes be tried there and undone.

    A service of ours is one whose log can be read and whose databases can be copied. Raises as :func:`given_server` does.
    """
    server = looked_at(parsed(url), statement_timeout or STATEMENT_TIMEOUT, disposable=disposable)
    with session(server.private) as connection:
        called, marked, usable = connection.info.dbname, is_service(connection), is_ours_to_use(connection)
    if usable:
        address = replace(server.address, database=called)
        with session(ours(address)) as connection:
            log = _log_path(connection)
        yield recorded_server(address, server.version, log)
    else:
        yield replace(server, origin=_NOT_ITS_SUPERUSER) if marked else server


def looked_at(address: Address, statement_timeout: float = STATEMENT_TIMEOUT, *, disposable: bool = False) -> GivenServer:
    """The server of an address in read-only sessions. Where a pooler refuses options of the session there are none.

    The limits hold there too: whoever reads sets them in each transaction.
    """
    private = ours(address, _READ_ONLY.format(round(statement_timeout * 1000)))
    try:
        version = _greeted(private)
    except _OptionsRefused:
        private = ours(address, "")
        version = _greeted(private)
    return GivenServer(version, address, private, disposable=disposable, statement_timeout=statement_timeout)


def parsed(url: str) -> Address:
    """The address in a URL; raises UsageError that does not repeat it. Of several hosts the first is named, all are tried."""
    plain = re.sub(r"^(postgres(?:ql)?)\+\w+://", r"\1://", url.strip())
    try:
        found = {key: str(value) for key, value in conninfo_to_dict(plain).items() if value is not None}
        ports = found.pop("port", "") or "5432"
        port = int(ports.partition(",")[0] or "5432")
    except (psycopg.Error, ValueError):
        raise UsageError(
            "the given database URL cannot be read (it is not repeated here, as it may hold a password)",
            "Write it as postgresql://user:password@host:port/database, special characters percent-encoded.",
        ) from None
    named = [found.pop(key, "") for key in ("host", "user", "password", "dbname")]
    several = {"host": named[0], "port": ports} if "," in named[0] else {}
    return Address(named[0].partition(",")[0], port, named[1], named[2], named[3], extra={**found, **several})


class _OptionsRefused(ServerFailed):
    """A pooler stands before the server, and takes no options of the session."""


def _greeted(private: Address) -> str:
    try:
        with session(private) as connection:
            _refuse_strangers(connection)
            return (connection.info.parameter_status("server_version") or "").split(" ")[0]
    except psycopg.OperationalError as error:
        said = str(error)
        reason = next((reason for pattern, reason in _REASONS if pattern in said), "the connection failed")
        kind = ServerFailed
        if any(words in said for words in _NO_OPTIONS):
            kind, reason = _OptionsRefused, "a pooler stands before it that refuses session options; name the server itself"
        raise kind(f"the given database server cannot be reached: {reason}", "Check the URL and that the server is up.") from None


def _refuse_strangers(connection: psycopg.Connection[Any]) -> None:
    """Servers that speak PostgreSQL's protocol and have other catalogues, and those that are too old."""
    if connection.info.parameter_status("crdb_version"):
        raise ServerFailed("the given database server is CockroachDB, whose catalogues dbproof does not read", "Use PostgreSQL.")
    if connection.info.server_version < _OLDEST:
        raise ServerFailed(
            f"the given database server is PostgreSQL {connection.info.server_version // 10000}, older than dbproof reads",
            "PostgreSQL 12 and later are read.",
        )


@dataclass(frozen=True)
class GivenServer(LookedAt):
    """A server that is only looked at, in read-only sessions with limits of time; what would write is refused."""

    version: str
    address: Address
    private: Address
    origin: str = "given"
    engine: Engine = Engine.POSTGRESQL
    disposable: bool = False
    statement_timeout: float = STATEMENT_TIMEOUT

    def database(self, name: str) -> Database:  # noqa: ARG002 (the URL names the one database that there is)
        """The database that the URL names, whatever it is called in the settings."""
        with session(self.private) as connection:
            called = connection.info.dbname
        addresses = {Role.ADMIN: replace(self.address, database=called)}
        return Database(called, addresses, replace(self.private, database=called), self.statement_timeout)


@dataclass
class DisposableServer(PostgresServer):
    """A given server that may be written to: databases get random endings, and all that was made is dropped at the end."""

    made: list[str] = field(default_factory=list)

    def create(self, name: str) -> Database:
        """An empty database ``<name>_<random>`` with its owner, carrying the recorder."""
        from runner.recorder.install import install

        fresh = super().create(f"{name}_{secrets.token_hex(4)}")
        self.made.append(fresh.name)
        with session(fresh.private) as connection:
            install(connection)
        return fresh

    def drop_all(self) -> None:
        """Drop what was made here; a server that is gone by then keeps nothing from us."""
        with suppress(psycopg.OperationalError), session(self.private) as connection:
            for name in self.made:
                if databases.owner_of(connection, name) is not None:
                    databases.shut(connection, name, closed=False)
                databases.drop(connection, name)
            for role in self.passwords:
                databases.drop_role(connection, role)


@contextmanager
def _disposable(address: Address, private: Address, version: str) -> Iterator[Server]:
    with session(private) as connection:
        if not _superuser(connection):
            raise ServerFailed(
                "the given server is to be disposable, but its user is no superuser (the recorder needs event triggers)",
                "Give the URL of a superuser, or let dbproof start its own server.",
            )
        path = _log_path(connection)
    server = DisposableServer(version, "given", address, private, OverSession(private, path), _no_fork)
    try:
        yield server
    finally:
        server.drop_all()


def _superuser(connection: psycopg.Connection[Any]) -> bool:
    return connection.info.parameter_status("is_superuser") == "on"


def _log_path(connection: psycopg.Connection[Any]) -> str:
    """The file that it logs to in a form that can be read; the recorder and the proof of addresses live by it."""
    for kind in ("jsonlog", "csvlog"):
        with suppress(psycopg.errors.InvalidParameterValue):
            found = connection.execute("SELECT pg_current_logfile(%s)", [kind]).fetchone()
            if found and found[0]:
                return str(found[0])
    raise ServerFailed(
        "the given server's log cannot be read: it does not log to a JSON or CSV file",
        "Start it with logging_collector=on, log_destination=jsonlog, log_min_duration_statement=0, log_connections=on and"
        " log_rotation_age=0, or let dbproof start its own server.",
    )


def _no_fork(_: PostgresServer) -> AbstractContextManager[PostgresServer]:
    raise NoFork("a given server cannot be forked", "Let dbproof start its own server for what runs migrations again.")
