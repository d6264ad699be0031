"""MariaDB takes records by INSERTs of many rows in a transaction, SQL files as its client sends them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pymysql

from checks.evidence import Place
from checks.interface import Engine
from checks.schema.mariadb import read
from checks.schema.model import Catalogue
from runner.data.own.copying import plain
from runner.data.own.inserting import Batch, batches, line_of
from runner.data.own.order import TableFile, Unit, refers_to_itself
from runner.data.own.orphans import NUMBER, ROWS, question
from runner.data.own.pieces import pieces
from runner.data.own.records import Record
from runner.data.own.refusing import LATE, Refused, refused
from runner.data.own.scripts import opened_sql
from runner.data.own.sources import RowFile
from runner.data.own.sqlite import decoded
from runner.errors import ToolFailed
from runner.migrations.mariadb_files import split
from runner.migrations.statements import Statement
from runner.recorder import stamps
from runner.servers.interface import Address
from runner.servers.mariadb.sessions import close, code_of, connect, quoted, rows, session, values_of, words_of

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

#: How long the driver waits beyond the deadline for an answer.
_GRACE = 1.0
#: What mysqldump writes round the rows of a table: nobody else is here to be locked out, and each would commit.
_COMMITS = re.compile(
    r"LOCK\s+TABLES\b.*|UNLOCK\s+TABLES|/\*!\d+\s+ALTER\s+TABLE\s+\S+\s+(?:DIS|EN)ABLE\s+KEYS\s*\*/", re.IGNORECASE | re.DOTALL
)
#: What the server calls a row whose parent is missing.
_ORPHAN = "1452"


@dataclass(frozen=True)
class MariadbLoader:
    """``on`` is who migrates."""

    on: Address
    engine: Engine = Engine.MARIADB
    folded: bool = True

    def catalogue(self) -> Catalogue:
        """What the database is made of now."""
        with session(self.on) as driver:
            return read(lambda query: rows(driver, query))

    def script(self, file: RowFile, deadline: float) -> None:
        """A file of SQL in one transaction; each DDL statement in it commits what stands before.

        Raises ToolFailed where it needs the client.
        """
        with self._opened(deadline, file) as driver, opened_sql(file, "strict") as text:
            for piece in decoded(pieces(text, lambda whole: tuple(split(whole))), file):
                if not isinstance(piece, Statement):
                    raise ToolFailed(
                        f"{file.name}:{piece.line}: this needs the mariadb client: cannot run here",
                        'Let it load the file itself: { command = "…" }.',
                    )
                place = stamps.comment(Place(file.name, piece.line))
                if not _COMMITS.fullmatch(piece.text):
                    _execute(driver, place + piece.text, file, piece.line, deadline, piece.text)
            driver.commit()

    def tables(self, unit: Unit, deadline: float) -> None:
        """Files of tables in one transaction.

        The server asks for parents row by row; where rows may come before those that they refer to it is told not to, and all
        keys are counted at the end.
        """
        with self._opened(deadline, unit[0].file) as driver:
            late = refers_to_itself(unit)
            if late:
                rows(driver, "SET SESSION foreign_key_checks = 0")
            for one in unit:
                for batch in batches(one, folded=True):
                    _insert(driver, one, batch, quoted(one.table.name.name), deadline)
            if late and (orphan := _orphan(driver, unit, deadline)):
                raise orphan
            driver.commit()

    @contextmanager
    def _opened(self, deadline: float, file: RowFile) -> Iterator[Driver]:
        left = max(0.1, deadline - time.monotonic())
        try:
            driver = connect(self.on, answer=left + _GRACE)
        except (pymysql.err.Error, OSError) as wrong:
            raise _refused(wrong, file, None, "", deadline) from None
        try:
            driver.autocommit(False)  # so that what follows a DDL statement, which commits, is a transaction again
            yield driver
        finally:
            close(driver)


def _execute(driver: Driver, text: str, file: RowFile, line: int | None, deadline: float, shown: str) -> None:
    if time.monotonic() >= deadline:
        raise refused(file.name, line, LATE, statement=shown, timed_out=True)
    try:
        with driver.cursor() as cursor:
            cursor.execute(text)
            while cursor.nextset():
                pass
    except (pymysql.err.Error, OSError) as wrong:
        raise _refused(wrong, file, line, shown, deadline) from None


def _insert(driver: Driver, one: TableFile, batch: Batch, into: str, deadline: float) -> None:
    """Insert a batch; where one of its rows is refused they are inserted one by one, to see which."""
    if time.monotonic() >= deadline:
        raise refused(one.file.name, batch.records[0].line, LATE, timed_out=True)
    names = ", ".join(quoted(column.name).replace("%", "%%") for column in batch.columns)
    marks = ", ".join("%s" for _ in batch.columns)
    statement = f"INSERT INTO {into.replace('%', '%%')} ({names}) VALUES ({marks})"  # noqa: S608 - names, quoted
    rows(driver, "SAVEPOINT dbproof")
    try:
        with driver.cursor() as cursor:
            cursor.executemany(statement, [tuple(map(_bound, record.values)) for record in batch.records])
    except (pymysql.err.Error, OSError, UnicodeEncodeError) as wrong:
        if not code_of(wrong):
            raise _refused(wrong, one.file, batch.records[0].line, statement, deadline) from None
        rows(driver, "ROLLBACK TO SAVEPOINT dbproof")
        for record in batch.records:
            _insert_one(driver, one, record, statement, deadline)


def _insert_one(driver: Driver, one: TableFile, record: Record, statement: str, deadline: float) -> None:
    try:
        with driver.cursor() as cursor:
            cursor.execute(statement, tuple(map(_bound, record.values)))
    except (pymysql.err.Error, OSError) as wrong:
        raise _refused(wrong, one.file, record.line, statement, deadline) from None


def _bound(value: Any) -> Any:  # noqa: ANN401 - whatever a file holds
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat(" ")  # the driver would drop the zone
    return plain(value) if isinstance(value, dict | list) else value


def _orphan(driver: Driver, unit: Unit, deadline: float) -> Refused | None:
    """The refusal of the first record without a parent, if there is one."""
    for one in unit:
        table = one.table
        kept = ", ".join(quoted(column.name) for column in table.columns if not column.generated)
        held = f"SELECT {kept} FROM {quoted(table.name.name)} LIMIT 0"  # noqa: S608 - names, quoted
        rows(driver, f"CREATE OR REPLACE TEMPORARY TABLE {ROWS} ({NUMBER} bigint AUTO_INCREMENT PRIMARY KEY) {held}")
        for batch in batches(one, folded=True):
            _insert(driver, one, batch, ROWS, deadline)
        for key in table.foreign_keys:
            asked = question(key, table, ROWS, NUMBER, quoted, twice=False)
            ((number,),) = rows(driver, asked)
            if number is not None:
                line = line_of(one.file, number)
                said = f"a foreign key constraint fails: {key.name or key.label} to {key.parent.name}"
                return refused(one.file.name, line, said, code=_ORPHAN)
    return None


def _refused(wrong: Exception, file: RowFile, line: int | None, statement: str, deadline: float) -> Refused:
    if not code_of(wrong) and time.monotonic() >= deadline:
        return refused(file.name, line, LATE, statement=statement, timed_out=True)
    return refused(file.name, line, words_of(wrong), statement=statement, code=code_of(wrong), detail=values_of(wrong))
