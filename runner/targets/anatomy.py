"""What hangs on each table of a PostgreSQL database and may have a say in a write: read for all tables at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, TypeVar

from checks.schema.names import ObjectKind, ObjectReference, TableName
from runner.targets.sessions import Driver

PartT = TypeVar("PartT")


@dataclass(frozen=True)
class Constraint:
    """A CHECK, a key or a reference. ``index`` is the oid of the index it stands on, 0 for none.

    ``defaults`` are the columns that take their default where its rule is SET DEFAULT. ``declared`` is what was declared: the
    partitioned table's constraint for one that a partition inherits, else itself.
    """

    name: str
    index: int
    own_index: bool
    defaults: Sequence[str]
    declared: ObjectReference


@dataclass(frozen=True)
class FreeIndex:
    """An index that no constraint of its table stands on.

    ``declared`` is what was declared: the partitioned table's index for one that a partition inherits, else itself.
    """

    oid: int
    schema: str
    name: str
    declared: ObjectReference


@dataclass(frozen=True)
class StrictColumn:
    """A column that refuses NULL or fills itself. ``primary`` is the oid of the primary key's index, 0 outside of it."""

    name: str
    identity: bool
    computed: bool
    default: bool
    not_null: bool
    primary: int


@dataclass(frozen=True)
class StrictDomain:
    """A domain with rules, that a column is of, directly or below another domain; there is one for each column."""

    column: str
    schema: str
    name: str
    not_null: bool
    checks: Sequence[str]


@dataclass(frozen=True)
class Above:
    """A table that this one is a partition of, or inherits from."""

    table: TableName
    partitioned: bool


@dataclass(frozen=True)
class Partitioning:
    """How a table is partitioned: whether by hash, and its default partition where it has one."""

    by_hash: bool
    default: TableName | None


@dataclass(frozen=True)
class Anatomy:
    """All of a table's parts. ``referred`` are all references to it, its own too, or to a table that it is a part of.

    ``replicated`` says that its replica identity may have a say.
    """

    constraints: tuple[Constraint, ...]
    indexes: tuple[FreeIndex, ...]
    columns: tuple[StrictColumn, ...]
    domains: tuple[StrictDomain, ...]
    rules: tuple[str, ...]
    above: tuple[Above, ...]
    referred: tuple[ObjectReference, ...]
    partitioning: Partitioning | None
    replicated: bool


class Anatomies:
    """The parts of every table, as they were when this was made."""

    def __init__(self, driver: Driver) -> None:
        self._constraints = _parts(driver, _CONSTRAINTS, _constraint)
        self._indexes = _parts(driver, _INDEXES, _index)
        self._columns = _parts(driver, _COLUMNS, StrictColumn)
        self._domains = _parts(driver, _DOMAINS, StrictDomain)
        self._rules = _parts(driver, _RULES, str)
        self._above = _parts(driver, _ABOVE, lambda schema, name, partitioned: Above(TableName(schema, name), partitioned))
        self._referred = _parts(driver, _REFERRED, lambda *key: ObjectReference(ObjectKind.CONSTRAINT, *key))
        self._partitioning = _parts(driver, _PARTITIONING, _partitioning)
        self._replicated = _parts(driver, _REPLICATED, bool)

    def of(self, table: TableName) -> Anatomy:
        """The parts of one table."""
        return Anatomy(
            self._constraints.get(table, ()),
            self._indexes.get(table, ()),
            self._columns.get(table, ()),
            self._domains.get(table, ()),
            self._rules.get(table, ()),
            self._above.get(table, ()),
            tuple(dict.fromkeys(self._referring(table))),
            next(iter(self._partitioning.get(table, ())), None),
            table in self._replicated,
        )

    def _referring(self, table: TableName) -> Iterator[ObjectReference]:
        yield from self._referred.get(table, ())
        for above in self._above.get(table, ()):
            if above.partitioned:
                yield from self._referring(above.table)

    def declared(self, table: TableName, constraint: str) -> ObjectReference:
        """What was declared, given a constraint as the server's errors name it."""
        named = (part.declared for part in self._constraints.get(table, ()) if part.name == constraint)
        return next(named, ObjectReference(ObjectKind.CONSTRAINT, table.schema, table.name, constraint))


def _parts(driver: Driver, query: LiteralString, build: Callable[..., PartT]) -> Mapping[TableName, tuple[PartT, ...]]:
    """Rows that begin with their table's schema and name, built from the rest and gathered by table."""
    gathered: defaultdict[TableName, list[PartT]] = defaultdict(list)
    for schema, table, *rest in driver.execute(query).fetchall():
        gathered[TableName(schema, table)].append(build(*rest))
    return {table: tuple(parts) for table, parts in gathered.items()}


def _constraint(name: str, index: int, own_index: bool, *more: Any) -> Constraint:  # noqa: ANN401 - a row's rest
    defaults, schema, table, declared_name = more
    return Constraint(name, index, own_index, defaults, ObjectReference(ObjectKind.CONSTRAINT, schema, table, declared_name))


def _index(oid: int, schema: str, name: str, *declared: str) -> FreeIndex:
    return FreeIndex(oid, schema, name, ObjectReference(ObjectKind.INDEX, *declared))


def _partitioning(by_hash: bool, schema: str | None, name: str | None) -> Partitioning:
    return Partitioning(by_hash, None if schema is None or name is None else TableName(schema, name))


# A reference to a partitioned table has further rows for its partitions, of the same child: they come and go with the first.
# A CHECK of a partition does not name the one that it is inherited from: that has its name.
_CONSTRAINTS = """
WITH RECURSIVE parted AS (
  SELECT con.oid, CASE WHEN con.contype = 'c' THEN coalesce(whole.oid, 0) ELSE con.conparentid END AS above
  FROM pg_catalog.pg_constraint con
  LEFT JOIN pg_catalog.pg_class rel ON rel.oid = con.conrelid AND rel.relispartition
  LEFT JOIN pg_catalog.pg_inherits inh ON inh.inhrelid = rel.oid
  LEFT JOIN pg_catalog.pg_constraint whole
    ON whole.conrelid = inh.inhparent AND whole.conname = con.conname AND whole.contype = 'c'
    AND con.contype = 'c' AND con.coninhcount > 0
  WHERE con.conrelid <> 0 AND con.contype IN ('c', 'f', 'p', 'u', 'x')
), climb(constraint_, declared, above) AS (
  SELECT oid, oid, above FROM parted
  UNION ALL
  SELECT climb.constraint_, parted.oid, parted.above FROM climb JOIN parted ON parted.oid = climb.above
)
SELECT nsp.nspname::text, rel.relname::text, con.conname::text, con.conindid::bigint, con.contype IN ('p', 'u', 'x'),
       CASE WHEN 'd' IN (con.confdeltype, con.confupdtype) THEN ARRAY(
         SELECT att.attname::text FROM pg_catalog.pg_attribute att
         WHERE att.attrelid = con.conrelid AND att.attnum = ANY (con.conkey)) ELSE '{}' END,
       wholensp.nspname::text, whole.relname::text, declared.conname::text
FROM climb
JOIN pg_catalog.pg_constraint con ON con.oid = climb.constraint_
JOIN pg_catalog.pg_constraint declared ON declared.oid = climb.declared
JOIN pg_catalog.pg_class rel ON rel.oid = con.conrelid
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
JOIN pg_catalog.pg_class whole ON whole.oid = declared.conrelid
JOIN pg_catalog.pg_namespace wholensp ON wholensp.oid = whole.relnamespace
WHERE climb.above = 0 AND (con.oid = declared.oid OR con.conrelid <> declared.conrelid)
"""

_INDEXES = """
SELECT nsp.nspname::text, rel.relname::text, idx.indexrelid::bigint, idxnsp.nspname::text, idxrel.relname::text,
       wholensp.nspname::text, whole.relname::text, top.relname::text
FROM pg_catalog.pg_index idx
JOIN pg_catalog.pg_class rel ON rel.oid = idx.indrelid AND rel.relkind IN ('r', 'p')
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace AND nsp.nspname !~ '^pg_'
JOIN pg_catalog.pg_class idxrel ON idxrel.oid = idx.indexrelid
JOIN pg_catalog.pg_namespace idxnsp ON idxnsp.oid = idxrel.relnamespace
JOIN pg_catalog.pg_class top
  ON top.oid = CASE WHEN idxrel.relispartition THEN pg_catalog.pg_partition_root(idxrel.oid) ELSE idxrel.oid END
JOIN pg_catalog.pg_index topidx ON topidx.indexrelid = top.oid
JOIN pg_catalog.pg_class whole ON whole.oid = topidx.indrelid
JOIN pg_catalog.pg_namespace wholensp ON wholensp.oid = whole.relnamespace
WHERE NOT EXISTS (
  SELECT FROM pg_catalog.pg_constraint con
  WHERE con.conrelid = idx.indrelid AND con.conindid = idx.indexrelid AND con.contype IN ('p', 'u', 'x'))
"""

# A virtual column computes nothing when a row is written.
_COLUMNS = """
SELECT nsp.nspname::text, rel.relname::text, att.attname::text, att.attidentity <> '', att.attgenerated = 's',
       att.atthasdef AND att.attgenerated = '', att.attnotnull,
       CASE WHEN att.attnum = ANY (idx.indkey) THEN idx.indexrelid::bigint ELSE 0 END
FROM pg_catalog.pg_attribute att
JOIN pg_catalog.pg_class rel ON rel.oid = att.attrelid AND rel.relkind IN ('r', 'p')
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace AND nsp.nspname !~ '^pg_'
LEFT JOIN pg_catalog.pg_index idx ON idx.indrelid = rel.oid AND idx.indisprimary
WHERE att.attnum > 0 AND NOT att.attisdropped AND (att.attnotnull OR att.atthasdef OR att.attidentity <> '')
"""

_DOMAINS = """
WITH RECURSIVE used(relation, attribute, domain) AS (
  SELECT att.attrelid, att.attname::text, typ.oid
  FROM pg_catalog.pg_type typ
  JOIN pg_catalog.pg_attribute att ON att.atttypid = typ.oid AND att.attnum > 0 AND NOT att.attisdropped
  WHERE typ.typtype = 'd'
  UNION
  SELECT used.relation, used.attribute, below.oid
  FROM used
  JOIN pg_catalog.pg_type typ ON typ.oid = used.domain
  JOIN pg_catalog.pg_type below ON below.oid = typ.typbasetype AND below.typtype = 'd'
), strict AS (
  SELECT typ.oid, typ.typnamespace, typ.typname, typ.typnotnull, ARRAY(
    SELECT con.conname::text FROM pg_catalog.pg_constraint con WHERE con.contypid = typ.oid AND con.contype = 'c') AS checks
  FROM pg_catalog.pg_type typ WHERE typ.typtype = 'd'
)
SELECT nsp.nspname::text, rel.relname::text, used.attribute, typnsp.nspname::text, strict.typname::text, strict.typnotnull,
       strict.checks
FROM used
JOIN strict ON strict.oid = used.domain AND (strict.typnotnull OR strict.checks <> '{}')
JOIN pg_catalog.pg_namespace typnsp ON typnsp.oid = strict.typnamespace
JOIN pg_catalog.pg_class rel ON rel.oid = used.relation AND rel.relkind IN ('r', 'p')
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace AND nsp.nspname <> 'information_schema'
"""

_RULES = """
SELECT nsp.nspname::text, rel.relname::text, rule.rulename::text
FROM pg_catalog.pg_rewrite rule
JOIN pg_catalog.pg_class rel ON rel.oid = rule.ev_class AND rel.relkind IN ('r', 'p')
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
WHERE rule.ev_enabled <> 'D'
"""

_ABOVE = """
SELECT nsp.nspname::text, rel.relname::text, wholensp.nspname::text, whole.relname::text, rel.relispartition
FROM pg_catalog.pg_inherits inh
JOIN pg_catalog.pg_class rel ON rel.oid = inh.inhrelid AND rel.relkind IN ('r', 'p')
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
JOIN pg_catalog.pg_class whole ON whole.oid = inh.inhparent
JOIN pg_catalog.pg_namespace wholensp ON wholensp.oid = whole.relnamespace
ORDER BY inh.inhseqno
"""

_REFERRED = """
SELECT parentnsp.nspname::text, parent.relname::text, nsp.nspname::text, rel.relname::text, con.conname::text
FROM pg_catalog.pg_constraint con
JOIN pg_catalog.pg_class parent ON parent.oid = con.confrelid
JOIN pg_catalog.pg_namespace parentnsp ON parentnsp.oid = parent.relnamespace
JOIN pg_catalog.pg_class rel ON rel.oid = con.conrelid
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
WHERE con.contype = 'f' AND con.conparentid = 0
ORDER BY con.conrelid = con.confrelid
"""

_PARTITIONING = """
SELECT nsp.nspname::text, rel.relname::text, par.partstrat = 'h', partnsp.nspname::text, part.relname::text
FROM pg_catalog.pg_partitioned_table par
JOIN pg_catalog.pg_class rel ON rel.oid = par.partrelid
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
LEFT JOIN pg_catalog.pg_class part ON part.oid = par.partdefid
LEFT JOIN pg_catalog.pg_namespace partnsp ON partnsp.oid = part.relnamespace
"""

# What an index of its own identifies keeps that index; what is published cannot be changed without an identity.
_REPLICATED = """
SELECT nsp.nspname::text, rel.relname::text, true
FROM pg_catalog.pg_class rel
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace AND nsp.nspname !~ '^pg_'
WHERE rel.relkind IN ('r', 'p') AND (rel.relreplident = 'i' OR EXISTS (SELECT FROM pg_catalog.pg_publication))
"""
