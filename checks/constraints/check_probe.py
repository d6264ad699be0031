"""A row that breaks a CHECK is refused, by that very constraint; a row that satisfies all of them goes in.

Proves each CHECK by trying, those of domains for every column that is of one: on a copy, in a transaction that is undone, a row
that breaks this one rule (at its boundary, where it has one) must be refused by it (`23514` and its name), and the same row
without that fault must be taken, with its parents, in the face of every other constraint and trigger. Rows come from the types
and the expressions themselves; what an expression comes to for a row is never guessed but asked of the server. Where something
else refuses the bad row first (a trigger, another CHECK), the constraint is tried alone.

A CHECK in the catalogue is no proof. `NOT ENFORCED` (PostgreSQL 18) refuses nothing. An expression that is always true refuses
nothing either (a warning), and a trigger or a rule that swallows the bad row without an error keeps the constraint from being
asked (a warning). NULL is no bad value: a CHECK refuses what is false, and with NULL most expressions are neither true nor false
(sql-createtable.html; lang_createtable.html, 3.8). `NOT VALID` is tried like any other: new rows are refused all the same. What
cannot be thought of (a type that is not known, CHECKs that no row was found for) is not proven, and the reason is given.

Of a partitioned table one partition stands for all. SQLite gives a CHECK that has no name by its text.

**Anti-pattern**

```sql
-- Opened for one import, and never closed: it is in the catalogue, and takes everything.
ALTER TABLE orders ADD CONSTRAINT ck_order_total_positive CHECK (total > 0 OR true);
```

**Best practice**

```sql
-- Take the old rows out of it, not the new ones: those are refused from now on.
ALTER TABLE orders ADD CONSTRAINT ck_order_total_positive CHECK (total > 0) NOT VALID;
```
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Boolean, ColumnElement, Executable, literal_column, select

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.probing.rule_probes import is_lost
from checks.rows import mariadb, postgresql, sqlite
from checks.rows.compiled import Compiled
from checks.rows.compiler import Compiler
from checks.rows.conditions import of_check, of_domain, storing
from checks.rows.expressions import always_true
from checks.rows.judging import Dialect
from checks.rows.missing import NoValue
from checks.rows.shapes import Row
from checks.rows.terms import Condition, Violation
from checks.schema.model import CheckConstraint, Column, DomainCheck, Table
from checks.schema.names import ObjectReference, column_reference
from checks.sql.statements import named, quoted, quoted_table
from checks.targets import Accepted, Insert, Refused, RelationalTarget, Sandbox, StatementFailed, Verdict

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.SANDBOX})
SUBJECTS = "CHECK constraints"
PROVES = "refuse a bad row"

#: What PostgreSQL, SQLite and MariaDB say when a CHECK refuses a row.
CHECK_VIOLATIONS = frozenset({"23514", "SQLITE_CONSTRAINT_CHECK", "4025"})

_DIALECTS: Mapping[Engine, Dialect] = {Engine.POSTGRESQL: postgresql, Engine.SQLITE: sqlite, Engine.MARIADB: mariadb}


@dataclass(frozen=True)
class _Rule:
    """A CHECK as it is tried: what names it, the table that it is tried on, and its condition there."""

    subject: str
    name: str
    declared: Table
    condition: Condition
    objects: tuple[ObjectReference, ...]
    enforced: bool = True
    alone: ObjectReference | None = None


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Try a bad row against every CHECK, and a good one against all of a table together."""
    with target.sandbox() as sandbox:
        probe = _Probe(target, sandbox)
        for table in target.catalogue.tables:
            yield from probe.judged(table)


class _Probe:
    """What is known while the CHECKs of one database are tried: rows that were compiled, and whether they went in."""

    def __init__(self, target: RelationalTarget, sandbox: Sandbox) -> None:
        self._target = target
        self._sandbox = sandbox
        self._dialect = _DIALECTS[target.engine]
        self._compiler = Compiler(target.catalogue, self._dialect, sandbox.rows)
        self._taken: dict[Table, Verdict] = {}

    def judged(self, table: Table) -> Iterator[Judgement]:
        """One judgement for each CHECK of the table and of its domains (a partition's stand at the whole)."""
        stored = storing(table, self._target.catalogue)
        for rule in self._rules(table, stored or table):
            try:
                yield NotProven(rule.subject, "no partition") if stored is None else self._of(rule)
            except NoValue as reason:
                yield NotProven(rule.subject, str(reason))
            except StatementFailed as failure:
                if is_lost(failure):
                    raise
                yield NotProven(rule.subject, failure.gap or f"it could not be tried: {failure}")

    def _rules(self, table: Table, stored: Table) -> Iterator[_Rule]:
        names = Counter(check.name for check in table.checks)
        for number, check in enumerate(table.checks):
            twin = sum(other.name == check.name for other in table.checks[:number])
            if names[check.name] == 1 or not twin:
                yield self._rule(check, table, stored)
        if table.partition_of is None:
            for column in table.columns:
                for rule in column.domain_checks:
                    yield self._domain_rule(rule, column, table, stored)

    def _rule(self, check: CheckConstraint, table: Table, stored: Table) -> _Rule:
        condition = of_check(check, stored, self._dialect)
        objects = (check.reference, *(column_reference(table.name, name) for name in condition.columns))
        subject = f"{table.name.label()}.{check.name}"
        return _Rule(subject, check.name, table, condition, objects, check.enforced, check.reference)

    def _domain_rule(self, check: DomainCheck, column: Column, table: Table, stored: Table) -> _Rule:
        condition = of_domain(check, column, stored, self._dialect)
        objects = (column_reference(table.name, column.name), check.reference)
        subject = f"{table.name.label()}.{column.name} ({check.domain}.{check.name})"
        return _Rule(subject, check.name, table, condition, objects)

    def _of(self, rule: _Rule) -> Judgement:
        if not rule.enforced:
            return self._not_enforced(rule)
        compiled = self._compiler.satisfying(rule.declared.name)
        if rule.condition in compiled.breaks:
            return NotProven(rule.subject, _contradiction(compiled))
        try:
            bad = self._compiler.violating(rule.declared.name, rule.condition)
        except NoValue:
            if always_true(rule.condition.expression, self._dialect.DIALECT):
                return _vacuous(rule)
            raise
        refused = self._refused(rule, bad, compiled)
        return refused if not isinstance(refused, Proven) else self._accepts(rule, compiled)

    def _refused(self, rule: _Rule, bad: Violation, compiled: Compiled) -> Judgement:
        """Whether the bad row is refused by this constraint: with everything in place, else alone."""
        row, shown = self._insert(compiled.table, bad.row), _shown(bad, compiled)
        answer = self._sandbox.attempt(row)
        if self._is_by(answer, rule, bad):
            return Proven(rule.subject)
        if rule.alone is None:
            return NotProven(rule.subject, f"something else answered first: {_words(answer)}")
        alone = self._sandbox.attempt(row, only=rule.alone)
        if not self._is_by(alone, rule, bad):
            return self._not_refused(rule, shown, row, alone)
        return _swallowed(rule, shown) if answer == Accepted(0) else Proven(rule.subject)

    def _is_by(self, answer: Verdict, rule: _Rule, bad: Violation) -> bool:
        """Whether this constraint refused the row: by its name, or, where none was told, as the row breaks no other."""
        if not isinstance(answer, Refused) or answer.code not in CHECK_VIOLATIONS:
            return False
        told = any(answer.constraint == check.name for check in rule.declared.checks) or self._target.engine is not Engine.SQLITE
        return answer.constraint == rule.name if told else not bad.others

    def _not_refused(self, rule: _Rule, shown: str, row: Insert, answer: Verdict) -> Judgement:
        if isinstance(answer, Refused):
            return NotProven(rule.subject, f"something else refused the row: {_words(answer)}")
        if answer.rows == 0:
            return NotProven(rule.subject, "the row vanished although triggers and rules were taken away")
        if not self._is_stored(rule, row):
            return NotProven(rule.subject, "the row was taken, but what was stored of it is not false")
        return Finding(
            subject=rule.subject,
            message=f"{rule.declared.name.label()} took a row with {shown}, for which {rule.name} is false",
            remedy="See whether session_replication_role or ignore_check_constraints is set for the database or its sessions.",
            objects=rule.objects,
            evidence={"constraint": rule.name, "table": rule.declared.name.label()},
        )

    def _is_stored(self, rule: _Rule, row: Insert) -> bool:
        """Whether a row for which the expression is false lies in the table once the row is written."""
        source = named(row.table, (), rule.declared.name.name)
        false: ColumnElement[bool] = literal_column(f"NOT ({rule.condition.expression}\n)", Boolean)
        broken: Executable = select(literal_column("1")).select_from(source).where(false)
        with self._sandbox.trial(only=[rule.alone] if rule.alone else [], tables=[row.table]) as trial:
            return isinstance(trial.write(row), Accepted) and len(trial.rows(broken)) > 0

    def _accepts(self, rule: _Rule, compiled: Compiled) -> Judgement:
        """Whether the good row goes in with everything in place, else at least past this constraint alone."""
        everything = self._goes_in(compiled) if not compiled.unknown else None
        if isinstance(everything, Accepted) and everything.rows:
            return Proven(rule.subject)
        row = self._insert(compiled.table, compiled.row)
        if rule.alone is not None and isinstance(self._sandbox.attempt(row, only=rule.alone), Accepted):
            return Proven(rule.subject)
        why = _words(everything) if everything is not None else f"type {compiled.unknown[0].type}"
        return NotProven(rule.subject, f"it refuses a bad row, but no good one went in: {why}")

    def _goes_in(self, compiled: Compiled) -> Verdict:
        """What becomes of the table's good row, or of the first parent that is refused; tried once."""
        if compiled.table not in self._taken:
            with self._sandbox.trial() as trial:
                for row in compiled.rows:
                    self._taken[compiled.table] = trial.write(Insert(row.table, row.values))
                    if isinstance(self._taken[compiled.table], Refused):
                        break
        return self._taken[compiled.table]

    def _insert(self, table: Table, row: Row) -> Insert:
        made = self._compiler.inserted(table, row)
        return Insert(made.table, made.values)

    def _not_enforced(self, rule: _Rule) -> Finding:
        table = quoted_table(self._target.engine, rule.declared.name, self._target.catalogue.default_schema)
        name = quoted(self._target.engine, rule.name)
        return Finding(
            subject=rule.subject,
            message=f"{rule.name} of {rule.declared.name.label()} is NOT ENFORCED: the server refuses no row by it",
            remedy=f"ALTER TABLE {table} DROP CONSTRAINT {name}; then add it again without NOT ENFORCED.",
            objects=rule.objects,
            evidence={"constraint": rule.name, "table": rule.declared.name.label()},
        )


def _vacuous(rule: _Rule) -> Finding:
    return Finding(
        subject=rule.subject,
        severity=Severity.WARNING,
        message=f"{rule.name} of {rule.declared.name.label()} refuses nothing: {rule.condition.expression} is always true",
        remedy="Write the condition that is meant; for rows that are there already and break it, add it NOT VALID.",
        objects=rule.objects,
        evidence={"constraint": rule.name, "table": rule.declared.name.label()},
    )


def _swallowed(rule: _Rule, shown: str) -> Finding:
    return Finding(
        subject=rule.subject,
        severity=Severity.WARNING,
        message=f"a row of {rule.declared.name.label()} with {shown}, for which {rule.name} is false, vanishes without an "
        "error: a trigger or a rule swallows it before the CHECK is asked",
        remedy="Let the trigger return NEW, or raise an error; a row that is kept elsewhere needs the CHECK there.",
        objects=rule.objects,
        evidence={"constraint": rule.name, "table": rule.declared.name.label()},
    )


def _contradiction(compiled: Compiled) -> str:
    names = ", ".join(condition.name for condition in compiled.breaks)
    said = next(filter(None, compiled.breaks.values()), "")
    return f"no row was found that satisfies {names}" + (f": {said}" if said else "")


def _shown(bad: Violation, compiled: Compiled) -> str:
    """What makes the row a bad one; of values that are somebody's only the columns."""
    hidden = [name for name in bad.changed if bad.row[name] is not None and bad.row[name] in compiled.found]
    return ", ".join(f"another {name}" if name in hidden else f"{name} = {_short(bad.row[name])}" for name in bad.changed)


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str) else "NULL" if value is None else f"{value}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _words(answer: Verdict) -> str:
    match answer:
        case Refused():
            return f"{answer.code} {answer.said}"
        case Accepted(rows=0):
            return "the row vanished without an error"
    return "the row was taken"
