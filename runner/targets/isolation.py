"""Takes away all that could answer a write to some tables, save what is to be tried: so the right one answers, or none does.

Everything happens in the caller's transaction, which is rolled back. Catalogues change; rows are neither read nor rewritten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import LiteralString

from psycopg import sql

from checks.schema.names import ObjectKind, ObjectReference, TableName
from checks.targets import StatementFailed
from runner.targets.anatomy import Above, Anatomies, Anatomy, Partitioning, StrictColumn
from runner.targets.sessions import Driver, said_plainly


def isolate(
    driver: Driver,
    anatomies: Anatomies,
    tables: Sequence[TableName],
    only: Sequence[ObjectReference],
    *,
    emptied: bool,
) -> None:
    """Leave ``tables`` with what ``only`` names and nothing else that could refuse, change or swallow a row.

    What may be named and what becomes of partitions: :meth:`checks.targets.Sandbox.trial`. Rows stay where they are, unless
    ``emptied``. Raises StatementFailed where something that ``only`` names is on none of the tables, or the server does not let
    go of something.
    """
    found = {table: anatomies.of(table) for table in tables}
    kept = _kept(found, only)
    cut_off = [_cut_off(table, anatomy, kept) for table, anatomy in found.items() if emptied or anatomy.above]
    stripped = [_strip(table, anatomy, kept) for table, anatomy in found.items()]
    with said_plainly():
        # Sent together: there may be hundreds, and each would be waited for.
        driver.execute(sql.SQL("; ").join(chain(*cut_off, *stripped)))
        if emptied:
            _empty(driver, found)
            _make_room(driver, found)


@dataclass(frozen=True)
class _Kept:
    """What stays: what was named, and the indexes (oids) of keys among it and of keys that are referred to."""

    named: frozenset[ObjectReference]
    indexes: frozenset[int]

    def not_null(self, table: TableName, anatomy: Anatomy, column: StrictColumn) -> bool:
        """Whether a column stays NOT NULL: it was named, or a primary key that stays is made of it."""
        return self.names(table, anatomy, column.name) or (column.primary != 0 and column.primary in self.indexes)

    def names(self, table: TableName, anatomy: Anatomy, column: str) -> bool:
        """Whether a column was named, here or on what the table is a part of."""
        tables = (table, *(above.table for above in anatomy.above))
        return any(ObjectReference(ObjectKind.COLUMN, one.schema, one.name, column) in self.named for one in tables)


def _kept(found: Mapping[TableName, Anatomy], only: Sequence[ObjectReference]) -> _Kept:
    indexes: dict[ObjectReference, set[int]] = {}
    for anatomy in found.values():
        for constraint in anatomy.constraints:
            indexes.setdefault(constraint.declared, set()).add(constraint.index)
        for index in anatomy.indexes:
            indexes.setdefault(index.declared, set()).add(index.oid)
    for one in only:
        if one.kind is not ObjectKind.COLUMN and one not in indexes:
            raise StatementFailed(f"there is no {one.kind} {one.name} of {one.relation} that could be tried alone")
    return _Kept(frozenset(only), frozenset(oid for one in only for oid in indexes.get(one, ()) if oid))


def _cut_off(table: TableName, anatomy: Anatomy, kept: _Kept) -> Iterator[sql.Composed]:
    """Without references to it that are not to be tried, a table can be emptied and a partition be detached.

    Rows that refer to the whole would be looked through for the partition's; where it is the kept one that refers to its own
    table, the rows go.
    """
    for reference in anatomy.referred:
        if reference not in kept.named:
            yield _altered(TableName(reference.schema, reference.relation), [_drop("CONSTRAINT", reference.name)])
    for above in anatomy.above:
        yield from _leave(table, above, [reference for reference in anatomy.referred if reference in kept.named])


def _leave(table: TableName, above: Above, referring: Sequence[ObjectReference]) -> Iterator[sql.Composed]:
    """Detach a partition, or a table that inherits."""
    if not above.partitioned:
        yield _altered(table, [sql.SQL("NO INHERIT {}").format(_name(above.table))])
        return
    for reference in referring:
        yield sql.SQL("TRUNCATE {}").format(sql.Identifier(reference.schema, reference.relation))
    yield _altered(above.table, [sql.SQL("DETACH PARTITION {}").format(_name(table))])


def _strip(table: TableName, anatomy: Anatomy, kept: _Kept) -> Iterator[sql.Composed]:
    """Other constraints and indexes go, with what depends on them: unique ones refuse rows, any expression may fail on one."""
    free = [sql.Identifier(index.schema, index.name) for index in anatomy.indexes if index.oid not in kept.indexes]
    if free:
        yield sql.SQL("DROP INDEX {} CASCADE").format(sql.SQL(", ").join(free))
    if anatomy.replicated:
        yield _altered(table, [sql.SQL("REPLICA IDENTITY FULL")])
    yield from _loosened_domains(table, anatomy, kept)
    others = (
        part
        for part in anatomy.constraints
        if part.declared not in kept.named and not (part.own_index and part.index in kept.indexes)
    )
    dropped = (_drop("CONSTRAINT", part.name) for part in others)
    yield _altered(table, [*dropped, *_loosened(table, anatomy, kept)])


def _empty(driver: Driver, found: Mapping[TableName, Anatomy]) -> None:
    """All at once, as some may refer to others; tables without rows are left alone, because emptying takes new files.

    Tables that inherit from them keep their rows: ONLY, which a partitioned table cannot be named with.
    """
    named = [_name(table) if part.partitioning else sql.SQL("ONLY {}").format(_name(table)) for table, part in found.items()]
    held = sql.SQL(" OR ").join(sql.SQL("EXISTS (SELECT FROM {})").format(name) for name in named)
    if driver.execute(sql.SQL("SELECT {}").format(held)).fetchall() == [(True,)]:
        driver.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(named)))


def _make_room(driver: Driver, found: Mapping[TableName, Anatomy]) -> None:
    """Give each partitioned table a partition of ours, without rules of its own, for all that no other takes."""
    for number, (table, anatomy) in enumerate(found.items()):
        if anatomy.partitioning is None:
            continue
        for part in _in_the_way(driver, table, anatomy.partitioning):
            driver.execute(_altered(table, [sql.SQL("DETACH PARTITION {}").format(_name(part))]))
        bounds = sql.SQL("FOR VALUES WITH (MODULUS 1, REMAINDER 0)" if anatomy.partitioning.by_hash else "DEFAULT")
        ours = TableName(table.schema, f"dbproof {number}")
        driver.execute(sql.SQL("CREATE TABLE {} PARTITION OF {} {}").format(_name(ours), _name(table), bounds))
        driver.execute(_altered(ours, [sql.SQL("REPLICA IDENTITY FULL"), sql.SQL("DISABLE TRIGGER USER")]))


def _in_the_way(driver: Driver, table: TableName, partitioning: Partitioning) -> Sequence[TableName]:
    if partitioning.by_hash:
        return [TableName(*row) for row in driver.execute(_PARTITIONS, {"schema": table.schema, "table": table.name}).fetchall()]
    return [partitioning.default] if partitioning.default else []


def _loosened_domains(table: TableName, anatomy: Anatomy, kept: _Kept) -> Iterator[sql.Composed]:
    """Another table of the trial may be of the same domains."""
    strict = {(domain.schema, domain.name) for domain in anatomy.domains if kept.names(table, anatomy, domain.column)}
    for (schema, name), domain in {(one.schema, one.name): one for one in anatomy.domains}.items():
        changes: list[sql.Composable] = [
            sql.SQL("DROP CONSTRAINT IF EXISTS {}").format(sql.Identifier(check)) for check in domain.checks
        ]
        if domain.not_null and (schema, name) not in strict:
            changes.append(sql.SQL("DROP NOT NULL"))
        for change in changes:
            yield sql.SQL("ALTER DOMAIN {} {}").format(sql.Identifier(schema, name), change)


def _loosened(table: TableName, anatomy: Anatomy, kept: _Kept) -> Iterator[sql.Composable]:
    """Columns without NOT NULL, default, identity and computed values; no triggers, rules and policies."""
    defaults = {name for part in anatomy.constraints if part.declared in kept.named for name in part.defaults}
    for column in anatomy.columns:
        for change in _changes(column, stays=kept.not_null(table, anatomy, column), falls_back=column.name in defaults):
            yield sql.SQL("ALTER COLUMN {} {}").format(sql.Identifier(column.name), sql.SQL(change))
    for rule in anatomy.rules:
        yield sql.SQL("DISABLE RULE {}").format(sql.Identifier(rule))
    yield sql.SQL("DISABLE TRIGGER USER")
    yield sql.SQL("DISABLE ROW LEVEL SECURITY")


def _changes(column: StrictColumn, *, stays: bool, falls_back: bool) -> Iterator[LiteralString]:
    """What makes a column take anything, except that NULL is refused still where that ``stays``.

    A column that a rule to be tried gives its default to (``falls_back``) keeps that. A detached partition has lost its
    identity already.
    """
    if column.identity:
        yield "DROP IDENTITY IF EXISTS"
    if column.computed:
        yield "DROP EXPRESSION"
    if column.default and not falls_back:
        yield "DROP DEFAULT"
    if column.not_null and not stays:
        yield "DROP NOT NULL"


def _altered(table: TableName, changes: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL("ALTER TABLE {} {}").format(_name(table), sql.SQL(", ").join(changes))


def _drop(kind: LiteralString, name: str) -> sql.Composed:
    """IF EXISTS, because dropping a key takes the references to it along."""
    return sql.SQL("DROP {} IF EXISTS {} CASCADE").format(sql.SQL(kind), sql.Identifier(name))


def _name(table: TableName) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)


_PARTITIONS = """
SELECT nsp.nspname::text, rel.relname::text
FROM pg_catalog.pg_inherits inh
JOIN pg_catalog.pg_class whole ON whole.oid = inh.inhparent AND whole.relname = %(table)s
JOIN pg_catalog.pg_namespace wholensp ON wholensp.oid = whole.relnamespace AND wholensp.nspname = %(schema)s
JOIN pg_catalog.pg_class rel ON rel.oid = inh.inhrelid
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
"""
