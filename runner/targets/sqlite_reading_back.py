"""Has SQLite take declared constraints, so that what it refuses is known; it keeps their text as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from checks.declared.candidates import CheckCandidate, UniqueCandidate
from checks.schema.model import Catalogue, Column, Table
from checks.schema.names import TableName
from checks.schema.sqlite import read
from checks.targets import ReadBack, StatementFailed
from runner.servers.sqlite.sessions import quoted
from runner.targets.sqlite_sessions import Session, failed

Declared = Sequence[CheckCandidate | UniqueCandidate]


def read_back(session: Session, tables: Catalogue, declared: Declared) -> Sequence[ReadBack]:
    """Each as the catalogue would have it, put upon an empty copy of its table in a transaction that is rolled back."""
    with session.limited():
        session.driver.execute("BEGIN IMMEDIATE")
        try:
            refused = {number: said for number, one in enumerate(declared) if (said := _put(session, tables, number, one))}
            catalogue = read(session.connection)
        finally:
            session.driver.execute("ROLLBACK")
    return [refused.get(number) or _found(catalogue, number, one) for number, one in enumerate(declared)]


def _put(session: Session, tables: Catalogue, number: int, one: CheckCandidate | UniqueCandidate) -> StatementFailed | None:
    copy = quoted(_name(number))
    columns = ", ".join(_column(column) for column in tables.table[one.table].columns)
    try:
        if isinstance(one, CheckCandidate):
            session.driver.execute(f"CREATE TABLE {copy} ({columns}, CHECK ({one.expression}\n))")
        else:
            session.driver.execute(f"CREATE TABLE {copy} ({columns})")
            session.driver.execute(_index(copy, quoted(f"{_name(number)} unique"), one))
    except sqlite3.Error as refusal:
        return failed(refusal)
    return None


def _column(column: Column) -> str:
    collation = f" COLLATE {quoted(column.collation)}" if column.collation else ""
    return f"{quoted(column.name)} {column.type}{collation}"


def _index(copy: str, name: str, one: UniqueCandidate) -> str:
    parts = ", ".join(f"({part.text})" if part.expression else quoted(part.text) for part in one.parts)
    where = f" WHERE {one.predicate}" if one.predicate else ""
    return f"CREATE UNIQUE INDEX {name} ON {copy} ({parts}\n){where}"


def _found(catalogue: Catalogue, number: int, one: CheckCandidate | UniqueCandidate) -> ReadBack:
    copy: Table = catalogue.table[TableName("", _name(number))]
    return copy.checks[0] if isinstance(one, CheckCandidate) else copy.indexes[0]


def _name(number: int) -> str:
    return f"dbproof {number}"
