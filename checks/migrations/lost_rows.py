"""New migrations delete no rows.

Proves, for every table of the base revision's database that holds rows and is still there, that each of them is there when the
new migrations have been applied on them: found by its key, whatever else of it was changed. Rows that were added do not count.
Without a key that is kept, the numbers of rows are compared.

It sees what a `DELETE` or `TRUNCATE` takes, a statement in a `DO` block or a program's own, a table that was made anew without
all of its rows, and what goes with a parent by ON DELETE CASCADE: those are a notice at the child, as the parent's finding says
what happened. A warning with the exact number, because deleting may be meant; then accept it on its line. On rows that dbproof
made the number says how far the condition reaches there, and not how many production loses.

**Anti-pattern**

```sql
DELETE FROM orders WHERE buyer_id IS NULL;              -- so that the NOT NULL goes through; and what was ordered is gone
ALTER TABLE orders ALTER COLUMN buyer_id SET NOT NULL;
```

**Best practice**

```sql
CREATE TABLE orders_without_buyer AS SELECT * FROM orders WHERE buyer_id IS NULL;
DELETE FROM orders WHERE buyer_id IS NULL;              -- dbproof: allow lost-rows, kept in orders_without_buyer
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.rulebook.followed import DELETES, ON_MADE_ROWS, culprit, of, tables
from checks.schema.model import Action
from checks.schema.names import TableName, table_reference
from checks.survivals import Survival
from checks.targets import RelationalTarget

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.BASE, Need.EVIDENCE})
SUBJECTS = "tables under new migrations"
PROVES = "kept every row"

_REMEDY = (
    "Keep them aside in a table of their own before they are deleted, or correct them instead. Where they are to go, accept it "
    "on its line: dbproof: allow lost-rows, and why."
)


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every table that held rows and is still there."""
    followed = list(tables(target))
    lost = {one.now: one for one in followed if isinstance(one, Survival) and one.now is not None and one.missing}
    for one in followed:
        if isinstance(one, NotProven):
            yield one
        elif one.now is not None:
            yield _lost(one, one.now, lost, target) if one.missing else Proven(one.table.label())


def _lost(one: Survival, now: TableName, lost: Mapping[TableName, Survival], target: RelationalTarget) -> Finding:
    label = one.table.label()
    gone = f"{of(one.missing, one.before, 'row')} of {label} {'is' if one.missing == 1 else 'are'} gone"
    added = f", and {one.extra} {'was' if one.extra == 1 else 'were'} added" if one.extra and one.keyed else ""
    parents = _parents(now, lost, target)
    place, statement = culprit(target.evidence, DELETES, now.name)
    by_cascade = bool(parents) and not _names(statement, "delete", "truncate")
    with_parents = f" with the rows of {', '.join(parents)} that they belong to (ON DELETE CASCADE)" if by_cascade else ""
    if by_cascade:
        place, statement = culprit(target.evidence, DELETES, parents[0].rpartition(".")[2])
    return Finding(
        subject=label,
        message=f"{gone}{with_parents}{added}{ON_MADE_ROWS if one.made else ''}",
        remedy="" if by_cascade else _REMEDY,
        severity=Severity.NOTICE if by_cascade else None,
        objects=(table_reference(now),),
        place=place,
        count=one.missing,
        values=one.keys,
        evidence={
            "before": one.before,
            "after": one.after,
            "added": one.extra,
            "made_rows": one.made,
            **({"statement": statement} if statement else {}),
        },
    )


def _parents(now: TableName, lost: Mapping[TableName, Survival], target: RelationalTarget) -> list[str]:
    """The tables that lost rows too and take those of this one with them."""
    table = target.catalogue.table.get(now)
    keys = table.foreign_keys if table else ()
    return sorted({key.parent.label() for key in keys if key.on_delete is Action.CASCADE and key.parent in lost} - {now.label()})


def _names(statement: str, *words: str) -> bool:
    said = statement.lower()
    return any(word in said for word in words)
