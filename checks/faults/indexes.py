"""Faults of indexes: one that is gone, broken, or there twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.declared.subjects import references
from checks.faults import sql
from checks.faults.interface import Fault, Scene
from checks.interface import Engine
from checks.performance.unindexed_foreign_key import covers
from checks.schema.model import Index, Table
from checks.schema.names import TableName
from checks.sql.indexes import index_subject, judged_indexes

_SECOND, _NEEDLESS = f"{sql.PLANTED}_second", f"{sql.PLANTED}_needless"
_DEFINITION = re.compile(
    r'^(CREATE (?:UNIQUE )?INDEX) (?:IF NOT EXISTS )?(?:"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|\S+) ON (?:ONLY )?', re.IGNORECASE
)


def unserved_reference(scene: Scene) -> Iterator[Fault]:
    """Every index goes by which the children of a parent are found."""
    for subject, key in references(scene.catalogue):
        table, parent = scene.catalogue.table[key.table], scene.catalogue.table.get(key.parent)
        serving = [index for index in table.indexes if covers(index, key, parent)]
        if serving and all(_may_go(scene, index) for index in serving):
            way = tuple(sql.drop_index(scene.engine, index) for index in serving)
            yield Fault("dropped-index", "unindexed-foreign-key", subject, (way,), touches=frozenset({table.name}))


def _may_go(scene: Scene, index: Index) -> bool:
    """SQLite's constraints keep their indexes, and a partition's index goes with the whole one."""
    return index.part_of is None and (index.constraint is None or scene.engine is Engine.POSTGRESQL)


def broken_index(scene: Scene) -> Iterator[Fault]:
    """An index is as one whose build failed."""
    if scene.engine is not Engine.POSTGRESQL:
        return
    for table in scene.catalogue.tables:
        for index in judged_indexes(table):
            relation = sql.literal(sql.table(scene.engine, TableName(index.table.schema, index.name)))
            where = f"indexrelid = {relation}::pg_catalog.regclass"
            way = (sql.update("pg_catalog.pg_index", "indisvalid = false", where),)
            subject = index_subject(index)
            yield Fault("invalid-index", "invalid-index", subject, (way,), touches=frozenset({table.name}))


def second_index(scene: Scene) -> Iterator[Fault]:
    """An index is made a second time, on MariaDB one of our own: it takes away what it has made by itself for a reference."""
    for table in scene.catalogue.tables:
        if scene.engine is Engine.MARIADB:
            yield from _twice(scene, table)
            continue
        for index in judged_indexes(table):
            again = _DEFINITION.sub(lambda found: f"{found[1]} {sql.name(scene.engine, _SECOND)} ON ", index.definition, count=1)
            if again and again != index.definition and index.constraint != "x":
                subject = index_subject(index)
                yield Fault(
                    "second-index", "duplicate-index", subject, ((again,),), _of(table, _SECOND), touches=frozenset({table.name})
                )


def _twice(scene: Scene, table: Table) -> Iterator[Fault]:
    primary = next((index for index in table.indexes if index.primary), None)
    if primary is not None:
        where = f"{sql.table(scene.engine, table.name)} ({sql.names(scene.engine, table.primary_key)})"
        way = tuple(f"CREATE INDEX {sql.name(scene.engine, one)} ON {where}" for one in (f"{sql.PLANTED}_first", _SECOND))
        touches = frozenset({table.name})
        yield Fault("second-index", "duplicate-index", index_subject(primary), (way,), _of(table, _SECOND), touches=touches)


def needless_index(scene: Scene) -> Iterator[Fault]:
    """A table's primary key gets an index of its own beside it."""
    for table in scene.catalogue.tables:
        primary = next((index for index in table.indexes if index.primary and index.part_of is None), None)
        if primary is None or primary.method != "btree" or not table.primary_key:
            continue
        made = (
            f"CREATE INDEX {sql.name(scene.engine, _NEEDLESS)} ON {sql.table(scene.engine, table.name)}"
            f" ({sql.names(scene.engine, table.primary_key)})"
        )
        subject = index_subject(primary)
        yield Fault(
            "needless-index", "redundant-index", subject, ((made,),), _of(table, _NEEDLESS), touches=frozenset({table.name})
        )


def _of(table: Table, index: str) -> str:
    return f"{table.name.label()}.{index}"
