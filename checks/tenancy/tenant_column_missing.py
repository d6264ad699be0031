"""Every table says whose its rows are.

Proves, for every table that is not declared to be shared, that it has each of the columns that name the tenant
(`[databases.NAME.tenancy]`). A table without it can be kept apart by nothing: no policy, no condition and no check can tell
whose a row is without asking other tables, and the one query that forgets to ask reads everybody's rows.

The tables of the tenants themselves need no such column (`table`; where that is not said, those that the columns refer to), nor
do partitions, whose columns are their table's.

**Anti-pattern**

```sql
CREATE TABLE invoice_lines (id bigint PRIMARY KEY, invoice_id bigint NOT NULL REFERENCES invoices (id));
```

**Best practice**

```sql
CREATE TABLE invoice_lines (
    id bigint PRIMARY KEY,
    tenant_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id)
);
```
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from checks.interface import Engine, Finding, Judgement, Need, Proven, Severity
from checks.schema.model import Table
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget
from checks.tenants.tables import judged_tables

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "tables of declared tenants"
PROVES = "say whose each row is"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every table that is not shared."""
    tenancy = target.expect.tenancy
    for table in judged_tables(target.catalogue, tenancy) if tenancy else ():
        lacking = [name for name in tenancy.columns if name not in table.column] if tenancy else []
        yield _finding(table, lacking, target) if lacking else Proven(table.name.label())


def _finding(table: Table, lacking: list[str], target: RelationalTarget) -> Finding:
    label = table.name.label()
    where = quoted_table(target.engine, table.name, target.catalogue.default_schema)
    adding = ", ".join(f"ADD COLUMN {quoted(target.engine, name)} {_type(name, target)}" for name in lacking)
    return Finding(
        subject=label,
        message=f"{label} has no column {' and no column '.join(lacking)}: nothing tells whose its rows are",
        remedy=f"ALTER TABLE {where} {adding}; then fill it and make it NOT NULL. Where the rows are everybody's: shared ="
        f' ["{label}"].',
        objects=(table.reference,),
        evidence={"table": label, "columns": list(lacking)},
    )


def _type(name: str, target: RelationalTarget) -> str:
    """The type that most tables give the column."""
    types = Counter(table.column[name].type for table in target.catalogue.tables if name in table.column)
    return types.most_common(1)[0][0] if types else "bigint"
