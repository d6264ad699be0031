"""New migrations delete no rows.

Proves, for every table of the base revision's database that holds rows and is still there, that each of them is there when the
new migrations have been applied on them: found by its key, whatever else of it was changed. Rows that were added do not count.
Without a key that is kept, the numbers of rows are compared.

It sees what a `DELETE` or `TRUNCATE` takes, a statement in a `DO` block or a program's own, a table that was made anew without
all of its rows, and what goes with a parent by ON DELETE CASCADE: the parent's finding counts those too, and they are a notice at
the child. A warning with the exact number, because deleting may be meant; then accept it on its line. On rows that dbproof
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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from checks.evidence import Place
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Severity
from checks.rulebook.followed import DELETES, culprit, deleted_from
from checks.rulebook.survived import ROWS, added, judged, lost_facts, proven
from checks.schema.model import Action
from checks.schema.names import TableName, table_reference
from checks.survivals import Survival
from checks.targets import RelationalTarget

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.BASE, Need.EVIDENCE})
SUBJECTS = "tables under new migrations"
PROVES = "kept every row"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every table that held rows and is still there."""
    followed = list(judged(target.evidence, ROWS))
    lost = {one.now: one for one in followed if isinstance(one, Survival) and one.now is not None and one.missing}
    parents = {now: _parents(now, lost, target) for now in lost}
    for one in followed:
        if isinstance(one, NotProven):
            yield one
        elif one.now is not None and not one.missing:
            yield proven(one.table.label(), one)
        elif one.now is not None and parents[one.now]:
            yield _with_parents(one, one.now, parents[one.now], target)
        elif one.now is not None:
            children = [f"{child.missing} of {child.table.label()}" for now, child in lost.items() if one.now in parents[now]]
            yield _lost(one, one.now, children, target)


def _lost(one: Survival, now: TableName, children: Sequence[str], target: RelationalTarget) -> Finding:
    with_them = f", and with them {', '.join(children)} (ON DELETE CASCADE)" if children else ""
    finding = _finding(one, now, f"{with_them}{added(one)}", *culprit(target.evidence, DELETES, now.name))
    return replace(finding, remedy=ROWS.keep_aside)


def _with_parents(one: Survival, now: TableName, parents: Sequence[TableName], target: RelationalTarget) -> Finding:
    more = f" with the rows of {', '.join(parent.label() for parent in parents)} that they belong to (ON DELETE CASCADE)"
    finding = _finding(one, now, more, *culprit(target.evidence, DELETES, parents[0].name))
    return replace(finding, severity=Severity.NOTICE)


def _finding(one: Survival, now: TableName, more: str, place: Place | None, statement: str) -> Finding:
    return Finding(
        subject=one.table.label(),
        message=f"{ROWS.gone(one)}{more}{ROWS.made(one)}",
        objects=(table_reference(now),),
        place=place,
        count=one.missing,
        values=one.keys,
        evidence=lost_facts(one, statement),
    )


def _parents(now: TableName, lost: Mapping[TableName, Survival], target: RelationalTarget) -> list[TableName]:
    """The tables that lost rows too and take those of this one with them, where no statement deletes from this one itself."""
    table = target.catalogue.table.get(now)
    cascading = {key.parent for key in (table.foreign_keys if table else ()) if key.on_delete is Action.CASCADE} - {now}
    parents = sorted(parent for parent in cascading if parent in lost)
    return parents if parents and not deleted_from(target.evidence, now.name) else []
