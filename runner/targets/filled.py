"""Which tables hold rows, whatever the statistics say."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Exists, exists, literal_column, select
from sqlalchemy import table as core_table
from sqlalchemy.dialects.postgresql import array

from checks.schema.model import Catalogue, TableName

#: Tables asked about in one statement: it holds a lock on each and on its indexes until it ends.
_AT_ONCE = 250


def filled(connection: Connection, catalogue: Catalogue) -> frozenset[TableName]:
    """The tables of the catalogue that hold at least one row of their own, and the partitioned ones above them.

    Reads at most one row of each. Raises SQLAlchemy's DBAPIError.
    """
    holding = [table.name for table in catalogue.tables if not table.partitioned]
    found: set[TableName] = set()
    for start in range(0, len(holding), _AT_ONCE):
        found.update(_filled(connection, holding[start : start + _AT_ONCE]))
    for name in tuple(found):
        whole = catalogue.table[name].partition_of
        while whole is not None and whole in catalogue.table:
            found.add(whole)
            whole = catalogue.table[whole].partition_of
    return frozenset(found)


def _filled(connection: Connection, tables: Sequence[TableName]) -> Sequence[TableName]:
    answers = connection.execute(select(array([_holds_rows(name) for name in tables]))).scalar_one()
    connection.rollback()
    return [name for name, holds_rows in zip(tables, answers, strict=True) if holds_rows]


def _holds_rows(name: TableName) -> Exists:
    """Not of tables that inherit from it: their rows are theirs."""
    source = core_table(name.name, schema=name.schema)
    return exists(select(literal_column("1")).select_from(source).with_hint(source, "ONLY", "postgresql"))
