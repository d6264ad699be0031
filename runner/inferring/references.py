"""Which fields look like references to documents of other collections: by their names, and then by their values.

A name is a reason to look, never enough: the values decide. Of a field's different values some are looked for in the parent's
collection, and the share that is found is how sure the reference is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checks.declared.documents import DocumentReference, FieldPath, Step
from checks.document_targets import DocumentSession
from checks.pipelines.references import each_value
from checks.pipelines.types import families
from checks.schema.collections import CollectionKind, Collections
from checks.sql.guesses import singular, stem_of, words
from runner.inferring.schemas import can_be_said
from runner.inferring.shapes import Shape

#: How many documents a field's values are taken from, and how many different ones are looked for.
DOCUMENTS = 5_000
VALUES = 1_000
#: From which share on a reference is declared, and from which on it is worth a word.
SURE = 0.9
LIKELY = 0.5
#: Fewer different values than this say nothing by themselves.
FEW = 3

#: Types that keys have; a reference by a date or by yes and no is an accident.
_KEYS = frozenset({"objectId", "string", "int", "long", "binData"})


@dataclass(frozen=True)
class Likely:
    """A reference that nobody declared: ``found`` of ``asked`` different values stand in the parent's collection."""

    reference: DocumentReference
    found: int
    asked: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.found / self.asked if self.asked else 0.0

    @property
    def is_sure(self) -> bool:
        """Whether it is declared; else it is left as a comment."""
        return self.share >= SURE and self.asked >= FEW


@dataclass(frozen=True)
class _Key:
    """A field that documents of a collection are told apart by."""

    path: FieldPath
    types: frozenset[str]


def likely(session: DocumentSession, collections: Collections, shapes: Mapping[str, Shape]) -> Iterator[Likely]:
    """The references that names suggest and values do not speak against. Raises StatementFailed."""
    keys = list(_keys(collections, shapes))
    for name, shape in shapes.items():
        for path, field in _fields(name, (), shape):
            sampled = collections.collection[name].documents > DOCUMENTS
            guessed = [_asked(session, path, key.path, sampled=sampled) for key in keys if _may_refer(path, field, key)]
            best = max(guessed, key=lambda one: (one.share, one.reference.parent.label), default=None)
            if best is not None and best.share >= LIKELY:
                yield best


def _keys(collections: Collections, shapes: Mapping[str, Shape]) -> Iterator[_Key]:
    """``_id`` of each collection, and every field that a unique index is on by itself."""
    for collection in collections.all:
        if collection.kind is not CollectionKind.COLLECTION or collection.name not in shapes:
            continue
        unique = [index.fields[0] for index in collection.indexes if index.unique and len(index.fields) == 1]
        for dotted in dict.fromkeys(["_id", *unique]):
            path = FieldPath(collection.name, tuple(Step(part) for part in dotted.split(".")))
            if types := _types_at(shapes[collection.name], path):
                yield _Key(path, types)


def _types_at(shape: Shape, path: FieldPath) -> frozenset[str]:
    for step in path.steps:
        if step.name not in shape.fields:
            return frozenset()
        shape = shape.fields[step.name]
    return frozenset(shape.types) & _KEYS


def _fields(collection: str, above: tuple[Step, ...], shape: Shape) -> Iterator[tuple[FieldPath, Shape]]:
    """Every field of documents that may hold a key, elements of arrays included; names that cannot be said are left out."""
    for name, field in shape.fields.items():
        if (not above and name == "_id") or not can_be_said(name):
            continue
        if field.types.keys() & _KEYS:
            yield FieldPath(collection, (*above, Step(name))), field
        yield from _fields(collection, (*above, Step(name)), field)
        if field.elements is not None:
            each = (*above, Step(name, 1))
            if field.elements.types.keys() & _KEYS:
                yield FieldPath(collection, each), field.elements
            yield from _fields(collection, each, field.elements)


def _may_refer(path: FieldPath, field: Shape, key: _Key) -> bool:
    """Whether types compare, and names agree: ``company_id`` and ``companies._id``, or the parent's very field."""
    if not families(field.types.keys() & _KEYS) & families(key.types) or path == key.path:
        return False
    last, parent = path.steps[-1].name, key.path
    by_name = parent.dotted != "_id" and words(last) == words(parent.steps[-1].name) and path.collection != parent.collection
    stem = stem_of(last) or words(last)
    return by_name or (parent.dotted == "_id" and _names(stem, parent.collection))


def _names(stem: str, collection: str) -> bool:
    """Whether a field's stem names a collection: ``company`` and ``companies``, ``billing_company`` too."""
    wanted, name = singular(stem), singular(words(collection.rpartition(".")[2]))
    return wanted == name or wanted.endswith(f"_{name}") or (wanted == "parent")


def _asked(session: DocumentSession, path: FieldPath, parent: FieldPath, *, sampled: bool) -> Likely:
    """Look for some of a field's values among the parent's."""
    values = [one["_id"] for one in session.aggregate(path.collection, _some(path, sampled))]
    reference = DocumentReference(path, parent)
    if not values:
        return Likely(reference, 0, 0)
    there: list[Mapping[str, Any]] = [
        {"$match": {parent.dotted: {"$in": values}}},
        {"$group": {"_id": f"${parent.dotted}"}},
        {"$count": "found"},
    ]
    found = next(iter(session.aggregate(parent.collection, there)), {"found": 0})
    return Likely(reference, int(found["found"]), len(values))


def _some(path: FieldPath, sampled: bool) -> Sequence[Mapping[str, Any]]:
    """Different values of a field, of all documents or of random ones; patterns and arrays mean something else to ``$in``."""
    return [
        *([{"$sample": {"size": DOCUMENTS}}] if sampled else []),
        *each_value(path),
        {"$match": {"$expr": {"$in": [{"$type": "$_id"}, sorted(_KEYS)]}}},
        {"$group": {"_id": "$_id"}},
        {"$limit": VALUES},
    ]
