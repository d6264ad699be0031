"""Tries writes on PostgreSQL and undoes them: a savepoint for each, in a transaction that never commits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Executable

from checks.schema.model import ObjectReference, TableName
from checks.targets import Accepted, Delete, Insert, Refused, Verdict, Write
from runner.targets.anatomy import Anatomies
from runner.targets.isolation import isolate
from runner.targets.sessions import Driver, driver_of, failed, said_plainly


class PostgresSandbox:
    """A session whose transaction is rolled back when the connection is given back; nothing of ours may commit in it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._driver = driver_of(connection)
        with said_plainly():
            _switch_off_event_triggers(self._driver)

    def attempt(self, write: Write, only: ObjectReference | None = None) -> Verdict:
        """Try a write and undo it; with ``only``, after taking away all else that could answer (see :mod:`.isolation`).

        A refusal by a partition's constraint is given the name and table of the declared one. Raises StatementFailed where
        the constraint could not be isolated or the session was lost: neither says anything about the write.
        """
        anatomies = self._anatomies
        with said_plainly(), self._driver.transaction(force_rollback=True):
            if only is not None:
                isolate(self._driver, anatomies, write.table, only)
            try:
                statement, values = _compose(write)
                rows = self._driver.execute(statement, values).rowcount
                self._driver.execute("SET CONSTRAINTS ALL IMMEDIATE")
            except psycopg.Error as refusal:
                if self._driver.closed:
                    raise
                return _refused(refusal, anatomies)
            return Accepted(rows)

    def rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement; raises StatementFailed, and the sandbox goes on."""
        with said_plainly(), self._driver.transaction(force_rollback=True):
            return [tuple(row) for row in self._connection.execute(statement)]

    @cached_property
    def _anatomies(self) -> Anatomies:
        with said_plainly():
            return Anatomies(self._driver)


def _refused(refusal: psycopg.Error, anatomies: Anatomies) -> Refused:
    diagnosis, words = refusal.diag, failed(refusal)
    relation, constraint = diagnosis.table_name or "", diagnosis.constraint_name or ""
    if constraint:
        declared = anatomies.declared(TableName(diagnosis.schema_name or "", relation), constraint)
        relation, constraint = declared.relation, declared.name
    return Refused(words.code, constraint, words.said, relation)


def _compose(write: Write) -> tuple[sql.Composed, list[Any]]:
    match write:
        case Insert():
            return _insert(write), list(write.values.values())
        case Delete():
            return _delete(write), list(write.key.values())


def _insert(write: Insert) -> sql.Composed:
    table = _identifier(write.table.schema, write.table.name)
    if not write.values:
        return sql.SQL("INSERT INTO {} DEFAULT VALUES").format(table)
    columns = sql.SQL(", ").join(map(_identifier, write.values))
    values = sql.SQL(", ").join([sql.Placeholder()] * len(write.values))
    return sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(table, columns, values)


def _delete(write: Delete) -> sql.Composed:
    if not write.key:
        raise ValueError("a row to delete is named by its key")
    table = _identifier(write.table.schema, write.table.name)
    equal = (sql.SQL("{} = {}").format(_identifier(column), sql.Placeholder()) for column in write.key)
    return sql.SQL("DELETE FROM {} WHERE {}").format(table, sql.SQL(" AND ").join(equal))


def _identifier(*names: str) -> sql.Identifier:
    """Quoted for a statement with placeholders, where the driver takes a single percent sign for the start of one."""
    return sql.Identifier(*(name.replace("%", "%%") for name in names))


def _switch_off_event_triggers(driver: Driver) -> None:
    """They would record, or refuse, what takes constraints away. A role that is no superuser has to live with them."""
    if driver.info.parameter_status("is_superuser") != "on":
        return
    for (name,) in driver.execute("SELECT evtname::text FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D'").fetchall():
        driver.execute(sql.SQL("ALTER EVENT TRIGGER {} DISABLE").format(sql.Identifier(name)))
