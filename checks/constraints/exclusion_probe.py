"""Two rows that exclude each other are not both taken, by that very constraint.

Proves each EXCLUDE constraint by trying: on a copy, in a transaction that is undone, a row is put into the table with
everything else taken away, which must be taken; a second one that it excludes must be refused (`23P01`) by that very
constraint. The same row again is excluded by `=` and `&&`; where an operator asks for something else (`<>`), rows that differ
in one column after the other are tried. Where the constraint has a `WHERE`, or expressions, a row is compiled for them, or
taken from those that are there.

What two rows exclude each other cannot always be thought of (a type that is not known, an operator of one's own); then nothing
is proven, and the reason is given. What a partitioned table declares is tried there (PostgreSQL 17).

**Anti-pattern**

```sql
-- Two sessions look, both find the room free, and both write.
SELECT count(*) FROM bookings WHERE room_id = 7 AND during && '[2026-03-01,2026-03-02)';
INSERT INTO bookings (room_id, during) VALUES (7, '[2026-03-01,2026-03-02)');
```

**Best practice**

```sql
ALTER TABLE bookings ADD CONSTRAINT bookings_room_free EXCLUDE USING gist (room_id WITH =, during WITH &&);
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.probing.rule_probes import is_lost
from checks.probing.twice import declared, key, row_for, words
from checks.rows.missing import NoValue
from checks.schema.model import Index, Table
from checks.schema.names import column_reference
from checks.sql.indexes import index_subject
from checks.sql.statements import quoted, quoted_table
from checks.targets import Accepted, Insert, Refused, RelationalTarget, Sandbox, StatementFailed, Trial

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL})
NEEDS = frozenset({Need.SANDBOX})
SUBJECTS = "EXCLUDE constraints"
PROVES = "refuse what they exclude"

_EXCLUDED = "23P01"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Try two rows that exclude each other in every EXCLUDE constraint."""
    found = [(table, index) for table in target.catalogue.tables for index in table.indexes if index.constraint == "x"]
    with target.sandbox() as sandbox:
        for table, index in found:
            if index.part_of is None:
                yield _tried(index, table, target, sandbox)


def _tried(index: Index, table: Table, target: RelationalTarget, sandbox: Sandbox) -> Judgement:
    try:
        row = row_for(index, table, target.engine, sandbox.rows)
        with sandbox.trial([declared(index)], [table.name]) as trial:
            return _judged(index, table, row, target, trial)
    except NoValue as reason:
        return NotProven(index_subject(index), str(reason))
    except StatementFailed as failure:
        if is_lost(failure):
            raise
        return NotProven(index_subject(index), f"it could not be tried: {failure}")


def _judged(index: Index, table: Table, row: Mapping[str, Any], target: RelationalTarget, trial: Trial) -> Judgement:
    subject = index_subject(index)
    first = trial.write(Insert(table.name, row))
    if first != Accepted(1):
        return NotProven(subject, f"the first row is not taken: {words(first)}")
    for second in _seconds(index, table, row, target.engine):
        verdict = trial.write(Insert(table.name, second))
        if isinstance(verdict, Refused):
            by_it = verdict.code == _EXCLUDED and (table.partitioned or verdict.constraint == index.name)
            return Proven(subject) if by_it else NotProven(subject, f"something else refused the second row: {words(verdict)}")
    if index.valid:
        return NotProven(subject, "no two rows could be thought of that exclude each other")
    return _finding(index, table, target)


def _seconds(index: Index, table: Table, row: Mapping[str, Any], engine: Engine) -> Iterator[Mapping[str, Any]]:
    """The row again; then the same with another value in one column after the other, and in all."""
    yield row
    if None in index.columns:
        return
    other = key(index, table, engine, 1)
    for name, value in other.items():
        yield {**row, name: value}
    yield {**row, **other}


def _finding(index: Index, table: Table, target: RelationalTarget) -> Finding:
    where = quoted_table(target.engine, table.name, target.catalogue.default_schema)
    return Finding(
        subject=index_subject(index),
        message=f"{table.name.label()} took the same row twice: the index of {index.name} is invalid, and nothing is excluded",
        remedy=f"ALTER TABLE {where} DROP CONSTRAINT {quoted(target.engine, index.name)}; then add it again, to be built anew.",
        objects=(declared(index), *(column_reference(table.name, name) for name in index.columns if name is not None)),
        evidence={"index": index.definition, "table": table.name.label()},
    )
