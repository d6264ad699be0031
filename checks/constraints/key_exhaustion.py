"""No key comes near the end of its numbers.

Proves that less than 70 % of the numbers of a sequence, or of an integer key, are used: at the end of `integer`
(2 147 483 647) every INSERT fails with `22003` or `2200H`, and widening a large table takes hours under a lock. A key with a
sequence is judged by the sequence's last number or the highest in the table, whichever is further, within the range of both the
column's type and the sequence (datatype-numeric, table 8.2; sql-createsequence); any other integer key by its highest number.
SQLite's integers have 64 bits whatever their type is called (datatype3.html, 2).

The rows of a pipeline say nothing about production's, so a run does not ask: a look at a database that exists does
(`dbproof check`), and a run where the settings give it a severity.

**Anti-pattern**

```sql
CREATE TABLE events (id serial PRIMARY KEY, happened timestamptz NOT NULL);    -- full after 2 147 483 647 events
```

**Best practice**

```sql
CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, happened timestamptz NOT NULL);
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Boolean, Select, column, func, literal, null, select
from sqlalchemy import table as core_table

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.mariadb import plain_type
from checks.schema.model import Column, Sequence, Table
from checks.schema.names import ObjectKind, ObjectReference, column_label, column_reference
from checks.schema.sqlite import affinity
from checks.sql.statements import named, only, quoted, quoted_table
from checks.targets import ReadSession, RelationalTarget, StatementFailed
from checks.unanswered import unanswered

SEVERITY = Severity.OFF
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "integer keys"
PROVES = "are far from the end of their numbers"

#: The share of a key's numbers from which on it is a finding.
MOST_USED = 0.7

_HIGHEST: Mapping[str, int] = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
#: MariaDB's integers by their bits.
_BITS: Mapping[str, int] = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_WIDER: Mapping[str, str] = {"smallint": "bigint", "integer": "bigint"}


@dataclass(frozen=True)
class _Key:
    """An integer column that is a key by itself, the highest number its type holds, and the sequence that fills it."""

    table: Table
    column: Column
    highest: int
    sequence: Sequence | None

    @property
    def subject(self) -> str:
        return column_label(self.table.name, (self.column.name,))

    @property
    def last(self) -> int:
        """The last number that may be given out."""
        if self.sequence is None:
            return self.highest
        if self.sequence.increment < 0:
            return max(self.sequence.minimum, -self.highest - 1)
        return min(self.sequence.maximum, self.highest)

    @property
    def down(self) -> bool:
        return self.sequence is not None and self.sequence.increment < 0


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every integer key by its furthest number."""
    with target.rows() as session:
        for table in target.catalogue.tables:
            if table.partition_of is None:
                for key in _keys(table, target.engine):
                    yield _judge(key, session, target)


def _keys(table: Table, engine: Engine) -> Iterator[_Key]:
    sequences = {sequence.column: sequence for sequence in table.sequences}
    alone = {index.columns[0] for index in table.indexes if index.primary and len(index.columns) == 1}
    for one in table.columns:
        highest = _highest(one, engine)
        if highest and (one.name in sequences or one.name in alone):
            yield _Key(table, one, highest, sequences.get(one.name))


def _highest(one: Column, engine: Engine) -> int:
    if engine is Engine.SQLITE:
        return _HIGHEST["bigint"] if affinity(one.type) == "INTEGER" else 0
    if engine is Engine.MARIADB:
        name, _, sign = plain_type(one.type).partition(" ")
        return 2 ** (_BITS[name] - (0 if "unsigned" in sign else 1)) - 1 if name in _BITS else 0
    return _HIGHEST.get(one.base or one.type, 0)


def _judge(key: _Key, session: ReadSession, target: RelationalTarget) -> Judgement:
    if key.table.name not in target.filled:
        return NotProven(key.subject, "no rows")
    try:
        ((given, highest, used),) = session.rows(_furthest(key))
    except StatementFailed as failure:
        return unanswered(key.subject, failure)
    reached = [number for number in (given if used else None, highest) if number is not None]
    if not reached:
        return NotProven(key.subject, "no rows")
    number = min(reached) if key.down else max(reached)
    share = number / key.last
    return Proven(key.subject, (key.table.reference,)) if share < MOST_USED else _finding(key, number, share, target)


def _furthest(key: _Key) -> Select[*tuple[Any, ...]]:
    """The sequence's last number and whether it was given out, and the column's furthest."""
    source = named(key.table.name, [key.column.name], "t")
    number = source.c[key.column.name]
    furthest = only(select(func.min(number) if key.down else func.max(number)).select_from(source), source, key.table)
    if key.sequence is None:
        return select(null(), furthest.scalar_subquery(), literal(False))
    columns = (column("last_value", BigInteger), column("is_called", Boolean))
    state = core_table(key.sequence.name, *columns, schema=key.sequence.schema).alias("s")
    return select(state.c.last_value, furthest.scalar_subquery(), state.c.is_called)


def _finding(key: _Key, number: int, share: float, target: RelationalTarget) -> Finding:
    by = (
        f"the sequence {key.sequence.name}"
        if key.sequence and abs(key.last) < key.highest
        else key.column.base or key.column.type
    )
    return Finding(
        subject=key.subject,
        message=f"{key.subject} has used {share:.0%} of its numbers: {by} ends at {key.last:,}".replace(",", " "),
        remedy=_remedy(key, target),
        objects=_objects(key),
        values=(str(number),),
        evidence={"share": round(share, 4), "last": str(key.last)},
    )


def _objects(key: _Key) -> tuple[ObjectReference, ...]:
    own = column_reference(key.table.name, key.column.name)
    if key.sequence is None:
        return own, key.table.reference
    return own, ObjectReference(ObjectKind.SEQUENCE, key.sequence.schema, "", key.sequence.name), key.table.reference


def _remedy(key: _Key, target: RelationalTarget) -> str:
    table = quoted_table(target.engine, key.table.name, target.catalogue.default_schema)
    name, type_ = quoted(target.engine, key.column.name), key.column.base or key.column.type
    if target.engine is Engine.MARIADB and not type_.startswith("bigint"):
        return (
            f"ALTER TABLE {table} MODIFY {name} BIGINT NOT NULL{' AUTO_INCREMENT' if key.column.identity else ''};"
            " It rewrites the table. Columns that refer to it have to be widened as well."
        )
    if target.engine in (Engine.SQLITE, Engine.MARIADB) or (type_ not in _WIDER and key.sequence is None):
        return "There is no wider integer: give out smaller numbers."
    if key.sequence is not None and abs(key.last) < key.highest:
        sequence = quoted(target.engine, key.sequence.name)
        where = "" if key.sequence.schema == target.catalogue.default_schema else f"{quoted(target.engine, key.sequence.schema)}."
        return f"ALTER SEQUENCE {where}{sequence} NO MAXVALUE NO MINVALUE;"
    if type_ not in _WIDER:
        return "There is no wider integer: give out smaller numbers."
    return (
        f"ALTER TABLE {table} ALTER COLUMN {name} TYPE {_WIDER[type_]}; It rewrites the table under a lock: on a large one add a"
        " wide column, fill it in batches, and swap the two. Columns that refer to it have to be widened as well."
    )
