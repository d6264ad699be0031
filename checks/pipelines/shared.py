"""Counts keys that several documents share: grouped by the server, or in the order of keys where there are many."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

from checks.declared.documents import FieldPath
from checks.document_targets import DocumentSession
from checks.pipelines.dangling import MANY
from checks.pipelines.merging import Unordered, runs
from checks.pipelines.references import SAMPLE, Stage, each_key, unwound
from checks.schema.collections import Collection, CollectionIndex

_EACH: Stage = {"$group": {"_id": "$_id", "documents": {"$sum": 1}}}
_OWN: Sequence[Stage] = (
    {"$group": {"_id": {"key": "$_id", "of": "$of"}}},
    {"$group": {"_id": "$_id.key", "documents": {"$sum": 1}}},
)


@dataclass(frozen=True)
class Keys:
    """Where to look for keys: a collection, and the stages that give each of its keys as an ``_id``, with ``of`` its document's.

    ``several`` says that one document may have a key several times. ``collation`` is the index's own, ``None`` the collection's.
    """

    collection: Collection
    stages: Sequence[Stage] = field(hash=False)
    several: bool = False
    collation: Mapping[str, Any] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class Shared:
    """How many keys are shared, by how many documents in all, and those that most share."""

    keys: int = 0
    documents: int = 0
    sample: Sequence[tuple[Any, int]] = ()


def shared(keys: Keys, session: DocumentSession) -> Shared:
    """Count them exactly. Raises StatementFailed."""
    by_bytes = not keys.collation and not keys.collection.options.get("collation")
    if keys.collection.documents > MANY and by_bytes and not keys.several:
        with suppress(Unordered):  # then the server knows how to compare them
            return _in_order(keys, session)
    pipeline = [
        *keys.stages,
        *(_OWN if keys.several else (_EACH,)),
        {"$match": {"documents": {"$gt": 1}}},
        {
            "$facet": {
                "all": [{"$group": {"_id": None, "keys": {"$sum": 1}, "documents": {"$sum": "$documents"}}}],
                "sample": [{"$sort": {"documents": -1, "_id": 1}}, {"$limit": SAMPLE}],
            }
        },
    ]
    found = next(iter(session.aggregate(keys.collection.name, pipeline, collation=keys.collation)))
    sample = tuple((one["_id"], int(one["documents"])) for one in found["sample"])
    return next((Shared(one["keys"], one["documents"], sample) for one in found["all"]), Shared())


def _in_order(keys: Keys, session: DocumentSession) -> Shared:
    """Reads the keys in their order, one by one; raises Unordered where these have none that is known here."""
    most: list[tuple[int, int, Any]] = []
    many = documents = 0
    found = (one.get("_id") for one in session.aggregate(keys.collection.name, [*keys.stages, {"$sort": {"_id": 1}}]))
    with closing(found):
        for key, _, times in runs(found):
            if times > 1:
                many, documents = many + 1, documents + times
                put = heapq.heappush if len(most) < SAMPLE else heapq.heappushpop
                put(most, (times, -many, key))
    return Shared(many, documents, tuple((key, times) for times, _, key in sorted(most, key=lambda one: (-one[0], -one[1]))))


def keys_of(paths: Sequence[FieldPath], collection: Collection) -> Keys:
    """The keys that references lead to: those whose fields are all there and not null."""
    if not any(list(path.arrays) for path in paths):
        return Keys(collection, list(each_key(paths)))
    project, *arrays = unwound(paths)
    key: Any = {f"k{number}": f"${path.dotted}" for number, path in enumerate(paths)}
    there = [f"_id.k{number}" for number in range(len(paths))] if len(paths) > 1 else ["_id"]
    stages = [
        {"$project": {**project["$project"], "_id": 1}},
        *arrays,
        {"$replaceWith": {"_id": key if len(paths) > 1 else f"${paths[0].dotted}", "of": "$_id"}},
        {"$match": {name: {"$ne": None} for name in there}},
    ]
    return Keys(collection, stages, several=True)


def keys_under(index: CollectionIndex, collection: Collection, session: DocumentSession) -> Keys:
    """The keys that a unique index would hold: null where there is no field, each element of an array. Raises StatementFailed."""
    within = [
        ".".join(parts[:length]) for name in index.fields for parts in [name.split(".")] for length in range(1, len(parts) + 1)
    ]
    arrays = any(True for _ in session.find(collection.name, {"$or": [{name: {"$type": "array"}} for name in within]}, limit=1))
    return Keys(collection, list(_indexed(index, arrays=arrays)), arrays, index.collation)


def _indexed(index: CollectionIndex, *, arrays: bool) -> Iterator[Stage]:
    if index.partial_filter is not None:
        yield {"$match": index.partial_filter}
    if index.sparse:
        yield {"$match": {"$or": [{name: {"$exists": True}} for name in index.fields]}}
    names = {name: f"k{number}" for number, name in enumerate(index.fields)}
    yield {"$replaceWith": {**{short: f"${name}" for name, short in names.items()}, "of": "$_id"}}
    for short in names.values() if arrays else ():
        yield {"$unwind": {"path": f"${short}", "preserveNullAndEmptyArrays": True}}
    values: Any = {short: {"$ifNull": [f"${short}", None]} for short in names.values()}
    yield {"$replaceWith": {"_id": values if len(names) > 1 else values["k0"], "of": "$of"}}
