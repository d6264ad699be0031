"""Sessions of checks on MariaDB: what they may do, how long a statement may take, and what becomes of the server's refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.constants import FIELD_TYPE
from pymysql.cursors import SSCursor
from sqlalchemy import Executable
from sqlalchemy.dialects import registry
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement

from checks.targets import StatementFailed
from runner.errors import ServerFailed
from runner.servers.interface import Address
from runner.servers.mariadb.sessions import OUR_USER, UNLOGGED, close, code_of, words_of
from runner.servers.mariadb.sessions import connect as connected
from runner.servers.mariadb.sessions import session as one_off

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

#: Seconds that a session waits for a lock: nobody else should be there; the same where others work.
LOCK_TIMEOUT = 30
POLITE_LOCK_TIMEOUT = 2

_DENIED = frozenset({"1044", "1142", "1143", "1227", "1370"})
_STOPPED = frozenset({"1969", "3024"})
_CANCELLED = frozenset({"1317"})
_LOCKED = frozenset({"1205"})


@dataclass(frozen=True)
class Limit:
    """How long a statement may take, in seconds. ``given`` says that the database is somebody's and only looked at."""

    seconds: float
    given: bool = False


@cache
def dialect() -> Dialect:
    """SQLAlchemy's dialect of MariaDB with the driver's parameters."""
    made: Callable[..., Dialect] = registry.load("mysql.pymysql")
    return made(is_mariadb=True)


def written(statement: Executable) -> tuple[str, tuple[Any, ...]]:
    """A SQLAlchemy Core statement as the driver takes it: its text and its values in order."""
    if not isinstance(statement, ClauseElement):
        raise TypeError(f"expected an expression, not {type(statement).__name__}")
    compiled = statement.compile(dialect=dialect(), compile_kwargs={"render_postcompile": True})
    names: Sequence[str] = getattr(compiled, "positiontup", None) or ()
    return str(compiled), tuple(compiled.params[name] for name in names)


class Session:
    """A session with a limit of time for each statement; ``stop`` ends what another thread waits for."""

    def __init__(self, address: Address, *, read_only: bool, limit: Limit) -> None:
        self._address = address
        self._read_only = read_only
        self._limit = limit
        self.stopped = False
        self._number = 0
        self.driver = self._connected()

    def _connected(self) -> Driver:
        try:
            driver = connected(self._address, first=UNLOGGED if self._address.user == OUR_USER else "DO 0", read=_READ)
            with driver.cursor() as cursor:
                for statement in self._first():
                    cursor.execute(statement)
                cursor.execute("SELECT connection_id()")
                (self._number,) = cursor.fetchone() or (0,)
        except (pymysql.err.Error, OSError) as failure:
            raise ServerFailed(
                f"no session on the database '{self._address.database}': {words_of(failure)}",
                "See whether the server runs, takes connections and knows this user.",
            ) from None
        return driver

    def _first(self) -> Iterator[str]:
        waiting = POLITE_LOCK_TIMEOUT if self._limit.given else LOCK_TIMEOUT
        yield f"SET SESSION max_statement_time = {self._limit.seconds:f}"
        yield f"SET SESSION lock_wait_timeout = {waiting}, innodb_lock_wait_timeout = {waiting}"
        yield "SET SESSION time_zone = '+00:00', group_concat_max_len = 1048576"
        if self._read_only:
            yield "SET SESSION TRANSACTION READ ONLY"

    def stop(self) -> None:
        """End the statement under way, and every later one."""
        self.stopped = True
        with suppress(pymysql.err.Error, OSError):
            self.beside(f"KILL CONNECTION {self._number}")

    def close(self) -> None:
        """End the session; what was not committed is undone."""
        close(self.driver)

    def execute(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Execute a statement; gives how many rows it touched. Raises pymysql.err.Error."""
        with self.driver.cursor() as cursor:
            return int(cursor.execute(statement, tuple(values) or None))

    def all(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement. Raises pymysql.err.Error."""
        with self.driver.cursor() as cursor:
            cursor.execute(statement, tuple(values) or None)
            return list(cursor.fetchall())

    def beside(self, statement: str) -> None:
        """Execute a statement in another session, so that the transaction of this one goes on. Raises pymysql.err.Error."""
        with one_off(self._address) as other, other.cursor() as cursor:
            cursor.execute(statement)

    def rows(self, statement: Executable) -> list[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement; raises StatementFailed."""
        with self.said_plainly():
            text, values = written(statement)
            return self.all(text if values else text.replace("%%", "%"), values)

    def stream(self, statement: Executable) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement one by one; whoever leaves early gets another session after it. Raises StatementFailed."""
        with self.said_plainly():
            text, values = written(statement)
            cursor = self.driver.cursor(SSCursor)
            cursor.execute(text if values else text.replace("%%", "%"), values or None)
            try:
                while (row := cursor.fetchone()) is not None:
                    yield row
            except GeneratorExit:
                self._give_up(cursor)
                raise
            cursor.close()

    def _give_up(self, cursor: Any) -> None:  # noqa: ANN401 - a part of it that the driver's types do not show
        """The rest of a result would be read to its end, by the driver's finalisers too, from a session that is gone by then."""
        cursor._result.unbuffered_active = False
        cursor._result = cursor.connection = None
        close(self.driver)
        self.driver = self._connected()

    def first(self, sql: str, limit: int) -> list[tuple[Any, ...]]:
        """At most ``limit`` rows of the repository's own SQL, one statement, sent as it is. Raises pymysql.err.Error."""
        cursor = self.driver.cursor(SSCursor)
        cursor.execute(sql)
        if cursor.description is None:
            raise StatementFailed("it gives no rows: only a query can be read")
        found = list(cursor.fetchmany(limit + 1))
        if len(found) <= limit:
            cursor.close()
            return found
        self._give_up(cursor)
        return found[:limit]

    @contextmanager
    def said_plainly(self) -> Iterator[None]:
        """The server's refusals as StatementFailed."""
        try:
            if self.stopped:
                raise StatementFailed("the run was stopped")
            yield
        except (pymysql.err.Error, OSError) as failure:
            raise self._failed(failure) from None

    def _failed(self, failure: BaseException) -> StatementFailed:
        code, said = code_of(failure), words_of(failure)
        if not self._limit.given or self.stopped:
            return StatementFailed(f"stopped after {self._limit.seconds:g} s" if code in _STOPPED else said, code)
        gap = ""
        if code in _DENIED:
            gap = "permission denied"
        elif code in _STOPPED:
            gap = f"stopped after {self._limit.seconds:g} s"
        elif code in _CANCELLED:
            gap = "cancelled on the server"
        elif code in _LOCKED:
            gap = f"locked by another session for more than {POLITE_LOCK_TIMEOUT} s"
        return StatementFailed(said, code, gap)


class MariadbReadSession:
    """A session that reads; each statement is a transaction of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement; raises StatementFailed."""
        return self._session.rows(statement)

    def stream(self, statement: Executable) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement one by one; raises StatementFailed."""
        yield from self._session.stream(statement)

    def raw(self, sql: str, limit: int) -> Sequence[tuple[Any, ...]]:
        """At most ``limit`` rows of the repository's own SQL; raises StatementFailed."""
        with self._session.said_plainly():
            return self._session.first(sql, limit)


@contextmanager
def opened(address: Address, *, read_only: bool, limit: Limit) -> Iterator[Session]:
    """A session for the length of the context. Raises ServerFailed."""
    session = Session(address, read_only=read_only, limit=limit)
    try:
        yield session
    finally:
        session.close()


def _text(value: bytes) -> str:
    """Whatever it holds: bytes that are no UTF-8 are shown, not refused."""
    return value.decode("utf-8", "backslashreplace")


def _integer(value: bytes) -> int:
    return int(value)


def _number(value: bytes) -> float:
    return float(value)


def _decimal(value: bytes) -> Decimal:
    return Decimal(value.decode())


def _bits(value: bytes) -> int:
    return int.from_bytes(value, "big")


_INTEGERS = ("TINY", "SHORT", "LONG", "INT24", "LONGLONG", "YEAR")
_TYPES = {name: number for name, number in vars(FIELD_TYPE).items() if isinstance(number, int)}
#: Dates and times stay text: Python has no name for some that MariaDB stores (``0000-00-00``, 838 hours).
_READ: Mapping[int, Callable[[bytes], Any]] = {
    **dict.fromkeys(_TYPES.values(), _text),
    **{_TYPES[name]: _integer for name in _INTEGERS},
    **{_TYPES[name]: _number for name in ("FLOAT", "DOUBLE")},
    **{_TYPES[name]: _decimal for name in ("DECIMAL", "NEWDECIMAL")},
    _TYPES["BIT"]: _bits,
}
