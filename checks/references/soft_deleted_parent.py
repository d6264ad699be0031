"""No row names a parent that is only marked as deleted.

Proves, for every line of `references` in `[databases.NAME.expect]` with a condition (`orders.buyer_id -> users.id where
users.deleted_at is null`), that each row that finds its parent finds one that fulfils it. An application that marks rows as
deleted takes them out of every query of its own, and out of no foreign key: the server sees the row, and the child stays valid.
Rows without any parent are orphaned-rows' affair, and the key itself, unless the line says `undeclared`, is delete-rule's.

What stands after `where` is the engine's own SQL. Both tables go by their names, so that a child which is itself marked as
deleted can be let off (`where users.deleted_at is null or orders.deleted_at is not null`); where a table refers to itself the
child is called `child`. A condition that comes to NULL is not fulfilled. The count is exact; an empty table proves nothing.

**Anti-pattern**

```sql
UPDATE users SET deleted_at = now() WHERE id = 7;    -- their open orders stay, and every join loses them
```

**Best practice**

```sql
BEGIN;
UPDATE orders SET deleted_at = now() WHERE buyer_id = 7 AND deleted_at IS NULL;
UPDATE users SET deleted_at = now() WHERE id = 7;
COMMIT;
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from checks.declared.absent import absent
from checks.declared.references import ExpectedReference
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.names import column_label, column_reference, table_reference
from checks.sql.orphans import key_of, listing_lost, sample_lost, shown, shown_row
from checks.targets import ReadSession, RelationalTarget, StatementFailed
from checks.unanswered import Unanswered

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "references with a condition"
PROVES = "name parents that fulfil it"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every expected reference that has a condition; the first that the server cannot read is raised after all others."""
    unanswered = Unanswered()
    with target.rows() as session:
        for expected in dict.fromkeys(target.expect.references):
            try:
                if expected.where:
                    yield _judge(expected, target, session)
            except StatementFailed as failure:
                yield from unanswered.of(subject_of(expected), failure)
    unanswered.told()


def subject_of(expected: ExpectedReference) -> str:
    """``orders.buyer_id -> users.id where users.deleted_at is null``."""
    return f"{expected.label} where {' '.join(expected.where.split())}"


def _judge(expected: ExpectedReference, target: RelationalTarget, session: ReadSession) -> Judgement:
    subject = subject_of(expected)
    lacking = absent(target.catalogue, (expected.table, expected.columns), (expected.parent, expected.parent_columns))
    if lacking:
        return NotProven(subject, f"there is no {' and no '.join(lacking)}")  # which delete-rule or orphaned-rows tells
    if expected.table not in target.filled:
        return NotProven(subject, "no rows")
    rows = session.rows(sample_lost(key_of(expected), expected.where, target.catalogue, target.engine))
    return _finding(expected, rows, target) if rows else Proven(subject, key_of(expected).sides)


def _finding(expected: ExpectedReference, rows: Sequence[tuple[Any, ...]], target: RelationalTarget) -> Finding:
    count, key = int(rows[0][-1]), key_of(expected)
    names = shown(key, target.catalogue)
    many = f"{count} rows of {key.table.label()} name" if count != 1 else f"1 row of {key.table.label()} names"
    everything = listing_lost(key, expected.where, target.catalogue, target.engine)
    columns = (column_reference(key.table, name) for name in key.columns)
    condition = " ".join(expected.where.split())
    return Finding(
        subject=subject_of(expected),
        message=f"{many} a {column_label(key.parent, key.parent_columns)} that is there, but not: {condition}",
        remedy=f"List them all with: {everything}; then mark them as well, or bring their parents back.",
        objects=(*columns, table_reference(key.table)),
        count=count,
        values=tuple(shown_row(names, row[:-1]) for row in rows),
        evidence={"parent": column_label(key.parent, key.parent_columns), "where": expected.where},
    )
