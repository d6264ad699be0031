"""A row that refers to a missing parent is refused, by that very constraint.

Proves each declared reference by trying: on a copy, in a transaction that is undone, a row that names a parent which does not
exist is inserted, and the constraint itself must refuse it (`23503`, or it is no proof). Everything else that might refuse first
(other keys, CHECKs, NOT NULL, domains, generated values, triggers, rules) is taken away before, so no row has to be made that
satisfies the rest, and no rows have to be there. Then the same row is tried with everything in place: a trigger or a rule that
swallows it without an error is a warning, because the constraint is never asked. A child whose parent is there must be taken
(what else a row has to meet for that is `insert-probe`'s).

A constraint in the catalogue is no proof. `ALTER TABLE ... DISABLE TRIGGER ALL` switches off what enforces it and leaves it
looking well; `NOT ENFORCED` (PostgreSQL 18) never enforced it. Of a partitioned table one partition stands for all those on which
the constraint is switched on, and each one on which it is switched off is tried itself. What cannot be thought of (a value of a
type that is not known, an enum whose every label has a parent) is not proven, and the reason is given.

MariaDB commits what changes a table, so there the row goes into an empty table of the same columns beside, which has the one key
and refers to the real parent (`1452`). A key whose parent lost its index (`SET foreign_key_checks = 0`) refuses every row there.

SQLite names no constraint. There the row is tried twice on a copy without rows, CHECKs and triggers, with foreign keys switched
on: with its parent it must be taken, without it refused. What the application's sessions do with `PRAGMA foreign_keys` decides
whether that means anything: without `foreign_keys = true` in the settings nothing is proven, and `false` is a warning. A key that
SQLite cannot use at all ("foreign key mismatch": the parent's columns are not unique, or missing) makes it refuse every write.

**Anti-pattern**

```sql
-- Faster loading, and the way back forgotten: orders now takes any buyer.
ALTER TABLE orders DISABLE TRIGGER ALL;
```

**Best practice**

```sql
-- Load parents before children. Where the key must go for a while, put it back so that every row is looked at.
ALTER TABLE orders DROP CONSTRAINT orders_buyer_id_fkey;
ALTER TABLE orders ADD CONSTRAINT orders_buyer_id_fkey FOREIGN KEY (buyer_id) REFERENCES users (id) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_buyer_id_fkey;
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checks.declared.subjects import references
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.probing.accepting import refusing
from checks.probing.rule_probes import is_lost
from checks.rows import mariadb_values, sqlite_values, values
from checks.rows.missing import Candidates, NoValue, missing_parent
from checks.schema.model import Catalogue, ForeignKey
from checks.schema.names import ObjectReference, TableName, column_label, column_reference, no_table
from checks.sql.statements import quoted, quoted_table
from checks.targets import Accepted, Insert, Refused, RelationalTarget, Sandbox, StatementFailed

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.SANDBOX})
SUBJECTS = "declared references"
PROVES = "refuse an orphan"

#: What PostgreSQL, SQLite and MariaDB say when a foreign key refuses a row.
FOREIGN_KEY_VIOLATIONS = frozenset({"23503", "SQLITE_CONSTRAINT_FOREIGNKEY", "1452"})

#: The subject of what holds for all keys of a SQLite database.
SWITCH = "foreign_keys"

_CANDIDATES: Mapping[Engine, Candidates] = {
    Engine.POSTGRESQL: values.candidates,
    Engine.SQLITE: sqlite_values.candidates,
    Engine.MARIADB: mariadb_values.candidates,
}


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Try an orphan against every declared reference."""
    if target.engine is Engine.SQLITE and not target.expect.foreign_keys:
        yield from _not_enforced(target)
        return
    with target.sandbox() as sandbox:
        said = {key: _tried(subject, key, target, sandbox) for subject, key in references(target.catalogue)}
        hold = [(subject, key) for subject, key in references(target.catalogue) if isinstance(said[key], Proven)]
        takes_nothing = {} if target.engine is Engine.SQLITE else refusing(hold, target, sandbox)
        for subject, key in references(target.catalogue):
            why = takes_nothing.get(key)
            yield NotProven(subject, f"it refuses an orphan, but no row that has a parent went in: {why}") if why else said[key]


def _tried(subject: str, key: ForeignKey, target: RelationalTarget, sandbox: Sandbox) -> Judgement:
    try:
        return _judged(subject, key, target, sandbox)
    except NoValue as reason:
        return NotProven(subject, str(reason))
    except StatementFailed as failure:
        if is_lost(failure):
            raise
        return NotProven(subject, f"it could not be tried: {failure}")


def _judged(subject: str, key: ForeignKey, target: RelationalTarget, sandbox: Sandbox) -> Judgement:
    if key.mismatch:
        return _mismatch(subject, key, target)
    tables = _to_try(key, target.catalogue)
    if not tables:
        return NotProven(subject, "no partition")
    orphan = missing_parent(key, target.catalogue, sandbox.rows, _CANDIDATES[target.engine])
    for table in tables:
        answer = _answer(subject, key, Insert(table, orphan), target, sandbox)
        if not isinstance(answer, Proven):
            return answer
    return Proven(subject)


def _not_enforced(target: RelationalTarget) -> Iterator[Judgement]:
    """What SQLite's keys are worth where the application's sessions do not switch them on, or nobody says that they do."""
    keys = list(references(target.catalogue))
    off = target.expect.foreign_keys is False
    if off and keys:
        yield Finding(
            subject=SWITCH,
            severity=Severity.WARNING,
            message=f"{len(keys)} declared {'reference is' if len(keys) == 1 else 'references are'} enforced by nobody: the"
            " application's sessions run with foreign_keys off",
            remedy="Execute PRAGMA foreign_keys = on in every session, outside of a transaction, and set `foreign_keys = true`.",
            count=len(keys),
        )
    reason = "foreign_keys is off" if off else "not said whether the application's sessions enforce it: set `foreign_keys`"
    yield from (NotProven(subject, reason) for subject, _ in keys)


def _mismatch(subject: str, key: ForeignKey, target: RelationalTarget) -> Finding:
    words = "every row that refers to something" if key.mismatch == no_table(key.parent) else "every write that it should look at"
    return Finding(
        subject=subject,
        message=f"{key.name} of {key.table.label()} can be met by nothing: {key.mismatch}; {target.engine.label} refuses {words}",
        remedy="Let the key refer to the primary key of a table that exists, or make what it refers to UNIQUE.",
        objects=_objects(key),
        evidence={"constraint": key.name, "table": key.table.label()},
    )


def _to_try(key: ForeignKey, catalogue: Catalogue) -> tuple[TableName, ...]:
    """The tables that a row is put into: those on which the constraint is switched off, then one on which it is on."""
    tables = _storing(key.table, catalogue)
    off = [table for table in tables if table in key.switched_off]
    on = [table for table in tables if table not in key.switched_off]
    return (*off, *on[:1])


def _storing(table: TableName, catalogue: Catalogue) -> list[TableName]:
    """The table itself, or the partitions that hold its rows."""
    if not catalogue.table[table].partitioned:
        return [table]
    parts = (part.name for part in catalogue.partitions.get(table, ()))
    return [stored for part in parts for stored in _storing(part, catalogue)]


def _answer(subject: str, key: ForeignKey, orphan: Insert, target: RelationalTarget, sandbox: Sandbox) -> Judgement:
    alone = sandbox.attempt(orphan, only=key.reference)
    match alone:
        case Accepted(rows=0):
            return NotProven(subject, "the row vanished although triggers and rules were taken away")
        case Accepted():
            return _accepted(subject, key, orphan, target)
        case Refused() if not _is_by(alone, key):
            return NotProven(subject, f"something else refused the row: {alone.code} {alone.said}")
    if sandbox.attempt(orphan) == Accepted(0):
        return _swallowed(subject, key, orphan)
    return Proven(subject)


def _is_by(refusal: Refused, key: ForeignKey) -> bool:
    named = (refusal.constraint, refusal.relation)
    return refusal.code in FOREIGN_KEY_VIOLATIONS and named == (key.name, key.table.name)


def _accepted(subject: str, key: ForeignKey, orphan: Insert, target: RelationalTarget) -> Finding:
    why, remedy = _cause(key, orphan.table, target)
    return Finding(
        subject=subject,
        message=f"{orphan.table.label()} took a row with {_shown(key, orphan.values)}, which no row of "
        f"{column_label(key.parent, key.parent_columns)} has: {why}",
        remedy=remedy,
        objects=_objects(key),
        evidence={"constraint": key.name, "table": orphan.table.label()},
    )


def _cause(key: ForeignKey, table: TableName, target: RelationalTarget) -> tuple[str, str]:
    """Why the constraint let the row pass, and what to do."""
    constraint = quoted(target.engine, key.name)
    if not key.enforced:
        declared = quoted_table(target.engine, key.table, target.catalogue.default_schema)
        return f"{key.name} is NOT ENFORCED", f"ALTER TABLE {declared} ALTER CONSTRAINT {constraint} ENFORCED;"
    written = quoted_table(target.engine, table, target.catalogue.default_schema)
    if table in key.switched_off:
        return (
            f"{key.name} is switched off, its triggers on {table.label()} are disabled",
            f"ALTER TABLE {written} ENABLE TRIGGER ALL; then look for rows that came in meanwhile (orphaned-rows).",
        )
    return (
        f"{key.name} did not refuse it",
        "See whether session_replication_role is set for the database or the role: it switches constraints off.",
    )


def _swallowed(subject: str, key: ForeignKey, orphan: Insert) -> Finding:
    return Finding(
        subject=subject,
        severity=Severity.WARNING,
        message=f"a row of {orphan.table.label()} with {_shown(key, orphan.values)}, which no parent has, vanishes without an "
        f"error: a trigger or a rule swallows it before {key.name} is asked",
        remedy="Let the trigger return NEW, or raise an error; a row that is kept elsewhere needs the reference there.",
        objects=_objects(key),
        evidence={"constraint": key.name, "table": orphan.table.label()},
    )


def _shown(key: ForeignKey, values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {values[name]!r}" for name in key.columns)


def _objects(key: ForeignKey) -> tuple[ObjectReference, ...]:
    return (key.reference, *(column_reference(key.table, name) for name in key.columns))
