"""Which indexes are judged, what they are called, and the statement that takes one away."""

from __future__ import annotations

from checks.interface import Engine
from checks.schema.model import Index, Table
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget


def judged_indexes(table: Table) -> list[Index]:
    """The valid indexes of a table's own, the eldest first: what is part of a partitioned table's index is judged there."""
    return sorted((index for index in table.indexes if index.valid and index.part_of is None), key=lambda index: index.number)


def index_subject(index: Index) -> str:
    """What an index is called in findings: ``orders.orders_buyer_id_idx``."""
    return f"{index.table.label()}.{index.name}"


def replaceable(index: Index) -> bool:
    """Whether an index could go at all: no constraint and nothing else rests on it."""
    return index.constraint is None and not index.relied_on


def drop_index(index: Index, table: Table, target: RelationalTarget) -> str:
    """The statement that takes an index away, or the constraint that it backs."""
    name, where = quoted(target.engine, index.name), quoted_table(target.engine, index.table, target.catalogue.default_schema)
    if index.constraint is not None and target.engine is Engine.SQLITE:
        return f"Take one of the two declarations out of CREATE TABLE {where}."
    if index.constraint == "p" and target.engine is Engine.MARIADB:
        return f"ALTER TABLE {where} DROP PRIMARY KEY;"
    if index.constraint is not None:
        return f"ALTER TABLE {where} DROP CONSTRAINT {name};"
    if target.engine is Engine.MARIADB:
        return f"DROP INDEX {name} ON {where};"
    how = "CONCURRENTLY " if target.engine is Engine.POSTGRESQL and not table.partitioned else ""
    return f"DROP INDEX {how}{qualified(index, target)};"


def qualified(index: Index, target: RelationalTarget) -> str:
    """An index as it is written in a statement, with its schema where that is not the default."""
    name, schema = quoted(target.engine, index.name), index.table.schema
    return name if schema == target.catalogue.default_schema else f"{quoted(target.engine, schema)}.{name}"
