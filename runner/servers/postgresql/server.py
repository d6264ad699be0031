"""A running PostgreSQL server, wherever it runs: its databases, goldens, clones and its log."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace

import psycopg

from checks.interface import Engine
from checks.targets import Role
from runner.errors import ServerFailed
from runner.servers.interface import Address, Database, Golden, LogRecord
from runner.servers.keeping import Keeping
from runner.servers.names import NAME_LIMIT, shortened
from runner.servers.postgresql import databases
from runner.servers.postgresql.following import LogFile, position_now, records_until_now
from runner.servers.postgresql.sessions import session

#: Makes a second server with everything that one holds.
Fork = Callable[["PostgresServer"], AbstractContextManager["PostgresServer"]]


@dataclass
class PostgresServer:
    """A server of which we are the superuser.

    ``admin`` is what tools connect to as superuser, ``private`` how our own sessions do, both to the database ``postgres``.
    ``passwords`` are those of the owners made here, by role; ``keeping`` is how its databases are kept between runs.
    """

    version: str
    origin: str
    admin: Address
    private: Address
    logfile: LogFile
    forked: Fork
    passwords: dict[str, str] = field(default_factory=dict, repr=False)
    engine: Engine = Engine.POSTGRESQL
    disposable: bool = True
    keeping: Keeping | None = None

    def create(self, name: str) -> Database:
        """An empty database with its owner, carrying the recorder from ``template1``; raises ServerFailed where it exists."""
        if len(name.encode()) > NAME_LIMIT:
            raise ServerFailed(f"database name {name} is longer than PostgreSQL's {NAME_LIMIT} bytes", "Choose a shorter one.")
        owner = shortened(name, "_owner")
        password = self.passwords.get(owner, secrets.token_urlsafe(24))
        with session(self.private) as connection:
            if databases.owner_of(connection, name) is not None:
                raise ServerFailed(f"database {name} exists already on {self.origin}", "Give each database a name of its own.")
            databases.make_role(connection, owner, password)
            databases.make(connection, name, owner)
        self.passwords[owner] = password
        return self._named(name, owner)

    def database(self, name: str) -> Database:
        """A database that exists already; raises ServerFailed where it does not."""
        with session(self.private) as connection:
            owner = databases.owner_of(connection, name)
        if owner is None:
            raise ServerFailed(f"there is no database {name} on {self.origin}")
        return self._named(name, owner)

    def seal(self, database: Database) -> Golden:
        """End all sessions in it, VACUUM ANALYZE, then refuse connections, so that it can be cloned."""
        with session(self.private) as admin:
            databases.end_sessions(admin, database.name)
            with session(database.private) as inside:
                inside.execute("VACUUM (ANALYZE)")
            databases.shut(admin, database.name, closed=True)
            databases.end_sessions(admin, database.name)
        return Golden(database)

    def open(self, golden: Golden) -> Database:
        """Take the seal off; the name is that of the golden, on this server (which may be a fork of the golden's)."""
        with session(self.private) as connection:
            databases.shut(connection, golden.database.name, closed=False)
        return self.database(golden.database.name)

    @contextmanager
    def clone(self, golden: Golden) -> Iterator[Database]:
        """A copy of a golden with its owner, privileges and settings, dropped at the end whoever is connected."""
        name = shortened(golden.database.name, f"_{secrets.token_hex(4)}")
        try:
            with session(self.private) as connection:
                databases.copy(connection, golden.database.name, name)
            yield self.database(name)
        finally:
            with suppress(psycopg.OperationalError), session(self.private) as connection:  # a dead server holds no clones
                databases.drop(connection, name)

    def take_over(self, name: str) -> None:
        """Give the owner of a database that was not made here a new password, so that it can come in."""
        owner, password = shortened(name, "_owner"), secrets.token_urlsafe(24)
        with session(self.private) as connection:
            databases.make_role(connection, owner, password)
        self.passwords[owner] = password

    def fork(self) -> AbstractContextManager[PostgresServer]:
        """A second server with everything this one holds, roles included; rows of UNLOGGED tables are lost, as in a backup."""
        return self.forked(self)

    def mark(self) -> int:
        """A position in the log: everything logged so far stands before it."""
        return position_now(self.logfile, self.private)

    def log(self, since: int = 0) -> Iterator[LogRecord]:
        """The records from a mark up to now, in order, complete (it waits until the log has caught up)."""
        return records_until_now(self.logfile, self.private, since)

    def _named(self, name: str, owner: str) -> Database:
        addresses = {Role.ADMIN: replace(self.admin, database=name)}
        if owner in self.passwords:
            addresses[Role.OWNER] = replace(self.admin, database=name, user=owner, password=self.passwords[owner])
        return Database(name, addresses, replace(self.private, database=name))
