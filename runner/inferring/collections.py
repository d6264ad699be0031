"""What documents say of their collections: schemas, held against every document, and references, beside their indexes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from checks.document_targets import DocumentSession, DocumentTarget
from checks.schema.collections import Collection, CollectionIndex, CollectionKind
from checks.targets import StatementFailed
from runner.inferring.references import Likely, likely
from runner.inferring.schemas import notes_of, schema_of
from runner.inferring.shapes import Shape

#: How many documents of a collection are read: all of a small one, a random sample of a larger one.
READ = 10_000
#: How often a schema is widened by documents that the sample did not have, and by how many at once.
ROUNDS = 4
WIDENED = 500


@dataclass(frozen=True)
class InferredCollection:
    """What may be declared of a collection.

    ``read`` of its ``documents`` were looked at. ``schema`` is a ``$jsonSchema``, or the whole validator that stands already
    (``stands``). ``exceptions`` counts the documents that break it, of all; ``None`` where they could not be counted.
    """

    name: str
    documents: int
    read: int
    schema: Mapping[str, Any] = field(default_factory=dict, hash=False)
    stands: bool = False
    exceptions: int | None = None
    indexes: tuple[CollectionIndex, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Inferred:
    """What may be declared of a database. ``left_out`` are collections that nothing is said of, and why."""

    collections: tuple[InferredCollection, ...] = ()
    references: tuple[Likely, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def infer(target: DocumentTarget, say: Callable[[str], object]) -> Inferred:
    """Read a database and conclude; ``say`` is told what is being read. Raises StatementFailed where it cannot be read at all."""
    found: list[InferredCollection] = []
    left_out: list[tuple[str, str]] = []
    shapes: dict[str, Shape] = {}
    with target.documents() as session:
        for number, collection in enumerate(target.collections.all, 1):
            say(f"{number} of {len(target.collections.all)}: {collection.name}")
            try:
                reason = _not_judged(collection)
                if not reason:
                    found.append(_inferred(collection, session, shapes.setdefault(collection.name, Shape())))
            except StatementFailed as failure:
                reason = failure.gap or failure.said
            if reason:
                shapes.pop(collection.name, None)
                left_out.append((collection.name, reason))
        say("references")
        references = tuple(_references(target, session, shapes))
    return Inferred(tuple(found), references, tuple(left_out))


def _not_judged(collection: Collection) -> str:
    if collection.kind is not CollectionKind.COLLECTION:
        return f"it is a {collection.kind}"
    return "" if collection.readable else "permission denied"


def _references(target: DocumentTarget, session: DocumentSession, shapes: Mapping[str, Shape]) -> Iterator[Likely]:
    try:
        yield from likely(session, target.collections, shapes)
    except StatementFailed as failure:
        if not failure.gap:
            raise


def _inferred(collection: Collection, session: DocumentSession, shape: Shape) -> InferredCollection:
    """Read documents into ``shape``, and hold what they have in common against all there are."""
    for document in session.aggregate(collection.name, _some(collection)):
        shape.add(document)
    indexes = tuple(index for index in collection.indexes if index.name != "_id_")
    if collection.validator:
        broken = _count(collection.name, collection.validator, session)
        validator = dict(collection.validator)
        return InferredCollection(collection.name, collection.documents, shape.count, validator, True, broken, indexes)
    if not shape.count:
        return InferredCollection(collection.name, collection.documents, 0, indexes=indexes)
    exceptions = _widened(collection.name, shape, session)
    schema = _declared(shape)
    notes = tuple(notes_of(shape))
    return InferredCollection(collection.name, collection.documents, shape.count, schema, False, exceptions, indexes, notes)


def _some(collection: Collection) -> list[Mapping[str, Any]]:
    return [{"$sample": {"size": READ}}] if collection.documents > READ else []


def _widened(name: str, shape: Shape, session: DocumentSession) -> int | None:
    """Let documents that the sample did not have widen the shape; gives how many still break its schema."""
    for _ in range(ROUNDS):
        broken = _count(name, {"$jsonSchema": _declared(shape)}, session)
        if not broken:
            return broken
        for document in session.find(name, {"$nor": [{"$jsonSchema": _declared(shape)}]}, limit=WIDENED):
            shape.add(document)
    return _count(name, {"$jsonSchema": _declared(shape)}, session)


def _declared(shape: Shape) -> dict[str, Any]:
    """Of whole documents: that they are objects, and that they have an ``_id``, goes without saying."""
    schema = schema_of(shape)
    required = [name for name in schema.get("required", ()) if name != "_id"]
    return {**schema, "required": required} if required else {key: value for key, value in schema.items() if key != "required"}


def _count(name: str, validator: Mapping[str, Any], session: DocumentSession) -> int | None:
    try:
        return session.count(name, {"$nor": [validator]})
    except StatementFailed as failure:
        if not failure.gap:
            raise
        return None
