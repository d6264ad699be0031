"""Declared queries stay within their limits.

Proves, for every query under `[databases.NAME.queries]`, that its median time stays within its `limit`, or within its
category's default: simple 500 ms, join 1 s, constraint 100 ms, batch 2 s, aggregation 300 ms. It is run twice to warm up and
then seven times, alone, with values sampled from real rows; the time is taken around sending it and fetching its last row. The
finding says the median and the p95, which is the nearest rank: the smallest measured time that at least 95 % of the runs do not
exceed (of seven runs the slowest).

Of a document database a query may also be held to how many documents the server looks at for it (`examined`), which does not
depend on the machine: without an index it is all of the collection. Whatever the limits, a finding says which collections were
read from end to end.

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
from dataclasses import dataclass
from typing import cast

from checks.declared.documents import DocumentQuery
from checks.declared.expectations import DeclaredQuery
from checks.declared.placeholders import replaced
from checks.evidence import QueryTiming
from checks.interface import Engine, Finding, Json, Judgement, Need, NotProven, Proven, Severity
from checks.schema.collections import collection_reference
from checks.schema.names import ObjectReference
from checks.sql.reading import objects_read, without_rows
from checks.targets import DocumentTarget, RelationalTarget, StatementFailed

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB, Engine.MONGODB})
NEEDS = frozenset({Need.EVIDENCE, Need.ROWS})
SUBJECTS = "declared queries"
PROVES = "stay within their limits"

#: The codes for a query that was stopped, as measuring does well past the limit: PostgreSQL's, SQLite's, MariaDB's and
#: MongoDB's.
STOPPED = frozenset({"57014", "SQLITE_INTERRUPT", "1969", "50"})
#: And for what the session's role may not read.
DENIED = frozenset({"42501", "1142", "1143", "13"})

_EXPLAIN = {
    Engine.POSTGRESQL: "EXPLAIN (ANALYZE, BUFFERS)",
    Engine.SQLITE: "EXPLAIN QUERY PLAN",
    Engine.MARIADB: "ANALYZE FORMAT=JSON",
}

Query = DeclaredQuery | DocumentQuery


def run(target: RelationalTarget | DocumentTarget) -> Iterator[Judgement]:
    """Judge every declared query by its timing; the first that failed is raised after all have been judged."""
    timings = {timing.name: timing for timing in target.evidence.queries}
    failed: StatementFailed | None = None
    queries: tuple[Query, ...] = (*target.expect.queries, *target.expect.documents.queries)
    for query in queries:
        timing = timings.get(query.name)
        if timing is None:
            yield NotProven(query.name, "not measured")
        elif timing.code in DENIED:
            yield NotProven(query.name, "permission denied")
        elif timing.failure and timing.code not in STOPPED:
            failed = failed or StatementFailed(f"{query.name}: {timing.failure}", timing.code)
        else:
            yield _judge(query, timing, _read(query, target))
    if failed is not None:
        raise failed


def p95(seconds: Sequence[float]) -> float:
    """The nearest rank: the smallest value that at least 95 % of all do not exceed."""
    return sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]


@dataclass(frozen=True)
class _Read:
    """What a query reads: its objects, why it has nothing to say where they are empty, and how one looks at its plan."""

    objects: tuple[ObjectReference, ...]
    empty: str
    look: str


def _read(query: Query, target: RelationalTarget | DocumentTarget) -> _Read:
    """A query is of its target's kind."""
    if isinstance(query, DocumentQuery):
        empty = "" if query.collection in cast("DocumentTarget", target).filled else "no documents"
        look = 'Look at its plan with explain("executionStats"); a missing index is the usual cause.'
        return _Read((collection_reference(query.collection),), empty, look)
    relational = cast("RelationalTarget", target)
    return _Read(
        objects_read(_parsable(query), relational.engine, relational.catalogue),
        "no rows" if without_rows(_parsable(query), relational) else "",
        f"Look at its plan with {_EXPLAIN[relational.engine]}; a missing index or a join over all rows are the usual causes.",
    )


def _judge(query: Query, timing: QueryTiming, read: _Read) -> Judgement:
    if timing.failure:
        return _finding(query, f"did not end: {timing.failure}; the limit is {_milliseconds(timing.limit)}", timing, read)
    if words := "; ".join(_beyond(query, timing)):
        return _finding(query, f"{words}{_scanned(timing)}", timing, read)
    return NotProven(query.name, read.empty or "no rows") if read.empty or not timing.seconds else Proven(query.name)


def _beyond(query: Query, timing: QueryTiming) -> Iterator[str]:
    """Each limit that it does not keep, in words."""
    median = statistics.median(timing.seconds) if timing.seconds else 0.0
    if median > timing.limit:
        times = f"median {_milliseconds(median)}, p95 {_milliseconds(p95(timing.seconds))} of {len(timing.seconds)} runs"
        yield f"{times}; the limit is {_milliseconds(timing.limit)}"
    allowed = query.examined if isinstance(query, DocumentQuery) else None
    if allowed is not None and timing.examined is not None and timing.examined.documents > allowed:
        yield f"looks at {timing.examined.documents} documents for {timing.rows}; the limit is {allowed}"


def _scanned(timing: QueryTiming) -> str:
    scanned = timing.examined.scanned if timing.examined else ()
    return f"; {' and '.join(scanned)} {'is' if len(scanned) == 1 else 'are'} read from end to end (COLLSCAN)" if scanned else ""


def _finding(query: Query, words: str, timing: QueryTiming, read: _Read) -> Finding:
    measured: dict[str, Json] = {"limit_ms": timing.limit * 1000, "category": timing.category, "runs": len(timing.seconds)}
    if timing.seconds:
        measured |= {
            "median_ms": statistics.median(timing.seconds) * 1000,
            "p95_ms": p95(timing.seconds) * 1000,
            "rows": timing.rows,
        }
    if timing.examined is not None:
        looked = timing.examined
        measured |= {"documents_examined": looked.documents, "keys_examined": looked.keys, "scanned": list(looked.scanned)}
    return Finding(
        subject=query.name,
        message=f"{query.name}: {words}",
        remedy=read.look,
        objects=read.objects,
        code=timing.code,
        evidence=measured,
    )


def _parsable(query: DeclaredQuery) -> str:
    return replaced(query.sql, lambda _: "NULL")


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.4g} ms"
