"""No array of a document grows without bound.

Proves, for every array in the documents of every collection, inside others too, that none has more than a thousand elements, or
than `array_length` under `limits` in `[databases.NAME]` says. A document is read and written whole and holds 16 MB at most, so
an array that every event adds to makes each write slower than the one before, until the last one is refused (MongoDB's manual,
"Avoid Unbounded Arrays"). Where all documents have the same number of elements (an embedding's) nothing grows, and none is
reported. The counts are exact, by one scan; arrays are those that the first thousand documents show. A pipeline's rows are no
measure of production's, so this is asked only of a database that exists and is looked at, or where the settings give it a
severity.

**Anti-pattern**

```python
db.devices.update_one({"_id": device}, {"$push": {"readings": reading}})  # for as long as the device lives
```

**Best practice**

```python
db.readings.insert_one({"device": device, **reading})  # a document of its own, or `$push` with `$slice: -1000`
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checks.document_targets import DocumentSession, DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.pipelines.fields import FIRST, MOST, TooMany, fields
from checks.pipelines.paths import Expression, Path, gathered, label
from checks.schema.collections import Collection, CollectionKind, collection_reference
from checks.targets import StatementFailed
from checks.unanswered import unanswered

SEVERITY = Severity.OFF
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "arrays of documents"
PROVES = "are short, or of one length"

#: How many elements an array may have where the settings do not say.
LONGEST = 1_000
#: The share of documents that the message tells of.
NEARLY_ALL = 0.99


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge the arrays of every collection that holds documents; a view's are those of its collections."""
    longest = target.expect.documents.limits.array_length or LONGEST
    with target.documents() as session:
        for collection in target.collections.all:
            if collection.kind is not CollectionKind.VIEW:
                yield from _judge(collection, longest, session)


def _judge(collection: Collection, longest: int, session: DocumentSession) -> Iterator[Judgement]:
    if not collection.readable:
        yield NotProven(collection.name, "permission denied")
        return
    if not collection.documents:
        return
    try:
        found = fields(collection.name, min(collection.documents, FIRST), session)
        arrays = [one.path for one in found if "array" in one.kinds]
        yield from list(_lengths(collection, arrays, longest, session) if arrays else ())
    except TooMany:
        yield NotProven(collection.name, f"its documents have more than {MOST} different fields")
    except StatementFailed as failure:
        yield unanswered(collection.name, failure)


@dataclass(frozen=True)
class _Lengths:
    """Of the arrays of one field: the shortest and the longest, how many documents have a long one, how many any."""

    shortest: int
    longest: int
    long: int
    documents: int

    @property
    def fixed(self) -> bool:
        """Whether several documents have the same number of elements, all of them."""
        return self.documents > 1 and self.shortest == self.longest


def _lengths(collection: Collection, arrays: Sequence[Path], longest: int, session: DocumentSession) -> Iterator[Judgement]:
    counts: dict[str, Any] = {"_id": None}
    for place, path in enumerate(arrays):
        length = _longest(path)
        counts |= {
            f"s{place}": {"$min": length},
            f"l{place}": {"$max": length},
            f"m{place}": {"$sum": {"$cond": [{"$gt": [length, longest]}, 1, 0]}},
            f"n{place}": {"$sum": {"$cond": [{"$gte": [length, 0]}, 1, 0]}},
        }
    found = next(iter(session.aggregate(collection.name, [{"$group": counts}])), {})
    for place, path in enumerate(arrays):
        told = _Lengths(*(int(found.get(f"{what}{place}") or 0) for what in "slmn"))
        subject = f"{collection.name}.{label(path)}"
        if told.long and not told.fixed:
            yield _finding(subject, collection, told, longest, _spread(collection.name, path, session))
        else:
            yield Proven(subject, (collection_reference(collection.name),))


def _longest(path: Path) -> Expression:
    """The length of a document's array, of the longest where it has several; null where it has none."""
    return {"$max": gathered(path, lambda value: {"$cond": [{"$isArray": [value]}, [{"$size": value}], []]})}


def _spread(collection: str, path: Path, session: DocumentSession) -> tuple[int, int]:
    """What half of the documents have at most, and what nearly all have."""
    stages: list[Mapping[str, Any]] = [{"$group": {"_id": _longest(path), "n": {"$sum": 1}}}, {"$match": {"_id": {"$gte": 0}}}]
    lengths = sorted((one["_id"], one["n"]) for one in session.aggregate(collection, stages))
    whole = sum(number for _, number in lengths)
    return _at(lengths, whole * 0.5), _at(lengths, whole * NEARLY_ALL)


def _at(lengths: Sequence[tuple[int, int]], rank: float) -> int:
    passed = 0
    for length, number in lengths:
        passed += number
        if passed >= rank:
            return length
    return 0


def _finding(subject: str, collection: Collection, told: _Lengths, longest: int, spread: tuple[int, int]) -> Finding:
    half, nearly = spread
    many = f"{told.long} document" + ("" if told.long == 1 else "s")
    return Finding(
        subject=subject,
        message=f"{subject} has more than {longest} elements in {many}, {told.longest} in the longest; "
        f"half of {told.documents} have at most {half}, 99 % at most {nearly}",
        remedy="Give what is collected there a collection of its own, or keep the last ones only: "
        "{$push: {…: {$each: […], $slice: -1000}}}. Where the length is bounded, say so: array_length under `limits`.",
        objects=(collection_reference(collection.name),),
        count=told.long,
        evidence={"longest": told.longest, "median": half, "percentile 99": nearly},
    )
