"""Faults of constraints, keys and sequences, and of the repository's own sentences about its rows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.faults import sql
from checks.faults.changes import changes, past_checks
from checks.faults.interface import Fault, Scene, Way
from checks.faults.neighbours import around, with_children
from checks.interface import Engine
from checks.schema.model import CheckConstraint, Column, ForeignKey
from checks.schema.names import TableName, column_label
from checks.sql.reading import tables_read

#: How many changes to rows are tried to break a sentence of the repository's.
TRIED = 60

#: The highest number of a type; SQLite has but one kind of integer.
_HIGHEST = {"smallint": 2**15 - 1, "int": 2**31 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


def unvalidated(scene: Scene) -> Iterator[Fault]:
    """A constraint is as if it had been added NOT VALID."""
    if scene.engine is not Engine.POSTGRESQL:
        return
    for table in scene.catalogue.tables:
        constraints: tuple[ForeignKey | CheckConstraint, ...] = (*table.foreign_keys, *table.checks)
        for constraint in constraints:
            subject = f"{table.name.label()}.{constraint.name}"
            way: Way = (_unvalidate(scene, constraint),)
            yield Fault("unvalidated", "unvalidated-constraint", subject, (way,), touches=frozenset({table.name}))


def _unvalidate(scene: Scene, constraint: ForeignKey | CheckConstraint) -> str:
    relation = sql.literal(sql.table(scene.engine, constraint.table))
    where = f"conrelid = {relation}::pg_catalog.regclass AND conname = {sql.literal(constraint.name)}"
    return sql.update("pg_catalog.pg_constraint", "convalidated = false", where)


def sequence_back(scene: Scene) -> Iterator[Fault]:
    """A sequence is put back to the lowest number that is taken."""
    if scene.engine is not Engine.POSTGRESQL:
        return
    for table in scene.catalogue.tables:
        for sequence in table.sequences:
            subject = column_label(table.name, (sequence.column,))
            called = sql.literal(sql.table(scene.engine, TableName(sequence.schema, sequence.name)))
            first = "min" if sequence.increment > 0 else "max"
            taken = sql.select(f"{first}({sql.name(scene.engine, sequence.column)})", sql.table(scene.engine, table.name))
            way: Way = (f"SELECT pg_catalog.setval({called}, ({taken}), false)",)
            yield Fault(
                "sequence-back",
                "sequence-behind",
                subject,
                (way,),
                tables=around(scene.catalogue, table.name),
                touches=frozenset({table.name}),
            )


def used_up(scene: Scene) -> Iterator[Fault]:
    """A key comes near the end of its numbers: by its sequence, or by a row."""
    for table in scene.catalogue.tables:
        if len(table.primary_key) != 1 or table.partition_of is not None:
            continue
        column = table.column[table.primary_key[0]]
        sequence = next((one for one in table.sequences if one.column == column.name), None)
        highest = _highest(column, scene.engine)
        if highest is None or (sequence is not None and sequence.increment < 0):
            continue
        called = sql.name(scene.engine, column.name)
        mine = sql.table(scene.engine, table.name)
        furthest = sql.select(f"max({called})", mine)
        way: Way = (sql.update(mine, f"{called} = {highest}", f"{called} = ({furthest})"),)
        if sequence is not None:
            where = sql.literal(sql.table(scene.engine, TableName(sequence.schema, sequence.name)))
            way = (f"SELECT pg_catalog.setval({where}, {min(sequence.maximum, highest)})",)
        subject = column_label(table.name, (column.name,))
        tables, touches = around(scene.catalogue, table.name), with_children(scene.catalogue, table.name)
        yield Fault("used-up-key", "key-exhaustion", subject, (way,), tables=tables, touches=touches)


def _highest(column: Column, engine: Engine) -> int | None:
    """The highest number that a column holds, ``None`` where it holds none that are whole."""
    name = re.match(r"\w+", (column.base or column.type).lower())
    highest = _HIGHEST.get(name[0]) if name else None
    if highest is None or engine is Engine.SQLITE:
        return highest and _HIGHEST["bigint"]
    return 2 * highest + 1 if "unsigned" in column.type.lower() else highest


def no_key(scene: Scene) -> Iterator[Fault]:
    """A table loses what tells its rows apart; SQLite, which cannot take a key away, gets a copy of the table without one."""
    for table in scene.catalogue.tables:
        subject = table.name.label()
        keys = [index for index in table.indexes if index.unique and index.predicate is None]
        if scene.engine is Engine.SQLITE:
            copy = TableName(table.name.schema, f"{sql.PLANTED}_copy")
            everything = sql.select("*", sql.table(scene.engine, table.name))
            way: Way = (f"CREATE TABLE {sql.table(scene.engine, copy)} AS {everything}",)
            yield Fault("dropped-key", "missing-primary-key", subject, (way,), copy.label(), touches=frozenset({copy}))
        elif table.partition_of is None and keys:
            way = tuple(sql.drop_index(scene.engine, index) for index in keys if not index.part_of)
            touches = with_children(scene.catalogue, table.name)
            yield Fault("dropped-key", "missing-primary-key", subject, (way,), touches=touches)


def broken_sentence(scene: Scene) -> Iterator[Fault]:
    """The rows are changed until a query that must find nothing finds something."""
    for sentence, query in scene.expect.no_rows.items():
        tables = sorted(tables_read(query, scene.engine, scene.catalogue))
        ways = tuple(way for table in tables for way in _ways(scene, table, query))[:TRIED]
        touches = with_children(scene.catalogue, *tables)
        yield Fault("broken-sentence", "no-rows", sentence, ways, shows=query, touches=touches)


def _ways(scene: Scene, name: TableName, query: str) -> Iterator[Way]:
    """Changes to the rows of one table that could break a sentence about it."""
    table, free = scene.catalogue.table[name], past_checks(scene, name)
    where = sql.table(scene.engine, name)
    yield (sql.delete(where),)
    if table.primary_key:
        key = sql.names(scene.engine, table.primary_key)
        one = sql.select("*", f"({sql.select(key, where, 'LIMIT 1')}) AS one")
        yield (sql.delete(where, f"({key}) IN ({one})"),)
    yield from ((*free, *change) for change in changes(scene, table, query))
