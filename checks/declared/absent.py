"""What the settings name and the database does not have."""

from __future__ import annotations

from collections.abc import Sequence

from checks.schema.model import Catalogue
from checks.schema.names import TableName, column_label

Side = tuple[TableName, Sequence[str]]


def absent(catalogue: Catalogue, *sides: Side) -> list[str]:
    """The tables, and the columns of those that are there, which a database does not have: ``column orders.buyer``."""
    return [name for table, columns in sides for name in _unknown(table, columns, catalogue)]


def _unknown(table: TableName, columns: Sequence[str], catalogue: Catalogue) -> list[str]:
    known = catalogue.table.get(table)
    if known is None:
        return [f"table {table.label()}"]
    return [f"column {column_label(table, (name,))}" for name in columns if name not in known.column]
