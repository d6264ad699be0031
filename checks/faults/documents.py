"""Faults of document databases: parents, validators and indexes that are gone, and documents that no validator would take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.faults import sql
from checks.faults.interface import Fault, Scene


def no_parents(scene: Scene) -> Iterator[Fault]:
    """Every document goes that is referred to."""
    for reference in dict.fromkeys(scene.expect.documents.references):
        if reference.child.collection != reference.parent.collection:
            label = reference.label
            command = {"delete": reference.parent.collection, "deletes": [{"q": {}, "limit": 0}]}
            yield Fault("orphan", "dangling-reference", label, ((command,),))


def no_validator(scene: Scene) -> Iterator[Fault]:
    """A collection loses its validator."""
    for declared in scene.expect.documents.validators:
        name = declared.collection
        yield Fault("dropped-validator", "validator-missing", name, (({"collMod": name, "validator": {}},),))


def invalid_document(scene: Scene) -> Iterator[Fault]:
    """A document is written past a validator."""
    for collection in scene.collections.all:
        document = _invalid(collection.validator or {})
        if document:
            command = {"insert": collection.name, "documents": [document], "bypassDocumentValidation": True}
            name = collection.name
            yield Fault("invalid-document", "document-violates-validator", name, ((command,),))


def _invalid(validator: Mapping[str, Any]) -> Mapping[str, Any]:
    """A document whose every field is of a type that the schema does not name for it."""
    properties = validator.get("$jsonSchema", {}).get("properties", {})
    return {name: _other(schema) for name, schema in properties.items() if name != "_id"}


def _other(schema: Mapping[str, Any]) -> object:
    named = schema.get("bsonType", schema.get("type", ()))
    return 1 if "object" in ([named] if isinstance(named, str) else named) else {sql.PLANTED: 1}


def no_index(scene: Scene) -> Iterator[Fault]:
    """A declared index is dropped."""
    for declared in scene.expect.documents.indexes:
        command = {"dropIndexes": declared.collection, "index": declared.index.name}
        yield Fault("dropped-index", "index-drift", declared.label, ((command,),), f"{declared.label} (missing)")
