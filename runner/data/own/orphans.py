"""Finds the first record whose parent is missing: servers say which key was broken when all rows are there, not by which row.

The file's records are put into a table of the session, numbered, and compared with the parents by a join.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from checks.schema.model import ForeignKey, Table
from checks.schema.names import TableName

#: The table of the session, and the column that numbers its rows.
ROWS = "dbproof_rows"
NUMBER = "dbproof_row"

Quote = Callable[[str], str]


def table_name(name: TableName, quote: Quote) -> str:
    """A table as it stands in a statement."""
    return f"{quote(name.schema)}.{quote(name.name)}" if name.schema else quote(name.name)


def question(key: ForeignKey, table: Table, rows: str, number: str, quote: Quote, *, twice: bool = True) -> str:
    """Asks for the number of the first record without a parent; where that is its own table, the records count too.

    ``twice`` says whether the records' table may stand in a statement twice; where not, the parent's table holds them already.
    """
    given = " AND ".join(f"c.{quote(column)} IS NOT NULL" for column in key.columns)
    equal = " AND ".join(
        f"p.{quote(parent)} = c.{quote(column)}" for parent, column in zip(key.parent_columns, key.columns, strict=True)
    )
    places = [table_name(key.parent, quote), *([rows] if key.parent == table.name and twice else [])]
    none = " AND ".join(f"NOT EXISTS (SELECT 1 FROM {place} p WHERE {equal})" for place in places)  # noqa: S608 - names, quoted
    return f"SELECT min(c.{number}) FROM {rows} c WHERE {given} AND {none}"  # noqa: S608 - names, quoted


def keys_of(table: Table, constraint: str) -> Sequence[ForeignKey]:
    """The key that was named, else all of them."""
    named = [key for key in table.foreign_keys if key.name == constraint]
    return named or table.foreign_keys
