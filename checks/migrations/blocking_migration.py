"""No new migration keeps others out of a table for as long as it has rows.

Proves it by running the new migrations once more on a copy of what the base revision holds, while other sessions read and write
every table that they touch and a long transaction is in the way. A statement is found that holds a lock against writers
(`ShareLock` and above) or readers (`AccessExclusiveLock`; PostgreSQL's manual, 13.3.1) on a table that was there before, while
it rewrites a table, reads or indexes all of it, or writes most of its rows: that takes the longer the more rows there are. The
lock may also be one that an earlier statement of its transaction took. Locks, rewrites and rows read are what the server itself
says, so they are facts at any size.

On MariaDB a statement is found that copies a table row by row, or reads all of it while nobody else may write
(`MDL_SHARED_NO_WRITE` and above): it says of each ALTER TABLE which of its stages that went through, and whether it applied
what others wrote meanwhile. What works in place with `LOCK=NONE`, or instantly, holds `MDL_EXCLUSIVE` for a moment only.

How long others waited was measured, at the size that base has. It is judged where `blocked` is declared under
`[databases.NAME.limits]`: a longer wait is an error, and `production_rows` say what it would come to there if it grows with the
rows (from 10 000 rows on, or where base has as many as production; of fewer, nothing can be said). More than its statements
take where nobody else works never counts: a busy machine is not the migration's. What stays within the limit at that size is no
finding. Without a limit it is a warning, as only you know the size and the hour.

**Anti-pattern**

```sql
ALTER TABLE orders ADD CONSTRAINT orders_total_positive CHECK (total > 0);  -- reads all rows under AccessExclusiveLock
```

**Best practice**

```sql
ALTER TABLE orders ADD CONSTRAINT orders_total_positive CHECK (total > 0) NOT VALID;
-- and in a transaction of its own, beside readers and writers:
ALTER TABLE orders VALIDATE CONSTRAINT orders_total_positive;
```

MariaDB:

```sql
ALTER TABLE orders ADD COLUMN note text, ALGORITHM=INSTANT;   -- refused, instead of slow, where that cannot be
```
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.rulebook.blocked import Case, count, facts, waited, what
from checks.rulebook.unblocking import remedy_of
from checks.schema.names import TableName
from checks.targets import Target
from checks.timings import lapse
from checks.traffic import Blocking, Traffic, WorkKind, WorkOnRows

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL, Engine.MARIADB})
NEEDS = frozenset({Need.BASE, Need.EVIDENCE})
SUBJECTS = "tables that new migrations lock"
PROVES = "stay open to others"

#: The subject's revision where the tool has none.
ALL = "migrations"

#: Of fewer rows than these nothing is said of more: what does not grow with them takes most of the time.
ENOUGH = 10_000


def run(target: Target) -> Iterator[Judgement]:
    """Judge every table that a new migration locked against others, by what was done meanwhile."""
    traffic = target.evidence.traffic
    if traffic is None:
        return
    new = [one.revision for one in target.evidence.migrations if one.new] or [ALL]
    if traffic.gap:
        yield from (NotProven(revision, traffic.gap) for revision in new)
        return
    for revision, statements in traffic.by_revision(new, ALL).items():
        yield from _judge(revision, statements, traffic, target)


def _judge(revision: str, statements: Sequence[Blocking], traffic: Traffic, target: Target) -> Iterator[Judgement]:
    cases = {case.relation: case for case in _cases(revision, statements)}
    for case in cases.values():
        yield _weighed(case, statements, traffic, target)
    locked = dict.fromkeys(lock.relation for one in statements for lock in (*one.taken, *one.briefly))
    locked |= dict.fromkeys(_rows_waited_for(statements, target.expect.limits.blocked))
    covered = {relation for case in cases.values() for one in case.statements for relation in _kept(one)}
    for relation in locked:
        if relation not in covered | cases.keys():
            yield _open(revision, relation, statements, traffic, target)
    if not locked and not cases:
        yield Proven(revision)


def _open(revision: str, relation: str, statements: Sequence[Blocking], traffic: Traffic, target: Target) -> Judgement:
    """A table that was locked, and nothing that grows was done meanwhile; a declared limit holds all the same."""
    subject, limit = _subject(revision, relation), target.expect.limits.blocked
    behind = [one for one in statements if any(wait.relation == relation for wait in one.waits)]
    slowest = max(behind, key=lambda one: _longest(one, relation), default=None)
    if limit is not None and slowest is not None and min(_longest(slowest, relation), _alone(revision, target)) > limit:
        return Finding(
            subject=subject,
            message=f"{waited(behind, slowest, relation)}; the limit is {lapse(limit)}",
            remedy="Look at what its transaction does meanwhile, and let it do less, or split it.",
            severity=Severity.ERROR,
            place=slowest.place,
            evidence=facts(behind),
        )
    return Proven(subject) if traffic.rows.get(relation) else NotProven(subject, "no rows")


def _rows_waited_for(statements: Sequence[Blocking], limit: float | None) -> Iterator[str]:
    """Tables that nobody locked, but others waited for rows of them for longer than the limit."""
    yield from (wait.relation for one in statements for wait in one.waits if limit is not None and wait.own > limit)


def _kept(one: Blocking) -> Iterator[str]:
    """The tables that others are kept out of while it works."""
    yield from (lock.relation for lock in (*one.taken, *(lock for lock, _ in one.earlier)))


def _longest(one: Blocking, relation: str) -> float:
    return max((wait.own for wait in one.waits if wait.relation == relation), default=0.0)


def _cases(revision: str, statements: Sequence[Blocking]) -> Iterator[Case]:
    """By the table that it was done to: a foreign key reads two, and is one case."""
    by_table: dict[str, list[Blocking]] = {}
    for one in statements:
        if one.work:
            by_table.setdefault(_main(one).relation, []).append(one)
    for relation, found in by_table.items():
        gravest_first = sorted(found, key=lambda one: _main(one).kind is not WorkKind.REWRITE)
        yield Case(revision, relation, tuple(gravest_first), _main(gravest_first[0]))


def _main(one: Blocking) -> WorkOnRows:
    """The work that a case is called by, which the number of rows does not decide: of a foreign key it is the child's."""
    made_on = {TableName(made.schema, made.relation).label() for made in one.made}
    return max(one.work, key=lambda work: (work.kind is WorkKind.REWRITE, work.relation in made_on, work.relation))


def _weighed(case: Case, statements: Sequence[Blocking], traffic: Traffic, target: Target) -> Judgement:
    limit, production = target.expect.limits.blocked, target.expect.limits.production_rows.get(case.relation)
    rows = traffic.rows.get(case.relation, 0)
    seconds = min(_seconds(case, statements), _alone(case.revision, target))
    grown = _grown(seconds, rows, production)
    beyond = limit is not None and max(seconds, grown or 0.0) > limit
    if limit is not None and not beyond and grown is not None:
        return Proven(_subject(case.revision, case.relation))
    first, behind = case.statements[0], _behind(case, statements)
    said = [
        what(case),
        f"held for {lapse(seconds)} at {count(rows)}",
        _at_production(grown, production),
        f"the limit is {lapse(limit)}" if beyond and limit is not None else "",
        waited(behind, first, case.relation) or waited(case.statements, first) or waited(behind, first),
    ]
    return Finding(
        subject=_subject(case.revision, case.relation),
        message="; ".join(filter(None, said)),
        remedy=remedy_of(first, case.work),
        severity=Severity.ERROR if beyond else None,
        place=first.place,
        evidence=facts(behind),
    )


def _grown(seconds: float, rows: int, production: int | None) -> float | None:
    """How long it would be at production's rows, if it grows with them; ``None`` where that cannot be said."""
    if production is None or not rows or (rows < ENOUGH and production > rows):
        return None
    return seconds * production / rows


def _at_production(grown: float | None, production: int | None) -> str:
    if production is None:
        return ""
    number = f"{production:,}".replace(",", " ")
    if grown is None:
        return f"too few rows to say how long at production's {number}"
    return f"about {lapse(grown)} at production's {number} if it grows with the rows"


def _alone(revision: str, target: Target) -> float:
    """How long it took where nobody else was, itself or its statements: what other sessions add is not its own.

    With those after it, for all may be one transaction, which holds its locks to the end.
    """
    traffic = target.evidence.traffic
    evidence = traffic.alone if traffic is not None and traffic.alone is not None else target.evidence
    migrations = evidence.migrations
    since = next((number for number, one in enumerate(migrations) if one.revision == revision), 0)
    from_here = [one for one in migrations[since:] if one.new or one.revision == revision]
    files = {one.place.file for one in from_here}
    statements = [one for one in evidence.statements if not files or (one.place is not None and one.place.file in files)]
    whole = sum(one.seconds or 0.0 for one in from_here)
    return max(whole, sum(one.seconds or 0.0 for one in statements)) or math.inf


def _subject(revision: str, relation: str) -> str:
    return f"{revision} on {relation}"


def _seconds(case: Case, statements: Sequence[Blocking]) -> float:
    """The longest that others waited, or would have: for as long as the locks were held that it worked under."""
    return max(max(one.held, *(wait.own for wait in one.waits), 0.0) for one in _behind(case, statements))


def _behind(case: Case, statements: Sequence[Blocking]) -> list[Blocking]:
    """The statements that did the work, and those that took the locks which it was done under."""
    takers = {place for one in case.statements for _, place in one.earlier}
    return [one for one in statements if one in case.statements or (one.taken and one.place is not None and one.place in takers)]
