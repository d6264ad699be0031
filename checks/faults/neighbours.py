"""Which tables have to do with a table: those that a check of it has to see, and those that a change of it reaches."""

from __future__ import annotations

from dataclasses import replace

from checks.faults.interface import Fault
from checks.schema.model import Catalogue
from checks.schema.names import TableName


def with_children(catalogue: Catalogue, *tables: TableName) -> frozenset[TableName]:
    """Tables with those that refer to them."""
    return frozenset(tables) | {key.table for key in catalogue.foreign_keys if key.parent in tables}


def around(catalogue: Catalogue, table: TableName) -> frozenset[TableName]:
    """A table with its children, their parents and all above those, and what they are partitioned into."""
    wanted = {table, *(key.table for key in catalogue.foreign_keys if key.parent == table)}
    open_ones = list(wanted)
    while open_ones:
        name = open_ones.pop()
        found = catalogue.table.get(name)
        if found is None:
            continue
        more = {key.parent for key in found.foreign_keys}
        more |= {part.name for part in catalogue.partitions.get(name, ())}
        more |= {found.partition_of} if found.partition_of else set()
        open_ones += more - wanted
        wanted |= more
    return frozenset(wanted)


def within(collection: str, fault: Fault) -> Fault:
    """A fault of one collection, for which a check need not see the others, and beside which theirs may stand."""
    alone = frozenset({TableName("", collection)})
    return replace(fault, tables=alone, touches=alone)
