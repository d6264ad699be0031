"""Faults of the walls between tenants' documents: a field that is gone or not demanded, another's parent, another's part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checks.faults import sql
from checks.faults.interface import Fault, Scene
from checks.schema.collections import Collection, CollectionKind
from checks.tenants.parts import unfolded

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


def lent(scene: Scene) -> Iterator[Fault]:
    """What a declared read looks up for each document is another tenant's: a view that makes it so stands in the place of it."""
    tenancy = scene.expect.tenancy
    for name, read in tenancy.document_reads.items() if tenancy else ():
        source, stages = unfolded(read.collection, read.stages, scene.collections.collection)
        for given in (stage["$lookup"] for stage in stages if "$lookup" in stage):
            if tenancy and _by_a_field(given, tenancy.columns):
                key = {given["foreignField"]: f"${given['localField']}"}
                made = {"$project": {**key, **{column: {"$literal": sql.PLANTED} for column in read.columns}}}
                view = {"create": given["from"], "viewOn": source, "pipeline": [made]}
                yield Fault("lent", "tenant-query", name, (({"drop": given["from"]}, view),))


def _by_a_field(given: Command, columns: Sequence[str]) -> bool:
    """Whether a ``$lookup`` asks for one field alone, none that names the tenant, and takes whatever has it."""
    fields = [given.get("localField"), given.get("foreignField")]
    return "pipeline" not in given and None not in fields and not set(fields) & set(columns)


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
