"""Trials on SQLite: with everything in place on a copy with its rows, or of some constraints alone on a copy without any."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Executable

from checks.schema.model import Catalogue, Column, ForeignKey, Table
from checks.schema.names import ObjectKind, ObjectReference, TableName
from checks.schema.sqlite import affinity
from checks.targets import Accepted, Insert, Refused, StatementFailed, Verdict, Write
from runner.servers.sqlite.sessions import quoted
from runner.targets.sqlite_sessions import Session, failed
from runner.targets.sqlite_writes import composed, inserting

_FOREIGN_KEY = "SQLITE_CONSTRAINT_FOREIGNKEY"

Row = Mapping[str, Any]


def foreign_key(catalogue: Catalogue, reference: ObjectReference) -> ForeignKey | None:
    """The foreign key that is named, if it is one."""
    table = catalogue.table.get(TableName("", reference.relation))
    return next((key for key in (table.foreign_keys if table else ()) if key.reference == reference), None)


def prepare(session: Session, catalogue: Catalogue) -> None:
    """Take the rows and triggers out of a copy of our own, for trials of some constraints alone. Raises StatementFailed."""
    with session.limited():
        session.driver.execute("PRAGMA foreign_keys = off")
        for (name,) in session.driver.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            session.driver.execute(f"DROP TRIGGER {quoted(name)}")
        for table in catalogue.tables:
            session.driver.execute(f"DELETE FROM {quoted(table.name.name)}")  # noqa: S608 - the name is quoted


class _Writes:
    """What both kinds of trial do alike."""

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        self._session = session
        self._driver = session.driver
        self._catalogue = catalogue

    def rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement; raises StatementFailed."""
        with self._session.limited():
            return [tuple(row) for row in self._session.connection.execute(statement)]

    def _execute(self, statement: str, values: Sequence[Any] = ()) -> int:
        return self._driver.execute(statement, values).rowcount

    def _refused(self, table: TableName, refusal: Exception) -> Refused:
        """SQLite says where NULL was refused, which may be in a child; RESTRICT comes with the code of a trigger."""
        words = failed(refusal)
        if words.code == "SQLITE_CONSTRAINT_NOTNULL":
            where, column = self._place(words.said.partition(": ")[2])
            return Refused(words.code, "", words.said, where, column)
        if words.code == "SQLITE_CONSTRAINT_CHECK":
            return Refused(words.code, self._check(table, words.said), words.said, table.name)
        restricted = words.code == "SQLITE_CONSTRAINT_TRIGGER" and words.said == "FOREIGN KEY constraint failed"
        return Refused(_FOREIGN_KEY if restricted else words.code, "", words.said)

    def _place(self, said: str) -> tuple[str, str]:
        """The table and column of ``orders.total``; both may hold a dot."""
        places = ((table.name.name, column.name) for table in self._catalogue.tables for column in table.columns)
        return next((place for place in places if ".".join(place) == said), ("", ""))

    def _check(self, table: TableName, said: str) -> str:
        """SQLite names a CHECK, or quotes one that has no name."""
        named = said.partition(": ")[2]
        checks = self._catalogue.table[table].checks if table in self._catalogue.table else ()
        found = (check.name for check in checks if check.name == named or check.expression.strip() == named.strip())
        return next(found, named)


class WithEverything(_Writes):
    """One transaction on the filled copy, rolled back at the end; a savepoint for each write."""

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        super().__init__(session, catalogue)
        self._deferred = any(key.initially_deferred for key in catalogue.foreign_keys)
        self._done: list[Write] = []
        with session.limited():
            self._begin()

    def _begin(self) -> None:
        self._execute("PRAGMA foreign_keys = on")  # of no effect within a transaction
        self._execute("BEGIN IMMEDIATE")

    def end(self) -> None:
        """Undo everything."""
        if self._driver.in_transaction:
            self._driver.execute("ROLLBACK")

    def write(self, write: Write) -> Verdict:
        """Write; raises StatementFailed where it could not be tried."""
        with self._session.limited():
            before = self._orphans()
            self._execute("SAVEPOINT dbproof")
            try:
                rows = self._execute(*composed(write))
                if self._orphans() > before:
                    self._undo()
                    return Refused(_FOREIGN_KEY, "", "FOREIGN KEY constraint failed")
                self._execute("RELEASE dbproof")
            except sqlite3.Error as refusal:
                self._undo()
                return self._refused(write.table, refusal)
            self._done.append(write)
            return Accepted(rows)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """All is undone, and what was written before is written again."""
        before = list(self._done)
        try:
            yield
        finally:
            with self._session.limited():
                self.end()
                self._begin()
                self._done = before
                for write in before:
                    self._execute(*composed(write))

    def _orphans(self) -> int:
        """Foreign keys that are deferred would be looked at when the transaction ends."""
        return len(self._driver.execute("PRAGMA foreign_key_check").fetchall()) if self._deferred else 0

    def _undo(self) -> None:
        """A refusal may have ended the whole transaction (ON CONFLICT ROLLBACK, RAISE (ROLLBACK)): then all is done again."""
        if self._driver.in_transaction:
            self._execute("ROLLBACK TO dbproof")
            self._execute("RELEASE dbproof")
            return
        self._begin()
        for write in self._done:
            self._execute(*composed(write))


class Alone(_Writes):
    """Writes to a copy that was prepared (:func:`prepare`), each a transaction of its own, so that deferred keys answer.

    What cannot be taken away is met: a column that must have a value gets one that no other has, rows that other foreign keys
    want are put there, unique indexes that were made for themselves go. CHECKs are ignored unless one of them is tried.
    """

    def __init__(
        self, session: Session, catalogue: Catalogue, only: Sequence[ObjectReference], tables: Sequence[TableName] = ()
    ) -> None:
        super().__init__(session, catalogue)
        self._keys = [key for one in dict.fromkeys(only) if (key := foreign_key(catalogue, one)) is not None]
        self._only = frozenset(only)
        self._number = 0
        self._done: list[tuple[str, Sequence[Any]]] = []
        self._touched: set[TableName] = set()
        self._dropped: list[str] = []
        tables = tables or [TableName("", one.relation) for one in only]
        with session.limited():
            checks = [self._found(one) for one in only]
            self._execute("PRAGMA foreign_keys = off")
            self._execute(f"PRAGMA ignore_check_constraints = {'off' if any(checks) else 'on'}")
            for table in tables:
                self._drop_indexes(table)

    @classmethod
    @contextmanager
    def ended(cls, session: Session, catalogue: Catalogue, only: Sequence[ObjectReference]) -> Iterator[Alone]:
        """A trial for the length of the context."""
        trial = cls(session, catalogue, only)
        try:
            yield trial
        finally:
            trial.end()

    def end(self) -> None:
        """Empty everything again, and put back what was dropped."""
        self._execute("PRAGMA foreign_keys = off")
        self._empty()
        for sql in self._dropped:
            self._execute(sql)

    def write(self, write: Write) -> Verdict:
        """Write; raises StatementFailed where it could not be tried."""
        with self._session.limited():
            if isinstance(write, Insert):
                write = self._completed(write)
            self._execute(f"PRAGMA foreign_keys = {'on' if self._keys else 'off'}")
            statement = composed(write)
            self._touched.add(write.table)
            try:
                rows = self._execute(*statement)
                self._done.append(statement)
                return Accepted(rows)
            except sqlite3.Error as refusal:
                return self._named(self._refused(write.table, refusal))
            finally:
                self._execute("PRAGMA foreign_keys = off")

    def put_parent(self, key: ForeignKey, row: Row) -> None:
        """The row that a key wants, unless it refers to nothing or to the row itself."""
        wanted = dict(zip(key.parent_columns, (row.get(name) for name in key.columns), strict=True))
        itself = key.parent == key.table and all(row.get(name) == value for name, value in wanted.items())
        parent = self._catalogue.table.get(key.parent)
        if parent is not None and not itself and None not in wanted.values():
            statement = inserting(key.parent, self._filled(parent, wanted), "INSERT OR IGNORE")
            with self._session.limited():
                self._execute(*statement)
            self._touched.add(key.parent)
            self._done.append(statement)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """All tables are emptied, and what was written before is written again."""
        before = list(self._done)
        try:
            yield
        finally:
            with self._session.limited():
                self._empty()
                self._done = before
                for statement in before:
                    self._execute(*statement)

    def _found(self, one: ObjectReference) -> bool:
        """Whether it is a CHECK. Raises StatementFailed where it is nothing that could be tried alone."""
        table = self._catalogue.table.get(TableName("", one.relation))
        checks = {check.reference for check in table.checks} if table else set()
        unique = {index.name for index in table.indexes if index.unique} if table else set()
        keys = {key.reference for key in table.foreign_keys} if table else set()
        free = {index.name for index in table.indexes if index.unique and not index.constraint} if table else set()
        known = {
            ObjectKind.CONSTRAINT: one in checks or one in keys or one.name in unique - free,
            ObjectKind.INDEX: one.name in free,
            ObjectKind.COLUMN: True,
        }
        if not known.get(one.kind, False):
            raise StatementFailed(f"there is no {one.kind} {one.name} of {one.relation} that could be tried alone")
        return one in checks

    def _named(self, refused: Refused) -> Refused:
        """Without a name of SQLite's, a single key that is tried is the one that refused."""
        if refused.code != _FOREIGN_KEY or len(self._keys) != 1:
            return refused
        return Refused(refused.code, self._keys[0].name, refused.said, self._keys[0].table.name)

    def _completed(self, write: Insert) -> Insert:
        table = self._catalogue.table[write.table]
        row = self._filled(table, write.values)
        for key in table.foreign_keys if self._keys else ():
            if key not in self._keys:
                self.put_parent(key, row)
        return Insert(write.table, row)

    def _filled(self, table: Table, values: Row) -> Row:
        """A row with these values and others where there must be some, each of them new."""
        needed = [column for column in table.columns if _is_needed(column) and column.name not in values]
        first = self._number + 1
        self._number += len(needed)
        return {**{column.name: _value(column, number) for number, column in enumerate(needed, first)}, **values}

    def _drop_indexes(self, table: TableName) -> None:
        """Those that are not tried, and that no key which is tried refers to."""
        indexes = self._driver.execute(_INDEXES, (table.name,)).fetchall()
        referred = any(key.parent == table for key in self._keys)
        for name, sql in indexes:
            if not referred and ObjectReference(ObjectKind.INDEX, "", table.name, name) not in self._only:
                self._execute(f"DROP INDEX {quoted(name)}")
                self._dropped.append(sql)

    def _empty(self) -> None:
        """No other table has rows: what a rule changes was written before."""
        for table in self._touched:
            self._execute(f"DELETE FROM {quoted(table.name)}")  # noqa: S608 - the name is quoted


_INDEXES = """
SELECT idx.name, master.sql FROM pragma_index_list(?) idx
JOIN sqlite_master master ON master.type = 'index' AND master.name = idx.name AND master.sql IS NOT NULL
"""


def _is_needed(column: Column) -> bool:
    return not column.nullable and not column.generated and column.default is None


def _value(column: Column, number: int) -> int | str | bytes:
    match affinity(column.type):
        case "TEXT":
            return f"dbproof {number}"
        case "BLOB" if column.type:
            return f"dbproof {number}".encode()
    return number
