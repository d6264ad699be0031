"""Declared queries stay within their limits.

Proves, for every query under `[databases.NAME.queries]`, that its median time stays within its `limit`, or within its
category's default: simple 500 ms, join 1 s, constraint 100 ms, batch 2 s, aggregation 300 ms. It is run twice to warm up and
then seven times, alone, with values sampled from real rows; the time is taken around sending it and fetching its last row. The
finding says the median and the p95, which is the nearest rank: the smallest measured time that at least 95 % of the runs do not
exceed (of seven runs the slowest).

Of a document database a query may also be held to how many documents the server looks at for it (`examined`), how many keys of
indexes (`keys_examined`), and how many of either for each document that comes back (`examined_per_returned`). None of them
depends on the machine: without an index it is all of the collection. Whatever the limits, a finding says which collections were
read from end to end and which indexes were used.

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
from checks.declared.placeholders import replaced
from checks.declared.queries import DeclaredQuery
from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Json, Judgement, Need, NotProven, Proven, Severity
from checks.measured import Examined, QueryTiming
from checks.pipelines.queries import plan_in_words, serving
from checks.schema.collections import collection_reference
from checks.schema.names import ObjectReference
from checks.sql.reading import objects_read, without_rows
from checks.targets import RelationalTarget, StatementFailed

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB, Engine.MONGODB})
NEEDS = frozenset({Need.EVIDENCE, Need.ANY_ROWS})
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
            yield _judge(query, timing, _read(query, timing, target))
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


def _read(query: Query, timing: QueryTiming, target: RelationalTarget | DocumentTarget) -> _Read:
    """A query is of its target's kind."""
    if isinstance(query, DocumentQuery):
        documents = cast("DocumentTarget", target)
        empty = "" if query.collection in documents.filled else "no documents"
        look = serving(query, timing.examined, documents)
        look = look or 'Look at its plan with explain("executionStats"); a missing index is the usual cause.'
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
        return _finding(query, f"{words}{plan_in_words(timing.examined)}", timing, read)
    gap = read.empty or ("" if timing.seconds else "no rows") or _untold(query, timing)
    return NotProven(query.name, gap) if gap else Proven(query.name)


def _untold(query: Query, timing: QueryTiming) -> str:
    """Why a limit on what is looked at is not known to be kept."""
    limited = isinstance(query, DocumentQuery) and {query.examined, query.keys_examined, query.examined_per_returned} != {None}
    return timing.examined.gap if limited and timing.examined is not None else ""


def _beyond(query: Query, timing: QueryTiming) -> Iterator[str]:
    """Each limit that it does not keep, in words."""
    median = statistics.median(timing.seconds) if timing.seconds else 0.0
    if median > timing.limit:
        times = f"median {_milliseconds(median)}, p95 {_milliseconds(p95(timing.seconds))} of {len(timing.seconds)} runs"
        yield f"{times}; the limit is {_milliseconds(timing.limit)}"
    if isinstance(query, DocumentQuery) and timing.examined is not None:
        yield from _beyond_examined(query, timing.examined, timing.rows)


def _beyond_examined(query: DocumentQuery, looked: Examined, rows: int) -> Iterator[str]:
    if query.examined is not None and looked.documents > query.examined:
        yield f"looks at {looked.documents} documents for {rows}; the limit is {query.examined}"
    if query.keys_examined is not None and looked.keys > query.keys_examined:
        yield f"looks at {looked.keys} keys of indexes for {rows}; the limit is {query.keys_examined}"
    if query.examined_per_returned is not None and looked.per_returned > query.examined_per_returned:
        yield f"looks at {looked.per_returned:.4g} for each that comes back; the limit is {query.examined_per_returned:g}"


def _finding(query: Query, words: str, timing: QueryTiming, read: _Read) -> Finding:
    return Finding(
        subject=query.name,
        message=f"{query.name}: {words}",
        remedy=read.look,
        objects=read.objects,
        code=timing.code,
        evidence=_measured(timing),
    )


def _measured(timing: QueryTiming) -> dict[str, Json]:
    """What was measured, for machines."""
    found: dict[str, Json] = {"limit_ms": timing.limit * 1000, "category": timing.category, "runs": len(timing.seconds)}
    if timing.seconds:
        found |= {
            "median_ms": statistics.median(timing.seconds) * 1000,
            "p95_ms": p95(timing.seconds) * 1000,
            "rows": timing.rows,
        }
    if timing.examined is not None:
        looked = timing.examined
        found |= {
            "documents_examined": looked.documents,
            "keys_examined": looked.keys,
            "examined_per_returned": looked.per_returned,
            "scanned": list(looked.scanned),
            "indexes": [index.label for index in looked.indexes],
        }
    return found


def _parsable(query: DeclaredQuery) -> str:
    return replaced(query.sql, lambda _: "NULL")


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.4g} ms"
