"""Reads the catalogue of a PostgreSQL database, 12 to 18, in seven queries whatever its size.

Only system catalogues are read, so any role may do it, also in a read-only session. Names of types and expressions are
written with their schema, whatever the session's ``search_path`` is: the same database always reads the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, TextClause, text

from checks.schema.bookkeeping import BOOKKEEPING
from checks.schema.model import (
    Action,
    Catalogue,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Match,
    Table,
    TableName,
)

_ACTIONS = {
    "a": Action.NO_ACTION,
    "r": Action.RESTRICT,
    "c": Action.CASCADE,
    "n": Action.SET_NULL,
    "d": Action.SET_DEFAULT,
}
_MATCHES = {"s": Match.SIMPLE, "f": Match.FULL, "p": Match.PARTIAL}

Row = Sequence[Any]
Names = Mapping[int, TableName]
PartT = TypeVar("PartT")


def read(connection: Connection, leave_out: frozenset[TableName] = frozenset()) -> Catalogue:
    """The catalogue as ``connection`` sees it.

    Left out: the system's schemas, temporary tables, foreign tables, what belongs to an extension, :data:`BOOKKEEPING`,
    Alembic's table whatever its name, and the tables that ``leave_out`` names. What a partition inherits from its partitioned
    table (foreign keys, CHECKs) stands there only. Raises SQLAlchemy's DBAPIError.
    """
    schema, path = connection.execute(text(_SESSION)).one()
    connection.execute(text(_SET_PATH), {"path": ""})
    tables = _tables(connection, leave_out)
    connection.execute(text(_SET_PATH), {"path": path})
    return Catalogue(tables, schema)


def _tables(connection: Connection, leave_out: frozenset[TableName]) -> tuple[Table, ...]:
    relations = [row for row in connection.execute(text(_RELATIONS)) if _judged(TableName(row[1], row[2]), leave_out)]
    names = {row[0]: TableName(row[1], row[2]) for row in relations}
    oids = {"relations": list(names)}

    def parts(query: TextClause, build: Callable[[TableName, Row], PartT]) -> Mapping[int, tuple[PartT, ...]]:
        return _grouped(connection.execute(query, oids), names, build)

    columns = parts(text(_COLUMNS), lambda _, row: _column(row))
    primary_keys = {row[0]: tuple(row[1]) for row in connection.execute(text(_PRIMARY_KEYS), oids)}
    keys = parts(_from_18(connection, _FOREIGN_KEYS), _foreign_key)
    checks = parts(_from_18(connection, _CHECKS), _check)
    indexes = parts(text(_INDEXES), _index)
    return tuple(
        Table(
            name=names[oid],
            columns=columns.get(oid, ()),
            primary_key=primary_keys.get(oid, ()),
            foreign_keys=keys.get(oid, ()),
            checks=checks.get(oid, ()),
            indexes=indexes.get(oid, ()),
            partitioned=partitioned,
            partition_of=None if whole is None else TableName(whole_schema, whole),
        )
        for oid, _, _, partitioned, whole_schema, whole in sorted(relations, key=lambda row: (row[1], row[2]))
        if not _of_alembic(columns.get(oid, ()))
    )


def _judged(table: TableName, leave_out: frozenset[TableName]) -> bool:
    return table.name not in BOOKKEEPING and table not in leave_out


def _of_alembic(columns: tuple[Column, ...]) -> bool:
    """Alembic's own table under a name of the project's (``version_table``): one text column of this name and nothing else."""
    return [(column.name, column.nullable) for column in columns] == [("version_num", False)] and (
        columns[0].type.startswith("character varying")
    )


def _grouped(rows: Iterable[Row], names: Names, build: Callable[[TableName, Row], PartT]) -> Mapping[int, tuple[PartT, ...]]:
    """Rows that begin with their table's oid, built and gathered by it."""
    gathered: defaultdict[int, list[PartT]] = defaultdict(list)
    for oid, *rest in rows:
        gathered[oid].append(build(names[oid], rest))
    return {oid: tuple(found) for oid, found in gathered.items()}


def _column(row: Row) -> Column:
    name, formatted, nullable, default, generated, identity, collation, base, labels, element = row
    return Column(name, formatted, nullable, default, generated, identity, collation, base, tuple(labels or ()), element)


def _foreign_key(table: TableName, row: Row) -> ForeignKey:
    name, columns, schema, parent, parent_columns, operators, delete, update, match, *switches, off_schemas, off_tables = row
    deferrable, deferred, validated, enforced, period = switches
    return ForeignKey(
        name=name,
        table=table,
        columns=tuple(columns),
        parent=TableName(schema, parent),
        parent_columns=tuple(parent_columns),
        operators=tuple(operators),
        on_delete=_ACTIONS[delete],
        on_update=_ACTIONS[update],
        match=_MATCHES[match],
        deferrable=deferrable,
        initially_deferred=deferred,
        validated=validated,
        enforced=enforced,
        period=period,
        switched_off=tuple(map(TableName, off_schemas or (), off_tables or ())),
    )


def _check(table: TableName, row: Row) -> CheckConstraint:
    name, expression, validated, enforced = row
    return CheckConstraint(name, table, expression, validated, enforced)


def _index(table: TableName, row: Row) -> Index:
    name, columns, unique, primary, predicate, valid, method, definition, part_of = row
    return Index(name, table, tuple(columns), unique, primary, predicate, valid, method, definition, part_of)


def _from_18(connection: Connection, query: str) -> TextClause:
    """A query of pg_constraint, with what held before PostgreSQL 18 in place of the columns that came with it."""
    if (connection.dialect.server_version_info or ()) >= (18,):
        return text(query)
    return text(query.replace("con.conenforced", "true").replace("con.conperiod", "false"))


_SESSION = """
SELECT coalesce(pg_catalog.current_schema()::text, 'public'), pg_catalog.current_setting('search_path')
"""

_SET_PATH = "SELECT pg_catalog.set_config('search_path', :path, false)"

_RELATIONS = """
SELECT rel.oid::bigint, nsp.nspname::text, rel.relname::text, rel.relkind = 'p', wholensp.nspname::text, whole.relname::text
FROM pg_catalog.pg_class rel
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
LEFT JOIN pg_catalog.pg_inherits inh ON rel.relispartition AND inh.inhrelid = rel.oid
LEFT JOIN pg_catalog.pg_class whole ON whole.oid = inh.inhparent
LEFT JOIN pg_catalog.pg_namespace wholensp ON wholensp.oid = whole.relnamespace
WHERE rel.relkind IN ('r', 'p') AND rel.relpersistence <> 't'
  AND nsp.nspname <> 'information_schema' AND nsp.nspname !~ '^pg_'
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend dep
    WHERE dep.classid = 'pg_catalog.pg_class'::regclass AND dep.objid = rel.oid AND dep.objsubid = 0 AND dep.deptype = 'e')
"""

_COLUMNS = """
WITH RECURSIVE below(domain, type, modifier, not_null) AS (
  SELECT oid, typbasetype, typtypmod, typnotnull FROM pg_catalog.pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT below.domain, typ.typbasetype, CASE WHEN below.modifier = -1 THEN typ.typtypmod ELSE below.modifier END,
         below.not_null OR typ.typnotnull
  FROM below JOIN pg_catalog.pg_type typ ON typ.oid = below.type AND typ.typtype = 'd'
), ground AS (
  SELECT below.* FROM below JOIN pg_catalog.pg_type typ ON typ.oid = below.type AND typ.typtype <> 'd'
), labels AS (
  SELECT enumtypid, pg_catalog.array_agg(enumlabel::text ORDER BY enumsortorder) AS listed
  FROM pg_catalog.pg_enum GROUP BY enumtypid
)
SELECT att.attrelid::bigint, att.attname::text, pg_catalog.format_type(att.atttypid, att.atttypmod),
       NOT (att.attnotnull OR coalesce(ground.not_null, false)), pg_catalog.pg_get_expr(def.adbin, def.adrelid),
       att.attgenerated <> '', att.attidentity <> '',
       CASE WHEN coll.collname = 'default' THEN NULL
            WHEN collnsp.nspname = 'pg_catalog' THEN pg_catalog.quote_ident(coll.collname)
            ELSE pg_catalog.quote_ident(collnsp.nspname) || '.' || pg_catalog.quote_ident(coll.collname) END,
       pg_catalog.format_type(ground.type, ground.modifier), labels.listed,
       pg_catalog.format_type(element.oid, coalesce(ground.modifier, att.atttypmod))
FROM pg_catalog.pg_attribute att
LEFT JOIN pg_catalog.pg_attrdef def ON def.adrelid = att.attrelid AND def.adnum = att.attnum
LEFT JOIN pg_catalog.pg_collation coll ON coll.oid = att.attcollation
LEFT JOIN pg_catalog.pg_namespace collnsp ON collnsp.oid = coll.collnamespace
LEFT JOIN ground ON ground.domain = att.atttypid
LEFT JOIN pg_catalog.pg_type element ON element.typarray = coalesce(ground.type, att.atttypid)
LEFT JOIN labels ON labels.enumtypid = coalesce(element.oid, ground.type, att.atttypid)
WHERE att.attrelid = ANY (CAST(:relations AS oid[])) AND att.attnum > 0 AND NOT att.attisdropped
ORDER BY att.attrelid, att.attnum
"""

_PRIMARY_KEYS = """
SELECT con.conrelid::bigint, ARRAY(
         SELECT att.attname::text FROM pg_catalog.unnest(con.conkey) WITH ORDINALITY AS part(attnum, place)
         LEFT JOIN pg_catalog.pg_attribute att ON att.attrelid = con.conrelid AND att.attnum = part.attnum ORDER BY part.place)
FROM pg_catalog.pg_constraint con
WHERE con.contype = 'p' AND con.conrelid = ANY (CAST(:relations AS oid[]))
"""

# A foreign key of a partitioned table has a row for each partition, of the child and of the parent: conparentid tells them.
_FOREIGN_KEYS = """
WITH RECURSIVE climb(constraint_, relation) AS (
  SELECT trg.tgconstraint, trg.tgrelid
  FROM pg_catalog.pg_trigger trg
  WHERE trg.tgconstraint <> 0 AND trg.tgenabled IN ('D', 'R')
    AND trg.tgfoid IN ('pg_catalog."RI_FKey_check_ins"'::regproc, 'pg_catalog."RI_FKey_check_upd"'::regproc)
  UNION
  SELECT con.conparentid, climb.relation
  FROM climb JOIN pg_catalog.pg_constraint con ON con.oid = climb.constraint_ AND con.conparentid <> 0
), off AS (
  SELECT climb.constraint_, pg_catalog.array_agg(nsp.nspname::text ORDER BY nsp.nspname, rel.relname) AS schemas,
         pg_catalog.array_agg(rel.relname::text ORDER BY nsp.nspname, rel.relname) AS tables
  FROM climb
  JOIN pg_catalog.pg_class rel ON rel.oid = climb.relation
  JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
  GROUP BY climb.constraint_
)
SELECT con.conrelid::bigint, con.conname::text, ARRAY(
         SELECT att.attname::text FROM pg_catalog.unnest(con.conkey) WITH ORDINALITY AS part(attnum, place)
         LEFT JOIN pg_catalog.pg_attribute att ON att.attrelid = con.conrelid AND att.attnum = part.attnum ORDER BY part.place),
       nsp.nspname::text, parent.relname::text, ARRAY(
         SELECT att.attname::text FROM pg_catalog.unnest(con.confkey) WITH ORDINALITY AS part(attnum, place)
         LEFT JOIN pg_catalog.pg_attribute att ON att.attrelid = con.confrelid AND att.attnum = part.attnum ORDER BY part.place),
       ARRAY(
         SELECT CASE WHEN oprnsp.nspname = 'pg_catalog' THEN opr.oprname::text
                     ELSE 'OPERATOR(' || pg_catalog.quote_ident(oprnsp.nspname) || '.' || opr.oprname || ')' END
         FROM pg_catalog.unnest(con.conpfeqop) WITH ORDINALITY AS part(operator, place)
         JOIN pg_catalog.pg_operator opr ON opr.oid = part.operator
         JOIN pg_catalog.pg_namespace oprnsp ON oprnsp.oid = opr.oprnamespace ORDER BY part.place),
       con.confdeltype::text, con.confupdtype::text, con.confmatchtype::text,
       con.condeferrable, con.condeferred, con.convalidated, con.conenforced, con.conperiod, off.schemas, off.tables
FROM pg_catalog.pg_constraint con
JOIN pg_catalog.pg_class parent ON parent.oid = con.confrelid
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = parent.relnamespace
LEFT JOIN off ON off.constraint_ = con.oid
WHERE con.contype = 'f' AND con.conparentid = 0 AND con.conrelid = ANY (CAST(:relations AS oid[]))
ORDER BY con.conrelid, con.conname
"""

_CHECKS = """
SELECT con.conrelid::bigint, con.conname::text, pg_catalog.pg_get_expr(con.conbin, con.conrelid),
       con.convalidated, con.conenforced
FROM pg_catalog.pg_constraint con
JOIN pg_catalog.pg_class rel ON rel.oid = con.conrelid
WHERE con.contype = 'c' AND con.conrelid = ANY (CAST(:relations AS oid[]))
  AND NOT (rel.relispartition AND con.coninhcount > 0)
ORDER BY con.conrelid, con.conname
"""

_INDEXES = """
SELECT idx.indrelid::bigint, rel.relname::text,
       ARRAY(
         SELECT att.attname::text
         FROM pg_catalog.unnest((idx.indkey::int2[])[0:idx.indnkeyatts - 1]) WITH ORDINALITY AS part(attnum, place)
         LEFT JOIN pg_catalog.pg_attribute att ON att.attrelid = idx.indrelid AND att.attnum = part.attnum ORDER BY part.place),
       idx.indisunique, idx.indisprimary, pg_catalog.pg_get_expr(idx.indpred, idx.indrelid),
       idx.indisvalid AND idx.indisready AND idx.indislive, am.amname::text,
       pg_catalog.pg_get_indexdef(idx.indexrelid), whole.relname::text
FROM pg_catalog.pg_index idx
JOIN pg_catalog.pg_class rel ON rel.oid = idx.indexrelid
JOIN pg_catalog.pg_am am ON am.oid = rel.relam
LEFT JOIN pg_catalog.pg_inherits inh ON rel.relispartition AND inh.inhrelid = rel.oid
LEFT JOIN pg_catalog.pg_class whole ON whole.oid = inh.inhparent
WHERE idx.indrelid = ANY (CAST(:relations AS oid[]))
ORDER BY idx.indrelid, rel.relname
"""
