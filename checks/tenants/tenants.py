"""Tenants as the probe of tenancy needs them: who has rows where, who is another, and what the application's role may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, TableClause, Text, and_, bindparam, cast, or_, select, text
from sqlalchemy import column as core_column
from sqlalchemy import table as core_table
from sqlalchemy.types import NullType

from checks.rows.missing import Read
from checks.rows.values import candidates
from checks.schema.model import Catalogue, Command, Table
from checks.schema.names import TableName
from checks.tenants.application import Application
from checks.tenants.declared import Tenancy
from checks.tenants.tables import Wall

#: A tenant: the value of each declared column that tells it from another, as text.
Tenant = Mapping[str, str]

#: How many tenants of a table are looked at.
_MANY = 20


@dataclass(frozen=True)
class Rights:
    """What the application's role may do with one table; ``updates`` are the columns that it may change."""

    commands: frozenset[Command]
    updates: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.commands)


def rights(application: Application, role: str) -> Mapping[TableName, Rights]:
    """The rights of a role to every table that it has any to. Raises StatementFailed."""
    found: dict[TableName, Rights] = {}
    for schema, name, selects, inserts, deletes, columns in application.seen(text(_RIGHTS).bindparams(role=role)):
        given = {Command.SELECT: selects, Command.INSERT: inserts, Command.UPDATE: bool(columns), Command.DELETE: deletes}
        commands = frozenset(command for command, may in given.items() if may)
        if commands:
            found[TableName(schema, name)] = Rights(commands, frozenset(columns))
    return found


def source(table: Table | TableName, *columns: str) -> TableClause:
    """A table with some of its columns, to read and to change: their values are bound without a type."""
    name = table.name if isinstance(table, Table) else table
    return core_table(name.name, *(core_column(one, NullType()) for one in dict.fromkeys(columns)), schema=name.schema or None)


def value(given: str | None) -> Any:  # noqa: ANN401 - a parameter, whatever SQLAlchemy calls it
    """A text that the column it is compared with, or put into, reads as its own type."""
    return bindparam(None, given, NullType(), unique=True)


def of(table: FromClause, wall: Wall, tenant: Tenant) -> ColumnElement[bool]:
    """Whether a row is this tenant's."""
    return and_(*(table.c[column] == value(tenant[name]) for name, column in wall.items()))


def of_another(table: FromClause, wall: Wall, tenant: Tenant) -> ColumnElement[bool]:
    """Whether a row is somebody else's: what names no tenant is nobody's."""
    given = (table.c[column].is_not(None) for column in wall.values())
    return and_(*given, or_(*(table.c[column].is_distinct_from(value(tenant[name])) for name, column in wall.items())))


def with_rows(read: Read, table: Table, wall: Wall) -> Sequence[Tenant]:
    """The first tenants that have rows in a table. Raises StatementFailed."""
    rows = source(table, *wall.values())
    columns = [rows.c[column] for column in wall.values()]
    statement = select(*(cast(column, Text) for column in columns)).where(*(column.is_not(None) for column in columns))
    found = read(statement.group_by(*columns).order_by(*columns).limit(_MANY))
    return [dict(zip(wall, row, strict=True)) for row in found]


def known_tenants(read: Read, tables: Sequence[tuple[Table, Wall]], tenancy: Tenancy) -> Sequence[Tenant]:
    """The tenants that rows of any table name in full, those in most tables first, so that they have something of each other's.

    Raises StatementFailed.
    """
    met: dict[tuple[str, ...], int] = {}
    for table, wall in tables:
        if set(wall) == set(tenancy.wall):
            for tenant in with_rows(read, table, wall):
                key = tuple(tenant[name] for name in tenancy.wall)
                met[key] = met.get(key, 0) + 1
    ranked = sorted(met, key=lambda key: (-met[key], key))
    return [dict(zip(tenancy.wall, key, strict=True)) for key in ranked]


def invented_tenants(known: Sequence[Tenant], catalogue: Catalogue, tenancy: Tenancy) -> Sequence[Tenant]:
    """Two tenants that nobody is, of the types that the columns have; none where a type is not known."""
    found: list[dict[str, str]] = [{}, {}]
    for name in tenancy.wall:
        columns = [table.column[name] for table in catalogue.tables if name in table.column]
        taken = {tenant[name] for tenant in known}
        thought = next(
            (free for column in columns if len(free := [one for one in candidates(column) if one not in taken]) > 1), None
        )
        if thought is None:
            return ()
        for tenant, given in zip(found, thought, strict=False):
            tenant[name] = given
    return found


def another(tenant: Tenant, wall: Wall, tenants: Sequence[Tenant]) -> Tenant | None:
    """The tenant that is most like this one and yet another by a table's wall: what tells them apart is the least there is."""
    others = [one for one in tenants if any(one[name] != tenant[name] for name in wall)]
    return max(others, key=lambda one: alike(one, tenant), default=None)


def alike(one: Tenant, other: Tenant) -> int:
    """In how many columns two tenants are the same."""
    return sum(one[name] == other.get(name) for name in one)


def completed(tenant: Tenant, tenants: Sequence[Tenant]) -> Tenant | None:
    """A tenant in full, of which a table tells only a part."""
    return next((one for one in tenants if all(one[name] == said for name, said in tenant.items())), None)


_RIGHTS = """
SELECT nsp.nspname::text, rel.relname::text,
       pg_catalog.has_any_column_privilege(rol.oid, rel.oid, 'SELECT'),
       pg_catalog.has_any_column_privilege(rol.oid, rel.oid, 'INSERT'),
       pg_catalog.has_table_privilege(rol.oid, rel.oid, 'DELETE'), ARRAY(
         SELECT att.attname::text FROM pg_catalog.pg_attribute att
         WHERE att.attrelid = rel.oid AND att.attnum > 0 AND NOT att.attisdropped
           AND pg_catalog.has_column_privilege(rol.oid, rel.oid, att.attnum, 'UPDATE'))
FROM pg_catalog.pg_roles rol, pg_catalog.pg_class rel JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
WHERE rol.rolname = :role AND rel.relkind IN ('r', 'p', 'v', 'm') AND nsp.nspname !~ '^pg_'
  AND nsp.nspname <> 'information_schema' AND pg_catalog.has_schema_privilege(rol.oid, nsp.oid, 'USAGE')
"""
