"""Faults of fields: a value of another type, an array and a document that grew too long, a field that nobody writes."""

from __future__ import annotations

from collections.abc import Iterator

from checks.faults import sql
from checks.faults.interface import Fault, Scene
from checks.schema.collections import Collection, CollectionKind


def other_type(scene: Scene) -> Iterator[Fault]:
    """A field that every document can have is a number in one and a text in another."""
    for collection in _written(scene):
        documents: list[dict[str, object]] = [{sql.PLANTED: 1}, {sql.PLANTED: "1"}]
        yield _inserted(collection, documents, "other-type", "mixed-type-field", f"{collection.name}._id", f".{sql.PLANTED}")


def _written(scene: Scene) -> Iterator[Collection]:
    return (one for one in scene.collections.all if one.kind is CollectionKind.COLLECTION and one.documents)


def _inserted(
    collection: Collection, documents: list[dict[str, object]], kind: str, check: str, subject: str, turns: str
) -> Fault:
    command = {"insert": collection.name, "documents": documents, "bypassDocumentValidation": True}
    return Fault(kind, check, subject, ((command,),), f"{collection.name}{turns}")
