"""What else rows of a MariaDB table have to meet, beside what the catalogue says: its partitions, its periods."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from checks.rows.mariadb import shape
from checks.rows.shapes import Kind
from checks.schema.mariadb import read
from checks.schema.model import Catalogue, CheckConstraint, Index, Table

#: All rows of a statement that has no values.
Rows = Callable[[str], Sequence[tuple[Any, ...]]]

_PARTITIONS = """
SELECT table_name, partition_method, partition_expression, partition_description
FROM information_schema.partitions
WHERE table_schema = database() AND partition_method IS NOT NULL AND coalesce(subpartition_ordinal_position, 1) = 1
ORDER BY table_name, partition_ordinal_position
"""
#: A period that an application keeps: its name and its columns, as SHOW CREATE TABLE writes them.
_PERIOD = re.compile(r"^\s*PERIOD FOR `((?:[^`]|``)+)` \((`(?:[^`]|``)+`), (`(?:[^`]|``)+`)\)", re.MULTILINE)
#: Columns that the server itself fills in a table with a history.
_OF_HISTORY = frozenset({"ROW START", "ROW END"})


def catalogue(rows: Rows) -> Catalogue:
    """The catalogue of the session's own database, as far as rows have to meet it. Raises what ``rows`` does."""
    found = read(rows)
    bounds = _bounds(rows(_PARTITIONS))
    ((own,),) = rows("SELECT @@collation_database")
    tables = (_completed(table, bounds, rows) for table in found.tables)
    if str(own).startswith("utf8mb4_"):
        return replace(found, tables=tuple(tables))
    return replace(found, tables=tuple(_collated(table, str(own)) for table in tables))


def _collated(table: Table, own: str) -> Table:
    """With the database's own collation said of each text, where it has not the characters that sessions of ours have."""
    columns = (
        replace(column, collation=own)
        if column.collation is None and (shape(column).kind is Kind.TEXT or column.type.startswith(("enum", "set")))
        else column
        for column in table.columns
    )
    return replace(table, columns=tuple(columns))


def _completed(table: Table, bounds: Mapping[str, str], rows: Rows) -> Table:
    quoted = table.name.name.replace("`", "``")
    ((_, text, *_),) = rows(f"SHOW CREATE TABLE `{quoted}`")
    periods = (CheckConstraint(name, table.name, f"{start} < {end}") for name, start, end in _PERIOD.findall(text))
    gone = {column.name for column in table.columns if (column.default or "").upper() in _OF_HISTORY}
    return replace(
        table,
        columns=tuple(column for column in table.columns if column.name not in gone),
        primary_key=tuple(name for name in table.primary_key if name not in gone),
        indexes=tuple(_without(index, gone) for index in table.indexes),
        checks=(*table.checks, *periods),
        bound=bounds.get(table.name.name),
    )


def _without(index: Index, gone: Collection[str]) -> Index:
    kept = [(name, key) for name, key in zip(index.columns, index.keys, strict=True) if name not in gone]
    return replace(index, columns=tuple(name for name, _ in kept), keys=tuple(key for _, key in kept))


def _bounds(rows: Sequence[tuple[Any, ...]]) -> Mapping[str, str]:
    """What a row has to meet so that there is a partition for it, by table; nothing where there always is one."""
    parts: dict[str, list[tuple[str, str, str]]] = {}
    for name, *rest in rows:
        parts.setdefault(name, []).append((rest[0], str(rest[1]), str(rest[2])))
    return {name: condition for name, listed in parts.items() for condition in _bound(listed)}


def _bound(parts: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """Of ranges the last one ends them all; lists are told one by one."""
    method, expression, last = parts[-1]
    of_columns = f"({expression})" if method.endswith("COLUMNS") and "," in expression else expression
    if method.startswith("RANGE") and "MAXVALUE" not in last:
        yield f"{of_columns} < {f'({last})' if of_columns != expression else last}"
    if method.startswith("LIST") and not any(listed == "DEFAULT" for _, _, listed in parts):
        yield f"{of_columns} IN ({', '.join(listed for _, _, listed in parts)})"
