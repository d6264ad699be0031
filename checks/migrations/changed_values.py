"""New migrations leave values what they are.

Proves, for every table of the base revision's database that holds rows, that the rows which are still there hold what they held,
column by column, when the new migrations have been applied on them. Values are compared and not texts: `1.50` is `1.5`, an
integer is the same as a bigint or as its text, a time is the same moment. A NULL that was filled lost nothing.

Where a column has another type since, and values were rounded, cut short or emptied by it, that is an error on the repository's
own rows, and a warning with the query to ask production on rows that dbproof made. Values that moved in time, and several that
became one, are a warning: the migration may mean that. All else is a notice with the exact number: a data migration is there to
change rows, and so is a USING that gives labels another name.

**Anti-pattern**

```sql
ALTER TABLE orders ALTER COLUMN total TYPE numeric(12,2);                   -- held 0.0375, holds 0.04
ALTER TABLE users ALTER COLUMN name TYPE varchar(20) USING left(name, 20);
```

**Best practice**

```sql
ALTER TABLE orders ALTER COLUMN total TYPE numeric(14,4);                   -- holds everything that it held
ALTER TABLE users ADD COLUMN short_name varchar(20) GENERATED ALWAYS AS (left(name, 20)) STORED;
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import ColumnElement, literal_column, select

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Severity
from checks.rulebook.followed import RETYPES, WRITES, culprit
from checks.rulebook.survived import ROWS, became, before_narrowing, changed_facts, judged, narrowed, proven
from checks.schema.names import column_reference, table_reference
from checks.sql.statements import copyable, named, quoted
from checks.survivals import ColumnSurvival, Loss, Survival
from checks.targets import RelationalTarget

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.BASE, Need.EVIDENCE})
SUBJECTS = "tables under new migrations"
PROVES = "hold what they held"

#: What MariaDB casts to, by the beginning of a column's type.
_CASTS = (
    (re.compile(r"(decimal\([\d,]+\)|date|datetime(\(\d\))?)$"), r"\1"),
    (re.compile(r"(?:var)?char\((\d+)\).*"), r"char(\1)"),
    (re.compile(r"(?:tiny|small|medium|big)?int\b(?!.*unsigned).*"), "signed"),
)


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every table that held rows and is still there, and every column that has another type since."""
    for one in judged(target.evidence, ROWS):
        if isinstance(one, NotProven):
            yield one
        elif one.now is not None and one.after:
            yield from _judge(one, target)


def _judge(one: Survival, target: RelationalTarget) -> Iterator[Judgement]:
    kept = [column for column in one.columns if column.now is not None]
    changed = [column for column in kept if column.changed]
    if not changed:
        yield proven(one.table.label(), one)
    for column in kept:
        if column.changed:
            yield _finding(one, column, target)
        elif column.retyped:  # made rows may not hold what is too much for the new type
            yield proven(f"{one.table.label()}.{column.name}", one, table_reference(one.now or one.table))


def _finding(one: Survival, column: ColumnSurvival, target: RelationalTarget) -> Finding:
    now = one.now or one.table
    label = f"{one.table.label()}.{column.name}"
    place, statement = culprit(target.evidence, RETYPES if column.retyped else WRITES, now.name, column.now or column.name)
    severity = _severity(one, column)
    return Finding(
        subject=label,
        message=_message(label, one, column),
        remedy=_remedy(severity, one, column, target),
        severity=severity,
        objects=(column_reference(now, column.now or column.name), table_reference(now)),
        place=place,
        count=column.changed,
        values=column.keys,
        invented=one.made and severity is not Severity.NOTICE,
        evidence=changed_facts(one, column, statement, ROWS),
    )


def _severity(one: Survival, column: ColumnSurvival) -> Severity:
    if not column.retyped:
        return Severity.NOTICE
    if narrowed(column):
        return Severity.WARNING if one.made else Severity.ERROR
    unknown = not column.losses
    return Severity.WARNING if unknown or column.losses.get(Loss.SHIFTED) or column.merged else Severity.NOTICE


def _message(label: str, one: Survival, column: ColumnSurvival) -> str:
    least = "" if one.keyed else "at least "
    rows = f"{least}{ROWS.of(column.changed, one.before - one.missing)}{became(column, kinds=column.retyped)}{ROWS.made(one)}"
    if column.retyped and column.type != column.now_type:
        what = "holds something else" if _severity(one, column) is Severity.NOTICE else "lost values"
        return f"{label} {what} since its type went from {column.type} to {column.now_type}, in {rows}"
    return f"{label} holds something else than before in {rows}"


def _remedy(severity: Severity, one: Survival, column: ColumnSurvival, target: RelationalTarget) -> str:
    if severity is Severity.NOTICE:
        return ""
    return before_narrowing(column, _query(one, column, target) if one.made else "", ROWS)


def _query(one: Survival, column: ColumnSurvival, target: RelationalTarget) -> str:
    """How many of production's values the new type would not give back; empty where the engine has no such cast."""
    engine, name = target.engine, quoted(target.engine, column.name)
    back = f"{name}::{column.now_type}::{column.type}" if engine is Engine.POSTGRESQL else ""
    if engine is Engine.MARIADB:
        found = next((form.sub(to, column.now_type) for form, to in _CASTS if form.fullmatch(column.now_type)), "")
        back = f"CAST({name} AS {found})" if found else ""
    source = named(one.table, (), one.table.name)
    count: ColumnElement[int] = literal_column("count(*)")
    asked = select(count).select_from(source).where(literal_column(f"{name} <> {back}"))
    return copyable(asked, engine) if back else ""
