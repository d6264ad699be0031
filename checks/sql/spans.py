"""References that hold because of how far their numbers go: a parent whose keys lack none in between has whatever lies within.

Cheaper than the join that counts orphans, and as sure: keys that are referred to are unique, so as many as lie between the first
and the last of them are all that there can be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import func, select

from checks.rows.missing import Read
from checks.schema.model import Catalogue, ForeignKey
from checks.schema.names import TableName
from checks.sql.statements import named, only

#: PostgreSQL's whole numbers; anything else may lie between two keys.
WHOLE = frozenset({"smallint", "integer", "bigint"})

_Span = tuple[int, int]


def held(keys: Sequence[ForeignKey], catalogue: Catalogue, read: Read) -> frozenset[ForeignKey]:
    """The references of PostgreSQL's that hold by their numbers alone; what is said of the others is nothing.

    One statement for each parent's key, and one for each child, which is read once. Raises StatementFailed.
    """
    parents: dict[tuple[TableName, str], _Span | None] = {}
    children: defaultdict[TableName, list[ForeignKey]] = defaultdict(list)
    for key in keys:
        if not _is_whole(key, catalogue):
            continue
        parent = (key.parent, key.parent_columns[0])
        if parent not in parents:
            parents[parent] = _without_gaps(*parent, catalogue, read)
        if parents[parent] is not None:
            children[key.table].append(key)
    found = (key for table, own in children.items() for key in _within(table, own, parents, catalogue, read))
    return frozenset(found)


def _is_whole(key: ForeignKey, catalogue: Catalogue) -> bool:
    """Whether a reference is of one whole number to another; rows that inherit are no parents, and partitions are not asked."""
    child, parent = catalogue.table.get(key.table), catalogue.table.get(key.parent)
    if child is None or parent is None or parent.partitioned or len(key.columns) != 1 or key.mismatch:
        return False
    columns = (child.column[key.columns[0]], parent.column[key.parent_columns[0]])
    return all((column.base or column.type) in WHOLE for column in columns)


def _without_gaps(table: TableName, column: str, catalogue: Catalogue, read: Read) -> _Span | None:
    """The first and the last key of a parent; ``None`` where one in between is missing, or there are none."""
    source = named(table, (column,), "parent")
    own = source.c[column]
    statement = select(func.count(own), func.min(own), func.max(own)).select_from(source)
    ((count, first, last),) = read(only(statement, source, catalogue.table[table]))
    return (int(first), int(last)) if count and last - first + 1 == count else None


def _within(
    table: TableName,
    keys: Sequence[ForeignKey],
    parents: dict[tuple[TableName, str], _Span | None],
    catalogue: Catalogue,
    read: Read,
) -> list[ForeignKey]:
    """Those of a child's references whose numbers all lie within the parent's."""
    names = list(dict.fromkeys(key.columns[0] for key in keys))
    source = named(table, names, "child")
    ends = [end(source.c[name]) for name in names for end in (func.min, func.max)]
    (row,) = read(only(select(*ends).select_from(source), source, catalogue.table[table]))
    spans = {name: (row[2 * place], row[2 * place + 1]) for place, name in enumerate(names)}
    found = []
    for key in keys:
        (least, most), parent = spans[key.columns[0]], parents[key.parent, key.parent_columns[0]]
        if parent is not None and (least is None or (parent[0] <= least and most <= parent[1])):
            found.append(key)
    return found
