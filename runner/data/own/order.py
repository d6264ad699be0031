"""In which order files of tables are loaded: parents before children; tables that refer to each other together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checks.schema.model import Catalogue, Table
from checks.schema.names import TableName
from runner.data.own.sources import RowFile


@dataclass(frozen=True)
class TableFile:
    """A file and the table that its rows belong to."""

    file: RowFile
    table: Table


#: Files that are loaded in one transaction.
Unit = tuple[TableFile, ...]


def in_order(files: Sequence[TableFile], catalogue: Catalogue) -> list[Unit]:
    """The files in units, parents first; among equals in the order that they came in."""
    parents = _parents(files, catalogue)
    waiting = list(files)
    found: list[Unit] = []
    while waiting:
        left = {one.table.name for one in waiting}
        ready = next((one for one in waiting if not parents[one.table.name] & left - {one.table.name}), None)
        unit = _circle(waiting, parents) if ready is None else (ready,)
        found.append(unit)
        waiting = [one for one in waiting if one not in unit]
    return found


def refers_to_itself(unit: Unit) -> bool:
    """Whether rows of a unit may refer to rows that come after them."""
    within = {one.table.name for one in unit}
    return any(key.parent in within for one in unit for key in one.table.foreign_keys)


def _parents(files: Sequence[TableFile], catalogue: Catalogue) -> Mapping[TableName, frozenset[TableName]]:
    """The tables that each table refers to; a partition's references stand on what it is a part of."""
    return {one.table.name: _of(one.table, catalogue) for one in files}


def _of(table: Table, catalogue: Catalogue) -> frozenset[TableName]:
    own = frozenset(key.parent for key in table.foreign_keys)
    above = catalogue.table.get(table.partition_of) if table.partition_of else None
    return own | _of(above, catalogue) if above is not None else own


def _circle(waiting: Sequence[TableFile], parents: Mapping[TableName, frozenset[TableName]]) -> Unit:
    """Tables that lead back to themselves, of which none but their own are waited for."""
    left = {one.table.name for one in waiting}
    reached = {name: _reached(name, parents, left) for name in left}
    circles = [{other for other in left if other in reached[name] and name in reached[other]} for name in left]
    first = min(
        (circle for circle in circles if circle and all(reached[name] <= circle for name in circle)),
        key=lambda circle: min(number for number, one in enumerate(waiting) if one.table.name in circle),
    )
    return tuple(one for one in waiting if one.table.name in first)


def _reached(name: TableName, parents: Mapping[TableName, frozenset[TableName]], left: set[TableName]) -> set[TableName]:
    found: set[TableName] = set()
    following = [name]
    while following:
        new = (parents[following.pop()] & left) - found
        found |= new
        following += new
    return found
