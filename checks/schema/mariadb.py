"""Reads the catalogue of a MariaDB database, 10.6 or newer.

What MariaDB calls a schema is a database: tables of the database itself carry an empty one, a parent in another database of the
same server carries that one's name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from checks.schema.bookkeeping import BOOKKEEPING
from checks.schema.mariadb_queries import CHECKS, COLUMNS, INDEXES, KEYS, TABLES, TRIGGERS
from checks.schema.model import Action, Catalogue, CheckConstraint, Column, ForeignKey, Index, Table, Trigger
from checks.schema.names import TableName, no_table, unusable

#: All rows of a statement that has no values.
Read = Callable[[str], Sequence[tuple[Any, ...]]]

_Rows = Sequence[tuple[Any, ...]]
_LABEL = re.compile(r"'((?:[^']|'')*)'")
#: Widths for display, which say nothing of what fits: ``int(11)``.
_WIDTH = re.compile(r"\b(tinyint|smallint|mediumint|int|bigint)\(\d+\)")
_BOOKKEEPING = frozenset(name.lower() for name in BOOKKEEPING)


def read(rows: Read, leave_out: frozenset[TableName] = frozenset()) -> Catalogue:
    """The catalogue of the session's own database.

    Left out: views and sequences, :data:`BOOKKEEPING`, Alembic's table whatever its name, and the tables that ``leave_out``
    names. Raises what ``rows`` does.
    """
    columns, keys, checks, indexes, triggers = (_by_table(rows(query)) for query in (COLUMNS, KEYS, CHECKS, INDEXES, TRIGGERS))
    listed = [(TableName("", name), database_collation) for name, database_collation in rows(TABLES)]
    there = {name.name for name, _ in listed}
    tables = (
        Table(
            name=name,
            columns=tuple(_column(row, own) for row in columns.get(name.name, ())),
            primary_key=_primary_key(indexes.get(name.name, ())),
            foreign_keys=_foreign_keys(name, keys.get(name.name, ()), there),
            checks=tuple(CheckConstraint(row[0], name, row[1]) for row in checks.get(name.name, ())),
            indexes=_indexes(name, indexes.get(name.name, ()), {row[0] for row in checks.get(name.name, ())}),
            triggers=tuple(Trigger(row[0], name, row[1]) for row in triggers.get(name.name, ())),
        )
        for name, own in listed
    )
    return Catalogue(tuple(table for table in tables if _judged(table, leave_out)), "")


def plain_type(type_: str) -> str:
    """A type without its width for display: ``bigint unsigned`` for ``bigint(20) unsigned``."""
    return _WIDTH.sub(r"\1", type_)


def _by_table(rows: _Rows) -> Mapping[str, _Rows]:
    gathered: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for name, *rest in rows:
        gathered[name].append(tuple(rest))
    return gathered


def _judged(table: Table, leave_out: frozenset[TableName]) -> bool:
    of_alembic = [(column.name, column.nullable) for column in table.columns] == [("version_num", False)]
    return table.name.name.lower() not in _BOOKKEEPING and table.name not in leave_out and not of_alembic


def _column(row: tuple[Any, ...], own: str) -> Column:
    name, type_, nullable, default, extra, collation, expression = row
    generated = "GENERATED" in extra.upper()
    return Column(
        name=name,
        type=type_,
        nullable=nullable == "YES",
        default=expression if generated else None if default in (None, "NULL") else default,
        generated=generated,
        identity="auto_increment" in extra.lower(),
        collation=None if collation == own else collation,
        enum_labels=_labels(type_),
    )


def _labels(type_: str) -> tuple[str, ...]:
    if not type_.startswith("enum("):
        return ()
    return tuple(label.replace("''", "'") for label in _LABEL.findall(type_))


def _primary_key(rows: _Rows) -> tuple[str, ...]:
    return tuple(column for index, _, column, *_ in rows if index == "PRIMARY")


def _foreign_keys(table: TableName, rows: _Rows, there: set[str]) -> tuple[ForeignKey, ...]:
    """Each row is a column of a key. InnoDB lets a row pass where any column is NULL, whatever MATCH says."""
    found: list[ForeignKey] = []
    for name in dict.fromkeys(row[0] for row in rows):
        mine = [row for row in rows if row[0] == name]
        _, _, schema, parent, _, on_delete, on_update, idle = mine[0]
        name_of_parent, absent = TableName(schema, parent), not schema and parent not in there
        parent_columns = tuple(row[4] for row in mine)
        found.append(
            ForeignKey(
                name=name,
                table=table,
                columns=tuple(row[1] for row in mine),
                parent=name_of_parent,
                parent_columns=parent_columns,
                on_delete=Action(on_delete.lower()),
                on_update=Action(on_update.lower()),
                mismatch=no_table(name_of_parent) if absent else unusable(name_of_parent, parent_columns) if idle else "",
            )
        )
    return tuple(found)


def _indexes(table: TableName, rows: _Rows, checks: set[str]) -> tuple[Index, ...]:
    """A unique index is a constraint, unless a CHECK has that name: without one of its own each has its column's."""
    found: list[Index] = []
    for name in dict.fromkeys(row[0] for row in rows):
        mine = [row for row in rows if row[0] == name]
        _, unique, _, _, _, method, ignored = mine[0]
        primary = name == "PRIMARY"
        found.append(
            Index(
                name=name,
                table=table,
                columns=tuple(row[2] for row in mine),
                unique=bool(unique),
                primary=primary,
                method=method.lower(),
                definition=_definition(table, name, mine),
                keys=tuple(_key(row) for row in mine),
                traits=("ignored",) if ignored == "YES" else (),
                constraint="p" if primary else "u" if unique and name not in checks else None,
                number=len(found),
            )
        )
    return tuple(found)


def _key(row: tuple[Any, ...]) -> str:
    """A column with the length of its prefix, where only that is indexed, and its direction."""
    _, _, column, prefix, direction, *_ = row
    length = f"({prefix})" if prefix else ""
    return f"{_quoted(column)}{length} {'desc' if direction == 'D' else 'asc'}"


def _definition(table: TableName, name: str, rows: _Rows) -> str:
    columns, where = ", ".join(_key(row) for row in rows), _quoted(table.name)
    if name == "PRIMARY":
        return f"ALTER TABLE {where} ADD PRIMARY KEY ({columns})"
    return f"CREATE {'UNIQUE ' if rows[0][1] else ''}INDEX {_quoted(name)} ON {where} ({columns})"


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
