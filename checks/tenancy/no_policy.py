"""Where row security is on, a policy says which rows are whose.

Proves, for every table with row security, that a permissive policy is there for the application's role (any role, where the
settings declare none). Without one every row is hidden from everyone whom row security holds (manual, "Row Security Policies": a
default-deny policy is used), in silence: the application reads nothing and writes nothing. A table may be meant to be closed so,
and then this says no more than that it is; where its rows are declared to be tenants' it is a warning.

**Anti-pattern**

```sql
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;    -- no policy: nobody but the owner sees a row
```

**Best practice**

```sql
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON orders USING (tenant_id = current_setting('app.tenant')::bigint);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.interface import Engine, Finding, Judgement, Need, Proven, Severity
from checks.schema.model import Table
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget
from checks.tenants.roles import Application, declared_application, for_role
from checks.tenants.tables import tenant_columns

SEVERITY = Severity.NOTICE
ENGINES = frozenset({Engine.POSTGRESQL})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "tables with row security"
PROVES = "have a policy that lets rows through"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every table with row security; a partition's rows are reached by its table."""
    role = declared_application(target)
    for table in target.catalogue.tables:
        if table.row_security and (table.policies or table.partition_of is None):
            open_ = [policy for policy in for_role(table.policies, role.acts_as if role else None) if policy.permissive]
            yield Proven(table.name.label()) if open_ else _finding(table, role, target)


def _finding(table: Table, role: Application | None, target: RelationalTarget) -> Finding:
    label, where = table.name.label(), quoted_table(target.engine, table.name, target.catalogue.default_schema)
    tenancy = target.expect.tenancy
    columns = [name for one, name in tenant_columns(target.catalogue, tenancy) if one.name == table.name] if tenancy else []
    whom = f"{role.name}, the application's role" if role else "any role"
    to = f" TO {quoted(target.engine, role.name)}" if role else ""
    return Finding(
        subject=label,
        severity=Severity.WARNING if columns else None,
        message=f"row security of {label} is on and no permissive policy is for {whom}: nobody whom it holds has a row",
        remedy=f"CREATE POLICY tenant ON {where}{to} USING ({columns[0] if columns else 'tenant_id'} = …); or leave it closed,"
        " where nobody is to see its rows.",
        objects=(table.reference,),
        evidence={"table": label},
    )
