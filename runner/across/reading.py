"""Reads the keys of one side of a reference, one by one, from a database that stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from checks.declared.absent import absent
from checks.declared.across import ColumnPath, Side
from checks.declared.documents import FieldPath
from checks.document_targets import DocumentTarget
from checks.interface import Engine
from checks.sql.families import family
from checks.targets import RelationalTarget, Target
from runner.across import canonical

if TYPE_CHECKING:
    from sqlalchemy import Executable


def lacking(side: Side, target: Target) -> Sequence[str]:
    """The table or column of a side that its database does not have; collections come and go with their documents."""
    if not isinstance(side.path, ColumnPath):
        return ()
    relational = cast("RelationalTarget", target)
    path = _spelled(side.path, relational)
    found = absent(relational.catalogue, (path.table, (path.column,)))
    return [f"{name} in {side.database}" for name in found]


def keys(side: Side, target: Target) -> Iterator[tuple[str, int]]:
    """The different keys of a side as text, each with how often it is there. Raises StatementFailed."""
    if isinstance(side.path, ColumnPath):
        relational = cast("RelationalTarget", target)
        return _of_column(_spelled(side.path, relational), relational)
    return _of_field(side.path, cast("DocumentTarget", target))


def _spelled(path: ColumnPath, target: RelationalTarget) -> ColumnPath:
    """The path as the catalogue spells it: SQLite's names know no case."""
    tables = target.catalogue.tables if target.engine is Engine.SQLITE else ()
    table = next((table for table in tables if table.name.name.lower() == path.table.name.lower()), None)
    if table is None:
        return path
    column = next((name for name in table.column if name.lower() == path.column.lower()), path.column)
    return ColumnPath(table.name, column)


def _of_column(path: ColumnPath, target: RelationalTarget) -> Iterator[tuple[str, int]]:
    column = target.catalogue.table[path.table].column[path.column]
    read = canonical.OF_FAMILY.get(family(column.base or column.type), canonical.text)
    with target.rows() as session:
        for key, times in session.stream(_grouped(path, target)):
            yield read(str(key)), int(times)


def _grouped(path: ColumnPath, target: RelationalTarget) -> Executable:
    """Every value with its count; of a primary key each value by itself, for it is there once."""
    from sqlalchemy import Text, func, literal, select
    from sqlalchemy import cast as as_type

    from checks.sql.statements import named, only

    table = target.catalogue.table[path.table]
    source = named(path.table, (path.column,), "side")
    column = source.c[path.column]
    alone = table.primary_key == (path.column,)
    statement = select(as_type(column, Text), literal(1) if alone else func.count()).select_from(source)
    found = only(statement, source, table).where(column.is_not(None))
    return found if alone else found.group_by(column)


def _of_field(path: FieldPath, target: DocumentTarget) -> Iterator[tuple[str, int]]:
    from checks.pipelines.references import each_value

    pipeline = [*each_value(path), {"$group": {"_id": "$_id", "times": {"$sum": 1}}}]
    with target.documents() as session:
        for found in session.aggregate(path.collection, pipeline):
            yield canonical.value(found["_id"]), int(found["times"])
