"""No row breaks a CHECK, nor a constraint that is to come.

Proves that every row keeps each CHECK of its table, validated or not, and each candidate under `audit` in
`[databases.NAME.expect]`: a constraint that is not there yet, CHECK, NOT NULL, UNIQUE or a reference. It is the audit before the
migration, in `dbproof run` on the repository's rows and in `dbproof check` on those that production has: every violation with its
count, and nothing changed. Where new migrations fail on the rows of the base revision, each constraint that they add is counted
on these rows, for the server names the first row that it meets, and no other.

A CHECK is broken where it comes to false; NULL passes it (manual, "Check Constraints"). Two rows with NULL do not break UNIQUE
unless it says NULLS NOT DISTINCT. Counts are exact. All CHECKs and NOT NULLs of a table are counted in one scan. An empty table
proves nothing. That existing foreign keys hold is proven by orphaned-rows, existing unique indexes by duplicate-rows.

**Anti-pattern**

```sql
-- Green on the ten rows of a test, refused by production at the first of 40 000 rows, and again next week at another one.
ALTER TABLE orders ADD CONSTRAINT ck_order_total_positive CHECK (total > 0);
```

**Best practice**

```toml
[databases.shop.expect]                # a release before: `dbproof check` counts them all, exit code 1 until there are none
audit = ["orders: check (total > 0)", "orders.buyer_id: not null", "users: unique (email)", "orders.buyer_id -> users.id"]
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.declared.absent import absent
from checks.declared.candidates import Candidate
from checks.evidence import Counted, Place
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.rulebook.audited import added, check_rule, rule_of, sides_of
from checks.rulebook.violations import Counter, ReferenceRule, RowRule, Rule, UniqueRule, rows_that_break
from checks.schema.model import CheckConstraint
from checks.schema.names import table_reference
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget, StatementFailed
from checks.traces import where_said
from checks.unanswered import Unanswered

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "CHECKs and candidates"
PROVES = "are kept by every row"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge the CHECKs, the candidates, and what new migrations that failed would have added."""
    yield from _added(target)
    yield from _there(target)
    yield from _candidates(target)


def _added(target: RelationalTarget) -> Iterator[Judgement]:
    """By base's rows, which the runner has counted."""
    for rule in added(target.catalogue, target.evidence.base) if target.evidence.base else ():
        counted = target.evidence.audits.get(rule.subject)
        if counted is not None:
            yield _judged(rule, counted, "which the new migrations add", _BEFORE_IT_IS_ADDED, target, _adds(rule, target))


#: What sets NOT NULL; the column itself was made by an older migration.
_NOT_NULL = re.compile(r"\bnot\s+null\b", re.IGNORECASE)


def _adds(rule: Rule, target: RelationalTarget) -> Place | None:
    """The statement that sets NOT NULL on a column that is there; of other rules it is known what made them."""
    if not isinstance(rule, RowRule) or not rule.column:
        return None
    return where_said(_NOT_NULL, (rule.table.name, rule.column), target.evidence)[0]


def _there(target: RelationalTarget) -> Iterator[Judgement]:
    """The CHECKs of the catalogue, by the rows that are there."""
    checks: dict[Rule, CheckConstraint] = {
        check_rule(check): check for table in target.catalogue.tables for check in table.checks
    }
    rules = [rule for rule in checks if rule.subject not in target.evidence.audits]
    yield from (NotProven(rule.subject, "no rows") for rule in rules if rule.table not in target.filled)
    with target.rows() as session:
        counter = Counter(session, target.catalogue, target.engine)
        for rule, found in counter.counted([rule for rule in rules if rule.table in target.filled]):
            if isinstance(found, StatementFailed):
                yield NotProven(rule.subject, found.gap or f"its expression failed: {found}")
            else:
                yield _judged(rule, found, "", _to_be_kept(checks[rule], target), target)


def _candidates(target: RelationalTarget) -> Iterator[Judgement]:
    """What the settings propose; the first that the server cannot read is raised after all have been judged."""
    rules: list[Rule] = []
    for candidate in dict.fromkeys(target.expect.audit):
        gap = _gap(candidate, target)
        if gap is None:
            rules.append(rule_of(candidate))
        else:
            yield gap
    unanswered = Unanswered()
    with target.rows() as session:
        for rule, found in Counter(session, target.catalogue, target.engine).counted(rules):
            if isinstance(found, Counted):
                yield _judged(rule, found, "which is to come", _BEFORE_IT_IS_ADDED, target)
            else:
                yield from unanswered.of(rule.subject, found)
    unanswered.told()


def _gap(candidate: Candidate, target: RelationalTarget) -> Judgement | None:
    """Why a candidate cannot be counted, where it cannot."""
    lacking = absent(target.catalogue, *sides_of(candidate))
    if lacking and target.evidence.incomplete:
        return NotProven(candidate.label, "not there, the migrations failed")
    if lacking:
        return Finding(
            subject=f"{candidate.label} (absent)",
            message=f"{candidate.label} is to be audited, and there is no {' and no '.join(lacking)}",
            remedy="Correct the line under `audit`, or add what it names in a migration.",
            objects=(table_reference(candidate.table),),
        )
    return None if candidate.table in target.filled else NotProven(candidate.label, "no rows")


_BEFORE_IT_IS_ADDED = "then correct them in a migration that comes before the constraint."


def _to_be_kept(check: CheckConstraint, target: RelationalTarget) -> str:
    if check.validated or target.engine is not Engine.POSTGRESQL:
        return "then correct them: a dump with them in it cannot be restored."
    table = quoted_table(target.engine, check.table, target.catalogue.default_schema)
    return f"then correct them, and: ALTER TABLE {table} VALIDATE CONSTRAINT {quoted(target.engine, check.name)};"


def _judged(
    rule: Rule, counted: Counted, origin: str, then: str, target: RelationalTarget, place: Place | None = None
) -> Judgement:
    if counted.gap:
        return NotProven(rule.subject, counted.gap)
    if not counted.rows:
        return Proven(rule.subject, (table_reference(rule.table),))
    return Finding(
        subject=rule.subject,
        message=f"{_broken(rule, counted)} {rule.words}{f', {origin}' if origin else ''}",
        remedy=f"List them all with: {rows_that_break(rule, target.catalogue, target.engine)}; {then}",
        objects=rule.objects,
        place=place,
        count=counted.rows,
        values=counted.values,
        evidence={"rule": rule.words, **({"values": counted.groups} if isinstance(rule, UniqueRule) else {})},
    )


def _broken(rule: Rule, counted: Counted) -> str:
    table = rule.table.label()
    if isinstance(rule, UniqueRule):
        shared = "1 value" if counted.groups == 1 else f"{counted.groups} values"
        return f"{counted.rows} rows of {table} share {shared} against"
    rows = f"1 row of {table}" if counted.rows == 1 else f"{counted.rows} rows of {table}"
    if isinstance(rule, ReferenceRule):
        return f"{rows} {'finds' if counted.rows == 1 else 'find'} no parent by"
    return f"{rows} {'breaks' if counted.rows == 1 else 'break'}"
