"""Takes away all that could answer a write to a table, save one constraint: so the right one answers, or none does.

Everything happens in the caller's transaction, which is rolled back. Only catalogues change; no row is read or rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, LiteralString

from psycopg import sql

from checks.schema.model import ObjectKind, ObjectReference, TableName
from checks.targets import StatementFailed
from runner.targets.sessions import Driver, said_plainly


def isolate(driver: Driver, table: TableName, only: ObjectReference) -> None:
    """Leave ``table`` with the constraint ``only`` and nothing else that could refuse, change or swallow a row.

    ``table`` may be a partition of the one that ``only`` belongs to: it is detached, and keeps what it inherited. Raises
    StatementFailed where there is no such constraint or the server does not let go of something.
    """
    with said_plainly():
        relation, kept, kept_index = _kept(driver, table, only)
        _leave_family(driver, relation, table, kept)
        _drop_constraints(driver, relation, table, kept, kept_index)
        _drop_indexes(driver, relation, kept_index)
        _loosen_domains(driver, relation)
        _loosen(driver, relation, table, kept_index)


def _kept(driver: Driver, table: TableName, only: ObjectReference) -> tuple[int, int, int]:
    """The oids of the table, of its own form of the constraint, and of the index that this one stands on (0 for none)."""
    if only.kind is not ObjectKind.CONSTRAINT:
        raise StatementFailed(f"a {only.kind} cannot be isolated, only a constraint")
    names = {
        "schema": only.schema, "table": only.relation, "name": only.name, "to_schema": table.schema, "to": table.name,
    }  # fmt: skip
    found = driver.execute(_KEPT, names).fetchone()
    if found is None:
        raise StatementFailed(f"there is no constraint {only.name} on {table.label()}")
    relation, constraint, index = found
    return relation, constraint, index


def _leave_family(driver: Driver, relation: int, table: TableName, kept: int) -> None:
    """Detach a partition, or a table that inherits. References to the whole would be checked then, so they go first."""
    for schema, name, constraint in _all(driver, _REFERENCES_TO_THE_WHOLE, {"relation": relation, "kept": kept}):
        _alter(driver, TableName(schema, name), [_drop("CONSTRAINT", constraint)])
    for schema, name, is_partition in _all(driver, _ANCESTORS, {"relation": relation}):
        above = TableName(schema, name)
        if is_partition:
            _alter(driver, above, [sql.SQL("DETACH PARTITION {}").format(_name(table))])
        else:
            _alter(driver, table, [sql.SQL("NO INHERIT {}").format(_name(above))])


def _drop_constraints(driver: Driver, relation: int, table: TableName, kept: int, kept_index: int) -> None:
    """Others go, with what depends on them; not the key that the kept one refers to where a table refers to itself."""
    found = _all(driver, _OTHER_CONSTRAINTS, {"relation": relation, "kept": kept, "index": kept_index})
    _alter(driver, table, [_drop("CONSTRAINT", name) for (name,) in found])


def _drop_indexes(driver: Driver, relation: int, kept_index: int) -> None:
    """Unique ones refuse rows, and any expression in an index may fail on one."""
    found = _all(driver, _OTHER_INDEXES, {"relation": relation, "index": kept_index})
    if found:
        names = sql.SQL(", ").join(sql.Identifier(schema, name) for schema, name in found)
        driver.execute(sql.SQL("DROP INDEX {} CASCADE").format(names))


def _loosen_domains(driver: Driver, relation: int) -> None:
    for schema, name, not_null, constraints in _all(driver, _DOMAINS, {"relation": relation}):
        domain = sql.Identifier(schema, name)
        if not_null:
            driver.execute(sql.SQL("ALTER DOMAIN {} DROP NOT NULL").format(domain))
        for constraint in constraints:
            driver.execute(sql.SQL("ALTER DOMAIN {} DROP CONSTRAINT {}").format(domain, sql.Identifier(constraint)))


def _loosen(driver: Driver, relation: int, table: TableName, kept_index: int) -> None:
    """Columns without NOT NULL, default, identity and computed values; no triggers, rules and policies."""
    changes: list[sql.Composable] = []
    for column, identity, computed, default, not_null in _all(driver, _COLUMNS, {"relation": relation, "index": kept_index}):
        if identity:
            changes.append(_alter_column(column, "DROP IDENTITY"))
        if computed:
            changes.append(_alter_column(column, "DROP EXPRESSION"))
        if default:
            changes.append(_alter_column(column, "DROP DEFAULT"))
        if not_null:
            changes.append(_alter_column(column, "DROP NOT NULL"))
    changes += [
        sql.SQL("DISABLE RULE {}").format(sql.Identifier(rule)) for (rule,) in _all(driver, _RULES, {"relation": relation})
    ]
    changes += [sql.SQL("DISABLE TRIGGER USER"), sql.SQL("DISABLE ROW LEVEL SECURITY")]
    _alter(driver, table, changes)


def _alter(driver: Driver, table: TableName, changes: Iterable[sql.Composable]) -> None:
    listed = sql.SQL(", ").join(changes)
    if listed.as_string():
        driver.execute(sql.SQL("ALTER TABLE {} {}").format(_name(table), listed))


def _alter_column(column: str, change: LiteralString) -> sql.Composed:
    return sql.SQL("ALTER COLUMN {} {}").format(sql.Identifier(column), sql.SQL(change))


def _drop(kind: LiteralString, name: str) -> sql.Composed:
    """IF EXISTS, because dropping a key takes the references to it along."""
    return sql.SQL("DROP {} IF EXISTS {} CASCADE").format(sql.SQL(kind), sql.Identifier(name))


def _name(table: TableName) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)


def _all(driver: Driver, query: LiteralString, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    return driver.execute(query, values).fetchall()


# A partition has its own form of an inherited constraint; conparentid leads from it to the declared one.
_KEPT = """
WITH RECURSIVE family(constraint_) AS (
  SELECT con.oid FROM pg_catalog.pg_constraint con
  JOIN pg_catalog.pg_class rel ON rel.oid = con.conrelid
  JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
  WHERE nsp.nspname = %(schema)s AND rel.relname = %(table)s AND con.conname = %(name)s
  UNION
  SELECT con.oid FROM family JOIN pg_catalog.pg_constraint con ON con.conparentid = family.constraint_
)
SELECT rel.oid::bigint, con.oid::bigint, con.conindid::bigint
FROM family
JOIN pg_catalog.pg_constraint con ON con.oid = family.constraint_
JOIN pg_catalog.pg_class rel ON rel.oid = con.conrelid
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
WHERE nsp.nspname = %(to_schema)s AND rel.relname = %(to)s
ORDER BY con.oid LIMIT 1
"""

_ANCESTORS = """
SELECT nsp.nspname::text, whole.relname::text, rel.relispartition
FROM pg_catalog.pg_inherits inh
JOIN pg_catalog.pg_class rel ON rel.oid = inh.inhrelid
JOIN pg_catalog.pg_class whole ON whole.oid = inh.inhparent
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = whole.relnamespace
WHERE inh.inhrelid = CAST(%(relation)s AS oid) ORDER BY inh.inhseqno
"""

_REFERENCES_TO_THE_WHOLE = """
WITH RECURSIVE above(relation) AS (
  SELECT inhparent FROM pg_catalog.pg_inherits WHERE inhrelid = CAST(%(relation)s AS oid)
  UNION
  SELECT inh.inhparent FROM above JOIN pg_catalog.pg_inherits inh ON inh.inhrelid = above.relation
), kept(constraint_) AS (
  SELECT CAST(%(kept)s AS oid)
  UNION
  SELECT con.conparentid FROM kept JOIN pg_catalog.pg_constraint con ON con.oid = kept.constraint_
)
SELECT nsp.nspname::text, rel.relname::text, con.conname::text
FROM pg_catalog.pg_constraint con
JOIN pg_catalog.pg_class rel ON rel.oid = con.conrelid
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
WHERE con.contype = 'f' AND con.conparentid = 0 AND con.confrelid IN (SELECT relation FROM above)
  AND con.oid NOT IN (SELECT constraint_ FROM kept)
"""

_OTHER_CONSTRAINTS = """
SELECT conname::text FROM pg_catalog.pg_constraint
WHERE conrelid = CAST(%(relation)s AS oid) AND contype IN ('c', 'f', 'p', 'u', 'x') AND conparentid = 0
  AND oid <> CAST(%(kept)s AS oid) AND (contype IN ('c', 'f') OR conindid <> CAST(%(index)s AS oid))
"""

_OTHER_INDEXES = """
SELECT nsp.nspname::text, rel.relname::text
FROM pg_catalog.pg_index idx
JOIN pg_catalog.pg_class rel ON rel.oid = idx.indexrelid
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
WHERE idx.indrelid = CAST(%(relation)s AS oid) AND idx.indexrelid <> CAST(%(index)s AS oid)
"""

_DOMAINS = """
WITH RECURSIVE used(domain) AS (
  SELECT typ.oid FROM pg_catalog.pg_attribute att JOIN pg_catalog.pg_type typ ON typ.oid = att.atttypid
  WHERE att.attrelid = CAST(%(relation)s AS oid) AND att.attnum > 0 AND NOT att.attisdropped AND typ.typtype = 'd'
  UNION
  SELECT below.oid FROM used JOIN pg_catalog.pg_type typ ON typ.oid = used.domain
  JOIN pg_catalog.pg_type below ON below.oid = typ.typbasetype AND below.typtype = 'd'
)
SELECT nsp.nspname::text, typ.typname::text, typ.typnotnull, ARRAY(
  SELECT con.conname::text FROM pg_catalog.pg_constraint con WHERE con.contypid = typ.oid AND con.contype = 'c')
FROM used
JOIN pg_catalog.pg_type typ ON typ.oid = used.domain
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = typ.typnamespace
"""

# What the kept key is made of must stay NOT NULL; a virtual column computes nothing when a row is written.
_COLUMNS = """
SELECT att.attname::text, att.attidentity <> '', att.attgenerated = 's', att.atthasdef AND att.attgenerated = '',
       att.attnotnull AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_index idx
         WHERE idx.indexrelid = CAST(%(index)s AS oid) AND idx.indrelid = att.attrelid AND att.attnum = ANY (idx.indkey))
FROM pg_catalog.pg_attribute att
WHERE att.attrelid = CAST(%(relation)s AS oid) AND att.attnum > 0 AND NOT att.attisdropped
"""

_RULES = """
SELECT rulename::text FROM pg_catalog.pg_rewrite WHERE ev_class = CAST(%(relation)s AS oid) AND ev_enabled <> 'D'
"""
