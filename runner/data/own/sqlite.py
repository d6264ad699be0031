"""SQLite takes records by many executions of one statement in a transaction, SQL files as its shell sends them."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from checks.interface import Engine
from checks.schema.model import Catalogue
from runner.data.own.copying import plain
from runner.data.own.inserting import Batch, batches, line_of
from runner.data.own.order import TableFile, Unit, refers_to_itself
from runner.data.own.orphans import ROWS, keys_of, question
from runner.data.own.pieces import Piece, pieces
from runner.data.own.records import Record
from runner.data.own.refusing import LATE, Refused, refused
from runner.data.own.scripts import opened_sql
from runner.data.own.sources import RowFile
from runner.errors import ToolFailed
from runner.migrations.sqlite_statements import split
from runner.migrations.statements import Statement
from runner.servers.interface import Address
from runner.servers.sqlite.sessions import code_of, quoted, session

#: SQLite looks at the clock after so many steps of its virtual machine.
_STEPS = 10_000
#: What begins and ends a transaction, and what within one does nothing: keys are put off instead.
_BRACKET = re.compile(r"(?:BEGIN|COMMIT|END)(?:\s+(?:DEFERRED|IMMEDIATE|EXCLUSIVE))?(?:\s+TRANSACTION)?", re.IGNORECASE)
_UNCHECKED = re.compile(r"PRAGMA\s+foreign_keys\s*=\s*(?:OFF|0|FALSE|NO)", re.IGNORECASE)
_INTERRUPTED = "SQLITE_INTERRUPT"
_DEFERRED = "SQLITE_CONSTRAINT_FOREIGNKEY"


@dataclass(frozen=True)
class SqliteLoader:
    """Foreign keys are as the application's sessions have them."""

    on: Address
    engine: Engine = Engine.SQLITE
    folded: bool = True

    def catalogue(self) -> Catalogue:
        """What the database is made of now."""
        from runner.data.generated.sqlite import catalogue_of

        return catalogue_of(self.on)

    def script(self, file: RowFile, deadline: float) -> None:
        """A file of SQL in one transaction, its own left out, as the shell's `.dump` has one. Raises ToolFailed for its commands.

        Where it switches keys off they are asked at its end.
        """
        with self._opened(deadline) as connection, opened_sql(file, "strict") as text:
            for piece in decoded(pieces(text, split), file):
                if not isinstance(piece, Statement):
                    raise ToolFailed(
                        f"{file.name}:{piece.line}: this needs the sqlite3 shell: cannot run here",
                        'Let it load the file itself: { command = "…" }.',
                    )
                if _UNCHECKED.fullmatch(piece.text):
                    _execute(connection, "PRAGMA defer_foreign_keys = ON", file, piece.line)
                elif not _BRACKET.fullmatch(piece.text):
                    _execute(connection, piece.text, file, piece.line)
            _execute(connection, "COMMIT", file, None)

    def tables(self, unit: Unit, deadline: float) -> None:
        """Files of tables in one transaction; keys are asked at its end where rows may come before those that they refer to."""
        with self._opened(deadline) as connection:
            late = refers_to_itself(unit)
            if late:
                connection.execute("PRAGMA defer_foreign_keys = ON")
            for one in unit:
                for batch in batches(one, folded=True):
                    _insert(connection, one, batch, quoted(one.table.name.name))
            try:
                connection.execute("COMMIT")
            except sqlite3.Error as wrong:
                if code_of(wrong) == _DEFERRED and late:
                    raise _orphan(connection, unit, wrong) from None
                raise _refused(wrong, unit[-1].file, None, "COMMIT") from None

    @contextmanager
    def _opened(self, deadline: float) -> Iterator[sqlite3.Connection]:
        with session(self.on) as connection:
            connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS)
            connection.execute("BEGIN")
            yield connection


def decoded(found: Iterator[Piece], file: RowFile) -> Iterator[Piece]:
    """The pieces of a file of UTF-8. Raises ToolFailed for another."""
    try:
        yield from found
    except UnicodeDecodeError:
        raise ToolFailed(f"{file.name}: the file is not UTF-8", "Save it as UTF-8.") from None


def _execute(connection: sqlite3.Connection, text: str, file: RowFile, line: int | None) -> None:
    try:
        for _ in connection.execute(text):
            pass
    except (sqlite3.Error, sqlite3.Warning) as wrong:
        raise _refused(wrong, file, line, text) from None


def _insert(connection: sqlite3.Connection, one: TableFile, batch: Batch, into: str) -> None:
    """Insert a batch; where one of its rows is refused they are inserted one by one, to see which."""
    names = ", ".join(quoted(column.name) for column in batch.columns)
    marks = ", ".join("?" for _ in batch.columns)
    statement = f"INSERT INTO {into} ({names}) VALUES ({marks})"  # noqa: S608 - names, quoted
    connection.execute("SAVEPOINT dbproof")
    try:
        connection.executemany(statement, [tuple(map(_bound, record.values)) for record in batch.records])
    except (sqlite3.Error, OverflowError, ValueError):
        connection.execute("ROLLBACK TO SAVEPOINT dbproof")
        for record in batch.records:
            _insert_one(connection, one, record, statement)
    connection.execute("RELEASE SAVEPOINT dbproof")


def _insert_one(connection: sqlite3.Connection, one: TableFile, record: Record, statement: str) -> None:
    try:
        connection.execute(statement, tuple(map(_bound, record.values)))
    except (sqlite3.Error, OverflowError, ValueError) as wrong:
        raise _refused(wrong, one.file, record.line, statement) from None


def _bound(value: Any) -> Any:  # noqa: ANN401 - whatever a file holds
    """A value as SQLite holds it: a number with more digits than a float has stays a text."""
    if value is None or isinstance(value, str | bytes | int | float):
        return value
    if isinstance(value, Decimal):
        near = float(value)
        return near if Decimal(repr(near)) == value else str(value)
    return value.isoformat(" ") if isinstance(value, datetime) else plain(value)


def _orphan(connection: sqlite3.Connection, unit: Unit, wrong: sqlite3.Error) -> Refused:
    """The refusal at the line of the first record without a parent: the transaction is still open then."""
    for one in unit:
        name = quoted(one.table.name.name)
        connection.execute(f"CREATE TEMP TABLE {ROWS} AS SELECT * FROM {name} LIMIT 0")  # noqa: S608 - a name, quoted
        for batch in batches(one, folded=True):
            _insert(connection, one, batch, f"temp.{ROWS}")
        asked = [question(key, one.table, f"temp.{ROWS}", "rowid", quoted) for key in keys_of(one.table, "")]
        found = [number for text in asked for (number,) in connection.execute(text) if number is not None]
        if found:
            return _refused(wrong, one.file, line_of(one.file, min(found)), "COMMIT")
        connection.execute(f"DROP TABLE temp.{ROWS}")
    return _refused(wrong, unit[0].file, None, "COMMIT")


def _refused(wrong: Exception, file: RowFile, line: int | None, statement: str) -> Refused:
    code = code_of(wrong)
    if code == _INTERRUPTED:
        return refused(file.name, line, LATE, statement=statement, timed_out=True)
    return refused(file.name, line, str(wrong), statement=statement, code=code)
