"""Where tables have policies, row security is switched on.

Proves, for every table that has a policy, that the policies are asked at all: `CREATE POLICY` alone does nothing, and after
`DISABLE ROW LEVEL SECURITY` they stay in the catalogue and look well (manual, "Row Security Policies": policies that have been
defined are not applied while row security is disabled). Where the settings say that row security keeps tenants apart (`role` and
`sign_in`), it must be on for every table that says whose its rows are, policies or none.

**Anti-pattern**

```sql
CREATE POLICY own_rows ON orders USING (tenant_id = current_setting('app.tenant')::bigint);   -- and nothing happens
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
from checks.schema.model import Catalogue, Table
from checks.schema.names import TableName
from checks.sql.statements import quoted_table
from checks.targets import RelationalTarget
from checks.tenants.declared import Tenancy
from checks.tenants.tables import tenant_columns

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "tables with policies"
PROVES = "have row security switched on"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every table with policies, and every table of a tenant's that row security is to keep."""
    kept = _kept(target.catalogue, target.expect.tenancy)
    for table in target.catalogue.tables:
        if table.policies or table.name in kept:
            yield Proven(table.name.label()) if table.row_security else _finding(table, target)


def _kept(catalogue: Catalogue, tenancy: Tenancy | None) -> frozenset[TableName]:
    if tenancy is None or tenancy.sign_in is None:
        return frozenset()
    return frozenset(table.name for table, _ in tenant_columns(catalogue, tenancy))


def _finding(table: Table, target: RelationalTarget) -> Finding:
    label, where = table.name.label(), quoted_table(target.engine, table.name, target.catalogue.default_schema)
    names = ", ".join(policy.name for policy in table.policies)
    count = len(table.policies)
    words = (
        f"its {'policy is' if count == 1 else f'{count} policies are'} not asked ({names})" if count else "and it has no policy"
    )
    column = target.expect.tenancy.columns[0] if target.expect.tenancy else "tenant_id"
    policy = "" if count else f" CREATE POLICY tenant ON {where} USING ({column} = …);"
    return Finding(
        subject=label,
        message=f"row security of {label} is off: {words}, and whoever may read it reads every row",
        remedy=f"ALTER TABLE {where} ENABLE ROW LEVEL SECURITY;{policy}",
        objects=(table.reference, *(policy.reference for policy in table.policies)),
        count=count or None,
        evidence={"table": label, "policies": [policy.name for policy in table.policies]},
    )
