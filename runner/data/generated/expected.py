"""References that only the settings declare: rows that are made heed them as they do foreign keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from checks.declared.references import ExpectedReference
from checks.schema.model import Catalogue, ForeignKey, Table
from checks.schema.names import TableName
from checks.sql.orphans import key_of


def referring(catalogue: Catalogue, references: Sequence[ExpectedReference]) -> Catalogue:
    """The catalogue with a key for each reference that has none, where its columns are free and of their parents' types."""
    keys = [key_of(one) for one in dict.fromkeys(references) if one.table in catalogue.table and one.parent in catalogue.table]
    return replace(catalogue, tables=tuple(_with(keys, table, catalogue) for table in catalogue.tables)) if keys else catalogue


def _with(keys: Sequence[ForeignKey], table: Table, catalogue: Catalogue) -> Table:
    found = list(table.foreign_keys)
    for key in keys:
        taken = {name for one in found for name in one.columns}
        if key.table == table.name and not taken & set(key.columns) and _fits(key, catalogue):
            found.append(key)
    return replace(table, foreign_keys=tuple(found)) if len(found) > len(table.foreign_keys) else table


def _fits(key: ForeignKey, catalogue: Catalogue) -> bool:
    pairs = zip(key.columns, key.parent_columns, strict=True)
    return all(
        (mine := _type(key.table, name, catalogue)) is not None and mine == _type(key.parent, other, catalogue)
        for name, other in pairs
    )


def _type(table: TableName, name: str, catalogue: Catalogue) -> str | None:
    """The type of a column that takes a value, ``None`` where there is none."""
    column = catalogue.table[table].column.get(name)
    return None if column is None or column.generated else column.base or column.type
