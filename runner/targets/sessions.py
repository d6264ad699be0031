"""Sessions of dbproof on PostgreSQL: how they connect, what values they give, and what becomes of the server's refusals."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

import psycopg
from psycopg.types.string import TextLoader
from sqlalchemy import Connection, Engine, Executable, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from checks.targets import StatementFailed
from runner.errors import ServerFailed
from runner.servers.interface import OURS, Address

#: Seconds after which a statement of a check is ended by the server (57014).
STATEMENT_TIMEOUT = 300.0
#: Seconds that a session waits for a lock: nobody else should be there.
LOCK_TIMEOUT = 30.0
#: Seconds that connecting may take.
CONNECT_TIMEOUT = 15
_CANCEL_TIMEOUT = 2.0

# Python cannot hold all that PostgreSQL stores in these: infinity, years BC, 24:00, numbers of thousands of digits.
_AS_TEXT = ("date", "time", "timetz", "timestamp", "timestamptz", "interval", "json", "jsonb")
_UNKNOWN = 705
_TEXTS = ("text", "varchar", "bpchar", "name", _UNKNOWN)

Driver = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Manner:
    """How sessions behave: ``read_only``; ``ours`` on a server of ours, where our statements stay out of its log."""

    read_only: bool
    ours: bool
    statement_timeout: float = STATEMENT_TIMEOUT


def sessions(address: Address, manner: Manner) -> Engine:
    """SQLAlchemy's engine on an address; each connection is a new session, closed when it is given back."""
    return create_engine(
        "postgresql+psycopg://", creator=lambda: connect(address, manner), poolclass=NullPool, use_native_hstore=False
    )


def connect(address: Address, manner: Manner) -> Driver:
    """A session with its time limits set; raises ServerFailed with the server's words."""
    wanted = {**address.keywords(), "application_name": OURS, "connect_timeout": CONNECT_TIMEOUT, "client_encoding": "UTF8"}
    if manner.ours:
        wanted["options"] = f"{wanted.get('options', '')} -c log_min_duration_statement=-1 -c log_min_messages=fatal".strip()
    try:
        # Nothing is prepared: a statement may meet the same table in another shape.
        driver: Driver = psycopg.connect(**wanted, prepare_threshold=None)
        with ExitStack() as unless_ready:
            unless_ready.callback(driver.close)
            _prepare(driver, manner)
            unless_ready.pop_all()
    except psycopg.Error as failure:
        raise ServerFailed(
            f"no session on the database '{address.database}' at {address.host}:{address.port}: {str(failure).strip()}",
            "See whether the server runs, takes connections and knows this role.",
        ) from None
    return driver


@contextmanager
def opened(on: Engine) -> Iterator[Connection]:
    """A session for the length of the context; whatever was not committed is undone, also where the session was lost."""
    with on.connect() as connection:
        try:
            yield connection
        finally:
            _roll_back(connection)


def _roll_back(connection: Connection) -> None:
    """Undo, and give up a session that cannot go on (it is lost, or in the middle of a COPY): the next use opens another."""
    try:
        connection.rollback()
        driver_of(connection).rollback()
    except (psycopg.Error, DBAPIError):
        connection.invalidate()


def driver_of(connection: Connection) -> Driver:
    """The psycopg connection under one of SQLAlchemy's."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"expected a connection of psycopg, not {type(driver).__name__}")
    return driver


def abandon(driver: Driver) -> None:
    """End a session that another thread waits on: its statement is cancelled, and whatever it asks next fails."""
    with suppress(psycopg.Error):
        driver.cancel_safe(timeout=_CANCEL_TIMEOUT)
    with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(driver.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _prepare(driver: Driver, manner: Manner) -> None:
    driver.read_only = manner.read_only
    for name in _AS_TEXT:
        driver.adapters.register_loader(name, TextLoader)
    if driver.info.parameter_status("server_encoding") == "SQL_ASCII":
        driver.execute("SET client_encoding TO SQL_ASCII")
        for text in _TEXTS:
            driver.adapters.register_loader(text, _AnyBytesLoader)
    limits = [str(round(seconds * 1000)) for seconds in (manner.statement_timeout, LOCK_TIMEOUT)]
    driver.execute(_LIMITS, limits)
    driver.commit()


_LIMITS = """
SELECT pg_catalog.set_config('statement_timeout', %s, false), pg_catalog.set_config('lock_timeout', %s, false),
       pg_catalog.set_config('client_min_messages', 'error', false)
"""


class _AnyBytesLoader(TextLoader):
    """Text of a database that has no encoding: bytes that are no UTF-8 are shown, not refused."""

    def load(self, data: Any) -> str:  # noqa: ANN401 - psycopg's buffers have no public type
        return bytes(data).decode("utf-8", "backslashreplace")


@contextmanager
def said_plainly() -> Iterator[None]:
    """Turn what the server refuses into StatementFailed with its own words."""
    try:
        yield
    except DBAPIError as failure:
        raise failed(failure.orig if isinstance(failure.orig, psycopg.Error) else failure) from None
    except psycopg.Error as failure:
        raise failed(failure) from None


def failed(failure: Exception) -> StatementFailed:
    """An error of the driver as StatementFailed: the server's first line and SQLSTATE, else the driver's words."""
    if isinstance(failure, psycopg.Error):
        return StatementFailed(failure.diag.message_primary or str(failure).strip(), failure.sqlstate or "")
    return StatementFailed(str(failure).strip())


class PostgresReadSession:
    """A session that reads; each statement is a transaction of its own that is rolled back, so a refused one harms no other."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement; raises StatementFailed."""
        with said_plainly():
            try:
                return [tuple(row) for row in self._connection.execute(statement)]
            finally:
                _roll_back(self._connection)

    def raw(self, sql: str, limit: int) -> Sequence[tuple[Any, ...]]:
        """At most ``limit`` rows of one statement, sent as it is; the server is told to stop once they are here.

        Raises StatementFailed, also for several statements and for one that gives no rows.
        """
        if "\0" in sql:
            raise StatementFailed("the query holds a NUL character")
        driver = driver_of(self._connection)
        with said_plainly():
            try:
                return _first(driver, sql.encode("utf-8", "surrogatepass"), limit)
            finally:
                _roll_back(self._connection)


def _first(driver: Driver, sql: bytes, limit: int) -> Sequence[tuple[Any, ...]]:
    """Rows arrive one by one, so that what is not wanted costs no memory; closing the stream cancels the query."""
    with driver.cursor() as cursor, closing(cast("Generator[tuple[Any, ...], None, None]", cursor.stream(sql))) as stream:
        try:
            return list(islice(stream, limit))
        except psycopg.ProgrammingError as failure:
            if failure.sqlstate is None:
                raise StatementFailed("it gives no rows: only a query can be read") from None
            raise
