"""Tries writes on PostgreSQL and undoes them: a savepoint for each, in a transaction that never commits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Executable

from checks.schema.names import ObjectReference, TableName
from checks.targets import Accepted, Delete, Insert, Refused, Trial, Update, Verdict, Write
from runner.targets.anatomy import Anatomies
from runner.targets.isolation import isolate
from runner.targets.sessions import Driver, driver_of, failed, said_plainly


class PostgresTrial:
    """Writes in a savepoint of their own each, within the savepoint of the trial."""

    def __init__(self, connection: Connection, anatomies: Callable[[], Anatomies]) -> None:
        self._connection = connection
        self._driver = driver_of(connection)
        self._anatomies = anatomies

    def write(self, write: Write) -> Verdict:
        """Write, after deferred constraints were made to answer at once for the whole transaction.

        A refusal by a partition's constraint is given the name and table of the declared one. Raises StatementFailed where the
        session was lost.
        """
        statement, values = _compose(write)
        with said_plainly():
            try:
                with self._driver.transaction():
                    rows = self._driver.execute(statement, values).rowcount
            except psycopg.Error as refusal:
                if self._driver.closed:
                    raise
                return _refused(refusal, self._anatomies())
            return Accepted(rows)

    def rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement; raises StatementFailed, and the trial goes on."""
        with said_plainly(), self._driver.transaction(force_rollback=True):
            return [tuple(row) for row in self._connection.execute(statement)]

    @contextmanager
    def undone(self) -> Iterator[None]:
        """A savepoint that is rolled back."""
        with said_plainly(), self._driver.transaction(force_rollback=True):
            yield


class PostgresSandbox:
    """A session whose transaction is rolled back when the connection is given back; nothing of ours may commit in it.

    ``anatomies`` are what an earlier sandbox of the same database read, where nobody else changes it.
    """

    def __init__(self, connection: Connection, anatomies: Anatomies | None = None) -> None:
        self.anatomies = anatomies
        self._driver = driver_of(connection)
        self._trial = PostgresTrial(connection, lambda: self._anatomies)
        with said_plainly():
            switch_off_event_triggers(self._driver)
            self._driver.execute("SET CONSTRAINTS ALL IMMEDIATE")

    @contextmanager
    def trial(self, only: Sequence[ObjectReference] | None = None, tables: Sequence[TableName] = ()) -> Iterator[Trial]:
        """A savepoint that is rolled back; with ``only``, all else is taken away first (see :mod:`.isolation`).

        Raises StatementFailed where that cannot be done or the session was lost.
        """
        with self._tried(only, tables or _tables(only or ()), emptied=True):
            yield self._trial

    def attempt(self, write: Write, only: ObjectReference | None = None) -> Verdict:
        """A trial of one write, into a table that keeps its rows; raises StatementFailed as a trial does."""
        with self._tried(None if only is None else [only], [write.table], emptied=False):
            return self._trial.write(write)

    @contextmanager
    def _tried(self, only: Sequence[ObjectReference] | None, tables: Sequence[TableName], *, emptied: bool) -> Iterator[None]:
        anatomies = self._anatomies
        with said_plainly(), self._driver.transaction(force_rollback=True):
            if only is not None:
                isolate(self._driver, anatomies, tables, only, emptied=emptied)
            yield

    def rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement; raises StatementFailed, and the sandbox goes on."""
        return self._trial.rows(statement)

    @property
    def _anatomies(self) -> Anatomies:
        """Read once; not within a trial that has changed what hangs on the tables."""
        if self.anatomies is None:
            with said_plainly():
                self.anatomies = Anatomies(self._driver)
        return self.anatomies


def _tables(only: Sequence[ObjectReference]) -> Sequence[TableName]:
    return list(dict.fromkeys(TableName(one.schema, one.relation) for one in only))


def _refused(refusal: psycopg.Error, anatomies: Anatomies) -> Refused:
    diagnosis, words = refusal.diag, failed(refusal)
    relation, constraint = diagnosis.table_name or "", diagnosis.constraint_name or ""
    if constraint:
        declared = anatomies.declared(TableName(diagnosis.schema_name or "", relation), constraint)
        relation, constraint = declared.relation, declared.name
    return Refused(words.code, constraint, words.said, relation, diagnosis.column_name or "")


def _compose(write: Write) -> tuple[sql.Composed, list[Any]]:
    match write:
        case Insert():
            return _insert(write), list(write.values.values())
        case Update():
            return _update(write), [*write.values.values(), *write.key.values()]
        case Delete():
            return _delete(write), list(write.key.values())


def _insert(write: Insert) -> sql.Composed:
    table = _identifier(write.table.schema, write.table.name)
    if not write.values:
        return sql.SQL("INSERT INTO {} DEFAULT VALUES").format(table)
    columns = sql.SQL(", ").join(map(_identifier, write.values))
    values = sql.SQL(", ").join([sql.Placeholder()] * len(write.values))
    return sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(table, columns, values)


def _update(write: Update) -> sql.Composed:
    table = _identifier(write.table.schema, write.table.name)
    changes = sql.SQL(", ").join(_equal(write.values))
    return sql.SQL("UPDATE {} SET {} WHERE {}").format(table, changes, _where(write.key))


def _delete(write: Delete) -> sql.Composed:
    table = _identifier(write.table.schema, write.table.name)
    return sql.SQL("DELETE FROM {} WHERE {}").format(table, _where(write.key))


def _where(key: Mapping[str, Any]) -> sql.Composed:
    if not key:
        raise ValueError("a row to change is named by its key")
    return sql.SQL(" AND ").join(_equal(key))


def _equal(columns: Iterable[str]) -> list[sql.Composed]:
    return [sql.SQL("{} = {}").format(_identifier(column), sql.Placeholder()) for column in columns]


def _identifier(*names: str) -> sql.Identifier:
    """Quoted for a statement with placeholders, where the driver takes a single percent sign for the start of one."""
    return sql.Identifier(*(name.replace("%", "%%") for name in names))


def switch_off_event_triggers(driver: Driver) -> None:
    """They would record, or refuse, what takes constraints away. A role that is no superuser has to live with them."""
    if driver.info.parameter_status("is_superuser") != "on":
        return
    for (name,) in driver.execute("SELECT evtname::text FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D'").fetchall():
        driver.execute(sql.SQL("ALTER EVENT TRIGGER {} DISABLE").format(sql.Identifier(name)))
