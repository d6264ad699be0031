"""Counts the references of one declaration that have no parent: grouped by the server, or merged here where keys are many."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

from checks.document_targets import DocumentSession
from checks.pipelines.merging import Unordered, missing
from checks.pipelines.references import FEW, SAMPLE, Sides, asked_by_itself, each_value
from checks.schema.collections import Collections

#: Of more different keys than this the server's groups do not fit its memory: two million took it 232 s, where reading them in
#: their order took 18 s. By an index it need not gather the child's keys, and goes on for longer.
MANY, MANY_INDEXED = 500_000, 1_500_000
#: How many keys are drawn to tell how many different ones there are.
_DRAWN = 10_000


@dataclass(frozen=True)
class Dangling:
    """How many references dangle, how many parents they name, and the parents that are named most often.

    ``types`` are those of the fields of their keys, each with its references; ``parents`` those that the parent's fields have.
    ``refers`` says whether any document refers at all.
    """

    references: int = 0
    missing: int = 0
    sample: Sequence[tuple[Any, int]] = ()
    types: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    parents: Sequence[frozenset[str]] = ()
    refers: bool = True


def count(two: Sides, collections: Collections, session: DocumentSession) -> Dangling:
    """Count them exactly. Raises StatementFailed."""
    if has_many_keys(two, collections, session):
        with suppress(Unordered):  # then the server knows how to compare them
            return merged(two, session)
    return grouped(two, session)


def has_many_keys(two: Sides, collections: Collections, session: DocumentSession) -> bool:
    """Whether there are more different keys than a group of the server's holds in memory, and their order is known here."""
    child, parent = (
        collections.collection[name].documents if name in collections.collection else 0
        for name in (two.reference.child.collection, two.reference.parent.collection)
    )
    many = MANY_INDEXED if _is_indexed(two, collections) else MANY
    if not two.by_bytes or max(child, parent) <= many:
        return False
    return parent > many or _different(two, session) > many


def _is_indexed(two: Sides, collections: Collections) -> bool:
    """Whether the server can take the child's different keys from an index."""
    path = two.reference.child
    known = collections.collection.get(path.collection)
    plain = not two.reference.further and not path.dbref and not list(path.arrays)
    first = ((one.keys[0], one) for one in (known.indexes if known and plain else ()) if one.keys)
    return any(key in ((path.dotted, 1), (path.dotted, -1)) and one.partial_filter is None for key, one in first)


def _different(two: Sides, session: DocumentSession) -> float:
    """How many different keys the child has at least, by those that are drawn once and twice.

    Chao, "Nonparametric Estimation of the Number of Classes in a Population", 1984.
    """
    drawn = [{"$sample": {"size": _DRAWN}}, *two.child_keys(), {"$group": {"_id": "$_id", "times": {"$sum": 1}}}]
    times = Counter(int(one["times"]) for one in session.aggregate(two.reference.child.collection, drawn))
    return times.total() + times[1] ** 2 / (2 * max(times[2], 1))


def merged(two: Sides, session: DocumentSession) -> Dangling:
    """Both sides in the order of keys, compared one by one; raises Unordered where these keys have none that is known here."""
    child, parent = two.reference.child.collection, two.reference.parent.collection
    children = (one["_id"] for one in session.aggregate(child, two.child_in_order()))
    parents = (one["_id"] for one in session.aggregate(parent, two.parent_in_order()))
    types: Counter[tuple[str, ...]] = Counter()
    most: list[tuple[int, int, Any]] = []
    absent, refers = 0, False
    with closing(children), closing(parents):
        for key, times, lacks in missing(children, parents):
            refers = True
            if lacks:
                absent += 1
                types[two.types_of(key)] += times
                put = heapq.heappush if len(most) < SAMPLE else heapq.heappushpop
                put(most, (times, -absent, key))
    sample = tuple((key, times) for times, _, key in sorted(most, key=lambda one: (-one[0], -one[1])))
    return Dangling(types.total(), absent, sample, types, _parent_types(two, session) if absent else (), refers)


def grouped(two: Sides, session: DocumentSession) -> Dangling:
    """The references to missing parents: of a few keys by looking for these, of many by counting all keys' references."""
    child = two.reference.child.collection
    keys = [one["_id"] for one in session.aggregate(child, two.missing(), collation=two.collation)]
    if not keys:
        return Dangling(refers=any(True for _ in session.aggregate(child, [*two.child_keys(), {"$limit": 1}])))
    parents = _parent_types(two, session)
    if len(keys) > FEW or not all(map(asked_by_itself, keys)):
        found = next(iter(session.aggregate(child, two.all_missing(), collation=two.collation)))
        whole = next(iter(found["all"]), {"references": 0, "missing": 0})
        sample = [(one["_id"], one["references"]) for one in found["sample"]]
        types = {tuple(one["_id"]): int(one["references"]) for one in found["types"]}
        return Dangling(whole["references"], whole["missing"], sample, types, parents)
    named = list(session.aggregate(child, two.references(keys), collation=two.collation))
    named.sort(key=lambda one: -int(one["references"]))
    counted: Counter[tuple[str, ...]] = Counter()
    for one in named:
        counted[tuple(one["types"])] += int(one["references"])
    sample = [(one["_id"], one["references"]) for one in named[:SAMPLE]]
    return Dangling(counted.total(), len(named), sample, counted, parents)


def _parent_types(two: Sides, session: DocumentSession) -> Sequence[frozenset[str]]:
    """The types that each field of the parents' keys has, one scan a field."""
    collection = two.reference.parent.collection
    pipelines = ([*each_value(path), {"$group": {"_id": {"$type": "$_id"}}}] for path in two.reference.parents)
    return [frozenset(str(one["_id"]) for one in session.aggregate(collection, pipeline)) for pipeline in pipelines]
