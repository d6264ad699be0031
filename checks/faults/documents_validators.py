"""Faults of validators: one that is only warned of, and none where documents are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checks.faults import sql
from checks.faults.interface import Fault, Scene, Way
from checks.faults.neighbours import within
from checks.schema.collections import Collection, CollectionKind

_WARNS = {"validationAction": "warn"}


def unheeded_validator(scene: Scene) -> Iterator[Fault]:
    """What a validator does not like is written all the same, and it is not the declared one."""
    for collection in _validated(scene):
        yield Fault("unheeded-validator", "validator-weak", collection.name, (not_as_declared(scene, collection, _WARNS),))


def not_as_declared(scene: Scene, collection: Collection, change: Mapping[str, str]) -> Way:
    """A validator that is not heeded; a declared one has a rule more, as that it is weak is else validator-missing's to tell."""
    declared = {one.collection for one in scene.expect.documents.validators}
    more = {"validator": {"$and": [dict(collection.validator or {}), {sql.PLANTED: {"$exists": False}}]}}
    return ({"collMod": collection.name, **change, **(more if collection.name in declared else {})},)


def weakened_validator(scene: Scene) -> Iterator[Fault]:
    """A declared validator warns only, lets what is invalid stay so, or is not looked at."""
    for name in (one.collection for one in scene.expect.documents.validators):
        for change in ({"validationAction": "warn"}, {"validationLevel": "moderate"}, {"validationLevel": "off"}):
            way = ({"collMod": name, **change},)
            yield within(name, Fault("weakened-validator", "validator-missing", name, (way,), f"{name} (weak)"))


def changed_validator(scene: Scene) -> Iterator[Fault]:
    """A declared validator asks for one field more."""
    for declared in scene.expect.documents.validators:
        name, more = declared.collection, {"$and": [dict(declared.validator), {sql.PLANTED: {"$exists": True}}]}
        way = ({"collMod": name, "validator": more},)
        yield within(name, Fault("changed-validator", "validator-missing", name, (way,), f"{name} (differs)"))


def idle_validator(scene: Scene) -> Iterator[Fault]:
    """The rules of a validator are exchanged for one that nothing breaks."""
    for name in (one.name for one in _validated(scene)):
        command = {"collMod": name, "validator": {"$jsonSchema": {"properties": {}}}}
        yield Fault("idle-validator", "validator-weak", name, ((command,),), f"{name} (refuses nothing)")


def undeclared_validator(scene: Scene) -> Iterator[Fault]:
    """A collection loses a validator that nothing declares."""
    declared = {one.collection for one in scene.expect.documents.validators}
    for collection in _validated(scene):
        if collection.name not in declared and collection.documents:
            command = {"collMod": collection.name, "validator": {}}
            yield Fault("undeclared-validator", "no-validator", collection.name, ((command,),))


def _validated(scene: Scene) -> Iterator[Collection]:
    return (one for one in scene.collections.all if one.validator and one.kind is CollectionKind.COLLECTION)
