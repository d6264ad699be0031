"""Sessions of dbproof on PostgreSQL: how they connect, what values they give, and what becomes of the server's refusals."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

import psycopg
from psycopg.types.string import TextLoader
from sqlalchemy import Connection, Engine, Executable, Select, TableClause, event
from sqlalchemy.exc import DBAPIError

from checks.schema.names import TableName
from checks.sql.statements import ANTI_JOIN
from checks.targets import StatementFailed
from runner.errors import ServerFailed
from runner.servers.interface import OURS, Address
from runner.targets.engines import engine
from runner.targets.joins import prefer_merge

#: Seconds after which a statement of a check is ended by the server (57014).
STATEMENT_TIMEOUT = 300.0
#: Seconds that a session waits for a lock: nobody else should be there.
LOCK_TIMEOUT = 30.0
#: The same where others work: whoever waits for a lock makes those wait who come after.
POLITE_LOCK_TIMEOUT = 2.0
#: Rows that a stream holds at a time.
STREAMED = 5_000
#: Seconds that connecting may take.
CONNECT_TIMEOUT = 15
_CANCEL_TIMEOUT = 2.0
_MANNER = "dbproof_manner"

# Python cannot hold all that PostgreSQL stores in these: infinity, years BC, 24:00, numbers of thousands of digits.
_AS_TEXT = ("date", "time", "timetz", "timestamp", "timestamptz", "interval", "json", "jsonb")
_UNKNOWN = 705
_TEXTS = ("text", "varchar", "bpchar", "name", _UNKNOWN)

Driver = psycopg.Connection[tuple[Any, ...]]
Watch = Callable[[Sequence[TableName]], None]


@dataclass(frozen=True)
class Manner:
    """How sessions behave: ``read_only``; ``ours`` on a server of ours, where our statements stay out of its log.

    ``foreign`` on a server of somebody else's: whatever is set holds for one transaction, as a pooler hands the session on to the
    next client; rows that row security would hide make a statement fail. Limits are in seconds.
    """

    read_only: bool
    ours: bool
    statement_timeout: float = STATEMENT_TIMEOUT
    lock_timeout: float = LOCK_TIMEOUT
    foreign: bool = False

    @property
    def limits(self) -> list[str]:
        """The limits of a statement and of waiting for a lock, in milliseconds, as the server reads them."""
        return [str(max(1, round(seconds * 1000))) for seconds in (self.statement_timeout, self.lock_timeout)]


def sessions(address: Address, manner: Manner) -> Engine:
    """SQLAlchemy's engine on an address; each connection is a new session, closed when it is given back."""
    made = engine(
        "postgresql+psycopg://",
        lambda: connect(address, manner),
        use_native_hstore=False,
        execution_options={_MANNER: manner},
    )
    if manner.foreign:
        event.listen(made, "begin", _limit)
    return made


def _limit(connection: Connection) -> None:
    """Set for the transaction that begins what would stay behind in a session."""
    driver_of(connection).execute(_LIMITS_OF_A_TRANSACTION, _manner(connection).limits)


def _manner(connection: Connection) -> Manner:
    found: Manner = connection.get_execution_options()[_MANNER]
    return found


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
    if not manner.foreign:
        driver.execute(_LIMITS, manner.limits)
    driver.commit()


_LIMITS = """
SELECT pg_catalog.set_config('statement_timeout', %s, false), pg_catalog.set_config('lock_timeout', %s, false),
       pg_catalog.set_config('client_min_messages', 'error', false)
"""

# A role to which row security applies would see a part of the rows, and take parents that it may not see for missing ones.
_LIMITS_OF_A_TRANSACTION = """
SELECT pg_catalog.set_config('statement_timeout', %s, true), pg_catalog.set_config('lock_timeout', %s, true),
       pg_catalog.set_config('client_min_messages', 'error', true), pg_catalog.set_config('row_security', 'off', true)
"""


class _AnyBytesLoader(TextLoader):
    """Text of a database that has no encoding: bytes that are no UTF-8 are shown, not refused."""

    def load(self, data: Any) -> str:  # noqa: ANN401 - psycopg's buffers have no public type
        return bytes(data).decode("utf-8", "backslashreplace")


@contextmanager
def said_plainly(manner: Manner | None = None) -> Iterator[None]:
    """Turn what the server refuses into StatementFailed with its own words; with ``manner`` its limits can be said."""
    try:
        yield
    except DBAPIError as failure:
        raise failed(failure.orig if isinstance(failure.orig, psycopg.Error) else failure, manner) from None
    except psycopg.Error as failure:
        raise failed(failure, manner) from None


def failed(failure: Exception, manner: Manner | None = None) -> StatementFailed:
    """An error of the driver as StatementFailed: the server's first line and SQLSTATE, else the driver's words."""
    if isinstance(failure, psycopg.Error):
        said, code = failure.diag.message_primary or str(failure).strip(), failure.sqlstate or ""
        return StatementFailed(said, code, _gap(said, code, manner) if manner else "")
    return StatementFailed(str(failure).strip())


def _gap(said: str, code: str, manner: Manner) -> str:
    """Why the statement could not be answered, where it is not at fault (codes: PostgreSQL's appendix A)."""
    match code:
        case "42501":
            return "row security hides rows from this role" if "row-level security" in said else "permission denied"
        case "57014":
            return "cancelled on the server" if "user request" in said else f"stopped after {manner.statement_timeout:g} s"
        case "55P03":
            return f"locked by another session for more than {manner.lock_timeout:g} s"
        case "40001":
            return "cancelled by the standby, which had to catch up"
    return ""


class PostgresReadSession:
    """A session that reads; each statement is a transaction of its own that is rolled back, so a refused one harms no other.

    ``watch`` is told which tables a statement names, before it is sent.
    """

    def __init__(self, connection: Connection, watch: Watch = lambda _: None) -> None:
        self._connection = connection
        self._watch = watch

    def rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement; raises StatementFailed."""
        self._watch(_tables_of(statement))
        with said_plainly(_manner(self._connection)):
            try:
                if isinstance(statement, Select) and statement.get_execution_options().get(ANTI_JOIN):
                    prefer_merge(self._connection, statement)
                return [tuple(row) for row in self._connection.execute(statement)]
            finally:
                _roll_back(self._connection)

    def stream(self, statement: Executable) -> Generator[tuple[Any, ...], None, None]:
        """The rows of a statement one by one, by a cursor of the server's; raises StatementFailed."""
        self._watch(_tables_of(statement))
        with said_plainly(_manner(self._connection)):
            try:
                yield from map(tuple, self._connection.execute(statement.execution_options(yield_per=STREAMED)))
            finally:
                _roll_back(self._connection)

    def raw(self, sql: str, limit: int) -> Sequence[tuple[Any, ...]]:
        """At most ``limit`` rows of one statement, sent as it is; the server is told to stop once they are here.

        Raises StatementFailed, also for several statements and for one that gives no rows.
        """
        if "\0" in sql:
            raise StatementFailed("the query holds a NUL character")
        driver = driver_of(self._connection)
        with said_plainly(_manner(self._connection)):
            try:
                self._connection.begin()
                return _first(driver, sql.encode("utf-8", "surrogatepass"), limit)
            finally:
                _roll_back(self._connection)


def _tables_of(statement: Executable) -> Sequence[TableName]:
    """The tables that a query reads from first."""
    if not isinstance(statement, Select):
        return ()
    tables = (getattr(source, "element", source) for source in statement.get_final_froms())
    return [TableName(table.schema or "", table.name) for table in tables if isinstance(table, TableClause)]


def _first(driver: Driver, sql: bytes, limit: int) -> Sequence[tuple[Any, ...]]:
    """Rows arrive one by one, so that what is not wanted costs no memory; closing the stream cancels the query."""
    with driver.cursor() as cursor, closing(cast("Generator[tuple[Any, ...], None, None]", cursor.stream(sql))) as stream:
        try:
            return list(islice(stream, limit))
        except psycopg.ProgrammingError as failure:
            if failure.sqlstate is None:
                raise StatementFailed("it gives no rows: only a query can be read") from None
            raise
