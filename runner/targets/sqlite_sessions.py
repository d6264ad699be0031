"""Sessions of checks on SQLite: what they may do, how long a statement may take, and what becomes of SQLite's refusals."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError

from checks.targets import StatementFailed
from runner.servers.interface import Address
from runner.servers.sqlite.sessions import code_of, connect
from runner.targets.engines import engine

#: SQLite looks at the clock after so many steps of its virtual machine: some ten thousand times a second.
_STEPS = 10_000

INTERRUPTED = "SQLITE_INTERRUPT"

#: Rows that a stream holds at a time.
_STREAMED = 5_000


@dataclass(frozen=True)
class Limit:
    """How long a statement may take, in seconds. ``given`` says that somebody set it for a database that is only looked at."""

    seconds: float
    given: bool = False


class Session:
    """A connection with a limit of time for each statement; ``stop`` ends what another thread waits for."""

    def __init__(self, address: Address, *, read_only: bool, limit: Limit) -> None:
        self.driver = connect(address, read_only=read_only)
        self.connection = self._connection()
        self._limit = limit
        self._deadline = float("inf")
        self.stopped = False
        self.driver.set_progress_handler(self._is_over, _STEPS)

    def _connection(self) -> Connection:
        return engine("sqlite+pysqlite://", lambda: self.driver, isolation_level="AUTOCOMMIT").connect()

    def _is_over(self) -> int:
        return int(self.stopped or time.monotonic() > self._deadline)

    def stop(self) -> None:
        """Let the statement under way end, and every later one too."""
        self.stopped = True

    def close(self) -> None:
        """End the session; what was not committed is undone."""
        self.connection.close()
        self.driver.close()

    @contextmanager
    def limited(self) -> Iterator[None]:
        """The limit of time for what is done within, and SQLite's refusals as StatementFailed."""
        self._deadline = time.monotonic() + self._limit.seconds
        try:
            if self.stopped:
                raise StatementFailed("the run was stopped")
            yield
        except DBAPIError as failure:
            raise self._failed(failure.orig or failure) from None
        except (sqlite3.Error, sqlite3.Warning) as failure:
            raise self._failed(failure) from None
        finally:
            self._deadline = float("inf")

    def _failed(self, failure: BaseException) -> StatementFailed:
        found = failed(failure)
        if found.code == INTERRUPTED and not self.stopped:
            stopped = f"stopped after {self._limit.seconds:g} s"
            return StatementFailed(stopped, found.code, gap=stopped if self._limit.given else "")
        return found


def failed(failure: BaseException) -> StatementFailed:
    """An error of the driver as StatementFailed: SQLite's words and the name of its code."""
    code = code_of(failure)
    gap = "locked" if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) else ""
    return StatementFailed(str(failure).strip(), code, gap)


class SqliteReadSession:
    """A session that reads; each statement is a transaction of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement; raises StatementFailed."""
        with self._session.limited():
            return [tuple(row) for row in self._session.connection.execute(statement)]

    def stream(self, statement: Executable) -> Generator[tuple[Any, ...], None, None]:
        """The rows of a statement one by one; raises StatementFailed."""
        with self._session.limited():
            yield from map(tuple, self._session.connection.execute(statement.execution_options(yield_per=_STREAMED)))

    def raw(self, sql: str, limit: int) -> Sequence[tuple[Any, ...]]:
        """At most ``limit`` rows of the repository's own SQL, one statement; raises StatementFailed."""
        with self._session.limited(), closing(self._session.driver.cursor()) as cursor:
            return cursor.execute(sql).fetchmany(limit)


@contextmanager
def opened(address: Address, *, read_only: bool, limit: Limit) -> Generator[Session, None, None]:
    """A session for the length of the context. Raises ServerFailed."""
    with closing(Session(address, read_only=read_only, limit=limit)) as session:
        yield session
