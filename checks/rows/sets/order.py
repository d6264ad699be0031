"""In which order tables are filled: parents first, and which references have to wait where tables refer to each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from checks.schema.model import Catalogue, ForeignKey, Table
from checks.schema.names import TableName


@dataclass(frozen=True)
class Turn:
    """A table and its references: those whose parents have rows by then, and those that are filled in later."""

    table: Table
    keys: tuple[ForeignKey, ...]
    later: tuple[ForeignKey, ...] = ()


def turns(catalogue: Catalogue) -> Iterator[Turn]:
    """Every table that holds rows or whose partitions do, each once.

    In a circle the table goes first whose references into it may all be NULL; where none may, the one with the fewest.
    """
    waiting = {table.name: table for table in catalogue.tables if table.partition_of is None}
    keys = {name: _keys(table, catalogue) for name, table in waiting.items()}
    while waiting:
        ready = [name for name in waiting if not _missing(name, keys, waiting)]
        for name in ready or [_first_of_a_circle(keys, waiting)]:
            table = waiting.pop(name)
            later = tuple(key for key in keys[name] if key.parent in waiting)
            yield Turn(table, tuple(key for key in keys[name] if key not in later), later)


def has_a_parent(key: ForeignKey, catalogue: Catalogue) -> bool:
    """Whether there is a table with the columns that a reference means: not every engine asks for one."""
    parent = catalogue.table.get(key.parent)
    return parent is not None and set(key.parent_columns) <= set(parent.column)


def _keys(table: Table, catalogue: Catalogue) -> tuple[ForeignKey, ...]:
    return tuple(key for key in table.foreign_keys if key.enforced and has_a_parent(key, catalogue))


def _missing(
    name: TableName, keys: Mapping[TableName, tuple[ForeignKey, ...]], waiting: Mapping[TableName, Table]
) -> list[ForeignKey]:
    return [key for key in keys[name] if key.parent in waiting and key.parent != name]


def _first_of_a_circle(keys: Mapping[TableName, tuple[ForeignKey, ...]], waiting: Mapping[TableName, Table]) -> TableName:
    def strict(name: TableName) -> tuple[int, int]:
        missing = _missing(name, keys, waiting)
        held = sum(not _may_wait(key, waiting[name]) for key in missing)
        return held, len(missing)

    return min(waiting, key=strict)


def _may_wait(key: ForeignKey, table: Table) -> bool:
    return any(table.column[name].nullable for name in key.columns)
