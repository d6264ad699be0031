"""Faults of fields: a value of another type, an array and a document that grew too long, a field that nobody writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checks.documents.large_document import LARGE, REFUSED
from checks.documents.unbounded_array import LONGEST
from checks.faults import sql
from checks.faults.interface import Fault, Scene
from checks.pipelines.paths import label, plain
from checks.schema.collections import Collection, CollectionKind


def other_type(scene: Scene) -> Iterator[Fault]:
    """A field that every document can have is a number in one and a text in another."""
    for collection in _written(scene):
        documents: list[dict[str, object]] = [{sql.PLANTED: 1}, {sql.PLANTED: "1"}]
        if collection.documents < len(documents):
            yield _inserted(collection, documents, "other-type", "mixed-type-field", f"{collection.name}._id", f".{sql.PLANTED}")
            continue
        number, text = ({"$set": document} for document in documents)
        command = {  # in all but one, so that no other field tells the two apart
            "update": collection.name,
            "updates": [{"q": {}, "u": number, "multi": True}, {"q": {}, "u": text}],
            "bypassDocumentValidation": True,
        }
        turns = f"{collection.name}.{sql.PLANTED}"
        yield Fault("other-type", "mixed-type-field", f"{collection.name}._id", ((command,),), turns)


def _written(scene: Scene) -> Iterator[Collection]:
    return (one for one in scene.collections.all if one.kind is CollectionKind.COLLECTION and one.documents)


def _inserted(
    collection: Collection, documents: list[dict[str, object]], kind: str, check: str, subject: str, turns: str
) -> Fault:
    command = {"insert": collection.name, "documents": documents, "bypassDocumentValidation": True}
    return Fault(kind, check, subject, ((command,),), f"{collection.name}{turns}")


def misspelt(scene: Scene) -> Iterator[Fault]:
    """A schema names a field that no document has."""
    for collection in _written(scene):
        schema = (collection.validator or {}).get("$jsonSchema", {})
        for name in list(schema.get("properties", {}))[:1]:
            wrong = {**schema, "properties": {**schema["properties"], sql.PLANTED: {"bsonType": "string"}}}
            command = {"collMod": collection.name, "validator": {**(collection.validator or {}), "$jsonSchema": wrong}}
            turns = f"{collection.name}.{sql.PLANTED}"
            yield Fault("misspelt", "unused-field-in-schema", f"{collection.name}.{label((name,))}", ((command,),), turns)


def long_array(scene: Scene) -> Iterator[Fault]:
    """An array is longer in one document than any may be."""
    longest = scene.expect.documents.limits.array_length or LONGEST
    for collection in _written(scene):
        for path in _arrays(collection):
            command = _changed(collection, {path: [None] * (longest + 1)})
            yield Fault("long-array", "unbounded-array", f"{collection.name}.{label((path,))}", ((command,),))


def large_document(scene: Scene) -> Iterator[Fault]:
    """A document is larger than any may be."""
    size = scene.expect.documents.limits.document_size or LARGE
    for collection in _written(scene):
        command = _changed(collection, {sql.PLANTED: "x" * min(size, REFUSED // 2)})
        yield Fault("large-document", "large-document", collection.name, ((command,),))


def _arrays(collection: Collection) -> Iterator[str]:
    """The fields that the collection's schema says are arrays."""
    for name, inner in (collection.validator or {}).get("$jsonSchema", {}).get("properties", {}).items():
        if plain(name) and "array" in (inner.get("bsonType"), inner.get("type")):
            yield name


def _changed(collection: Collection, fields: Mapping[str, object]) -> Mapping[str, object]:
    update = {"q": {}, "u": {"$set": fields}}
    return {"update": collection.name, "updates": [update], "bypassDocumentValidation": True}
