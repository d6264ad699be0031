"""Every trigger fires.

Proves that no trigger is switched off: neither one that somebody made, nor one of those by which PostgreSQL enforces a foreign
key (sql-altertable, `DISABLE TRIGGER`). What is switched off stays so, in silence, through every restart and every dump: rows are
written past the audit log, the search index, the reference. A trigger that fires only in sessions that replicate
(`ENABLE REPLICA TRIGGER`) is meant to be quiet elsewhere; nothing is proven of it.

`reference-probe` tries what a reference with switched-off triggers lets in. Where nothing may be tried, because a database was
given to be read only, this is what tells.

**Anti-pattern**

```sql
ALTER TABLE orders DISABLE TRIGGER ALL;    -- for the import
COPY orders FROM '/import/orders.csv' CSV;
```

**Best practice**

```sql
-- For this transaction alone: whoever comes after it has every trigger.
BEGIN;
ALTER TABLE orders DISABLE TRIGGER orders_audit;
UPDATE orders SET currency = 'EUR' WHERE currency IS NULL;
ALTER TABLE orders ENABLE TRIGGER orders_audit;
COMMIT;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.declared.subjects import references
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.model import Firing, ForeignKey, Table, Trigger
from checks.schema.names import TableName, table_reference
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "triggers and references"
PROVES = "are switched on"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge the triggers that were made, and of each reference those that enforce it."""
    for table in target.catalogue.tables:
        for trigger in table.triggers:
            if not (trigger.inherited and _fires_like_the_whole(trigger, table, target)):
                yield _judged(trigger, target)
    for subject, key in references(target.catalogue):
        if key.enforced:
            yield _switched_off(subject, key, target) if key.switched_off else Proven(subject)


def _fires_like_the_whole(trigger: Trigger, table: Table, target: RelationalTarget) -> bool:
    """A partition's trigger is judged with that of the table above it, unless it was switched by itself."""
    whole = target.catalogue.table.get(table.partition_of) if table.partition_of else None
    return whole is not None and any(one.name == trigger.name and one.firing is trigger.firing for one in whole.triggers)


def _judged(trigger: Trigger, target: RelationalTarget) -> Judgement:
    subject = f"{trigger.table.label()}.{trigger.name}"
    if trigger.firing is Firing.ON:
        return Proven(subject)
    if trigger.firing is Firing.REPLICATION:
        return NotProven(subject, "it fires only in sessions that replicate")
    return Finding(
        subject=subject,
        message=f"trigger {trigger.name} of {trigger.table.label()} is switched off",
        remedy=f"ALTER TABLE {_table(trigger.table, target)} ENABLE TRIGGER {quoted(target.engine, trigger.name)};",
        objects=(trigger.reference, table_reference(trigger.table)),
        evidence={"trigger": trigger.definition},
    )


def _switched_off(subject: str, key: ForeignKey, target: RelationalTarget) -> Finding:
    where = ", ".join(table.label() for table in key.switched_off)
    return Finding(
        subject=subject,
        message=f"what enforces {key.name} is switched off on {where}: no row there is looked at",
        remedy=" ".join(f"ALTER TABLE {_table(table, target)} ENABLE TRIGGER ALL;" for table in key.switched_off)
        + " Rows that were written meanwhile have to be looked at: drop the constraint and add it again.",
        objects=(key.reference, *(table_reference(table) for table in key.switched_off)),
        evidence={"constraint": key.name},
    )


def _table(table: TableName, target: RelationalTarget) -> str:
    return quoted_table(target.engine, table, target.catalogue.default_schema)
