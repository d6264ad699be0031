"""A row of a table as it was compiled, with the parents that it wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from checks.rows.shapes import Row, Value
from checks.rows.terms import Condition
from checks.schema.model import Column, Table
from checks.schema.names import TableName


@dataclass(frozen=True)
class NewRow:
    """A row as it is inserted; columns that ``values`` does not name take their default."""

    table: TableName
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Compiled:
    """A row, and with it (``rows``, itself the last) the parents that it wants and that are not there yet, as they are inserted.

    ``breaks`` are the conditions that it does not meet, as nothing better was found, with what the server said where it could not
    work one out. ``orphan`` says which parent could not be
    made, and why; empty where there are all. ``found`` are values that rows which are there hold: they are somebody's.
    ``unknown`` are columns that must have a value, of types that none is known of: without them the row cannot go in. ``parents``
    are the new ones that it refers to itself.
    """

    table: Table
    row: Row
    rows: tuple[NewRow, ...]
    breaks: Mapping[Condition, str] = field(default_factory=dict)
    orphan: str = ""
    found: tuple[Value, ...] = ()
    unknown: tuple[Column, ...] = ()
    parents: tuple[Compiled, ...] = ()

    def of(self, table: Table) -> Iterator[Row]:
        """This row and the new ones above it that are of a table."""
        for parent in self.parents:
            yield from parent.of(table)
        if self.table.name == table.name:
            yield self.row
