"""No declared query reads a large collection without an index.

Proves, for every query under `[databases.NAME.queries]` that is to find something (category simple, join or constraint), that
it reads no more documents by a COLLSCAN than it may: `collection_scan` under `[databases.NAME.limits]`, else 10 000. How many
it reads is what the server says of its execution (MongoDB's manual, "Explain Results", `totalDocsExamined`), whatever the
machine. A lookup of a pipeline counts as well, from MongoDB 5.0 on, which tells of it. A declared limit makes a finding an
error.

A collection scan is quick as long as the collection is small: such a query gets slower every day, and production is where it
shows. A query of category aggregation or batch is to read everything and is not judged here; `examined` limits it.

**Anti-pattern**

```javascript
db.createCollection("invoices")                        // 200 000 documents a year
db.invoices.find({ number: "2025-0815" })              // COLLSCAN: reads all of them to find one
```

**Best practice**

```javascript
db.invoices.createIndex({ number: 1 }, { name: "number_unique", unique: true })
db.invoices.find({ number: "2025-0815" })              // IXSCAN: reads one
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.declared.queries import Category
from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.measured import Examined
from checks.pipelines.queries import LookedInto, looked_into, plan_in_words, serving
from checks.schema.collections import collection_reference

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.EVIDENCE, Need.ANY_ROWS})
SUBJECTS = "declared queries that find something"
PROVES = "read no large collection without an index"

#: How many documents a query may read without an index where nothing is declared.
MOST = 10_000
_READS_ALL = frozenset({Category.AGGREGATION, Category.BATCH})


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every query that is to find something by what the server looked at for it."""
    for one in looked_into(target):
        if one.query.category in _READS_ALL:
            continue
        if one.examined is None:
            yield NotProven(one.query.name, one.gap)
        else:
            yield _judge(one, one.examined, target)


def _judge(one: LookedInto, examined: Examined, target: DocumentTarget) -> Judgement:
    declared = target.expect.documents.limits.collection_scan
    most = MOST if declared is None else declared
    if not examined.scanned or examined.documents <= most:
        return NotProven(one.query.name, examined.gap) if examined.gap else Proven(one.query.name)
    return Finding(
        subject=one.query.name,
        message=(
            f"{one.query.name}: reads {examined.documents} documents for {one.returned}, and may read {most} without an index"
            f"{plan_in_words(examined)}"
        ),
        remedy=serving(one.query, examined, target)
        or 'Look at its plan with explain("executionStats"), and build an index on what it asks for.',
        severity=None if declared is None else Severity.ERROR,
        objects=tuple(collection_reference(name) for name in examined.scanned),
        evidence={
            "documents_examined": examined.documents,
            "returned": one.returned,
            "limit": most,
            "scanned": list(examined.scanned),
            "indexes": [index.label for index in examined.indexes],
        },
    )
