"""Keys that a table is about to have, for tables that refer to it and are begun before it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from checks.rows.sets.language import Keys, MadeKeys
from checks.rows.sets.plan import Numbered, TablePlan
from checks.schema.model import Table
from checks.schema.names import TableName

#: The keys of tables that are made, or about to be, by table and column.
Made = dict[tuple[TableName, str], MadeKeys]


class PromiseBroken(Exception):
    """A parent has other keys than it was about to have; it is done now."""


def promised(made: Made, plan: TablePlan, rows: int) -> None:
    """Note that a table has rows of the numbers from 1 on, or is about to."""
    for source in plan.sources:
        if isinstance(source, Numbered):
            made[(plan.table.name, source.column)] = MadeKeys(plan.table, source, rows)


def forgotten(made: Made, table: Table) -> None:
    """Note that nobody knows a table's keys without looking."""
    for column in table.column:
        made.pop((table.name, column), None)


def heed(made: Made, keys: Iterable[Keys], wait: Callable[[], None]) -> None:
    """Wait for the parents whose keys were worked out, not read. Raises PromiseBroken where one has other keys."""
    foretold = [one.made for one in keys if one.made is not None]
    if foretold:
        wait()
    if any(made.get((one.table.name, one.source.column)) != one for one in foretold):
        raise PromiseBroken
