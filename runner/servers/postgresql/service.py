"""A throwaway PostgreSQL for somebody else to migrate: with the recorder in it, and open to the network.

It is what the official image would start with the same variables, but for three things: it keeps nothing, it logs every
statement to a file that ``dbproof check`` reads over SQL, and its configuration carries a mark by which it is known.
"""

from __future__ import annotations

import signal
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg import sql

from runner.errors import ServerFailed, UsageError
from runner.recorder.install import install
from runner.servers.installations import Installation
from runner.servers.interface import Address
from runner.servers.postgresql.configuration import SERVICE, Doors
from runner.servers.postgresql.local import seated
from runner.servers.postgresql.official import Asked, access
from runner.servers.postgresql.process import Postmaster, Seat, last_words, start
from runner.servers.postgresql.sessions import ours, session

#: Where Debian's clients, and so ``pg_isready`` without a host, look for the socket.
USUAL_SOCKETS = Path("/var/run/postgresql")

#: What a server must keep as it is, or there is nothing for ``dbproof check`` to read.
_KEPT = frozenset(
    {"logging_collector", "log_destination", "log_directory", "log_filename", "log_rotation_age", "log_rotation_size"}
)
_KEPT_TOO = frozenset({"log_min_duration_statement", "listen_addresses", "port", "data_directory", "hba_file"})
_RENAMING = "dbproof_renaming"


@dataclass(frozen=True)
class Service:
    """A service that takes connections. ``inside`` leads to its first database from this machine, without a password."""

    version: str
    port: int
    inside: Address
    postmaster: Postmaster
    seat: Seat

    def wait(self) -> None:
        """Wait until the server ends; it does so only by a failure, which is raised as ServerFailed."""
        code = self.postmaster.process.wait()
        words = "\n".join(f"  {line}" for line in last_words(self.seat))
        raise ServerFailed(f"PostgreSQL ended with exit code {code}\n{words}", "See its last words above.")


@contextmanager
def serving(
    installation: Installation,
    asked: Asked,
    settings: Mapping[str, str],
    doors: Doors,
    fill: Callable[[Service], None],
) -> Iterator[Service]:
    """A service for the length of the context. ``fill`` is called before anybody can come in over the network.

    ``settings`` are further ones for the server. Raises UsageError for those that cannot be given, ServerFailed.
    """
    if refused := sorted(settings.keys() & (_KEPT | _KEPT_TOO)):
        raise UsageError(f"-c {refused[0]}: cannot be set here", "The service needs it as it is; see docs/service.md.")
    preload = tuple(settings.get("shared_preload_libraries", "").replace(" ", "").split(","))
    told = {"autovacuum": "on", **settings, SERVICE: "1"}
    with seated(installation, tuple(filter(None, preload)), asked.initdb_options) as seat:
        with _started(seat, told, Doors()) as first:
            private = _prepared(seat, first, asked)
            fill(_service(seat, first, private))
        with _started(seat, told, replace(doors, access=access(asked.method), sockets=_sockets(seat))) as postmaster:
            yield _service(seat, postmaster, replace(private, port=postmaster.port))


@contextmanager
def _started(seat: Seat, settings: Mapping[str, str], doors: Doors) -> Iterator[Postmaster]:
    """Ended at once where an error leaves the context, else so that the next start needs no recovery."""
    postmaster = start(seat, settings, doors)
    try:
        yield postmaster
    except BaseException:
        postmaster.stop()
        raise
    postmaster.stop(signal.SIGINT)


def _service(seat: Seat, postmaster: Postmaster, private: Address) -> Service:
    with session(private) as connection:
        version = (connection.info.parameter_status("server_version") or "").split(" ")[0]
    return Service(version, postmaster.port, private, postmaster, seat)


def _prepared(seat: Seat, postmaster: Postmaster, asked: Asked) -> Address:
    """Name the superuser, give it its password, make its database; how to come to that."""
    private = ours(Address(str(seat.socket), postmaster.port, "postgres", "", "postgres"))
    try:
        if asked.user != "postgres":
            private = _renamed(private, asked.user)
        with session(private) as connection:
            if asked.password:
                name, password = sql.Identifier(asked.user), sql.Literal(asked.password)
                connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, password))
            with suppress(psycopg.errors.DuplicateDatabase):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(asked.database)))
        with session(replace(private, database=asked.database)) as connection:
            install(connection)  # `postgres` is older than the template with the recorder
    except psycopg.Error as error:
        raise UsageError(f"POSTGRES_USER or POSTGRES_DB: {error.diag.message_primary or error}", "Choose another name.") from None
    return replace(private, database=asked.database)


def _renamed(private: Address, user: str) -> Address:
    """The superuser that initdb made goes by another name; nobody can rename the role that it is connected as."""
    with session(private) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} SUPERUSER LOGIN").format(sql.Identifier(_RENAMING)))
    with session(replace(private, user=_RENAMING)) as connection:
        connection.execute(sql.SQL("ALTER ROLE postgres RENAME TO {}").format(sql.Identifier(user)))
    with session(replace(private, user=user)) as connection:
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(_RENAMING)))
    return replace(private, user=user)


def _sockets(seat: Seat) -> tuple[Path, ...]:
    """The usual place for sockets too, where the server's user may write to it."""
    try:
        found = USUAL_SOCKETS.stat()
    except OSError:
        return ()
    may_write = found.st_uid == seat.account.uid or found.st_mode & stat.S_IWOTH
    return (USUAL_SOCKETS,) if stat.S_ISDIR(found.st_mode) and may_write else ()
