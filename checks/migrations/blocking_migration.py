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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from checks.evidence import Lock
from checks.interface import Engine, Finding, Json, Judgement, Need, NotProven, Proven, Severity
from checks.rulebook.unblocking import remedy_of
from checks.schema.names import TableName
from checks.targets import Target
from checks.timings import lapse
from checks.traffic import Access, Blocking, Traffic, Wait, WorkKind, WorkOnRows

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL, Engine.MARIADB})
NEEDS = frozenset({Need.BASE, Need.EVIDENCE})
SUBJECTS = "tables that new migrations lock"
PROVES = "stay open to others"

#: The subject's revision where the tool has none.
ALL = "migrations"

#: Of fewer rows than these nothing is said of more: what does not grow with them takes most of the time.
ENOUGH = 10_000

#: Modes that keep out readers as well: PostgreSQL's, MariaDB's.
_READERS_TOO = frozenset({"AccessExclusiveLock", "MDL_EXCLUSIVE", "MDL_SHARED_NO_READ_WRITE"})


@dataclass(frozen=True)
class _Case:
    """What one revision does to the rows of one table while others are kept out."""

    revision: str
    relation: str
    statements: tuple[Blocking, ...]
    work: WorkOnRows


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
            message=f"{_waited(behind, slowest, relation)}; the limit is {lapse(limit)}",
            remedy="Look at what its transaction does meanwhile, and let it do less, or split it.",
            severity=Severity.ERROR,
            place=slowest.place,
            evidence=_facts(behind),
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


def _cases(revision: str, statements: Sequence[Blocking]) -> Iterator[_Case]:
    """By the table that it was done to: a foreign key reads two, and is one case."""
    by_table: dict[str, list[Blocking]] = {}
    for one in statements:
        if one.work:
            by_table.setdefault(_main(one).relation, []).append(one)
    for relation, found in by_table.items():
        yield _Case(revision, relation, tuple(found), _main(found[0]))


def _main(one: Blocking) -> WorkOnRows:
    """The work that a case is called by, which the number of rows does not decide: of a foreign key it is the child's."""
    made_on = {TableName(made.schema, made.relation).label() for made in one.made}
    return max(one.work, key=lambda work: (work.kind is WorkKind.REWRITE, work.relation in made_on, work.relation))


def _weighed(case: _Case, statements: Sequence[Blocking], traffic: Traffic, target: Target) -> Judgement:
    limits = target.expect.limits
    rows = traffic.rows.get(case.relation, 0)
    production = limits.production_rows.get(case.relation)
    seconds = min(_seconds(case, statements), _alone(case.revision, target))
    enough = production is not None and rows > 0 and (rows >= ENOUGH or production <= rows)
    grown = seconds * production / rows if production is not None and enough else None
    beyond = limits.blocked is not None and max(seconds, grown or 0.0) > limits.blocked
    if limits.blocked is not None and not beyond and grown is not None:
        return Proven(_subject(case.revision, case.relation))
    said = [_what(case), f"held for {lapse(seconds)} at {_count(rows)}"]
    if grown is not None and production is not None:
        said.append(f"about {lapse(grown)} at production's {production:,} if it grows with the rows".replace(",", " "))
    elif production is not None:
        said.append(f"too few rows to say how long at production's {production:,}".replace(",", " "))
    if beyond and limits.blocked is not None:
        said.append(f"the limit is {lapse(limits.blocked)}")
    first = case.statements[0]
    behind = _behind(case, statements)
    said.append(_waited(behind, first, case.relation) or _waited(case.statements, first) or _waited(behind, first))
    return Finding(
        subject=_subject(case.revision, case.relation),
        message="; ".join(filter(None, said)),
        remedy=remedy_of(first, case.work),
        severity=Severity.ERROR if beyond else None,
        place=first.place,
        evidence=_facts(_behind(case, statements)),
    )


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


def _seconds(case: _Case, statements: Sequence[Blocking]) -> float:
    """The longest that others waited, or would have: for as long as the locks were held that it worked under."""
    return max(max(one.held, *(wait.own for wait in one.waits), 0.0) for one in _behind(case, statements))


def _behind(case: _Case, statements: Sequence[Blocking]) -> list[Blocking]:
    """The statements that did the work, and those that took the locks which it was done under."""
    takers = {place for one in case.statements for _, place in one.earlier}
    return [one for one in statements if one in case.statements or (one.taken and one.place is not None and one.place in takers)]


def _what(case: _Case) -> str:
    """``ALTER TABLE reads 1 000 rows of orders under AccessExclusiveLock on orders (keeps out readers and writers)``."""
    one = case.statements[0]
    taken = {lock.relation for lock in one.taken}
    own = _held_by(one.taken, case.relation)
    earlier = _held_by([lock for lock, _ in one.earlier if lock.relation not in taken], case.relation)
    held = [*([own] if own else []), *([f"{earlier}, held since {_lines(one)}"] if earlier else [])]
    more = f" (and {len(case.statements) - 1} more)" if len(case.statements) > 1 else ""
    return f"{_tag(one)}{more} {_does(case.work)} under {', and '.join(held)}"


def _tag(one: Blocking) -> str:
    return one.commands[0] if one.commands else " ".join(one.text.split()[:2]).rstrip(";").upper()


def _lines(one: Blocking) -> str:
    """``line 49``, ``lines 49, 110 and 171``: of its own file the lines alone."""
    places = {place for _, place in one.earlier if place is not None}
    if places == {one.place}:
        return "an earlier statement of the same line"
    own = sorted(place.line for place in places if one.place is not None and place.file == one.place.file and place.line)
    others = sorted(str(place) for place in places if one.place is None or place.file != one.place.file or not place.line)
    lines = [f"line{'s' if len(own) > 1 else ''} {_and([str(line) for line in own])}"] if own else []
    return _and([*lines, *others]) or "an earlier statement of its transaction"


def _and(listed: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, (", ".join(listed[:-1]), *listed[-1:])))


def _does(work: WorkOnRows) -> str:
    rows = _count(work.rows)
    match work.kind:
        case WorkKind.REWRITE:
            return f"writes {work.relation} anew ({f'{work.reason}, ' if work.reason else ''}{rows})"
        case WorkKind.INDEX:
            return f"indexes {rows} of {work.relation}"
        case WorkKind.SCAN:
            return f"reads {rows} of {work.relation}"
        case WorkKind.WRITE:
            return f"writes {rows} of {work.relation}"


def _held_by(locks: Sequence[Lock], relation: str) -> str:
    """``AccessExclusiveLock on orders (keeps out readers and writers)``, the strongest first, of each the case's own table."""
    modes: dict[str, list[str]] = {}
    for lock in sorted(locks, key=lambda lock: lock.relation != relation):
        modes.setdefault(lock.mode, []).append(lock.relation)
    return " and ".join(
        f"{mode} on {', '.join(relations)} (keeps out {'readers and writers' if mode in _READERS_TOO else 'writers'})"
        for mode, relations in sorted(modes.items(), key=lambda one: one[0] not in _READERS_TOO)
    )


def _waited(behind: Sequence[Blocking], first: Blocking, relation: str = "") -> str:
    """``writes to orders waited 2.7 s for RowExclusiveLock behind ALTER TABLE at line 14``, the longest of each access.

    ``first`` is the statement that the finding is placed at.
    """
    longest: Mapping[Access, tuple[Wait, Blocking]] = {}
    for one in behind:
        for wait in one.waits:
            held = longest.get(wait.access)
            if wait.relation == (relation or wait.relation) and (held is None or wait.own > held[0].own):
                longest = {**longest, wait.access: (wait, one)}
    return ", ".join(
        f"{_access(wait)} {wait.relation} waited {lapse(wait.own)} for {wait.mode} behind {_where(one, first)}"
        for wait, one in longest.values()
    )


def _access(wait: Wait) -> str:
    return "reads of" if wait.access is Access.READS else "writes to"


def _where(one: Blocking, first: Blocking) -> str:
    if one.place is None:
        return _tag(one)
    same = first.place is not None and first.place.file == one.place.file and one.place.line
    return f"{_tag(one)} at {f'line {one.place.line}' if same else one.place}"


def _count(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows".replace(",", " ")


def _facts(statements: Sequence[Blocking]) -> dict[str, Json]:
    listed: list[Json] = [
        {
            "statement": one.text,
            "place": str(one.place) if one.place else "",
            "locks": [f"{lock.relation}: {lock.mode}" for lock in one.taken],
            "earlier_locks": [f"{lock.relation}: {lock.mode}" for lock, _ in one.earlier],
            "work": [f"{work.relation}: {work.kind.value}, {work.rows} rows" for work in one.work],
            "held_seconds": round(one.held, 4),
            "waits": [
                {
                    "table": wait.relation,
                    "access": wait.access.value,
                    "mode": wait.mode,
                    "seconds": round(wait.own, 4),
                    "queued_seconds": round(wait.queued, 4),
                }
                for wait in one.waits
            ],
        }
        for one in statements
    ]
    return {"statements": listed}
