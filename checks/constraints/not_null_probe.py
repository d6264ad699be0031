"""A NULL in a column that is NOT NULL is refused, for that very column.

Proves each NOT NULL column, those of primary keys among them, by trying: on a copy, in a transaction that is undone, a row is
put into the table with everything else taken away (other constraints, triggers, rules, defaults), which must be taken; the same
row with NULL in the column must be refused for that column (`23502`, or SQLite's `NOT NULL constraint failed`). A column of a
domain that is NOT NULL counts as well. What a partitioned table says is tried there, for all its partitions.

A column in the catalogue is no proof. PostgreSQL lets a superuser clear `attnotnull` by hand, to be spared a scan, and SQLite
takes NULL without a word where the column was declared `ON CONFLICT IGNORE`: the row vanishes. MariaDB's `TIMESTAMP NOT NULL`
takes NULL for the current time, a notice. A column of a type of which no value can be thought is tried without the row that must
be taken; what no statement can write (a virtual column) is not proven.

**Anti-pattern**

```sql
-- To be spared a scan of ten million rows, the catalogue is written by hand, and one column too many is hit.
UPDATE pg_attribute SET attnotnull = false WHERE attrelid = 'orders'::regclass;
```

**Best practice**

```sql
-- A CHECK that is validated beside the traffic spares SET NOT NULL its scan (PostgreSQL 12).
ALTER TABLE orders ADD CONSTRAINT total_given CHECK (total IS NOT NULL) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT total_given;
ALTER TABLE orders ALTER COLUMN total SET NOT NULL, DROP CONSTRAINT total_given;
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.probing.rule_probes import is_lost
from checks.probing.rules import CANDIDATES, REFUSED_NULL, counted
from checks.schema.model import Catalogue, Column, Table
from checks.schema.names import column_reference, table_reference
from checks.sql.remedies import made_anew
from checks.sql.statements import quoted, quoted_table
from checks.targets import Accepted, Insert, Refused, RelationalTarget, Sandbox, StatementFailed, Trial, Verdict

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.SANDBOX})
SUBJECTS = "NOT NULL columns"
PROVES = "refuse NULL"

_Row = Mapping[str, str]


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Try NULL in every NOT NULL column, table by table."""
    with target.sandbox() as sandbox:
        for table in target.catalogue.tables:
            together: list[Column] = []
            row: dict[str, str] = {}
            for column in _strict(table, target):
                value = _value(column, target.engine)
                if value is None:
                    yield from _tried(table, [column], None, target, sandbox)
                else:
                    together.append(column)
                    row[column.name] = value
            if together:
                row = {} if target.engine is Engine.SQLITE else row  # keys stay there: the sandbox gives each row its own
                yield from _tried(table, together, row, target, sandbox)


def _value(column: Column, engine: Engine) -> str | None:
    """A value for a row that must be taken; ``None`` where none can be thought of, or it may be that none can be written."""
    found = () if column.generated else CANDIDATES[engine](column)
    return found[0] if found else None


def _strict(table: Table, target: RelationalTarget) -> list[Column]:
    """The columns that are NOT NULL, or should be: a partition's only where the whole says nothing of them.

    SQLite lets the columns of a primary key be NULL (lang_createtable.html, 3.5).
    """
    key = () if target.engine is Engine.SQLITE else table.primary_key
    above = _above(table, target.catalogue)
    strict = [column for column in table.columns if not column.nullable or column.name in key]
    return [column for column in strict if column.name not in above]


def _above(table: Table, catalogue: Catalogue) -> frozenset[str]:
    whole = catalogue.table.get(table.partition_of) if table.partition_of else None
    if whole is None:
        return frozenset()
    return frozenset({column.name for column in whole.columns if not column.nullable} | {*whole.primary_key})


def _tried(
    table: Table, columns: list[Column], row: _Row | None, target: RelationalTarget, sandbox: Sandbox
) -> Iterator[Judgement]:
    """One trial for some columns of a table; without a ``row``, none that must be taken is tried first."""
    said: list[Judgement] = []
    try:
        with sandbox.trial([column_reference(table.name, column.name) for column in columns], [table.name]) as trial:
            taken = Accepted(1) if row is None else trial.write(Insert(table.name, row))
            said = [_judged(table, column, row or {}, taken, target, trial) for column in columns]
    except StatementFailed as failure:
        if is_lost(failure):
            raise
        said = [NotProven(_subject(table, column), f"it could not be tried: {failure}") for column in columns]
    yield from said


def _judged(table: Table, column: Column, row: _Row, taken: Verdict, target: RelationalTarget, trial: Trial) -> Judgement:
    subject = _subject(table, column)
    if taken != Accepted(1):
        words = f"{taken.code} {taken.said}" if isinstance(taken, Refused) else "it vanished"
        return NotProven(subject, f"a row without NULL is not taken either: {words}")
    match trial.write(Insert(table.name, {**row, column.name: None})):
        case Refused() as refusal if _is_for(refusal, column):
            return Proven(subject)
        case Refused(code, _, words):
            return NotProven(subject, f"something else refused the row: {code} {words}")
        case Accepted(rows=0):
            return _finding(table, column, "a row with NULL vanishes without an error", target, Severity.WARNING)
    if trial.rows(counted(table.name, {column.name: None}))[0][0]:
        return _finding(table, column, "NULL was taken", target, None)
    if target.engine is Engine.MARIADB:
        return _finding(table, column, "NULL is taken, and the server puts the time in its place,", target, Severity.NOTICE)
    return Proven(subject)  # SQLite gave it a value: a number for a rowid, the default under ON CONFLICT REPLACE


def _is_for(refusal: Refused, column: Column) -> bool:
    """A domain refuses in its own name, whatever the column."""
    named = refusal.column == column.name or (not refusal.column and column.base is not None)
    return refusal.code in REFUSED_NULL and named


def _subject(table: Table, column: Column) -> str:
    return f"{table.name.label()}.{column.name}"


def _finding(table: Table, column: Column, words: str, target: RelationalTarget, severity: Severity | None) -> Finding:
    where = quoted_table(target.engine, table.name, target.catalogue.default_schema)
    name = quoted(target.engine, column.name)
    remedy = f"ALTER TABLE {where} ALTER COLUMN {name} SET NOT NULL;"
    if severity is Severity.NOTICE:
        remedy = f"Where a missing value is to be refused: ALTER TABLE {where} MODIFY {name} DATETIME NOT NULL;"
    elif target.engine is Engine.MARIADB:
        remedy = f"ALTER TABLE {where} MODIFY {name} {column.type} NOT NULL;"
    return Finding(
        subject=_subject(table, column),
        severity=severity,
        message=f"{words} in {_subject(table, column)}, which is NOT NULL",
        remedy=made_anew(table.name.label(), f"{name} {column.type} NOT NULL") if target.engine is Engine.SQLITE else remedy,
        objects=(column_reference(table.name, column.name), table_reference(table.name)),
        evidence={"table": table.name.label(), "column": column.name},
    )
