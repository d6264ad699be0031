"""Tries writes on a copy of a MariaDB database: in transactions with everything in place, or on tables of our own beside.

DDL commits in MariaDB, so nothing can be taken away from a table for a moment. What is tried alone is tried on a table of the
same columns in a database of our own on the copy's server, which has the constraints that are tried and no others; parents
outside of the trial stay where they are, with their rows.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pymysql
from sqlalchemy import Executable

from checks.schema.model import Catalogue
from checks.schema.names import ObjectReference, TableName
from checks.targets import Accepted, Delete, Insert, Refused, StatementFailed, Trial, Update, Verdict, Write
from runner.servers.mariadb.sessions import code_of, quoted, words_of
from runner.targets.mariadb_parts import Alone
from runner.targets.mariadb_sessions import Session

#: What InnoDB says when a foreign key refuses: a child without a parent, a parent with children.
_OF_KEYS = frozenset({"1452", "1451"})
_NAME = r"`((?:[^`]|``)*)`"
_KEY = re.compile(rf"\({_NAME}\.{_NAME}, CONSTRAINT {_NAME} FOREIGN KEY")
_CHECK = re.compile(rf"CONSTRAINT `((?:[^`]|``)*)` failed for {_NAME}\.{_NAME}")
_DUPLICATE = re.compile(r"for key '([^']*)'$")
_COLUMN = re.compile(r"^(?:Column|Field) '(.*)' (?:cannot be null|doesn't have a default value)$", re.DOTALL)
_NO_TABLE = re.compile(r"^Table '(.*)' doesn't exist$", re.DOTALL)
_TRANSACTIONAL = "InnoDB"


class MariadbSandbox:
    """A session on a copy of our own; one trial at a time."""

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        self._session = session
        self._catalogue = catalogue
        with session.said_plainly():
            session.execute("SET SESSION foreign_key_checks = 1, check_constraint_checks = 1, unique_checks = 1")
            self._own = str(session.all("SELECT database()")[0][0])
            self._engines = dict(session.all(_ENGINES))

    @contextmanager
    def trial(self, only: Sequence[ObjectReference] | None = None, tables: Sequence[TableName] = ()) -> Iterator[Trial]:
        """Writes that are undone at the end; with ``only``, on tables of our own that have nothing else.

        Raises StatementFailed where something that ``only`` names is not there, or the server does not take such a table.
        """
        with self._beside(only, tables) if only is not None else self._within() as trial:
            yield trial

    def attempt(self, write: Write, only: ObjectReference | None = None) -> Verdict:
        """A trial of one write."""
        with self.trial(None if only is None else [only]) as trial:
            return trial.write(write)

    def rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement; raises StatementFailed."""
        return self._session.rows(statement)

    @contextmanager
    def _within(self) -> Iterator[Trial]:
        """One transaction, with the real rows and everything in place."""
        with self._session.said_plainly():
            self._session.execute("START TRANSACTION")
        try:
            yield _Trial(self._session, self._engines)
        finally:
            with suppress(pymysql.err.Error, OSError):
                self._session.execute("ROLLBACK")

    @contextmanager
    def _beside(self, only: Sequence[ObjectReference], tables: Sequence[TableName]) -> Iterator[Trial]:
        """Empty tables in a database of their own, under their own names."""
        name = f"dbproof_{secrets.token_hex(4)}"
        alone = Alone(self._catalogue, self._own, only, tables, self._engines)
        statements = alone.statements()
        try:
            with self._session.said_plainly():
                for statement in (f"CREATE DATABASE {quoted(name)}", f"USE {quoted(name)}", "SET foreign_key_checks = 0"):
                    self._session.execute(statement)
                for statement in statements:
                    self._session.execute(statement)
                self._session.execute("SET foreign_key_checks = 1")
                self._session.execute("START TRANSACTION")
            yield _Trial(self._session, {table.name: _TRANSACTIONAL for table in alone.tables}, (name, self._own))
        finally:
            with suppress(pymysql.err.Error, OSError):
                for statement in ("ROLLBACK", f"USE {quoted(self._own)}", f"DROP DATABASE IF EXISTS {quoted(name)}"):
                    self._session.execute(statement)


class _Trial:
    """A transaction under way; a savepoint for each write. ``beside`` are the database of our own and the one that it is for."""

    def __init__(self, session: Session, engines: dict[str, str], beside: tuple[str, str] | None = None) -> None:
        self._session = session
        self._engines = engines
        self._beside = beside

    def write(self, write: Write) -> Verdict:
        """Write; raises StatementFailed where the session was lost, or where the table's engine could not undo it."""
        engine = self._engines.get(write.table.name)
        if engine is not None and engine != _TRANSACTIONAL:
            why = f"{write.table.label()} is kept by {engine}, which undoes nothing"
            raise StatementFailed(why, gap=why)
        with self._session.said_plainly():
            self._session.execute("SAVEPOINT dbproof")
            try:
                return Accepted(self._session.execute(*_composed(write)))
            except pymysql.err.Error as refusal:
                if not code_of(refusal):
                    raise
                self._session.execute("ROLLBACK TO SAVEPOINT dbproof")
                return _refused(refusal, write.table)

    def rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement; tables that the trial does not have are read where they are."""
        missing = set[str]()
        while True:
            try:
                return self._session.rows(statement)
            except StatementFailed as failure:
                name = self._missing(failure)
                if name is None or name in missing:
                    raise
                missing.add(name)
                self._show(name)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """A savepoint that is rolled back."""
        with self._session.said_plainly():
            self._session.execute("SAVEPOINT dbproof_part")
        try:
            yield
        finally:
            with suppress(pymysql.err.Error, OSError):
                self._session.execute("ROLLBACK TO SAVEPOINT dbproof_part")

    def _missing(self, failure: StatementFailed) -> str | None:
        found = _NO_TABLE.match(failure.said) if failure.code == "1146" and self._beside else None
        return found[1].removeprefix(f"{self._beside[0]}.") if found and self._beside else None

    def _show(self, name: str) -> None:
        """A temporary table would end no transaction, and could be read only once in a statement; so it is a view, made apart."""
        if self._beside is None:
            return
        ours, theirs = self._beside
        with self._session.said_plainly():
            self._session.beside(f"CREATE VIEW {quoted(ours)}.{quoted(name)} AS SELECT * FROM {quoted(theirs)}.{quoted(name)}")  # noqa: S608 - quoted


def _refused(refusal: BaseException, table: TableName) -> Refused:
    code, said = code_of(refusal), words_of(refusal)
    if code in _OF_KEYS and (found := _KEY.search(said)):
        return Refused(code, _plain(found[3]), said, _plain(found[2]))
    if code == "4025" and (found := _CHECK.search(said)):
        name = _plain(found[1])
        return Refused(code, name.removeprefix(f"{_plain(found[3])}."), said, _plain(found[3]))
    if code == "1062" and (found := _DUPLICATE.search(said)):
        return Refused(code, found[1], said, table.name)
    if found := _COLUMN.match(said):
        return Refused(code, "", said, table.name, found[1])
    return Refused(code, "", said)


def _plain(name: str) -> str:
    return name.replace("``", "`")


def _composed(write: Write) -> tuple[str, Sequence[Any]]:
    table = _escaped(write.table.name)
    if write.table.schema:
        table = f"{_escaped(write.table.schema)}.{table}"
    match write:
        case Insert():
            columns, places = ", ".join(map(_escaped, write.values)), ", ".join(["%s"] * len(write.values))
            return f"INSERT INTO {table} ({columns}) VALUES ({places})", tuple(write.values.values())  # noqa: S608 - quoted, bound
        case Update():
            changes, where = ", ".join(_equal(write.values)), _where(write.key)
            return f"UPDATE {table} SET {changes} {where}", (*write.values.values(), *write.key.values())  # noqa: S608 - the same
        case Delete():
            return f"DELETE FROM {table} {_where(write.key)}", tuple(write.key.values())  # noqa: S608 - the same


def _where(key: Any) -> str:  # noqa: ANN401 - a mapping
    if not key:
        raise ValueError("a row to change is named by its key")
    return f"WHERE {' AND '.join(_equal(key))}"


def _equal(values: Any) -> list[str]:  # noqa: ANN401 - a mapping
    return [f"{_escaped(name)} = %s" for name in values]


def _escaped(name: str) -> str:
    """Quoted for a statement with placeholders, where the driver takes a single percent sign for the start of one."""
    return quoted(name).replace("%", "%%")


_ENGINES = "SELECT table_name, engine FROM information_schema.tables WHERE table_schema = database() AND engine IS NOT NULL"
