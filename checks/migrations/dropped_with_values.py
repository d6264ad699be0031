"""New migrations drop no table and no column that holds values.

Proves, for every table of the base revision's database that holds rows, that it and every column with values in it are still
there when the new migrations have been applied on those rows. A table or column that has another name now is still there:
PostgreSQL knows it by its number, elsewhere it is followed through the migrations' statements, or by what it holds (a column that
was copied into a new one before it was dropped). So is a table that was made anew under its old name.

What goes with a `DROP` no way back brings back, and the release before reads it, which still runs while this one is rolled out. A
warning, because dropping may be meant: the last step of expand and contract is one. Accept it on its line then. Rows that dbproof
made count as well, as any values would be lost. A column that holds nothing but NULL may go; what is computed is not held.

**Anti-pattern**

```sql
ALTER TABLE orders DROP COLUMN legacy_code;             -- still written by the release that runs
```

**Best practice**

```sql
-- First a release that neither reads nor writes it; in a later one:
ALTER TABLE orders DROP COLUMN legacy_code;             -- dbproof: allow dropped-with-values, unused since 2.4
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.evidence import Place
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Severity
from checks.rulebook.followed import culprit
from checks.rulebook.survived import EXPAND_FIRST, ROWS, dropped_facts, judged, proven
from checks.schema.names import ObjectReference, column_reference, table_reference
from checks.survivals import ColumnSurvival, Survival
from checks.targets import Target
from checks.traces import where_lost

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.BASE, Need.EVIDENCE})
SUBJECTS = "tables under new migrations"
PROVES = "kept every column that holds values"


def run(target: Target) -> Iterator[Judgement]:
    """Judge every table of base that held rows."""
    for one in judged(target.evidence, ROWS):
        yield from (one,) if isinstance(one, NotProven) else _judge(one, target)


def _judge(one: Survival, target: Target) -> Iterator[Judgement]:
    if one.now is None:
        yield _table(one, target)
        return
    gone = [column for column in one.columns if column.now is None and column.values]
    yield from (_column(one, column, target) for column in gone)
    if not gone:
        yield proven(one.table.label(), one)


def _table(one: Survival, target: Target) -> Finding:
    message = f"table {one.table.label()} is dropped with {ROWS.held(one.before)} in it"
    return _finding(one.table.label(), message, one.before, one, (table_reference(one.table),), target)


def _column(one: Survival, column: ColumnSurvival, target: Target) -> Finding:
    label = f"{one.table.label()}.{column.name}"
    message = f"column {label} is dropped with a value in {ROWS.of(column.values, one.before)}"
    names = dict.fromkeys((one.table, one.now or one.table))
    references = tuple(column_reference(name, column.name) for name in names)
    return _finding(label, message, column.values, one, references, target)


def _finding(
    subject: str, message: str, count: int, one: Survival, references: tuple[ObjectReference, ...], target: Target
) -> Finding:
    place, statement = _where(references, target)
    return Finding(
        subject=subject,
        message=message + ROWS.made(one),
        remedy=EXPAND_FIRST,
        objects=references[:1],
        place=place,
        count=count,
        evidence=dropped_facts(one, statement, ROWS),
    )


def _where(references: tuple[ObjectReference, ...], target: Target) -> tuple[Place | None, str]:
    for reference in references:
        place, statement = where_lost(reference, target.evidence)
        if place is not None:
            return place, statement
    last = references[-1]
    return culprit(target.evidence, ("DROP", "ALTER"), last.relation, *filter(None, [last.name]))
