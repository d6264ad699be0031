"""Tries writes on a copy of a SQLite database that holds the schema and no rows, with foreign keys enforced.

SQLite does not say which foreign key refused a row. So the row is tried twice: with its parent there it must be taken, without it
must be refused; nothing else differs. The parents that other keys want are there both times, CHECKs and triggers are not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Executable

from checks.schema.model import Catalogue, Column, ForeignKey, ObjectKind, ObjectReference, Table, TableName
from checks.schema.sqlite import affinity
from checks.targets import Accepted, Delete, Insert, Refused, StatementFailed, Verdict, Write
from runner.servers.sqlite.sessions import quoted
from runner.targets.sqlite_sessions import Session, failed

_Row = Mapping[str, Any]


class SqliteSandbox:
    """A session on a copy of our own, in which nothing has to be kept."""

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        self._session = session
        self._driver = session.driver
        self._catalogue = catalogue
        with session.limited():
            self._execute("PRAGMA foreign_keys = off")
            self._execute("PRAGMA ignore_check_constraints = on")
            self._triggers = self._driver.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in self._triggers:
                self._execute(f"DROP TRIGGER {quoted(name)}")
            self._empty()

    def attempt(self, write: Write, only: ObjectReference | None = None) -> Verdict:
        """Try a write and undo it; with ``only``, a foreign key, so that it alone can answer.

        Raises StatementFailed where a row that has its parent is refused too: that says nothing about the key.
        """
        with self._session.limited():
            match write:
                case Delete():
                    return self._within_a_transaction(*_delete(write))
                case Insert() if only is None:
                    return self._with_everything(write)
                case Insert():
                    return self._alone(write, only)

    def rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement; raises StatementFailed."""
        with self._session.limited():
            return [tuple(row) for row in self._session.connection.execute(statement)]

    def _alone(self, write: Insert, only: ObjectReference) -> Verdict:
        table = self._catalogue.table[write.table]
        key = next((key for key in table.foreign_keys if key.reference == only and only.kind is ObjectKind.CONSTRAINT), None)
        if key is None:
            raise StatementFailed(f"there is no foreign key {only.name} on {write.table.label()}")
        row = _filled(table, write.values)
        others = [parent for other in table.foreign_keys if other != key for parent in self._parent(other, row)]
        with_parent = self._tried(table, row, [*others, *self._parent(key, row)])
        if isinstance(with_parent, Refused):
            raise StatementFailed(f"the same row is refused with its parent there, too: {with_parent.said}", with_parent.code)
        answer = self._tried(table, row, others)
        if isinstance(answer, Refused) and answer.code == "SQLITE_CONSTRAINT_FOREIGNKEY":
            return Refused(answer.code, key.name, answer.said, key.table.name)
        return answer

    def _with_everything(self, write: Insert) -> Verdict:
        """With CHECKs and triggers in place again."""
        table = self._catalogue.table[write.table]
        self._execute("PRAGMA ignore_check_constraints = off")
        try:
            return self._within_a_transaction(*_insert(table.name, _filled(table, write.values)), self._triggers)
        finally:
            self._execute("PRAGMA ignore_check_constraints = on")

    def _tried(self, table: Table, row: _Row, parents: Sequence[tuple[TableName, _Row]]) -> Verdict:
        """Insert a row with its parents there, keys that are deferred included, and empty everything again."""
        try:
            for parent, values in parents:
                self._execute(*_insert(parent, values, "INSERT OR IGNORE"))
            return self._within_a_transaction(*_insert(table.name, row), committing=True)
        finally:
            self._empty()

    def _parent(self, key: ForeignKey, row: _Row) -> Iterator[tuple[TableName, _Row]]:
        """The row that a key wants, unless it refers to nothing or to the row itself."""
        wanted = dict(zip(key.parent_columns, (row.get(name) for name in key.columns), strict=True))
        itself = key.parent == key.table and all(row.get(name) == value for name, value in wanted.items())
        parent = self._catalogue.table.get(key.parent)
        if parent is not None and not itself and None not in wanted.values():
            yield key.parent, _filled(parent, wanted, first=1000)

    def _within_a_transaction(
        self, statement: str, values: Sequence[Any], triggers: Sequence[tuple[str, str]] = (), *, committing: bool = False
    ) -> Verdict:
        self._execute("PRAGMA foreign_keys = on")  # of no effect within a transaction
        self._execute("BEGIN IMMEDIATE")
        try:
            for _, sql in triggers:
                self._execute(sql)
            rows = self._driver.execute(statement, values).rowcount
            if committing:
                self._execute("COMMIT")
            return Accepted(rows)
        except sqlite3.Error as refusal:
            words = failed(refusal)
            return Refused(words.code, "", words.said)
        finally:
            if self._driver.in_transaction:
                self._execute("ROLLBACK")
            self._execute("PRAGMA foreign_keys = off")

    def _empty(self) -> None:
        for table in self._catalogue.tables:
            self._execute(f"DELETE FROM {quoted(table.name.name)}")  # noqa: S608 - the name is quoted

    def _execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._driver.execute(statement, values)


def _filled(table: Table, values: _Row, first: int = 1) -> _Row:
    """A row with these values and others where there must be some; each column gets another number."""
    return {
        **{column.name: _value(column, number) for number, column in enumerate(table.columns, first) if _is_needed(column)},
        **values,
    }


def _is_needed(column: Column) -> bool:
    return not column.nullable and not column.generated and column.default is None


def _value(column: Column, number: int) -> int | str | bytes:
    match affinity(column.type):
        case "TEXT":
            return f"dbproof {number}"
        case "BLOB" if column.type:
            return f"dbproof {number}".encode()
    return number


def _insert(table: TableName, row: _Row, verb: str = "INSERT") -> tuple[str, Sequence[Any]]:
    if not row:
        return f"{verb} INTO {quoted(table.name)} DEFAULT VALUES", ()
    columns, places = ", ".join(map(quoted, row)), ", ".join("?" * len(row))
    return f"{verb} INTO {quoted(table.name)} ({columns}) VALUES ({places})", tuple(row.values())


def _delete(write: Delete) -> tuple[str, Sequence[Any]]:
    if not write.key:
        raise ValueError("a row to delete is named by its key")
    where = " AND ".join(f"{quoted(name)} = ?" for name in write.key)
    return f"DELETE FROM {quoted(write.table.name)} WHERE {where}", tuple(write.key.values())  # noqa: S608 - quoted and bound
