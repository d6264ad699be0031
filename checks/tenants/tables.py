"""Which tables hold tenants' rows, which hold the tenants themselves, and by what columns either say whose a row is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from checks.schema.model import Catalogue, ForeignKey, Table
from checks.schema.names import TableName
from checks.tenants.declared import Tenancy

#: The column of a table by which each declared column is told.
Wall = Mapping[str, str]


def judged_tables(catalogue: Catalogue, tenancy: Tenancy) -> list[Table]:
    """Every table that is to say whose its rows are: not shared, none of the tenants' own, no partition (its whole says it)."""
    apart = {*tenancy.shared, *tenants_tables(catalogue, tenancy)}
    return [table for table in catalogue.tables if table.name not in apart and table.partition_of is None]


def tenant_columns(catalogue: Catalogue, tenancy: Tenancy) -> list[tuple[Table, str]]:
    """Each declared column of every table that has it, save those of partitions and shared tables."""
    tables = (table for table in catalogue.tables if table.name not in tenancy.shared and table.partition_of is None)
    return [(table, name) for table in tables for name in tenancy.columns if name in table.column]


def tenants_tables(catalogue: Catalogue, tenancy: Tenancy) -> tuple[TableName, ...]:
    """The tables of the tenants themselves: those that are declared, else those that declared columns refer to by themselves."""
    if tenancy.tables:
        return tenancy.tables
    keys = (key for key in catalogue.foreign_keys if key.table not in tenancy.shared and key.parent not in tenancy.shared)
    found = (key.parent for key in keys if set(key.columns) <= set(tenancy.columns) and key.parent != key.table)
    return tuple(dict.fromkeys(found))


def walls(catalogue: Catalogue, tenancy: Tenancy) -> Mapping[TableName, Wall]:
    """Every table that says whose its rows are, with the column that says it for each declared one."""
    own = tenants_tables(catalogue, tenancy)
    found: dict[TableName, Wall] = {}
    for table in catalogue.tables:
        wall = {name: name for name in tenancy.columns if name in table.column}
        if table.name in own:
            wall = {**_referred(table.name, catalogue.foreign_keys, tenancy), **wall}
        if wall and table.name not in tenancy.shared:
            found[table.name] = {name: wall[name] for name in tenancy.columns if name in wall}
    return found


def telling(catalogue: Catalogue, tenancy: Tenancy) -> Mapping[TableName, Wall]:
    """The walls again, of the columns alone that tell two tenants apart, where a table has any."""
    found = walls(catalogue, tenancy).items()
    told = ((table, {name: column for name, column in wall.items() if name in tenancy.wall}) for table, wall in found)
    return {table: wall for table, wall in told if wall}


def _referred(tenants: TableName, keys: Sequence[ForeignKey], tenancy: Tenancy) -> Wall:
    """The columns of a table of tenants that declared columns of other tables refer to."""
    referring = [key for key in keys if key.parent == tenants and set(key.columns) <= set(tenancy.columns)]
    pairs = (pair for key in referring for pair in zip(key.columns, key.parent_columns, strict=True))
    return dict(reversed(list(pairs)))


def vouched(key: ForeignKey, found: Mapping[TableName, Wall]) -> frozenset[str]:
    """The declared columns that a foreign key itself compares: a child can name no parent that differs in them."""
    child, parent = found.get(key.table, {}), found.get(key.parent, {})
    pairs = set(zip(key.columns, key.parent_columns, strict=True))
    return frozenset(name for name in child if name in parent and (child[name], parent[name]) in pairs)
