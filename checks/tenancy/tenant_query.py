"""The application's own queries for a tenant's rows return no other tenant's.

Proves, for each of the declared queries (`reads` under `[databases.NAME.tenancy]`), that it keeps to the tenant that it is asked
for: it is run for each of twenty tenants that have rows, and whatever comes back must say that tenant's name. Without row
security, a condition that is forgotten in one branch of an OR, or in one half of a UNION, is all it takes.

The query is read as it is, with the tenant in its place, in a session that cannot write; it has to return the column that says
whose a row is. A query that returns nothing for any tenant proves nothing, and neither does a database with one tenant.

**Anti-pattern**

```sql
-- AND binds more closely than OR: every urgent order comes back, whosever it is.
SELECT id, tenant_id FROM orders WHERE tenant_id = {tenant} AND open OR urgent;
```

**Best practice**

```sql
SELECT id, tenant_id FROM orders WHERE tenant_id = {tenant} AND (open OR urgent);
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.sql.reading import objects_read
from checks.sql.statements import quoted
from checks.targets import ReadSession, RelationalTarget, StatementFailed
from checks.tenants.declared import Tenancy
from checks.tenants.tables import telling
from checks.tenants.templates import Template
from checks.tenants.tenants import Tenant, known_tenants

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.ANY_ROWS})
SUBJECTS = "declared queries of tenants"
PROVES = "return no other tenant's rows"

#: For how many tenants a query is run.
_MANY = 20


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Run each declared query for several tenants."""
    tenancy = target.expect.tenancy
    if tenancy is None or not tenancy.reads:
        return
    with target.rows() as session:
        found = telling(target.catalogue, tenancy)
        tables = [(table, found[table.name]) for table in target.catalogue.tables if table.name in found]
        tenants = known_tenants(session.rows, tables, tenancy)[:_MANY]
        for name, query in tenancy.reads.items():
            yield _judged(name, query, tenants, session, target, tenancy)


def _judged(
    name: str, query: Template, tenants: Sequence[Tenant], session: ReadSession, target: RelationalTarget, tenancy: Tenancy
) -> Judgement:
    if len(tenants) < 2:
        return NotProven(name, "fewer than two tenants have rows")
    columns = [column for column in tenancy.wall if column in query.columns]
    returned = 0
    for tenant in tenants:
        sql = filled(query, tenant, target.engine)
        try:
            total, others = _counted(sql, columns, tenant, session, target.engine)
        except StatementFailed as failure:
            return NotProven(name, failure.gap or f"it could not be read with {' and '.join(columns)}: {failure}")
        returned += total
        if others:
            return _finding(name, sql, columns, others, target)
    return Proven(name) if returned else NotProven(name, "it returns no row for any tenant")


def filled(query: Template, tenant: Tenant, engine: Engine) -> str:
    """The query for one tenant."""
    values = (_literal(tenant[column], engine) for column in query.columns)
    return query.texts[0] + "".join(value + text for value, text in zip(values, query.texts[1:], strict=True))


def _literal(value: str, engine: Engine) -> str:
    text = value.replace("'", "''")
    return "'" + (text.replace("\\", "\\\\") if engine in (Engine.MARIADB, Engine.MYSQL) else text) + "'"


def _counted(sql: str, columns: Sequence[str], tenant: Tenant, session: ReadSession, engine: Engine) -> tuple[int, int]:
    """How many rows come back, and how many of them are another tenant's."""
    same = " AND ".join(f"given.{quoted(engine, name)} = {_literal(tenant[name], engine)}" for name in columns)
    parts = ("SELECT count(*), count(CASE WHEN", same, "THEN 1 END) FROM (", sql.rstrip().rstrip(";"), "\n) AS given")
    ((total, ours),) = session.raw(" ".join(parts), 1)
    return int(total), int(total) - int(ours)


def _finding(name: str, sql: str, columns: Sequence[str], others: int, target: RelationalTarget) -> Finding:
    rows = "1 row that is" if others == 1 else f"{others} rows that are"
    return Finding(
        subject=name,
        message=f"“{name}” returns {rows} not of the tenant that it is asked for, by {' and '.join(columns)}",
        remedy="Let every branch of the query compare whose a row is: OR in parentheses, each half of a UNION, each join.",
        objects=objects_read(sql, target.engine, target.catalogue),
        count=others,
        evidence={"columns": list(columns)},
    )
