"""Reads the catalogue of a PostgreSQL database, 12 to 18, in seven queries whatever its size.

Only system catalogues are read, so any role may do it, also in a read-only session. Names of types and expressions are
written with their schema, whatever the session's ``search_path`` is: the same database always reads the same.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Sequence as Cells
from typing import Any, TypeVar

from sqlalchemy import Connection, TextClause, text

from checks.schema import postgresql_queries as queries
from checks.schema.bookkeeping import BOOKKEEPING
from checks.schema.model import (
    Action,
    Catalogue,
    CheckConstraint,
    Column,
    Command,
    DomainCheck,
    Firing,
    ForeignKey,
    Index,
    Match,
    Policy,
    Sequence,
    Table,
    Trigger,
)
from checks.schema.names import TableName

_ACTIONS = {
    "a": Action.NO_ACTION,
    "r": Action.RESTRICT,
    "c": Action.CASCADE,
    "n": Action.SET_NULL,
    "d": Action.SET_DEFAULT,
}
_COMMANDS = {
    "*": Command.ALL,
    "r": Command.SELECT,
    "a": Command.INSERT,
    "w": Command.UPDATE,
    "d": Command.DELETE,
}
_FIRING = {"O": Firing.ON, "A": Firing.ON, "R": Firing.REPLICATION, "D": Firing.OFF}
_MATCHES = {"s": Match.SIMPLE, "f": Match.FULL, "p": Match.PARTIAL}

Row = Cells[Any]
Names = Mapping[int, TableName]
PartT = TypeVar("PartT")


def read(connection: Connection, leave_out: frozenset[TableName] = frozenset()) -> Catalogue:
    """The catalogue as ``connection`` sees it.

    Left out: the system's schemas, temporary tables, foreign tables, what belongs to an extension, :data:`BOOKKEEPING`,
    Alembic's table whatever its name, and the tables that ``leave_out`` names. What a partition inherits from its partitioned
    table (foreign keys, CHECKs) stands there only. Raises SQLAlchemy's DBAPIError.
    """
    schema, path = connection.execute(text(queries.SESSION)).one()
    connection.execute(text(queries.SET_PATH), {"path": ""})
    tables = _tables(connection, leave_out)
    connection.execute(text(queries.SET_PATH), {"path": path})
    return Catalogue(tables, schema)


def _tables(connection: Connection, leave_out: frozenset[TableName]) -> tuple[Table, ...]:
    relations = [row for row in connection.execute(text(queries.RELATIONS)) if _judged(TableName(row[1], row[2]), leave_out)]
    relations.sort(key=lambda row: (row[1], row[2]))
    names = {row[0]: TableName(row[1], row[2]) for row in relations}
    oids = {"relations": list(names)}

    def parts(query: TextClause, build: Callable[[TableName, Row], PartT]) -> Mapping[int, tuple[PartT, ...]]:
        return _grouped(connection.execute(query, oids), names, build)

    columns = parts(text(queries.COLUMNS), lambda _, row: _column(row))
    keys = parts(_from_18(connection, _columns_of_rules(connection, queries.FOREIGN_KEYS)), _foreign_key)
    checks = parts(_from_18(connection, queries.CHECKS), _check)
    indexes = parts(_from_15(connection, queries.INDEXES), _index)
    sequences = parts(text(queries.SEQUENCES), lambda _, row: Sequence(*row))
    return tuple(
        Table(
            name=names[oid],
            columns=columns.get(oid, ()),
            primary_key=_primary_key(indexes.get(oid, ())),
            foreign_keys=keys.get(oid, ()),
            checks=checks.get(oid, ()),
            indexes=indexes.get(oid, ()),
            sequences=sequences.get(oid, ()),
            partitioned=partitioned,
            partition_of=None if whole is None else TableName(whole_schema, whole),
            triggers=tuple(_trigger(names[oid], row) for row in json.loads(triggers or "[]")),
            policies=tuple(_policy(names[oid], row) for row in json.loads(policies or "[]")),
            row_security=on,
            forced=forced,
            owner=owner,
            bound=bound,
        )
        for oid, _, _, partitioned, whole_schema, whole, triggers, policies, on, forced, owner, bound in relations
        if not _of_alembic(columns.get(oid, ()))
    )


def _judged(table: TableName, leave_out: frozenset[TableName]) -> bool:
    return table.name not in BOOKKEEPING and table not in leave_out


def _of_alembic(columns: tuple[Column, ...]) -> bool:
    """Alembic's own table under a name of the project's (``version_table``): one text column of this name and nothing else."""
    return [(column.name, column.nullable) for column in columns] == [("version_num", False)] and (
        columns[0].type.startswith("character varying")
    )


def _primary_key(indexes: tuple[Index, ...]) -> tuple[str, ...]:
    """The columns of the index that stands for it; none of them is an expression."""
    return next((tuple(name for name in index.columns if name is not None) for index in indexes if index.primary), ())


def _grouped(rows: Iterable[Row], names: Names, build: Callable[[TableName, Row], PartT]) -> Mapping[int, tuple[PartT, ...]]:
    """Rows that begin with their table's oid, built and gathered by it."""
    gathered: defaultdict[int, list[PartT]] = defaultdict(list)
    for oid, *rest in rows:
        gathered[oid].append(build(names[oid], rest))
    return {oid: tuple(found) for oid, found in gathered.items()}


def _column(row: Row) -> Column:
    name, formatted, nullable, default, generated, identity, collation, base, labels, element, rules = row
    checks = tuple(DomainCheck(*rule) for rule in json.loads(rules or "[]"))
    return Column(name, formatted, nullable, default, generated, identity, collation, base, tuple(labels or ()), element, checks)


def _foreign_key(table: TableName, row: Row) -> ForeignKey:
    name, columns, schema, parent, parent_columns, operators, delete, update, match, *switches, delete_columns, off = row
    deferrable, deferred, validated, enforced, period = switches
    tables = {work: tuple(TableName(*table) for table in listed) for work, listed in json.loads(off or "{}").items()}
    return ForeignKey(
        name=name,
        table=table,
        columns=tuple(columns),
        parent=TableName(schema, parent),
        parent_columns=tuple(parent_columns),
        operators=tuple(operators),
        on_delete=_ACTIONS[delete],
        on_update=_ACTIONS[update],
        match=_MATCHES[match],
        deferrable=deferrable,
        initially_deferred=deferred,
        validated=validated,
        enforced=enforced,
        period=period,
        switched_off=tables.get("check", ()),
        delete_off=tables.get("delete", ()),
        update_off=tables.get("update", ()),
        delete_columns=tuple(delete_columns),
    )


def _check(table: TableName, row: Row) -> CheckConstraint:
    name, expression, validated, enforced = row
    return CheckConstraint(name, table, expression, validated, enforced)


def _index(table: TableName, row: Row) -> Index:
    name, columns, unique, primary, predicate, valid, method, definition, part_of, *more = row
    keys, included, traits, constraint, relied_on, number = more
    return Index(
        name=name,
        table=table,
        columns=tuple(columns),
        unique=unique,
        primary=primary,
        predicate=predicate,
        valid=valid,
        method=method,
        definition=definition,
        part_of=part_of,
        keys=tuple(keys),
        included=tuple(included),
        traits=tuple(sorted(traits)),
        constraint=constraint,
        relied_on=relied_on,
        number=number,
    )


def _trigger(table: TableName, row: Row) -> Trigger:
    name, definition, enabled, inherited = row
    return Trigger(name, table, definition, _FIRING[enabled], inherited)


def _policy(table: TableName, row: Row) -> Policy:
    name, command, permissive, roles, using, check = row
    return Policy(name, table, _COMMANDS[command], permissive, tuple(roles), using, check)


def _from_15(connection: Connection, query: str) -> TextClause:
    """A query of pg_index, with what held before PostgreSQL 15 in place of the column that came with it."""
    if (connection.dialect.server_version_info or ()) >= (15,):
        return text(query)
    return text(query.replace("idx.indnullsnotdistinct", "false"))


def _columns_of_rules(connection: Connection, query: str) -> str:
    """The columns that ON DELETE SET NULL changes could be named from PostgreSQL 15 on."""
    if (connection.dialect.server_version_info or ()) >= (15,):
        return query
    return query.replace("con.confdelsetcols", "NULL::int2[]")


def _from_18(connection: Connection, query: str) -> TextClause:
    """A query of pg_constraint, with what held before PostgreSQL 18 in place of the columns that came with it."""
    if (connection.dialect.server_version_info or ()) >= (18,):
        return text(query)
    return text(query.replace("con.conenforced", "true").replace("con.conperiod", "false"))
