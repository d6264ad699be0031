"""Faults that the probes find: rules that stand in the catalogue and do not hold, and rows that got past one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.faults import sql
from checks.faults.interface import Fault, Scene, Way
from checks.faults.neighbours import around, with_children
from checks.faults.sqlite_edits import Edit, Part
from checks.interface import Engine
from checks.schema.model import Column, Index, Table
from checks.schema.names import TableName, column_label
from checks.sql.indexes import index_subject


def refused_label(scene: Scene) -> Iterator[Fault]:
    """A CHECK refuses a label that a column's type has."""
    for table in scene.catalogue.tables:
        for column in table.columns if scene.engine is Engine.POSTGRESQL and table.partition_of is None else ():
            if column.enum_labels and not column.generated and column.element is None:
                subject = column_label(table.name, (column.name,))
                rule = f"{sql.name(scene.engine, column.name)} <> {sql.literal(column.enum_labels[-1])}"
                made = f"ADD CONSTRAINT {sql.name(scene.engine, f'{sql.PLANTED}_label')} CHECK ({rule}) NOT VALID"
                way: Way = (f"ALTER TABLE {sql.table(scene.engine, table.name)} {made}",)
                alone = frozenset({table.name})
                yield Fault("refused-label", "enum-probe", subject, (way,), tables=alone, touches=alone)


def second_row(scene: Scene) -> Iterator[Fault]:
    """A row is there twice although an index forbids it, which is left out for the time of a write."""
    for table in scene.catalogue.tables:
        unique = [index for index in table.indexes if index.unique and None not in index.columns]
        for index in unique if table.partition_of is None and not table.partitioned else ():
            way = _past_unique(scene, table, index)
            if not way:
                continue
            touches = with_children(scene.catalogue, table.name)
            yield Fault(
                "second-row", "duplicate-rows", index_subject(index), (way,), tables=frozenset({table.name}), touches=touches
            )


def broken_trigger(scene: Scene) -> Iterator[Fault]:
    """A trigger writes into a table that is not there: its body is not looked at before it fires."""
    for number, table in enumerate(scene.catalogue.tables):
        if table.partition_of is None:
            way = _writing_nowhere(scene.engine, table, number)
            needed, touches = around(scene.catalogue, table.name), with_children(scene.catalogue, table.name)
            yield Fault("broken-trigger", "insert-probe", table.name.label(), (way,), tables=needed, touches=touches)


def _writing_nowhere(engine: Engine, table: Table, number: int) -> Way:
    called, where = sql.name(engine, f"{sql.PLANTED}_{number}"), sql.table(engine, table.name)
    write = f"INSERT INTO {sql.name(engine, f'{sql.PLANTED}_nowhere')} VALUES (1)"  # noqa: S608 - the name is quoted
    if engine is not Engine.POSTGRESQL:
        body = write if engine is Engine.MARIADB else f"BEGIN {write}; END"
        return (f"CREATE TRIGGER {called} BEFORE INSERT ON {where} FOR EACH ROW {body}",)
    function = sql.table(engine, TableName(table.name.schema, f"{sql.PLANTED}_{number}"))
    body = sql.literal(f"BEGIN {write}; RETURN NEW; END")
    return (
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {body}",
        f"CREATE TRIGGER {called} BEFORE INSERT ON {where} FOR EACH ROW EXECUTE FUNCTION {function}()",
    )


def idle_index(scene: Scene) -> Iterator[Fault]:
    """A unique index stands there and is not kept up to date."""
    found = [index for table in scene.catalogue.tables for index in table.indexes if index.unique]
    yield from _idle(scene, "unique-probe", found)


def idle_exclusion(scene: Scene) -> Iterator[Fault]:
    """The same of the index of an EXCLUDE constraint."""
    found = [index for table in scene.catalogue.tables for index in table.indexes if index.constraint == "x"]
    yield from _idle(scene, "exclusion-probe", found)


def _idle(scene: Scene, check: str, indexes: list[Index]) -> Iterator[Fault]:
    whole = [index for index in indexes if not scene.catalogue.table[index.table].partitioned]  # its parts would still be kept
    for index in whole if scene.engine is Engine.POSTGRESQL else ():
        relation = sql.literal(sql.table(scene.engine, TableName(index.table.schema, index.name)))
        of_index = f"indexrelid = {relation}::pg_catalog.regclass"
        way: Way = (sql.update("pg_catalog.pg_index", "indisready = false, indisvalid = false", of_index),)
        alone = frozenset({index.table})
        yield Fault("idle-index", check, index_subject(index), (way,), tables=alone, touches=alone)


def taken_null(scene: Scene) -> Iterator[Fault]:
    """A column takes NULL, or lets the row vanish, and is said to refuse it."""
    for table in scene.catalogue.tables:
        for column in table.columns:
            way = _past_null(scene, table, column)
            if way and table.partition_of is None and not table.partitioned:
                alone = frozenset({table.name})
                subject = column_label(table.name, (column.name,))
                yield Fault("taken-null", "not-null-probe", subject, (way,), tables=alone, touches=alone)


def _past_null(scene: Scene, table: Table, column: Column) -> Way:
    if scene.engine is Engine.SQLITE and not column.nullable and column.name not in table.primary_key:
        return (Edit(table.name, Part.NOT_NULL, column=column.name, text="NOT NULL ON CONFLICT IGNORE"),)
    if scene.engine is Engine.POSTGRESQL and column.name in table.primary_key:
        relation = sql.literal(sql.table(scene.engine, table.name))
        of_column = f"attrelid = {relation}::pg_catalog.regclass AND attname = {sql.literal(column.name)}"
        return (sql.update("pg_catalog.pg_attribute", "attnotnull = false", of_column),)
    return ()


def _past_unique(scene: Scene, table: Table, index: Index) -> Way:
    """PostgreSQL is told that its indexes are not ready; SQLite gets a plain one, which then is said to have been unique."""
    if scene.engine is Engine.POSTGRESQL:
        return _ready(scene, table, "false"), _again(scene, table, index), _ready(scene, table, "true")
    if scene.engine is Engine.SQLITE and index.definition:
        plain = re.sub(r"\bUNIQUE\b", "", index.definition, count=1, flags=re.IGNORECASE)
        unique = Edit(table.name, Part.INDEX, column=index.name, text=index.definition)
        return sql.drop_index(scene.engine, index), _again(scene, table, index), plain, unique
    return ()


def _ready(scene: Scene, table: Table, state: str) -> str:
    relation = sql.literal(sql.table(scene.engine, table.name))
    of_table = f"indrelid = {relation}::pg_catalog.regclass AND indisunique"
    return sql.update("pg_catalog.pg_index", f"indisready = {state}", of_table)


def _again(scene: Scene, table: Table, index: Index) -> str:
    """Insert one row that the index holds once more."""
    own = table.primary_key if scene.engine is Engine.SQLITE and len(table.primary_key) == 1 else ()  # numbered anew
    listed = sql.names(scene.engine, tuple(one.name for one in table.columns if not one.generated and one.name not in own))
    held = [f"{sql.name(scene.engine, name)} IS NOT NULL" for name in index.columns if name is not None]
    condition = [*held, *([f"({index.predicate})"] if index.predicate else [])]
    where = sql.table(scene.engine, table.name)
    row = sql.select(listed, where, f"WHERE {' AND '.join(condition)} LIMIT 1")
    how = " OVERRIDING SYSTEM VALUE" if scene.engine is Engine.POSTGRESQL else ""
    return f"INSERT INTO {where} ({listed}){how} {row}"


def nullable_key(scene: Scene) -> Iterator[Fault]:
    """A column of a primary key may be NULL."""
    for table in scene.catalogue.tables if scene.engine is Engine.POSTGRESQL else ():
        primary = next((index for index in table.indexes if index.primary and index.part_of is None), None)
        if primary is not None:
            way = _past_null(scene, table, table.column[table.primary_key[0]])
            touches = frozenset({table.name})
            yield Fault("nullable-key", "nullable-unique", index_subject(primary), (way,), touches=touches)
