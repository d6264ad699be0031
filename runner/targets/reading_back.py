"""Has PostgreSQL read declared constraints, so that they can be compared with those that are there in its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from checks.declared.candidates import CheckCandidate, Part, UniqueCandidate
from checks.schema.model import Catalogue
from checks.schema.names import TableName
from checks.schema.postgresql import read
from checks.targets import ReadBack, StatementFailed
from runner.targets.sandbox import switch_off_event_triggers
from runner.targets.sessions import Driver, driver_of, failed

Declared = Sequence[CheckCandidate | UniqueCandidate]


def read_back(connection: Connection, declared: Declared) -> Sequence[ReadBack]:
    """Each as the catalogue would have it, put upon an empty copy of its table in a transaction that is rolled back.

    Raises psycopg's and SQLAlchemy's errors where no copy can be made.
    """
    driver = driver_of(connection)
    switch_off_event_triggers(driver)
    with driver.transaction(force_rollback=True):
        copies = _Copies(driver)
        refused = {number: answer for number, one in enumerate(declared) if (answer := _put(driver, copies, number, one))}
        catalogue = read(connection)
    return [refused.get(number) or _found(catalogue, copies.of[one.table], number) for number, one in enumerate(declared)]


class _Copies:
    """Empty tables with the columns of the real ones, each under its own name in a schema of ours."""

    def __init__(self, driver: Driver) -> None:
        self.of: dict[TableName, TableName] = {}
        self._driver = driver
        self._schemas: dict[str, str] = {}

    def copy(self, table: TableName) -> sql.Identifier:
        """The copy of a table, made when it is first wanted."""
        if table not in self.of:
            made = TableName(self._schema(table.schema), table.name)
            names = (sql.Identifier(made.schema, made.name), sql.Identifier(table.schema, table.name))
            self._driver.execute(sql.SQL("CREATE TABLE {} (LIKE {})").format(*names))
            self.of[table] = made
        return sql.Identifier(self.of[table].schema, table.name)

    def _schema(self, schema: str) -> str:
        if schema not in self._schemas:
            self._schemas[schema] = f"dbproof reads {len(self._schemas)}"
            self._driver.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(self._schemas[schema])))
        return self._schemas[schema]


def _put(driver: Driver, copies: _Copies, number: int, one: CheckCandidate | UniqueCandidate) -> StatementFailed | None:
    """Put a constraint upon the copy of its table; gives the server's refusal."""
    copy = copies.copy(one.table)
    try:
        with driver.transaction():
            # As a message that takes one statement only, whatever the settings say.
            driver.execute(_statement(driver, copy, _name(number), one), binary=True)
    except psycopg.Error as refusal:
        if driver.closed:
            raise
        return failed(refusal)
    return None


def _statement(driver: Driver, copy: sql.Identifier, name: str, one: CheckCandidate | UniqueCandidate) -> bytes:
    if isinstance(one, CheckCandidate):
        head = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} CHECK (").format(copy, sql.Identifier(name))
        return head.as_bytes(driver) + f"{one.expression}\n)".encode()
    head = sql.SQL("CREATE UNIQUE INDEX {} ON {} (").format(sql.Identifier(name), copy)
    parts = ", ".join(_part(driver, part) for part in one.parts)
    nulls = "" if one.nulls_distinct else " NULLS NOT DISTINCT"
    where = f" WHERE {one.predicate}" if one.predicate else ""
    return head.as_bytes(driver) + f"{parts}\n){nulls}{where}".encode()


def _part(driver: Driver, part: Part) -> str:
    return f"({part.text})" if part.expression else sql.Identifier(part.text).as_string(driver)


def _found(catalogue: Catalogue, copy: TableName, number: int) -> ReadBack:
    table = catalogue.table[copy]
    checks: Mapping[str, ReadBack] = {one.name: one for one in table.checks}
    return checks.get(_name(number)) or next(one for one in table.indexes if one.name == _name(number))


def _name(number: int) -> str:
    return f"dbproof_{number}"
