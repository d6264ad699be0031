"""Writes as SQLite's statements: identifiers quoted, values bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from checks.schema.names import TableName
from checks.targets import Delete, Insert, Update, Write
from runner.servers.sqlite.sessions import quoted

Row = Mapping[str, Any]


def composed(write: Write) -> tuple[str, Sequence[Any]]:
    """The statement of a write, and the values that are bound to it."""
    match write:
        case Insert():
            return inserting(write.table, write.values)
        case Update():
            changes, (where, key) = ", ".join(_equal(write.values)), _where(write.key)
            return f"UPDATE {quoted(write.table.name)} SET {changes} {where}", (*write.values.values(), *key)  # noqa: S608 - same
        case Delete():
            where, key = _where(write.key)
            return f"DELETE FROM {quoted(write.table.name)} {where}", key  # noqa: S608 - quoted and bound


def inserting(table: TableName, row: Row, verb: str = "INSERT") -> tuple[str, Sequence[Any]]:
    """The statement that inserts a row, in which columns that are not named take their default."""
    if not row:
        return f"{verb} INTO {quoted(table.name)} DEFAULT VALUES", ()
    columns, places = ", ".join(map(quoted, row)), ", ".join("?" * len(row))
    return f"{verb} INTO {quoted(table.name)} ({columns}) VALUES ({places})", tuple(row.values())


def _where(key: Row) -> tuple[str, Sequence[Any]]:
    if not key:
        raise ValueError("a row to change is named by its key")
    return f"WHERE {' AND '.join(_equal(key))}", tuple(key.values())


def _equal(row: Row) -> list[str]:
    return [f"{quoted(name)} = ?" for name in row]
