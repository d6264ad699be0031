"""A declared query is as much faster by its indexes as it is to be.

Proves, for every query under `[databases.NAME.queries]` with a `gain`, that it takes at least so many times as long where the
indexes of what it reads are hidden (MongoDB's manual, "Hidden Indexes"), all but that of `_id`, so that none serves in the
place of another. Both ways are run turn by turn on a copy, alone, with values of real documents. A finding is certain: the
upper bound of the ratio's median lies below the declared one, by the bootstrap of the pairs. On fewer than 1 000 documents a
scan is as quick as a look-up, and nothing is proven.

An index that gains nothing is paid for by each write all the same: most documents have the same value, or what comes back is
most of the collection.

**Anti-pattern**

```javascript
db.subscriptions.createIndex({ active: 1 })            // true of 95 % of all: a scan by way of an index
```

**Best practice**

```toml
[databases.docs.queries.subscriptions_of_a_company]
collection = "subscriptions"
find = { company_name = "{companies.company_name}" }
gain = 5                                               # measured on 10 000 documents: 22x, 45 ms to 2 ms
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.measured import IndexGain
from checks.pipelines.queries import LookedInto, looked_into, serving
from checks.schema.collections import Collection, collection_reference, index_reference
from checks.timings import gain_in_words, ratio

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.EVIDENCE, Need.ANY_ROWS})
SUBJECTS = "declared queries with a gain"
PROVES = "are as much faster by their indexes"

#: On fewer documents a scan is as quick as a look-up.
FEW = 1000


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every query with a declared gain by its pairs."""
    gains = {gain.query: gain for gain in target.evidence.gains}
    for one in looked_into(target):
        if one.query.gain is not None:
            yield _judge(one, one.query.gain, gains.get(one.query.name), target)


def _judge(one: LookedInto, wanted: float, gain: IndexGain | None, target: DocumentTarget) -> Judgement:
    if one.examined is None:
        return NotProven(one.query.name, one.gap)
    read = {one.query.collection, *(index.collection for index in one.examined.indexes)}
    if all(_documents(target.collections.collection.get(name)) < FEW for name in read):
        return NotProven(one.query.name, f"fewer than {FEW} documents")
    if not one.examined.indexes:
        return _finding(one, wanted, "uses no index", target)
    if all(index.name == "_id_" for index in one.examined.indexes):
        return NotProven(one.query.name, "the index of _id cannot be hidden")
    if gain is None:
        return NotProven(one.query.name, "measured on a copy only")
    if gain.failure:
        return NotProven(one.query.name, f"does not run without its index: {gain.failure}")
    if ratio(gain).high < wanted:
        return _finding(one, wanted, gain_in_words(gain), target)
    return Proven(one.query.name)


def _documents(collection: Collection | None) -> int:
    return collection.documents if collection else 0


def _finding(one: LookedInto, wanted: float, words: str, target: DocumentTarget) -> Finding:
    used = one.examined.indexes if one.examined else ()
    return Finding(
        subject=one.query.name,
        message=f"{one.query.name}: {words}; expected at least {wanted:g}x",
        remedy=serving(one.query, one.examined, target)
        or "Drop the index where no other query uses it, or build one whose first fields tell documents apart.",
        objects=(*(index_reference(index.collection, index.name) for index in used), collection_reference(one.query.collection)),
        evidence={"wanted": wanted, "indexes": [index.label for index in used]},
    )
