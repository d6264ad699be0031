"""Every foreign key and every CHECK holds for the rows that were there before it.

Proves that no constraint is `NOT VALID` and none is `NOT ENFORCED` (ALTER TABLE, "ADD table_constraint [ NOT VALID ]"; CREATE
TABLE, "NOT ENFORCED", PostgreSQL 18). A constraint that is NOT VALID stops new rows only, and the planner does not rely on it;
one that is NOT ENFORCED stops nothing. A warning, because adding it now and validating it in the next release is the right way
for a large table. Where the migrations stopped on the way nothing is said, for the one that validates may not have been reached.

**Anti-pattern**

```sql
ALTER TABLE orders ADD CONSTRAINT ck_total CHECK (total >= 0) NOT VALID;
-- ... and nobody comes back.
```

**Best practice**

```sql
ALTER TABLE orders ADD CONSTRAINT ck_total CHECK (total >= 0) NOT VALID;    -- one release: a short lock
ALTER TABLE orders VALIDATE CONSTRAINT ck_total;                            -- the next: reads all, blocks no writer
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.model import CheckConstraint, ForeignKey
from checks.schema.names import table_reference
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "foreign keys and CHECKs"
PROVES = "are validated and enforced"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every foreign key and CHECK by what the catalogue says of it."""
    for table in target.catalogue.tables:
        constraints: tuple[ForeignKey | CheckConstraint, ...] = (*table.foreign_keys, *table.checks)
        for constraint in constraints:
            if constraint.validated and constraint.enforced:
                yield Proven(_subject(constraint))
            elif target.evidence.incomplete:
                yield NotProven(_subject(constraint), "not validated when the migrations failed")
            else:
                yield _finding(constraint, target)


def _subject(constraint: ForeignKey | CheckConstraint) -> str:
    return f"{constraint.table.label()}.{constraint.name}"


def _finding(constraint: ForeignKey | CheckConstraint, target: RelationalTarget) -> Finding:
    kind = "foreign key" if isinstance(constraint, ForeignKey) else "CHECK"
    return Finding(
        subject=_subject(constraint),
        message=f"{kind} {constraint.name} of {constraint.table.label()} is {_lack(constraint)}",
        remedy=_remedy(constraint, target),
        objects=(constraint.reference, table_reference(constraint.table)),
        evidence={"validated": constraint.validated, "enforced": constraint.enforced},
    )


def _lack(constraint: ForeignKey | CheckConstraint) -> str:
    if not constraint.enforced:
        return "NOT ENFORCED: the server refuses no row by it"
    return "NOT VALID: rows from before it were never looked at"


def _remedy(constraint: ForeignKey | CheckConstraint, target: RelationalTarget) -> str:
    table = quoted_table(target.engine, constraint.table, target.catalogue.default_schema)
    name = quoted(target.engine, constraint.name)
    if constraint.enforced:
        return f"ALTER TABLE {table} VALIDATE CONSTRAINT {name};"
    if isinstance(constraint, ForeignKey):
        return f"ALTER TABLE {table} ALTER CONSTRAINT {name} ENFORCED;"
    return f"ALTER TABLE {table} DROP CONSTRAINT {name}; then add it again without NOT ENFORCED."
