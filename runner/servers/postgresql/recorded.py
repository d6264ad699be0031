"""A service of ours, found behind a given address: its log can be read, and its databases copied to be tried upon."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import psycopg

from checks.targets import Role
from runner.errors import ServerFailed
from runner.servers.interface import Address, Database, Golden
from runner.servers.postgresql import databases
from runner.servers.postgresql.configuration import SERVICE
from runner.servers.postgresql.following import OverSession
from runner.servers.postgresql.server import PostgresServer
from runner.servers.postgresql.sessions import ours, session

if TYPE_CHECKING:
    from typing import Any

_OURS = "dbproof_"
#: Seconds that the job's sessions get to end their transactions before its database is copied.
_PATIENCE = 10.0


@dataclass
class RecordedServer(PostgresServer):
    """A service. Its ``database`` is the one that the address names, whatever it is called in the settings."""

    address: Address = field(kw_only=True)

    def database(self, name: str) -> Database:
        """A copy of ours by its name, else the address's own."""
        if name.startswith(_OURS):
            return super().database(name)
        return Database(self.address.database, {Role.ADMIN: self.address}, replace(self.private, database=self.address.database))

    @contextmanager
    def copied(self, database: Database) -> Iterator[Golden]:
        """A copy of the job's database, which stays as it is; raises ServerFailed where somebody works in it.

        Idle sessions in it are ended, as a database with sessions cannot be copied.
        """
        name = f"{_OURS}{secrets.token_hex(4)}"
        try:
            with session(self.private) as connection:
                _copy(connection, database.name, name)
            copy = super().database(name)
            with session(copy.private) as inside:
                inside.execute("VACUUM (ANALYZE)")
            yield Golden(copy)
        finally:
            with session(self.private) as connection:
                databases.drop(connection, name)


def _copy(connection: psycopg.Connection[Any], source: str, target: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            databases.copy(connection, source, target)
        except psycopg.errors.ObjectInUse:
            if time.monotonic() > deadline:
                raise ServerFailed(
                    "somebody works in the database, so it cannot be copied", "End the job's programs first."
                ) from None
            connection.execute(_END_IDLE, [source])
        else:
            return


_END_IDLE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND state = 'idle' AND pid <> pg_backend_pid()
"""


def is_service(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server says that it is a service of ours; anybody could set that, so nothing rests on it alone."""
    found = connection.execute("SELECT current_setting(%s, true)", [SERVICE]).fetchone()
    return bool(found and found[0])


def is_ours_to_use(connection: psycopg.Connection[Any]) -> bool:
    """Whether it is one by its own configuration file, and this is its superuser."""
    if connection.info.parameter_status("is_superuser") != "on":
        return False
    query = "SELECT 1 FROM pg_file_settings WHERE name = %s AND applied"
    return connection.execute(query, [SERVICE]).fetchone() is not None


def recorded_server(address: Address, version: str, log: str) -> RecordedServer:
    """The service at an address; our sessions go to a database that is not to be copied."""
    elsewhere = "template1" if address.database == "postgres" else "postgres"
    private = replace(ours(address), database=elsewhere)
    return RecordedServer(
        version=version,
        origin="a dbproof service",
        admin=replace(address, database=elsewhere),
        private=private,
        logfile=OverSession(private, log),
        forked=_no_fork,
        address=address,
    )


def _no_fork(_: PostgresServer) -> AbstractContextManager[PostgresServer]:
    raise ServerFailed("a service cannot be forked", "Let `dbproof run` start servers of its own.")
