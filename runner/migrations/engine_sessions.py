"""Sessions of tools of SQL files on SQLite and MariaDB: parts of files sent as the tools' drivers send them, and books kept."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from checks.evidence import Place
from runner.migrations.inside.schema_changes import Watch
from runner.migrations.interface import Broke, Came, Event
from runner.migrations.sql_files import SqlFile
from runner.migrations.sqlite_files import effect
from runner.migrations.sqlite_statements import split
from runner.recorder import stamps
from runner.servers.interface import Address

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

_LONGEST = 10_000
_STEPS = 10_000
_INTERRUPTED = "SQLITE_INTERRUPT"
_LATE = "not finished at the deadline"
_DELIMITER = re.compile(r"^[ \t]*delimiter\b", re.IGNORECASE | re.MULTILINE)
#: What holds statements of its own, which only the server can tell from those around it, and what no server knows.
_COMPOUND = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?(?:definer\s*=\s*\S+\s+)?(?:procedure|function|trigger|event)\b|^[ \t]*delimiter\b",
    re.IGNORECASE | re.MULTILINE,
)


class BooksFailed(Exception):
    """The books could not be read or written: what the engine says."""

    def __init__(self, said: str, code: str) -> None:
        super().__init__(said)
        self.said = said
        self.code = code


class Rows(list[tuple[Any, ...]]):
    """What a statement gave."""

    def fetchone(self) -> tuple[Any, ...] | None:
        """The first row, if there is any."""
        return self[0] if self else None


class EngineBooks:
    """What keeps books on an engine, in statements that psycopg would take."""

    scheme = ""

    def execute(self, statement: bytes, values: tuple[Any, ...] = ()) -> Rows:
        """The rows of a statement. Raises BooksFailed."""
        raise NotImplementedError

    def quoted(self, name: str) -> bytes:
        """A name as it is written in a statement."""
        raise NotImplementedError

    def has(self, name: str) -> bool:
        """Whether there is a table."""
        raise NotImplementedError

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction for the length of the context."""
        self.execute(b"BEGIN")
        yield
        self.execute(b"COMMIT")


class EngineSession:
    """One session of a tool's."""

    books: EngineBooks

    def apply(self, part: SqlFile, *, apart: bool = False) -> Generator[Event, None, Broke | None]:
        """Send a part; tells what it did, gives why it stopped, or ``None``.

        With ``apart`` the tool itself cuts it up at its DELIMITER, which no server knows.
        """
        raise NotImplementedError

    def bracket(self, file: SqlFile, command: str) -> Broke | None:
        """Send BEGIN or COMMIT; gives why it was refused, or ``None``."""
        raise NotImplementedError


@contextmanager
def opened(on: Address, deadline: float) -> Iterator[EngineSession]:
    """A session on SQLite or MariaDB. Raises ServerFailed."""
    if on.scheme == "sqlite":
        from runner.servers.sqlite.sessions import session

        with session(on) as connection:
            connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS)
            yield _Sqlite(connection)
        return
    import pymysql

    from runner.errors import ServerFailed
    from runner.servers.mariadb.sessions import close, connect, words_of

    try:
        driver = connect(on, answer=max(0.1, deadline - time.monotonic()) + 1, several=True)
    except (pymysql.err.Error, OSError) as failure:
        raise ServerFailed(f"no connection to database '{on.database}': {words_of(failure)}", "The server went away.") from None
    try:
        yield _Mariadb(driver, deadline)
    finally:
        close(driver)


# SQLite --------------------------------------------------------------------------------------------------------------


class _SqliteBooks(EngineBooks):
    scheme = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def execute(self, statement: bytes, values: tuple[Any, ...] = ()) -> Rows:
        from runner.servers.sqlite.sessions import code_of

        try:
            return Rows(self.connection.execute(statement.decode().replace("%s", "?"), values).fetchall())
        except sqlite3.Error as failure:
            raise BooksFailed(str(failure), code_of(failure)) from None

    def quoted(self, name: str) -> bytes:
        return ('"' + name.replace('"', '""') + '"').encode()

    def has(self, name: str) -> bool:
        return bool(self.execute(b"SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = %s", (name,)))


class _Sqlite(EngineSession):
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.books = _SqliteBooks(connection)

    def apply(self, part: SqlFile, *, apart: bool = False) -> Generator[Event, None, Broke | None]:  # noqa: ARG002 - always
        yield Came()
        watch = Watch(self.connection)
        for statement in split(part.text):
            began, place = time.monotonic(), Place(part.name, part.line + statement.line - 1)
            before = self.connection.total_changes
            if broke := self._sent(statement.text, place):
                return broke
            seconds, rows = time.monotonic() - began, self.connection.total_changes - before
            if ran := effect(statement.text, place, seconds, watch, rows):
                yield ran
        return None

    def bracket(self, file: SqlFile, command: str) -> Broke | None:
        return self._sent(command, Place(file.name))

    def _sent(self, text: str, place: Place) -> Broke | None:
        from runner.servers.sqlite.sessions import code_of

        try:
            for _ in self.connection.execute(text):
                pass
        except (sqlite3.Error, sqlite3.Warning) as failure:
            timed_out = code_of(failure) == _INTERRUPTED
            said, code = (_LATE, "") if timed_out else (str(failure), code_of(failure))
            return Broke(None, place, text[:_LONGEST], said, code, timed_out=timed_out)
        return None


# MariaDB -------------------------------------------------------------------------------------------------------------


class _MariadbBooks(EngineBooks):
    scheme = "mysql"

    def __init__(self, driver: Driver) -> None:
        self.driver = driver

    def execute(self, statement: bytes, values: tuple[Any, ...] = ()) -> Rows:
        import pymysql

        from runner.servers.mariadb.sessions import code_of, rows, words_of

        try:
            return Rows(rows(self.driver, statement.decode(), values))
        except (pymysql.err.Error, OSError) as failure:
            raise BooksFailed(words_of(failure), code_of(failure)) from None

    def quoted(self, name: str) -> bytes:
        from runner.servers.mariadb.sessions import quoted

        return quoted(name).encode()

    def has(self, name: str) -> bool:
        query = b"SELECT 1 FROM information_schema.tables WHERE table_schema = database() AND table_name = %s"
        return bool(self.execute(query, (name,)))


class _Mariadb(EngineSession):
    def __init__(self, driver: Driver, deadline: float) -> None:
        self.driver = driver
        self.deadline = deadline
        self.books = _MariadbBooks(driver)

    def apply(self, part: SqlFile, *, apart: bool = False) -> Generator[Event, None, Broke | None]:
        """One statement after the other; as one message where one holds others, which the server takes apart itself."""
        yield Came()
        from runner.migrations import mariadb_files

        if _COMPOUND.search(part.text) and not (apart and _DELIMITER.search(part.text)):
            first = part.statements[0].line if part.statements else part.line
            return self._sent(part.text, Place(part.name, first))
        for statement in mariadb_files.split(part.text):
            if broke := self._sent(statement.text, Place(part.name, part.line + statement.line - 1)):
                return broke
        return None

    def bracket(self, file: SqlFile, command: str) -> Broke | None:
        return self._sent(command, Place(file.name))

    def _sent(self, text: str, place: Place) -> Broke | None:
        import pymysql

        from runner.servers.mariadb.sessions import code_of, values_of, words_of

        try:
            with self.driver.cursor() as cursor:
                cursor.execute(stamps.comment(place) + text)
                while cursor.nextset():
                    pass
        except (pymysql.err.Error, OSError) as failure:
            late = not code_of(failure) and time.monotonic() >= self.deadline
            said = _LATE if late else words_of(failure)
            return Broke(None, place, text[:_LONGEST], said, code_of(failure), values_of(failure), late)
        return None
