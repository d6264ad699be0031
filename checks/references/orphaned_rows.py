"""No row names a parent that does not exist.

Proves, for every declared reference, that each of its rows finds its parent: validated or not, enforced or not, composite,
to the table itself, across schemas, partitioned. A constraint in the catalogue is no proof: `NOT VALID` never looked at older
rows, and `session_replication_role = replica`, a disabled trigger or a restored dump write past the strictest key.

What counts as an orphan is what the engine itself refuses. PostgreSQL (CREATE TABLE, "FOREIGN KEY"): under `MATCH SIMPLE` a key
with any NULL in it refers to nothing and is fine; under `MATCH FULL` a key that is NULL only in part is a violation too. SQLite
(foreignkeys.html) knows SIMPLE alone, compares in the parent's collation after giving the child's value the parent's affinity,
and enforces nothing unless each session says `PRAGMA foreign_keys = on`: rows are counted whatever the sessions do.

A reference that the settings call `undeclared` has no key and is held to all the same; where the types of its two sides do not
compare (a text that holds a number) they are compared as text.

The count is exact. Two references are looked at side by side, each by its own columns alone, so that where both sides have an
index the tables need not be read; only where there are orphans are they read for a sample. An empty table proves nothing.

**Anti-pattern**

```sql
-- Rows first, the rule later, and the old rows are never looked at.
INSERT INTO orders (buyer_id) VALUES (99);          -- there is no user 99
ALTER TABLE orders ADD FOREIGN KEY (buyer_id) REFERENCES users (id) NOT VALID;
```

**Best practice**

```sql
-- Find them, settle them, then let the server vouch for every row.
SELECT orders.* FROM orders LEFT JOIN users ON users.id = orders.buyer_id
 WHERE orders.buyer_id IS NOT NULL AND users.id IS NULL;
ALTER TABLE orders VALIDATE CONSTRAINT orders_buyer_id_fkey;
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from checks.declared.absent import absent
from checks.declared.references import ExpectedReference
from checks.declared.subjects import references
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.model import Catalogue, ForeignKey, Match
from checks.schema.names import column_label, column_reference, table_reference
from checks.sql.orphans import counted, has_no_parents, key_of, listing, sample, shown, shown_row
from checks.sql.side_by_side import side_by_side
from checks.targets import ReadSession, RelationalTarget, StatementFailed
from checks.unanswered import unanswered

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "declared references"
PROVES = "hold for every row"

_Waiting = tuple[str, ForeignKey]


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every declared reference by its rows, and every one that the settings call undeclared."""
    waiting: list[_Waiting] = []
    for subject, key in references(target.catalogue):
        if key.table in target.filled:
            waiting.append((subject, key))
        else:
            yield NotProven(subject, "no rows")
    for expected in dict.fromkeys(target.expect.references):
        if expected.undeclared and not _is_declared(expected, target.catalogue):
            if said := _not_there(expected, target):
                yield said
            else:
                waiting.append((expected.label, key_of(expected)))
    yield from side_by_side(waiting, lambda one, session: _judge(*one, session, target), target)


def _is_declared(expected: ExpectedReference, catalogue: Catalogue) -> bool:
    """Whether a key stands for it all the same: then that is judged."""
    wanted = set(zip(expected.columns, expected.parent_columns, strict=True))
    return any(
        key.table == expected.table and key.parent == expected.parent and set(zip(key.columns, key.parent_columns)) == wanted  # noqa: B905
        for key in catalogue.foreign_keys
    )


def _not_there(expected: ExpectedReference, target: RelationalTarget) -> Judgement | None:
    """What keeps an undeclared reference from being judged by its rows, if anything does."""
    sides = ((expected.table, expected.columns), (expected.parent, expected.parent_columns))
    if lacking := absent(target.catalogue, *sides):
        return _without_columns(expected, lacking, target)
    if expected.table not in target.filled:
        return NotProven(expected.label, "no rows")
    return None


def _without_columns(expected: ExpectedReference, lacking: list[str], target: RelationalTarget) -> Judgement:
    if target.evidence.incomplete:
        return NotProven(expected.label, "not there, the migrations failed")
    return Finding(
        subject=f"{expected.label} (absent)",
        message=f"{expected.label} is declared to hold, and there is no {' and no '.join(lacking)}",
        remedy="Correct the line under `references`, or add what it names in a migration.",
        objects=(table_reference(expected.table), table_reference(expected.parent)),
    )


def _judge(subject: str, key: ForeignKey, session: ReadSession, target: RelationalTarget) -> Judgement:
    if key.mismatch and not has_no_parents(key) and not _is_known(key, target.catalogue):
        return NotProven(subject, key.mismatch)
    try:
        ((count,),) = session.rows(counted(key, target.catalogue, target.engine))
        orphans = session.rows(sample(key, target.catalogue, target.engine)) if count else ()
    except StatementFailed as failure:
        return unanswered(subject, failure)
    return _finding(subject, key, target, orphans) if orphans else Proven(subject, key.sides)


def _is_known(key: ForeignKey, catalogue: Catalogue) -> bool:
    parent = catalogue.table.get(key.parent)
    return parent is not None and set(key.parent_columns) <= set(parent.column)


def _finding(subject: str, key: ForeignKey, target: RelationalTarget, orphans: Sequence[tuple[Any, ...]]) -> Finding:
    count = int(orphans[0][-1])
    names = shown(key, target.catalogue)
    everything = listing(key, target.catalogue, target.engine)
    columns = (column_reference(key.table, name) for name in key.columns)
    return Finding(
        subject=subject,
        message=_message(key, count),
        remedy=f"List them all with: {everything}; then give them a parent, or remove them.",
        objects=(*([key.reference] if key.name else ()), *columns, table_reference(key.table)),
        count=count,
        values=tuple(shown_row(names, row[:-1]) for row in orphans),
        evidence={"constraint": key.name or None, "parent": column_label(key.parent, key.parent_columns)},
    )


def _message(key: ForeignKey, count: int) -> str:
    rows = f"{count} row of {key.table.label()} names" if count == 1 else f"{count} rows of {key.table.label()} name"
    if has_no_parents(key):
        return f"{rows} a row of {key.parent.label()}, and {key.mismatch}"
    partly = ", or only a part of one, which MATCH FULL forbids" if key.match is Match.FULL and len(key.columns) > 1 else ""
    return f"{rows} a {column_label(key.parent, key.parent_columns)} that does not exist{partly}"
