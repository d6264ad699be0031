"""No new migration waits for a lock without an end while others queue behind it.

Proves it on a copy of what the base revision holds, with a long transaction in the way as every busy database has one: a
statement that asks for a lock against readers or writers (`ShareLock` and above) waits for the long transaction, and whoever
comes after it queues behind the waiting statement, though it has done nothing yet. A `lock_timeout` ends that; the migration is
tried again later. On MariaDB every change of a table's form ends with `MDL_EXCLUSIVE`, also one that is instant, and waits for it
for a day where `lock_wait_timeout` is the default. The finding says how long others queued behind a transaction that went
away after a moment: in production it stays for as long as it likes. Where a migration gave up behind it, that is good practice,
and the rest was watched without it.

**Anti-pattern**

```sql
ALTER TABLE orders ADD COLUMN note text;   -- quick, but behind a report that runs for ten minutes nobody reads orders
```

**Best practice**

```sql
SET lock_timeout = '2s';                   -- gives up, and is tried again
ALTER TABLE orders ADD COLUMN note text;
```

MariaDB:

```sql
SET SESSION lock_wait_timeout = 2;
ALTER TABLE orders ADD COLUMN note text;
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.targets import Target
from checks.timings import lapse
from checks.traffic import Blocking

SEVERITY = Severity.NOTICE
ENGINES = frozenset({Engine.POSTGRESQL, Engine.MARIADB})
NEEDS = frozenset({Need.BASE, Need.EVIDENCE})
SUBJECTS = "new migrations that lock tables"
PROVES = "give up where they would wait for long"

#: The subject where the tool has no revisions.
ALL = "migrations"

_REMEDY = "SET lock_timeout = '2s' before it (or for the role that migrates), and try the migration again when it gives up."
_MARIADB = (
    "SET SESSION lock_wait_timeout = 2 before it (or ALTER TABLE … WAIT 2), and try the migration again when it gives up; every"
    " statement commits, so what came before it stays."
)
_INDEX = "DROP INDEX CONCURRENTLY, outside a transaction: it waits beside others. Else: "


def run(target: Target) -> Iterator[Judgement]:
    """Judge every new migration that asked for a lock against others."""
    traffic = target.evidence.traffic
    if traffic is None:
        return
    new = [one.revision for one in target.evidence.migrations if one.new] or [ALL]
    for revision, statements in traffic.by_revision(new, ALL).items():
        asked = [one for one in statements if one.taken or one.briefly]
        if traffic.gap:
            yield NotProven(revision, traffic.gap)
        elif asked:
            yield _judge(revision, asked)


def _judge(revision: str, asked: Sequence[Blocking]) -> Judgement:
    endless = [one for one in asked if one.lock_timeout == 0]
    if not endless:
        return Proven(revision)
    first = max(endless, key=lambda one: _queued(one))
    asked_for = {lock.relation: lock for lock in (*first.taken, *first.briefly)}.values()
    locks = [f"{lock.mode} on {lock.relation}" for lock in asked_for]
    mariadb = any(lock.mode.startswith("MDL_") for lock in asked_for)
    without = "for a day (lock_wait_timeout is MariaDB's default)" if mariadb else "without an end (no lock_timeout)"
    said = f"it asks for {', '.join(locks)} and would wait {without}"
    if queued := _queued(first):
        said += f"; behind a transaction of {lapse(first.waited)} others queued for {lapse(queued)}"
    if len(endless) > 1:
        said += f"; {len(endless)} of its statements are like that"
    return Finding(revision, said, _MARIADB if mariadb else _remedy(first), place=first.place)


def _remedy(first: Blocking) -> str:
    return f"{_INDEX}{_REMEDY}" if "DROP INDEX" in first.commands else _REMEDY


def _queued(one: Blocking) -> float:
    return max((wait.queued for wait in one.waits), default=0.0)
