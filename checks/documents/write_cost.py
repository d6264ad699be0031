"""A write takes no longer, with validators and indexes, than it may.

Proves, where `[databases.NAME.limits]` has a `write` or an `overhead`, that inserting and updating one document of each
collection stays within them: `write` is the time with everything, `overhead` what the validator and the indexes (but that of
`_id`) add to it. Real documents are taken out and put in again, and get another's fields for a moment, on four copies turn by
turn: with everything, without the validator, without the indexes, without both; at most 10 000 documents each. Writes are
acknowledged by memory (`w: 1`), so the machine's disk takes no part. A finding is certain: the lower bound of the median is
above the limit, by the bootstrap of the rounds. Milliseconds differ from machine to machine: declare limits that only another
validator or index breaks.

**Anti-pattern**

```javascript
for (const field of Object.keys(schema.properties)) {
  db.subscriptions.createIndex({ [field]: 1 })         // each of them is written with every document
}
```

**Best practice**

```toml
[databases.docs.limits]
write = "6ms"                                          # measured: 3 to 6 ms with everything
overhead = "5ms"                                       # and 1 ms without validator and indexes
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.declared.documents import DocumentLimits
from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.measured import WriteCost
from checks.schema.collections import Collection, CollectionKind, collection_reference, validator_reference
from checks.timings import Cost, cost, cost_in_words, milliseconds

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.EVIDENCE, Need.ANY_ROWS})
SUBJECTS = "kinds of writes"
PROVES = "take no longer than they may"

_KINDS = ("insert", "update")


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge the inserts and the updates of every collection, where a limit is declared."""
    limits = target.expect.documents.limits
    if not limits.of_writes:
        return
    measured = {(one.collection, one.kind): one for one in target.evidence.writes}
    for collection in target.collections.all:
        if collection.kind is CollectionKind.COLLECTION:
            for kind in _KINDS:
                one = measured.get((collection.name, kind)) or measured.get((collection.name, "write"))
                yield _judge(f"{collection.name} ({kind})", collection, one, limits)


def _judge(subject: str, collection: Collection, measured: WriteCost | None, limits: DocumentLimits) -> Judgement:
    if not collection.readable:
        return NotProven(subject, "permission denied")
    if measured is None:
        return NotProven(subject, "measured on a copy only" if collection.documents else "no documents")
    if not measured.rounds:
        return NotProven(subject, measured.gap or "not measured")
    found = cost(measured)
    words = "; ".join(_beyond(found, limits))
    return _finding(subject, collection, measured, found, words) if words else Proven(subject)


def _beyond(found: Cost, limits: DocumentLimits) -> Iterator[str]:
    if limits.write is not None and found.write.low > limits.write:
        yield f"takes at least {milliseconds(found.write.low)}; the limit is {milliseconds(limits.write)}"
    if limits.overhead is not None and found.overhead.low > limits.overhead:
        yield (
            f"validator and indexes add at least {milliseconds(found.overhead.low)}; the limit is {milliseconds(limits.overhead)}"
        )


def _finding(subject: str, collection: Collection, measured: WriteCost, found: Cost, words: str) -> Finding:
    indexes = [index.name for index in collection.indexes if index.name != "_id_"]
    if found.indexes >= found.validator:
        remedy = f"The indexes take most of it ({', '.join(indexes)}): drop those that no query uses; $indexStats tells."
    else:
        remedy = "The validator takes most of it: leave out patterns and deep rules that the application holds as well."
    return Finding(
        subject=subject,
        message=f"{subject}: {words}; median {cost_in_words(measured)}",
        remedy=remedy,
        objects=(collection_reference(collection.name), validator_reference(collection.name)),
        evidence={
            "median_ms": found.write.median * 1000,
            "at_least_ms": found.write.low * 1000,
            "overhead_ms": found.overhead.median * 1000,
            "validator_ms": found.validator * 1000,
            "indexes_ms": found.indexes * 1000,
            "without_ms": found.bare * 1000,
            "indexes": [*indexes],
        },
    )
