"""Pipelines over the two sides of a reference between documents: its keys, those without a parent, and of what types they are.

A key of one field is its value; one of several is a document of them under ``k0``, ``k1``. Numbers of unlike types are one key,
as they are to the server (``$group``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from re import Pattern
from typing import Any

from checks.declared.documents import DBREF_KEY, DocumentReference, FieldPath
from checks.pipelines.types import type_of
from checks.schema.collections import Collections

Stage = Mapping[str, Any]

#: How many missing parents are shown, of however many there are.
SAMPLE = 5
#: Up to how many missing keys are looked for by themselves.
FEW = 1_000

#: Texts are compared byte by byte.
SIMPLE = {"locale": "simple"}


@dataclass(frozen=True)
class Sides:
    """A reference in its database, which has that name: DBRefs name it. ``collation`` is by which its keys are compared.

    ``None`` is the collation that both collections have by themselves, and ``by_bytes`` says that it is none.
    """

    reference: DocumentReference
    database: str = ""
    collation: Mapping[str, Any] | None = field(default=None, hash=False)
    by_bytes: bool = True

    def child_keys(self) -> Iterator[Stage]:
        """Every key that refers to the parent's collection, each as the ``_id`` of a document of its own."""
        return each_key(self.reference.children, self.here())

    def parent_keys(self) -> Iterator[Stage]:
        """Every key that may be referred to."""
        return each_key(self.reference.parents)

    def child_in_order(self) -> Sequence[Stage]:
        """The keys that refer, in their order, by an index where one has it."""
        return in_order(self.reference.children, self.here())

    def parent_in_order(self) -> Sequence[Stage]:
        """The keys that may be referred to, in their order."""
        return in_order(self.reference.parents)

    def types_of(self, key: Any) -> tuple[str, ...]:  # noqa: ANN401 - whatever a document holds
        """The types of a key's fields."""
        return tuple(map(type_of, key.values())) if self.reference.further else (type_of(key),)

    def here(self) -> Stage:
        """Which DBRefs name the parent's collection: those that name no other, nor another database."""
        return {
            name: {"$in": [own, None]}
            for path in self.reference.children
            if path.dbref
            for name, own in ((f"{path.dbref}.$ref", self.reference.parent.collection), (f"{path.dbref}.$db", self.database))
        }

    def missing(self) -> Sequence[Stage]:
        """The keys that have no parent, at most one more than :data:`FEW`."""
        return [*self.every_missing(), {"$limit": FEW + 1}]

    def every_missing(self) -> Sequence[Stage]:
        """All keys that have no parent.

        A group without a sum is what the server takes from an index alone, and skips from key to key.
        """
        reference = self.reference
        plain = not reference.further and not list(reference.child.arrays) and not reference.child.dbref
        group: Stage = {"$group": {"_id": f"${reference.child.dotted}" if plain else "$_id"}}
        return [*([group] if plain else [*self.child_keys(), group]), *self._beside("parent")]

    def _beside(self, *kept: str, **sums: Stage) -> Iterator[Stage]:
        """The keys put beside the parent's, and those left that are not there."""
        parents = [*self.parent_keys(), {"$set": {"parent": True}}]
        yield {"$unionWith": {"coll": self.reference.parent.collection, "pipeline": parents}}
        yield {"$group": {"_id": "$_id", **sums, **{name: {"$max": f"${name}"} for name in kept}}}
        yield {"$match": {"parent": None, "_id": {"$ne": None}}}

    def references(self, keys: Sequence[Any]) -> Sequence[Stage]:
        """How often each of a few keys is referred to, with the types of its fields, in the order of keys."""
        child, within = self.reference.child, list(self.reference.child.arrays)
        by_index = not self.reference.further and len(within) == len(set(within))  # a match does not look into arrays of arrays
        return [
            *([{"$match": {child.dotted: {"$in": list(keys)}}}] if by_index else []),
            *self.child_keys(),
            {"$match": {"_id": {"$in": list(keys)}}},
            {"$group": {"_id": "$_id", "references": {"$sum": 1}}},
            {"$sort": {"_id": 1}},
            {"$set": {"types": self._types()}},
        ]

    def all_missing(self) -> Sequence[Stage]:
        """One document: ``all`` counts references without a parent and the parents they name.

        ``sample`` has those that are named most often, ``types`` the types of the fields of missing keys with their references.
        """
        counted = {"references": {"$sum": "$references"}}
        return [
            *self.child_keys(),
            {"$group": {"_id": "$_id", "references": {"$sum": 1}}},
            *self._beside("parent", **counted),
            {
                "$facet": {
                    "all": [{"$group": {"_id": None, **counted, "missing": {"$sum": 1}}}],
                    "sample": [{"$sort": {"references": -1, "_id": 1}}, {"$limit": SAMPLE}],
                    "types": [{"$group": {"_id": self._types(), **counted}}, {"$sort": {"references": -1, "_id": 1}}],
                }
            },
        ]

    def _types(self) -> list[Stage]:
        many = len(self.reference.children)
        return [{"$type": f"$_id.k{number}" if many > 1 else "$_id"} for number in range(many)]

    def elsewhere(self) -> Sequence[Stage]:
        """The DBRefs that name another collection (``ref``) or database (``db``), with how many there are of each."""
        (path,) = (path for path in self.reference.children if path.dbref)
        return [
            *unwound(self.reference.children),
            {"$match": {f"{path.dbref}.{DBREF_KEY}": {"$ne": None}, "$nor": [self.here()]}},
            {"$group": {"_id": {"ref": f"${path.dbref}.$ref", "db": f"${path.dbref}.$db"}, "references": {"$sum": 1}}},
            {"$sort": {"references": -1, "_id": 1}},
        ]


def sides(reference: DocumentReference, collections: Collections) -> Sides:
    """The two sides as the database has them: a key is looked up in the parent's collection, by the parent's collation."""
    child, parent = (
        (one.options.get("collation") if (one := collections.collection.get(name)) else None)
        for name in (reference.child.collection, reference.parent.collection)
    )
    return Sides(reference, collections.database, None if child == parent else parent or SIMPLE, not child and not parent)


def each_value(path: FieldPath) -> Iterator[Stage]:
    """Every value of a field that is there and not null, each as the ``_id`` of a document of its own."""
    return each_key((path,))


def each_key(paths: Sequence[FieldPath], only: Stage | None = None) -> Iterator[Stage]:
    """Every key whose fields are all there and not null, each as the ``_id`` of a document; ``only`` of those that match."""
    yield from unwound(paths)
    if only:
        yield {"$match": only}
    if len(paths) > 1:
        yield {"$replaceWith": {"_id": {f"k{number}": f"${path.dotted}" for number, path in enumerate(paths)}}}
        yield {"$match": {f"_id.k{number}": {"$ne": None} for number in range(len(paths))}}
        return
    if paths[0].dotted != "_id":
        yield {"$project": {"_id": f"${paths[0].dotted}"}}
    yield {"$match": {"_id": {"$ne": None}}}


def in_order(paths: Sequence[FieldPath], only: Stage | None = None) -> Sequence[Stage]:
    """The keys of :func:`each_key` in the server's order."""
    first = paths[0]
    if len(paths) > 1 or list(first.arrays) or only:
        return [*each_key(paths, only), {"$sort": {"_id": 1}}]
    return [{"$match": {first.dotted: {"$ne": None}}}, {"$sort": {first.dotted: 1}}, {"$project": {"_id": f"${first.dotted}"}}]


def unwound(paths: Sequence[FieldPath]) -> Iterator[Stage]:
    """The fields alone, and each element of the arrays that they lie in as a document of its own."""
    wanted = dict.fromkeys(path.dbref or path.dotted for path in paths)
    apart = {name: 1 for name in wanted if not any(name.startswith(f"{other}.") for other in wanted)}
    own = any(name == "_id" or name.startswith("_id.") for name in apart)
    yield {"$project": apart if own else {"_id": 0, **apart}}
    for array in max((tuple(path.arrays) for path in paths), key=len):
        yield {"$unwind": f"${array}"}


def asked_by_itself(key: object) -> bool:
    """Whether a key means itself to ``$in``: an array, a pattern and a document of operators mean something else there."""
    operators = isinstance(key, Mapping) and any(name.startswith("$") for name in key)
    return not operators and not isinstance(key, list | Pattern)
