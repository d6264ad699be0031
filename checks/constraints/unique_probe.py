"""The same key twice is refused, by that very constraint or index.

Proves each primary key, UNIQUE constraint and unique index, partial ones and those of expressions among them, by trying: on a
copy, in a transaction that is undone, a row is put into the table with everything else taken away, which must be taken; a
second one with the same key, and whatever else different, must be refused (`23505`) by that very index. With `NULLS NOT
DISTINCT` a second NULL must be refused as well. Where a predicate or an expression asks for certain values, a row is compiled
for them, or taken from those that are there; where neither is found, nothing is proven, and the reason is given.

An index in the catalogue is no proof: `CREATE UNIQUE INDEX CONCURRENTLY` that met a duplicate leaves an index behind that
enforces nothing (manual, "Building Indexes Concurrently"). What a partitioned table declares is tried there. In SQLite a second
row may take the place of the first, or vanish, where the key was declared `ON CONFLICT REPLACE` or `IGNORE`: a notice.

**Anti-pattern**

```sql
-- It fails on the first duplicate, somebody cleans up, and the index stays behind, INVALID: duplicates go on coming in.
CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (lower(email));
```

**Best practice**

```sql
DROP INDEX CONCURRENTLY users_email;
CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (lower(email));   -- until it is valid
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.probing.rule_probes import is_lost
from checks.probing.rules import counted
from checks.probing.twice import declared, is_simple, key, row_for, words
from checks.rows.missing import NoValue
from checks.schema.model import Index, Table
from checks.schema.names import column_reference
from checks.sql.indexes import index_subject
from checks.sql.statements import quoted, quoted_table
from checks.targets import Accepted, Insert, Refused, RelationalTarget, Sandbox, StatementFailed, Trial

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.SANDBOX})
SUBJECTS = "unique keys"
PROVES = "refuse the same key twice"

NULLS_NOT_DISTINCT = "nulls not distinct"

#: What says that a key is taken; a key without overlaps (PostgreSQL 18) excludes.
_TAKEN = frozenset(
    {"23505", "23P01", "1062", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID"}
)

_Row = Mapping[str, Any]


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Try the same key twice in every unique index, table by table."""
    with target.sandbox() as sandbox:
        for table in target.catalogue.tables:
            unique = [index for index in table.indexes if index.unique and index.part_of is None]
            for indexes in _together(unique, table, target.engine):
                yield from _tried(indexes, table, target, sandbox)


def _together(indexes: Sequence[Index], table: Table, engine: Engine) -> list[list[Index]]:
    """Indexes that one trial does for: each is simple, and none shares a column with another."""
    groups: list[list[Index]] = []
    for index in indexes:
        alone = engine is Engine.SQLITE or table.partitioned or not is_simple(index) or NULLS_NOT_DISTINCT in index.traits
        open_ones = () if alone else groups
        mine = next((group for group in open_ones if _goes_with(index, group)), None)
        if mine is None:
            groups.append([index])
        else:
            mine.append(index)
    return groups


def _goes_with(index: Index, group: Sequence[Index]) -> bool:
    others = {name for other in group for name in other.columns}
    return None not in others and not others & {*index.columns} and all(NULLS_NOT_DISTINCT not in one.traits for one in group)


def _tried(indexes: Sequence[Index], table: Table, target: RelationalTarget, sandbox: Sandbox) -> Iterator[Judgement]:
    """One judgement of each; where some cannot be tried together, each is tried by itself."""
    try:
        said = _trial(indexes, table, target, sandbox)
    except NoValue as reason:
        said = [NotProven(index_subject(index), str(reason)) for index in indexes]
    except StatementFailed as failure:
        if is_lost(failure):
            raise
        said = [NotProven(index_subject(index), f"it could not be tried: {failure}") for index in indexes]
    if len(indexes) == 1 or all(isinstance(one, Proven) for one in said):
        yield from said
        return
    for index in indexes:
        yield from _tried([index], table, target, sandbox)


def _trial(indexes: Sequence[Index], table: Table, target: RelationalTarget, sandbox: Sandbox) -> list[Judgement]:
    if len(indexes) == 1:
        rows = [row_for(indexes[0], table, target.engine, sandbox.rows)] * 2
    else:
        rows = [_all_keys(indexes, table, target, number) for number in range(2)]
    with sandbox.trial([declared(index) for index in indexes], [table.name]) as trial:
        first = trial.write(Insert(table.name, rows[0]))
        if first != Accepted(1):
            return [NotProven(index_subject(index), f"the first row is not taken: {words(first)}") for index in indexes]
        return [_judged(index, table, rows, target, trial) for index in indexes]


def _all_keys(indexes: Sequence[Index], table: Table, target: RelationalTarget, number: int) -> _Row:
    return {name: value for index in indexes for name, value in key(index, table, target.engine, number).items()}


def _judged(index: Index, table: Table, rows: Sequence[_Row], target: RelationalTarget, trial: Trial) -> Judgement:
    """The key of the first row again, in a row that is otherwise the second."""
    subject = index_subject(index)
    again = {**rows[1], **{name: rows[0][name] for name in index.columns if name is not None}}
    match trial.write(Insert(table.name, again)):
        case Accepted(taken):
            return _not_refused(index, table, again, taken, target, trial)
        case Refused() as refusal if not _is_by(refusal, index, table, target.engine):
            return NotProven(subject, f"something else refused the second row: {words(refusal)}")
    if NULLS_NOT_DISTINCT in index.traits and (wrong := _null_twice(index, table, rows[0], target, trial)):
        return wrong
    return Proven(subject)


def _null_twice(index: Index, table: Table, row: _Row, target: RelationalTarget, trial: Trial) -> Judgement | None:
    """NULL is a value like any other, and may occur once; a predicate may ask for something else."""
    null = Insert(table.name, {**row, **{name: None for name in index.columns if name is not None}})
    if index.predicate is not None or None in index.columns or trial.write(null) != Accepted(1):
        return None
    again = trial.write(null)
    return _finding(index, table, "NULL was taken twice", target, None) if isinstance(again, Accepted) else None


def _is_by(refusal: Refused, index: Index, table: Table, engine: Engine) -> bool:
    """SQLite names columns, or an index with expressions; a partition answers with its own part of the index."""
    if engine is Engine.SQLITE:
        columns = ", ".join(f"{table.name.name}.{name}" for name in index.columns)
        named = refusal.said.partition(": ")[2] in (columns, f"index '{index.name}'")
    else:
        named = table.partitioned or (refusal.constraint, refusal.relation) == (index.name, table.name.name)
    return refusal.code in _TAKEN and named


def _not_refused(index: Index, table: Table, row: _Row, taken: int, target: RelationalTarget, trial: Trial) -> Judgement:
    if taken == 0:
        return _finding(index, table, "a second row with the same key vanishes without an error", target, Severity.NOTICE)
    if trial.rows(counted(table.name, row))[0][0] == 1:
        return _finding(index, table, "a second row with the same key takes the place of the first", target, Severity.NOTICE)
    if target.engine is Engine.SQLITE and None in index.columns:
        return NotProven(index_subject(index), "two rows were taken, and its expressions may come to NULL")
    return _finding(index, table, "the same key was taken twice", target, None)


def _finding(index: Index, table: Table, said: str, target: RelationalTarget, severity: Severity | None) -> Finding:
    names = [name for name in index.columns if name is not None]
    why = " but invalid, as it was never finished" if not index.valid else ""
    return Finding(
        subject=index_subject(index),
        severity=severity,
        message=f"{said} in {table.name.label()}: {index.name} is unique{why}",
        remedy=_remedy(index, table, target, severity),
        objects=(declared(index), *(column_reference(table.name, name) for name in names)),
        evidence={"index": index.definition or index.name, "table": table.name.label()},
    )


def _remedy(index: Index, table: Table, target: RelationalTarget, severity: Severity | None) -> str:
    if severity is not None:
        return "Declare the key without ON CONFLICT, and say in the statement what is to happen (INSERT ... ON CONFLICT)."
    if target.engine is Engine.MARIADB:
        return f"ALTER TABLE {quoted_table(target.engine, table.name, target.catalogue.default_schema)} FORCE;"
    schema = quoted_table(target.engine, table.name, target.catalogue.default_schema).rpartition(".")[0]
    name = quoted(target.engine, index.name)
    return f"REINDEX INDEX {f'{schema}.{name}' if schema else name};"
