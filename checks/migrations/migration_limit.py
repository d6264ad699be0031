"""New migrations end within the limit of time.

Proves, where `[databases.NAME.limits]` has a `migration`, that each new migration takes no longer than that on the rows that the
base revision holds: the wall time that the tool tells of, else that of its statements in the server. It runs alone: what other
sessions would add is blocking-migration's. Rows come from `data.load`, or are made (`data.rows`, `data.scale`); on an empty
database nothing is proven.

**Anti-pattern**

```toml
[databases.app.limits]
migration = "60s"          # and no rows: every migration is quick on an empty table
```

**Best practice**

```toml
[databases.app.data]
scale = 0.1
production_rows = { events = 4_000_000 }

[databases.app.limits]
migration = "60s"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.evidence import Evidence, Migration, MigrationState
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.targets import Target
from checks.timings import lapse

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB, Engine.MONGODB})
NEEDS = frozenset({Need.EVIDENCE})
SUBJECTS = "new migrations under a limit of time"
PROVES = "end within it"

#: The subject where the tool has no revisions.
ALL = "migrations"


def run(target: Target) -> Iterator[Judgement]:
    """Judge every new migration by its time."""
    limit, evidence = target.expect.limits.migration, target.evidence
    if limit is None or evidence.failure is not None:
        return
    new = [one for one in evidence.migrations if one.new and one.state is MigrationState.APPLIED]
    for one in new:
        yield _judge(one.revision, _seconds(one, evidence), limit, one, evidence)
    if not evidence.migrations and evidence.statements:
        yield _judge(ALL, sum(one.seconds or 0.0 for one in evidence.statements), limit, None, evidence)


def _seconds(one: Migration, evidence: Evidence) -> float | None:
    if one.seconds is not None:
        return one.seconds
    told = [said.seconds for said in evidence.statements if said.place and said.place.file == one.place.file]
    known = [seconds for seconds in told if seconds is not None]
    return sum(known) if known else None


def _judge(subject: str, seconds: float | None, limit: float, one: Migration | None, evidence: Evidence) -> Judgement:
    if seconds is None:
        return NotProven(subject, "its time is not known")
    if seconds > limit:
        return Finding(
            subject=subject,
            message=f"it took {lapse(seconds)}; the limit is {lapse(limit)}",
            remedy="Look at its slowest statement in the step summary, and let it do less at once: in batches, or beside others.",
            place=one.place if one else None,
            evidence={"seconds": round(seconds, 3), "limit_seconds": limit},
        )
    held = any(one.rows for one in evidence.filled) or any(file.refused is None for file in evidence.loaded)
    return Proven(subject) if held else NotProven(subject, "base holds no rows")
