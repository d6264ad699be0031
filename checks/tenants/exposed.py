"""Other ways to tenants' rows than by their tables: views and materialized views, and functions that run as their owner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import FromClause, func, select, text
from sqlalchemy import column as core_column
from sqlalchemy import table as core_table
from sqlalchemy.types import NullType

from checks.interface import Engine
from checks.schema.names import ObjectKind, ObjectReference, TableName
from checks.sql.orphans import Rows
from checks.sql.statements import quoted
from checks.targets import StatementFailed
from checks.tenants.application import Application
from checks.tenants.attempts import Leak, Result, Unclear, unsigned
from checks.tenants.tables import Wall
from checks.tenants.tenants import Tenant, of_another


@dataclass(frozen=True)
class Way:
    """A view or a function that the application's role may read, with the columns that it gives.

    ``as_owner`` says that it reads with its owner's rights, ``stored`` that it holds rows of its own,
    ``reads`` the tables that a view's rows come from, by way of other views too.
    """

    name: TableName
    reference: ObjectReference
    columns: tuple[str, ...]
    as_owner: bool
    reads: frozenset[TableName] = frozenset()
    stored: bool = False
    function: bool = False

    @property
    def label(self) -> str:
        """``possible_duplicates``, or ``overdue_orders()`` for a function."""
        return f"{self.name.label()}{'()' if self.function else ''}"

    @property
    def rows(self) -> FromClause:
        """What is read."""
        columns = [core_column(name, NullType()) for name in self.columns]
        if not self.function:
            return core_table(self.name.name, *columns, schema=self.name.schema or None)
        called = f"{quoted(Engine.POSTGRESQL, self.name.schema)}.{quoted(Engine.POSTGRESQL, self.name.name)}()"
        return text(_ALL_OF.replace("?", called.replace(":", "\\:"))).columns(*columns).subquery("given")


def ways(application: Application, role: str) -> Iterator[Way]:
    """Every view, and every function without arguments that gives rows with its owner's rights. Raises StatementFailed."""
    for schema, name, columns, invoker, stored, schemas, tables in application.seen(text(_VIEWS).bindparams(role=role)):
        reference = ObjectReference(ObjectKind.VIEW, schema, "", name)
        reads = frozenset(map(TableName, schemas or (), tables or ()))
        yield Way(TableName(schema, name), reference, tuple(columns), not invoker, reads, stored)
    for schema, name, columns in application.seen(text(_FUNCTIONS).bindparams(role=role)):
        reference = ObjectReference(ObjectKind.FUNCTION, schema, "", f"{name}()")
        yield Way(TableName(schema, name), reference, tuple(columns), as_owner=True, function=True)


def read_by(application: Application, way: Way, wall: Wall, intruder: Tenant) -> Result:
    """Read as a tenant, then as nobody: whatever names another tenant should not be there."""
    rows = way.rows
    count = select(func.count()).select_from(rows)
    theirs = count.where(of_another(rows, wall, intruder))
    try:
        if _is_empty(application, theirs):
            return Unclear("no rows of other tenants in it")
        with application.entered(intruder) as trial:
            if found := trial.rows(theirs)[0][0]:
                return Leak("reads other tenants' rows", found)
    except StatementFailed as failure:
        return Unclear(str(failure))
    return unsigned(application, rows, wall)


def _is_empty(application: Application, theirs: Rows) -> bool:
    """Whether there is nothing to be seen, as far as it can be read by somebody who is not signed in."""
    try:
        return not application.seen(theirs)[0][0]
    except StatementFailed:
        return False


_ALL_OF = "SELECT * FROM ?"

_VIEWS = """
WITH RECURSIVE step(view, relation) AS (
  SELECT DISTINCT rule.ev_class, dep.refobjid
  FROM pg_catalog.pg_rewrite rule
  JOIN pg_catalog.pg_depend dep ON dep.classid = 'pg_catalog.pg_rewrite'::regclass AND dep.objid = rule.oid
    AND dep.refclassid = 'pg_catalog.pg_class'::regclass AND dep.refobjid <> rule.ev_class
), below(view, relation) AS (
  SELECT view, relation FROM step
  UNION
  SELECT below.view, step.relation FROM below JOIN step ON step.view = below.relation
), base AS (
  SELECT below.view, pg_catalog.array_agg(nsp.nspname::text ORDER BY rel.oid) AS schemas,
         pg_catalog.array_agg(rel.relname::text ORDER BY rel.oid) AS tables
  FROM below JOIN pg_catalog.pg_class rel ON rel.oid = below.relation AND rel.relkind IN ('r', 'p')
  JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
  GROUP BY below.view
)
SELECT nsp.nspname::text, rel.relname::text, ARRAY(
         SELECT att.attname::text FROM pg_catalog.pg_attribute att
         WHERE att.attrelid = rel.oid AND att.attnum > 0 AND NOT att.attisdropped ORDER BY att.attnum),
       coalesce(rel.reloptions && ARRAY['security_invoker=true', 'security_invoker=on', 'security_invoker=1',
                                        'security_invoker=yes'], false),
       rel.relkind = 'm', base.schemas, base.tables
FROM pg_catalog.pg_class rel LEFT JOIN base ON base.view = rel.oid JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
JOIN pg_catalog.pg_roles rol ON rol.rolname = :role
WHERE rel.relkind IN ('v', 'm') AND nsp.nspname !~ '^pg_' AND nsp.nspname <> 'information_schema'
  AND pg_catalog.has_schema_privilege(rol.oid, nsp.oid, 'USAGE') AND pg_catalog.has_table_privilege(rol.oid, rel.oid, 'SELECT')
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend dep
    WHERE dep.classid = 'pg_catalog.pg_class'::regclass AND dep.objid = rel.oid AND dep.objsubid = 0 AND dep.deptype = 'e')
ORDER BY 1, 2
"""

# What may write, or asks for an argument, is not called.
_FUNCTIONS = """
SELECT nsp.nspname::text, pro.proname::text, coalesce(
         (SELECT pg_catalog.array_agg(att.attname::text ORDER BY att.attnum)
          FROM pg_catalog.pg_type typ JOIN pg_catalog.pg_attribute att ON att.attrelid = typ.typrelid
          WHERE typ.oid = pro.prorettype AND att.attnum > 0 AND NOT att.attisdropped),
         (SELECT pg_catalog.array_agg(arg.name::text ORDER BY arg.place)
          FROM ROWS FROM (pg_catalog.unnest(pro.proargnames), pg_catalog.unnest(pro.proargmodes))
            WITH ORDINALITY AS arg(name, mode, place)
          WHERE arg.mode IN ('t', 'o')), '{}')
FROM pg_catalog.pg_proc pro JOIN pg_catalog.pg_namespace nsp ON nsp.oid = pro.pronamespace
JOIN pg_catalog.pg_roles rol ON rol.rolname = :role
WHERE pro.prosecdef AND pro.proretset AND pro.provolatile IN ('s', 'i') AND pro.pronargs = pro.pronargdefaults
  AND nsp.nspname !~ '^pg_' AND nsp.nspname <> 'information_schema'
  AND pg_catalog.has_schema_privilege(rol.oid, nsp.oid, 'USAGE')
  AND pg_catalog.has_function_privilege(rol.oid, pro.oid, 'EXECUTE')
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend dep
    WHERE dep.classid = 'pg_catalog.pg_proc'::regclass AND dep.objid = pro.oid AND dep.deptype = 'e')
ORDER BY 1, 2
"""
