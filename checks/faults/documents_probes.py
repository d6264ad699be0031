"""Faults of what documents are tried on: a rule that was loosened, a validator that is not heeded, unique indexes for others."""

from __future__ import annotations

from collections.abc import Iterator

from checks.declared.documents import DeclaredValidator
from checks.faults.documents_validators import not_as_declared
from checks.faults.interface import Fault, Scene
from checks.faults.neighbours import within
from checks.jsonschema.rules import DocumentRule
from checks.rows.documents import DocumentCompiler
from checks.rows.missing import NoValue
from checks.schema.collections import CollectionKind
from checks.schema.validators import same


def loosened_rule(scene: Scene) -> Iterator[Fault]:
    """A declared validator loses one of its rules: the first of each keyword that nothing else stands in for."""
    for declared in _attached(scene):
        name = declared.collection
        compiler = DocumentCompiler(declared.validator)
        keywords: set[str] = set()
        for rule in compiler.rules:
            if rule.keyword in keywords or not _is_broken_alone(compiler, rule):
                continue
            keywords.add(rule.keyword)
            way = ({"collMod": name, "validator": rule.without},)
            yield within(name, Fault("loosened-rule", "validator-probe", f"{name}: {rule.name}", (way,)))


def _is_broken_alone(compiler: DocumentCompiler, rule: DocumentRule) -> bool:
    try:
        compiler.violating(rule)
    except NoValue:
        return False
    return True


def ignored_validator(scene: Scene) -> Iterator[Fault]:
    """A validator warns only, or is not looked at, and is not the declared one."""
    for collection in scene.collections.all:
        name = collection.name
        rules = DocumentCompiler(collection.validator).rules if collection.kind is CollectionKind.COLLECTION else ()
        for change in ({"validationAction": "warn"}, {"validationLevel": "off"}):
            for rule in rules[:1]:
                way = not_as_declared(scene, collection, change)
                yield within(
                    name, Fault("ignored-validator", "validator-probe", f"{name}: {rule.name}", (way,), f"{name} (weak)")
                )


def _attached(scene: Scene) -> Iterator[DeclaredValidator]:
    """The declared validators that are attached as they are declared."""
    for declared in scene.expect.documents.validators:
        collection = scene.collections.collection.get(declared.collection)
        if collection is not None and same(declared.validator, collection.validator):
            yield declared
