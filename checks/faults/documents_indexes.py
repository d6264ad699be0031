"""Faults of indexes of collections: unique where it must not be, or not where it must; on other fields; one too many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from checks.declared.documents import DeclaredIndex
from checks.faults import sql
from checks.faults.interface import Fault, Scene, Way
from checks.faults.neighbours import within
from checks.schema.collections import CollectionIndex
from checks.schema.indexes import options

#: Fields under whose index every key is a different one, however documents are.
_OWN = (("_id", 1), (sql.PLANTED, 1))


def other_uniqueness(scene: Scene) -> Iterator[Fault]:
    """A declared index is built anew: one that is not unique as a unique one, and the other way round."""
    for declared, found in _as_declared(scene):
        ways = tuple(_anew(declared, found, replace(found, unique=not found.unique)))
        yield within(declared.collection, Fault("other-uniqueness", "unique-probe", declared.label, ways))


def drifted_index(scene: Scene) -> Iterator[Fault]:
    """A declared index is built anew: unique or not, or on other fields."""
    for declared, found in _as_declared(scene):
        for changed in (replace(found, unique=not found.unique), replace(found, keys=(*found.keys, (sql.PLANTED, 1)))):
            ways = tuple(_anew(declared, found, changed))
            yield within(declared.collection, Fault("drifted-index", "index-drift", declared.label, ways))


def undeclared_unique_index(scene: Scene) -> Iterator[Fault]:
    """Beside declared indexes stands a unique one that nobody declared."""
    seen: set[str] = set()
    for declared, _ in _as_declared(scene):
        name = declared.collection
        if name not in seen:
            seen.add(name)
            way = ({"createIndexes": name, "indexes": [_described(CollectionIndex(sql.PLANTED, _OWN, unique=True))]},)
            yield within(
                name, Fault("undeclared-index", "index-drift", declared.label, (way,), f"{name}.{sql.PLANTED} (undeclared)")
            )


def _as_declared(scene: Scene) -> Iterator[tuple[DeclaredIndex, CollectionIndex]]:
    """The declared indexes that are there, under their names."""
    for declared in scene.expect.documents.indexes:
        collection = scene.collections.collection.get(declared.collection)
        if collection is not None and declared.index.name in collection.index:
            yield declared, collection.index[declared.index.name]


def _anew(declared: DeclaredIndex, found: CollectionIndex, changed: CollectionIndex) -> Iterator[Way]:
    """An index goes and comes again as another; where the documents do not let it, they go too."""
    dropped = {"dropIndexes": declared.collection, "index": found.name}
    built = {"createIndexes": declared.collection, "indexes": [_described(changed)]}
    yield dropped, built
    yield {"delete": declared.collection, "deletes": [{"q": {}, "limit": 0}]}, built


def _described(index: CollectionIndex) -> Mapping[str, Any]:
    return {"key": dict(index.keys), **options(index)}
