"""Row security holds the application even where it owns the tables.

Proves, for every table with row security, that its policies apply to the role that the application connects as (`role` under
`[databases.NAME.tenancy]`). They do not apply to a table's owner, nor to any role that has the owner's privileges, unless
the table says `FORCE ROW LEVEL SECURITY` (manual, "Row Security Policies": table owners normally bypass row security). Where one
role migrates and serves, that is every table, and all policies are decoration.

**Anti-pattern**

```sql
-- The application connects as the role that runs this, so it owns what it makes.
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id bigint NOT NULL);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
```

**Best practice**

```sql
-- Migrations run as an owner that the application is not; and where they are one:
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.model import Table
from checks.sql.statements import quoted_table
from checks.targets import RelationalTarget
from checks.tenants.roles import Application, declared_application

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL})
NEEDS = frozenset({Need.APP_ROLE})
SUBJECTS = "tables with row security"
PROVES = "hold the application's role"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every table with row security, where the application's role is declared."""
    tenancy = target.expect.tenancy
    if tenancy is None or not tenancy.role:
        return
    role = declared_application(target)
    for table in target.catalogue.tables:
        if table.row_security:
            yield _judged(table, role, target) if role else NotProven(table.name.label(), f"there is no role {tenancy.role}")


def _judged(table: Table, role: Application, target: RelationalTarget) -> Judgement:
    label = table.name.label()
    if table.forced or table.owner not in role.acts_as:
        return Proven(label)
    owner = "owns it" if table.owner == role.name else f"has the privileges of its owner {table.owner}"
    return Finding(
        subject=label,
        message=f"row security of {label} does not hold {role.name}, the application's role, which {owner}",
        remedy=f"ALTER TABLE {quoted_table(target.engine, table.name, target.catalogue.default_schema)} FORCE ROW LEVEL SECURITY;"
        " or let another role own it.",
        objects=(table.reference,),
        evidence={"table": label, "owner": table.owner, "role": role.name},
    )
