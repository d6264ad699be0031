"""A column of an enum takes each of its labels and refuses any other text.

Proves each column of an enum type by trying: on a copy, in a transaction that is undone, a text that is no label must be refused
(`22P02`), and a row with each of its labels must be taken (datatype-enum.html; everything else is taken away for that, and
`insert-probe` leaves it in place). A label that the column's own CHECK or its domain refuses in
every row is a notice: the type was given a label, the CHECK was not, and the first row with it fails. Only CHECKs that speak of
nothing but this column are held against a label. Arrays of an enum are tried with an array of one label.

SQLite has no enums. Where a library writes a CHECK instead, `check-probe` tries it.

**Anti-pattern**

```sql
ALTER TYPE order_status ADD VALUE 'refunded';   -- and orders has CHECK (status IN ('open', 'paid', 'sent'))
```

**Best practice**

```sql
ALTER TYPE order_status ADD VALUE 'refunded';
ALTER TABLE orders DROP CONSTRAINT ck_orders_status,
  ADD CONSTRAINT ck_orders_status CHECK (status IN ('open', 'paid', 'sent', 'refunded')) NOT VALID;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.rows import postgresql
from checks.rows.conditions import BOUND, conditions, storing
from checks.rows.judging import Judge
from checks.rows.shapes import Row
from checks.rows.terms import Condition, Truth
from checks.schema.model import Column, Table
from checks.schema.names import ObjectReference, column_reference
from checks.sql.statements import quoted
from checks.targets import Accepted, Insert, Refused, RelationalTarget, Sandbox

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL})
NEEDS = frozenset({Need.SANDBOX})
SUBJECTS = "columns of enums"
PROVES = "take their labels and nothing else"

#: What PostgreSQL says of a text that is no label.
NO_LABEL = "22P02"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Try every label, and one that there is not, in each column of an enum."""
    with target.sandbox() as sandbox:
        for table in target.catalogue.tables:
            for column in table.columns:
                if column.enum_labels and not column.generated and table.partition_of is None:
                    yield _judged(table, column, target, sandbox)


def _judged(table: Table, column: Column, target: RelationalTarget, sandbox: Sandbox) -> Judgement:
    subject = f"{table.name.label()}.{column.name}"
    stored = storing(table, target.catalogue)
    if stored is None:
        return NotProven(subject, "no partition")
    foreign = _value(column, _foreign(column))
    answer = sandbox.attempt(Insert(stored.name, {column.name: foreign}))
    if isinstance(answer, Accepted):
        return _took(subject, table, column, foreign)
    if answer.code != NO_LABEL:
        return NotProven(subject, f"something else refused the row: {answer.code} {answer.said}")
    with sandbox.trial((), [stored.name]) as trial:
        for label in column.enum_labels:
            taken = trial.write(Insert(stored.name, {column.name: _value(column, label)}))
            if taken != Accepted(1):
                words = f"{taken.code} {taken.said}" if isinstance(taken, Refused) else "it vanished"
                return NotProven(subject, f"a row with the label {label!r} is not taken: {words}")
    return _labels(subject, stored, column, target, sandbox)


def _labels(subject: str, table: Table, column: Column, target: RelationalTarget, sandbox: Sandbox) -> Judgement:
    """Whether the type reads each label, and no condition of the column alone refuses one."""
    read = Condition("the type", f"{quoted(target.engine, column.name)} IS NOT NULL", (column.name,))
    held = conditions(table, target.catalogue, postgresql)
    own = [one for one in held if one.columns == (column.name,) and not one.computed and one.name != BOUND]
    rows: list[Row] = [{column.name: _value(column, label)} for label in column.enum_labels]
    truths = Judge(postgresql, sandbox.rows, table, [column])([read, *own], rows)
    unread = [label for label, (taken, *_) in zip(column.enum_labels, truths, strict=True) if taken is not Truth.TRUE]
    if unread:
        return NotProven(subject, f"the server does not read its own labels: {', '.join(unread)}")
    refused = [
        (label, condition)
        for label, (_, *rest) in zip(column.enum_labels, truths, strict=True)
        for condition, truth in zip(own, rest, strict=True)
        if truth is Truth.FALSE
    ]
    return _refused(subject, table, column, refused) if refused else Proven(subject)


def _took(subject: str, table: Table, column: Column, value: str) -> Finding:
    return Finding(
        subject=subject,
        message=f"{table.name.label()} took a row with {column.name} = {value!r}, which is no label of {column.type}",
        remedy="See which cast or rule of the database lets it through.",
        objects=(column_reference(table.name, column.name),),
    )


def _refused(subject: str, table: Table, column: Column, refused: list[tuple[str, Condition]]) -> Finding:
    labels = ", ".join(dict.fromkeys(repr(label) for label, _ in refused))
    names = ", ".join(dict.fromkeys(condition.name for _, condition in refused))
    return Finding(
        subject=subject,
        severity=Severity.NOTICE,
        message=f"no row of {table.name.label()} can have {column.name} = {labels}: {names} refuses it, and {column.type} has it",
        remedy="Let the CHECK take every label that the column may have, or leave the label out of the type.",
        objects=(column_reference(table.name, column.name), *_constraints(table, names)),
        count=len({label for label, _ in refused}),
        evidence={"labels": [label for label, _ in refused]},
    )


def _constraints(table: Table, names: str) -> Iterator[ObjectReference]:
    return (check.reference for check in table.checks if check.name in names)


def _foreign(column: Column) -> str:
    """A text that is no label; labels are at most 63 bytes long."""
    text = "dbproof"
    while text in column.enum_labels:
        text += "!"
    return text


def _value(column: Column, label: str) -> str:
    """A label, or an array of it, as the column reads it."""
    if column.element is None:
        return label
    escaped = label.replace("\\", "\\\\").replace('"', '\\"')
    return f'{{"{escaped}"}}'
