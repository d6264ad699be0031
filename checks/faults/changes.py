"""Changes to the rows of a table that are tried until one of them breaks what is said about the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.faults import sql
from checks.faults.interface import Scene, Way
from checks.interface import Engine
from checks.schema.model import Column, Table
from checks.schema.names import TableName

_NUMBERS = re.compile(r"smallint|integer|bigint|numeric|decimal|real|double|float|int\b", re.IGNORECASE)
_TIMES = re.compile(r"date|time", re.IGNORECASE)
_TEXTS = re.compile(r"char|text|clob", re.IGNORECASE)


def changes(scene: Scene, table: Table, about: str) -> Iterator[Way]:
    """Another value in all rows for each column that ``about`` (a query, a condition) names."""
    return _changes(scene, table, about, "true")


def changes_of_one(scene: Scene, table: Table, about: str) -> Iterator[Way]:
    """The same in one row, which may be all that a key leaves room for; in all rows of a table without a key."""
    if not table.primary_key:
        return changes(scene, table, about)
    key = sql.names(scene.engine, table.primary_key)
    first = sql.select(key, sql.table(scene.engine, table.name), f"ORDER BY {key} LIMIT 1")
    return _changes(scene, table, about, f"({key}) IN ({sql.select('*', f'({first}) AS one')})")


def _changes(scene: Scene, table: Table, about: str, rows: str) -> Iterator[Way]:
    where = sql.table(scene.engine, table.name)
    for column in table.columns:
        if column.generated or not re.search(rf"(?<!\w){re.escape(column.name)}(?!\w)", about, re.IGNORECASE):
            continue
        called = sql.name(scene.engine, column.name)
        for value in _values(column, called, where):
            change = sql.update(where, f"{called} = {value}", rows)
            if value == "NULL" and not column.nullable and scene.engine is not Engine.SQLITE:
                yield sql.nullable(scene.engine, table.name, column), change
            else:
                yield (change,)


def _values(column: Column, called: str, where: str) -> Iterator[str]:
    """More or less of it, no text or more of it, now, all the same, each of an enum's, the other truth, nothing."""
    type_ = column.base or column.type
    if _NUMBERS.search(type_):
        yield from (f"{called} + 1", f"-1 - abs({called})", f"{called} - {called}", f"{called} + 1000")
    if _TEXTS.search(type_):
        yield from ("''", "'#'", f"{called} || '#'")
    if _TIMES.search(type_):
        yield from ("CURRENT_TIMESTAMP", "'0001-01-01'")
    if type_.lower().startswith("json"):
        yield "'[]'"
    for direction in ("DESC", "ASC"):
        yield f"({sql.select(called, where, f'ORDER BY {called} {direction} LIMIT 1')})"
    yield from map(sql.literal, column.enum_labels)
    if type_.lower() == "boolean":
        yield f"NOT {called}"
    yield "NULL"


def past_checks(scene: Scene, table: TableName) -> Way:
    """What lets any value in: PostgreSQL's CHECKs are taken away; those of others are not asked where faults are planted."""
    if scene.engine is not Engine.POSTGRESQL or table not in scene.catalogue.table:
        return ()
    return tuple(sql.drop_constraint(scene.engine, table, check.name) for check in scene.catalogue.table[table].checks)
