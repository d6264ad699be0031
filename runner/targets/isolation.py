"""Takes away all that could answer a write to a table, save one constraint: so the right one answers, or none does.

Everything happens in the caller's transaction, which is rolled back. Catalogues change; rows are neither read nor rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import LiteralString

from psycopg import sql

from checks.schema.model import ObjectKind, ObjectReference, TableName
from checks.targets import StatementFailed
from runner.targets.anatomy import Above, Anatomies, Anatomy, Constraint, StrictColumn, StrictDomain
from runner.targets.sessions import Driver, said_plainly


def isolate(driver: Driver, anatomies: Anatomies, table: TableName, only: ObjectReference) -> None:
    """Leave ``table`` with the constraint ``only`` and nothing else that could refuse, change or swallow a row.

    ``table`` may be a partition of the one that ``only`` belongs to: it is detached, and keeps what it inherited. Raises
    StatementFailed where there is no such constraint or the server does not let go of something.
    """
    anatomy = anatomies.of(table)
    kept = _kept(anatomy, table, only)
    with said_plainly():
        for above in anatomy.above:
            _leave(driver, table, above, only)
        _drop_constraints(driver, table, anatomy, kept)
        _drop_indexes(driver, anatomy, kept)
        _alter(driver, table, [sql.SQL("REPLICA IDENTITY FULL")])
        for domain in anatomy.domains:
            _loosen_domain(driver, domain)
        _alter(driver, table, _loosened(anatomy, kept))


def _kept(anatomy: Anatomy, table: TableName, only: ObjectReference) -> Constraint:
    if only.kind is not ObjectKind.CONSTRAINT:
        raise StatementFailed(f"a {only.kind} cannot be isolated, only a constraint")
    found = next((part for part in anatomy.constraints if part.declared == only), None)
    if found is None:
        raise StatementFailed(f"there is no constraint {only.name} on {table.label()}")
    return found


def _leave(driver: Driver, table: TableName, above: Above, only: ObjectReference) -> None:
    """Detach a partition, or a table that inherits.

    Rows that refer to the whole would be looked through for the partition's, so such references go first; where it is the
    kept one that refers to its own table, the rows go.
    """
    if not above.partitioned:
        _alter(driver, table, [sql.SQL("NO INHERIT {}").format(_name(above.table))])
        return
    values = {"schema": above.table.schema, "table": above.table.name}
    for schema, name, constraint in driver.execute(_REFERENCES_TO_THE_WHOLE, values).fetchall():
        if ObjectReference(ObjectKind.CONSTRAINT, schema, name, constraint) == only:
            driver.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(schema, name)))
        else:
            _alter(driver, TableName(schema, name), [_drop("CONSTRAINT", constraint)])
    _alter(driver, above.table, [sql.SQL("DETACH PARTITION {}").format(_name(table))])


def _drop_constraints(driver: Driver, table: TableName, anatomy: Anatomy, kept: Constraint) -> None:
    """Others go, with what depends on them; not the key that the kept one refers to where a table refers to itself."""
    others = (part for part in anatomy.constraints if part != kept and not (part.own_index and part.index == kept.index))
    _alter(driver, table, [_drop("CONSTRAINT", part.name) for part in others])


def _drop_indexes(driver: Driver, anatomy: Anatomy, kept: Constraint) -> None:
    """Unique ones refuse rows, and any expression in an index may fail on one."""
    names = [sql.Identifier(index.schema, index.name) for index in anatomy.indexes if index.oid != kept.index]
    if names:
        driver.execute(sql.SQL("DROP INDEX {} CASCADE").format(sql.SQL(", ").join(names)))


def _loosen_domain(driver: Driver, domain: StrictDomain) -> None:
    name = sql.Identifier(domain.schema, domain.name)
    if domain.not_null:
        driver.execute(sql.SQL("ALTER DOMAIN {} DROP NOT NULL").format(name))
    for check in domain.checks:
        driver.execute(sql.SQL("ALTER DOMAIN {} DROP CONSTRAINT {}").format(name, sql.Identifier(check)))


def _loosened(anatomy: Anatomy, kept: Constraint) -> Iterator[sql.Composable]:
    """Columns without NOT NULL, default, identity and computed values; no triggers, rules and policies."""
    for column in anatomy.columns:
        for change in _changes(column, kept):
            yield sql.SQL("ALTER COLUMN {} {}").format(sql.Identifier(column.name), sql.SQL(change))
    for rule in anatomy.rules:
        yield sql.SQL("DISABLE RULE {}").format(sql.Identifier(rule))
    yield sql.SQL("DISABLE TRIGGER USER")
    yield sql.SQL("DISABLE ROW LEVEL SECURITY")


def _changes(column: StrictColumn, kept: Constraint) -> Iterator[LiteralString]:
    """What a kept primary key is made of has to stay NOT NULL. A detached partition has lost its identity already."""
    if column.identity:
        yield "DROP IDENTITY IF EXISTS"
    if column.computed:
        yield "DROP EXPRESSION"
    if column.default:
        yield "DROP DEFAULT"
    if column.not_null and (not column.primary or column.primary != kept.index):
        yield "DROP NOT NULL"


def _alter(driver: Driver, table: TableName, changes: Iterable[sql.Composable]) -> None:
    listed = list(changes)
    if listed:
        driver.execute(sql.SQL("ALTER TABLE {} {}").format(_name(table), sql.SQL(", ").join(listed)))


def _drop(kind: LiteralString, name: str) -> sql.Composed:
    """IF EXISTS, because dropping a key takes the references to it along."""
    return sql.SQL("DROP {} IF EXISTS {} CASCADE").format(sql.SQL(kind), sql.Identifier(name))


def _name(table: TableName) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)


# Looked up each time: it is short, and only a partition asks.
_REFERENCES_TO_THE_WHOLE = """
WITH RECURSIVE above(relation) AS (
  SELECT rel.oid FROM pg_catalog.pg_class rel JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
  WHERE nsp.nspname = %(schema)s AND rel.relname = %(table)s
  UNION
  SELECT inh.inhparent FROM above JOIN pg_catalog.pg_inherits inh ON inh.inhrelid = above.relation
)
SELECT nsp.nspname::text, rel.relname::text, con.conname::text
FROM pg_catalog.pg_constraint con
JOIN pg_catalog.pg_class rel ON rel.oid = con.conrelid
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
WHERE con.contype = 'f' AND con.conparentid = 0 AND con.confrelid IN (SELECT relation FROM above)
ORDER BY con.conrelid = con.confrelid
"""
