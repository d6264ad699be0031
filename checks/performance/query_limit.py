"""Declared queries stay within their limits.

Proves, for every query under `[databases.NAME.queries]`, that its median time stays within its `limit`, or within its
category's default: simple 500 ms, join 1 s, constraint 100 ms, batch 2 s, aggregation 300 ms. It is run twice to warm up and
then seven times, alone, with values sampled from real rows; the time is taken around sending it and fetching its last row. The
finding says the median and the p95, which is the nearest rank: the smallest measured time that at least 95 % of the runs do not
exceed (of seven runs the slowest).

Milliseconds on a small table say little about a large one, and a shared machine is noisy: declare limits that only a wrong plan
breaks. A query whose tables are empty proves nothing, one that fails is an error of the check.

**Anti-pattern**

```toml
[databases.app.queries.open_orders]
sql = "select * from orders where buyer_id = 1"       # the one value that happens to be cached, or to have no rows
limit = "3ms"                                         # red whenever the machine is busy
```

**Best practice**

```toml
[databases.app.queries.open_orders]
sql = "select * from orders where buyer_id = {users.id} and status = 'open'"
category = "simple"
limit = "200ms"
```
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence

from checks.evidence import QueryTiming
from checks.expectations import DeclaredQuery
from checks.interface import Engine, Finding, Json, Judgement, Need, NotProven, Proven, Severity
from checks.placeholders import replaced
from checks.reading import objects_read, without_rows
from checks.targets import RelationalTarget, StatementFailed

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL})
NEEDS = frozenset({Need.EVIDENCE, Need.ROWS})
SUBJECTS = "declared queries"
PROVES = "stay within their limits"

#: PostgreSQL's code for a statement that was stopped, as measuring does well past the limit.
STOPPED = "57014"
#: And for a table that the session's role may not read.
DENIED = "42501"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every declared query by its timing; the first that failed is raised after all have been judged."""
    timings = {timing.name: timing for timing in target.evidence.queries}
    failed: StatementFailed | None = None
    for query in target.expect.queries:
        timing = timings.get(query.name)
        if timing is None:
            yield NotProven(query.name, "not measured")
        elif timing.code == DENIED:
            yield NotProven(query.name, "permission denied")
        elif timing.failure and timing.code != STOPPED:
            failed = failed or StatementFailed(f"{query.name}: {timing.failure}", timing.code)
        else:
            yield _judge(query, timing, target)
    if failed is not None:
        raise failed


def p95(seconds: Sequence[float]) -> float:
    """The nearest rank: the smallest value that at least 95 % of all do not exceed."""
    return sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]


def _judge(query: DeclaredQuery, timing: QueryTiming, target: RelationalTarget) -> Judgement:
    if timing.failure:
        return _finding(query, f"did not end: {timing.failure}; the limit is {_milliseconds(timing.limit)}", timing, target)
    median = statistics.median(timing.seconds) if timing.seconds else 0.0
    if median <= timing.limit:
        measured = timing.seconds and not without_rows(_parsable(query), target)
        return Proven(query.name) if measured else NotProven(query.name, "no rows")
    times = f"median {_milliseconds(median)}, p95 {_milliseconds(p95(timing.seconds))} of {len(timing.seconds)} runs"
    return _finding(query, f"{times}; the limit is {_milliseconds(timing.limit)}", timing, target)


def _finding(query: DeclaredQuery, words: str, timing: QueryTiming, target: RelationalTarget) -> Finding:
    measured: dict[str, Json] = {"limit_ms": timing.limit * 1000, "category": timing.category, "runs": len(timing.seconds)}
    if timing.seconds:
        measured |= {
            "median_ms": statistics.median(timing.seconds) * 1000,
            "p95_ms": p95(timing.seconds) * 1000,
            "rows": timing.rows,
        }
    return Finding(
        subject=query.name,
        message=f"{query.name}: {words}",
        remedy="Look at its plan with EXPLAIN (ANALYZE, BUFFERS); a missing index or a join over all rows are the usual causes.",
        objects=objects_read(_parsable(query), target.engine, target.catalogue),
        code=timing.code,
        evidence=measured,
    )


def _parsable(query: DeclaredQuery) -> str:
    return replaced(query.sql, lambda _: "NULL")


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.4g} ms"
