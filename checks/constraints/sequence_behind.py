"""No sequence gives out a number that is taken.

Proves that the next numbers of every sequence that fills a unique column (serial, identity, or a default of `nextval`) are
free. Rows that were loaded with their keys do not move the sequence (PostgreSQL's manual, "Sequence Manipulation Functions": it
is `setval` that does), and then INSERTs fail with 23505, one after the other, until it has come past them. An error, because
the very next writes of the application break.

Judged are columns of a whole number that alone are a primary key or a unique index: elsewhere the same number twice is refused by
nothing. Only numbers that the sequence comes to by its steps count, so that two servers may share out odd and even ones; and only
those within the next 1 000 000 steps, so that a row may keep a number far ahead of all others for itself. An empty table, and a
sequence that the role may not read, are not proven. SQLite has nothing of the kind: what AUTOINCREMENT gives out is above every
key in the table, whatever `sqlite_sequence` says (sqlite.org/autoinc.html, 3; tried).

**Anti-pattern**

```sql
COPY orders (id, number) FROM '/backup/orders.csv';        -- ids 1 to 5000; the sequence still stands at 1
```

**Best practice**

```sql
COPY orders (id, number) FROM '/backup/orders.csv';
SELECT setval(pg_get_serial_sequence('orders', 'id'), (SELECT max(id) FROM orders));
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnClause, ColumnElement, Select, case, column, func, select, true
from sqlalchemy import table as core_table

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.model import Sequence, Table
from checks.schema.names import ObjectKind, ObjectReference, column_label, column_reference
from checks.sql.statements import copyable, named, only
from checks.targets import ReadSession, RelationalTarget, StatementFailed
from checks.unanswered import unanswered

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "sequences of unique columns"
PROVES = "are past every number that is taken"

#: How many steps ahead a number counts as one that the sequence comes to.
AHEAD = 1_000_000


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every sequence that fills a unique column by its next number and the column's."""
    with target.rows() as session:
        for table in target.catalogue.tables:
            for sequence in table.sequences:
                if table.partition_of is None and _alone_unique(sequence.column, table):
                    yield _judge(sequence, table, session, target)


def _alone_unique(column: str, table: Table) -> bool:
    return any(index.unique and index.valid and index.predicate is None and index.columns == (column,) for index in table.indexes)


def _judge(sequence: Sequence, table: Table, session: ReadSession, target: RelationalTarget) -> Judgement:
    subject = column_label(table.name, (sequence.column,))
    if table.name not in target.filled:
        return NotProven(subject, "no rows")
    try:
        ((following, taken),) = session.rows(_next_and_taken(sequence, table))
    except StatementFailed as failure:
        return unanswered(subject, failure)
    if taken is None or abs(taken - following) >= AHEAD * abs(sequence.increment):
        return Proven(subject, (table.reference,))
    return _finding(sequence, table, following, taken, target)


def _next_and_taken(sequence: Sequence, table: Table) -> Select[*tuple[Any, ...]]:
    """The number that ``nextval`` would give (NULL for none), and the first in the table that the sequence then comes to.

    In one statement: it sees the rows that were there when it began, and reads the sequence after that. In two, somebody's INSERT
    between them would take the number that the first one saw.
    """
    following = _following(sequence)
    source, step = named(table.name, [sequence.column], "t"), sequence.increment
    number = source.c[sequence.column]
    first, ahead = (func.min(number), number >= following) if step > 0 else (func.max(number), number <= following)
    within = number.between(sequence.minimum, sequence.maximum)
    steps = (number - following) % abs(step) == 0 if abs(step) > 1 else true()
    taken = only(select(first).select_from(source), source, table).where(ahead, within, steps)
    return select(following, taken.scalar_subquery())


def _following(sequence: Sequence) -> ColumnElement[Any]:
    columns: tuple[ColumnClause[Any], ...] = (column("last_value", BigInteger), column("is_called", Boolean))
    state = core_table(sequence.name, *columns, schema=sequence.schema).alias("s")
    last, step = state.c.last_value, sequence.increment
    room = last <= sequence.maximum - step if step > 0 else last >= sequence.minimum - step
    return case((~state.c.is_called, last), (room, last + step))


def _finding(sequence: Sequence, table: Table, following: int, taken: int, target: RelationalTarget) -> Finding:
    subject = column_label(table.name, (sequence.column,))
    steps = (taken - following) // sequence.increment
    when = "the next INSERT fails" if not steps else f"an INSERT fails after {steps} that do not"
    return Finding(
        subject=subject,
        message=f"the sequence of {subject} comes to a number that is taken: {when}",
        remedy=_remedy(sequence, table, target),
        objects=(
            column_reference(table.name, sequence.column),
            ObjectReference(ObjectKind.SEQUENCE, sequence.schema, "", sequence.name),
            table.reference,
        ),
        values=(str(taken),),
        evidence={"sequence": sequence.name},
    )


def _remedy(sequence: Sequence, table: Table, target: RelationalTarget) -> str:
    name = f"{_always_quoted(sequence.schema)}.{_always_quoted(sequence.name)}"
    source = named(table.name, [sequence.column], "t")
    number = source.c[sequence.column]
    last = func.max(number) if sequence.increment > 0 else func.min(number)
    return copyable(only(select(func.setval(name, last)).select_from(source), source, table), target.engine) + ";"


def _always_quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
