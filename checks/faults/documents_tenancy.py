"""Faults of the walls between tenants' documents: a field that is gone or not demanded, a parent that is another's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.faults import sql
from checks.faults.interface import Fault, Scene
from checks.schema.collections import Collection, CollectionKind

Command = Mapping[str, Any]


def no_field(scene: Scene) -> Iterator[Fault]:
    """No document of a collection says whose it is, and the validator says nothing of it."""
    for collection, column in _fields(scene):
        gone = _update(collection, {}, {"$unset": {column: ""}}, multi=True)
        way = (_unheeded(collection), gone)
        yield Fault("no-tenant", "tenant-column-missing", collection.name, (way,))


def no_demand(scene: Scene) -> Iterator[Fault]:
    """A collection takes documents without their tenant."""
    for collection, column in _fields(scene):
        yield Fault("no-demand", "tenant-column-nullable", f"{collection.name}.{column}", ((_unheeded(collection),),))


def without(scene: Scene) -> Iterator[Fault]:
    """One document is nobody's."""
    for collection, column in _fields(scene):
        gone = _update(collection, {column: {"$ne": None}}, {"$unset": {column: ""}})
        yield Fault("without-tenant", "tenant-column-nullable", f"{collection.name}.{column}", ((gone,),))


def crossed(scene: Scene) -> Iterator[Fault]:
    """A document goes to another tenant, and its parent stays."""
    tenancy = scene.expect.tenancy
    for reference in dict.fromkeys(scene.expect.documents.references if tenancy else ()):
        collection = scene.collections.collection.get(reference.child.collection)
        if tenancy and collection and not {path.dotted for path in reference.children} & set(tenancy.columns):
            refers = {path.dotted: {"$ne": None} for path in reference.children}
            moved = _update(collection, refers, {"$set": {tenancy.columns[0]: sql.PLANTED}})
            yield Fault("crossed-tenant", "cross-tenant-reference", reference.label, ((moved,),))


def _fields(scene: Scene) -> Iterator[tuple[Collection, str]]:
    tenancy = scene.expect.tenancy
    for collection in scene.collections.all if tenancy else ():
        for column in tenancy.columns if tenancy and collection.kind is CollectionKind.COLLECTION else ():
            yield collection, column


def _unheeded(collection: Collection) -> Command:
    return {"collMod": collection.name, "validator": {}}


def _update(collection: Collection, query: Command, change: Command, *, multi: bool = False) -> Command:
    update = {"q": query, "u": change, "multi": multi}
    return {"update": collection.name, "updates": [update], "bypassDocumentValidation": True}
