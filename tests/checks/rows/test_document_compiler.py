"""Documents are compiled from a validator alone: valid ones, and ones that break exactly one rule."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId

from checks.jsonschema.building import NOTHING
from checks.rows.documents import DocumentCompiler
from checks.rows.missing import NoValue
from checks.schema.collections import CollectionIndex

SUBSCRIPTION = {
    "$jsonSchema": {
        "bsonType": "object",
        "required": ["_id", "company", "units", "price", "lines"],
        "additionalProperties": False,
        "properties": {
            "_id": {},
            "company": {"bsonType": "string", "minLength": 1, "maxLength": 12, "pattern": "^[A-Za-z0-9 ]*$"},
            "units": {"bsonType": "int", "minimum": 1},
            "price": {"bsonType": "decimal", "minimum": 0, "exclusiveMinimum": True},
            "unit": {"enum": ["page", "word"]},
            "lines": {
                "bsonType": "array",
                "maxItems": 2,
                "items": {"required": ["at"], "properties": {"at": {"bsonType": "date"}}},
            },
        },
    }
}


def broken(compiler: DocumentCompiler) -> dict[str, Any]:
    return {rule.name: compiler.violating(rule).changed[0][1] for rule in compiler.rules}


def test_a_document_that_satisfies_everything() -> None:
    assert DocumentCompiler(SUBSCRIPTION).satisfying() == {
        "_id": ObjectId("dbf00f000000000000000000"),
        "company": "dbproof 00",
        "units": 1,
        "price": Decimal128("0.01"),
        "unit": "page",
        "lines": [{"at": datetime(2024, 1, 1)}],
    }


def test_each_rule_is_broken_as_nearly_as_may_be() -> None:
    """What the server itself sees to is no rule: an ``_id`` is there."""
    assert broken(DocumentCompiler(SUBSCRIPTION)) == {
        "company required": NOTHING,
        "units required": NOTHING,
        "price required": NOTHING,
        "lines required": NOTHING,
        "additionalProperties": "dbproof 00",
        "company bsonType": None,
        "company minLength": "",
        "company maxLength": "xxxdbproof 00",
        "company pattern": "-",
        "units bsonType": Int64(1),
        "units minimum": 0,
        "price bsonType": 0.01,
        "price minimum": Decimal128("0"),
        "unit enum": "PAGE",
        "lines bsonType": "dbproof 00",
        "lines maxItems": [{"at": datetime(2024, 1, 1)}] * 3,
        "lines[].at required": NOTHING,
        "lines[].at bsonType": "dbproof 00",
    }


def test_documents_at_the_limit() -> None:
    compiler = DocumentCompiler(SUBSCRIPTION)
    limits = {rule.name: document for rule in compiler.rules if (document := compiler.at_limit(rule))}
    assert {name: document[name.split(" ", maxsplit=1)[0]] for name, document in limits.items()} == {
        "company minLength": "a",
        "company maxLength": "xxdbproof 00",
        "units minimum": 1,
        "unit enum": "word",
        "lines maxItems": [{"at": datetime(2024, 1, 1)}] * 2,
    }
    assert all(map(compiler.is_valid, limits.values()))


def test_a_document_that_is_there_is_changed_in_one_place_only() -> None:
    there = {"_id": 7, "company": "Ember Press", "units": 5, "price": Decimal128("2"), "lines": []}
    compiler = DocumentCompiler(SUBSCRIPTION, documents=[{"_id": 1}, there])
    assert compiler.satisfying() == there
    rules = {rule.name: rule for rule in compiler.rules}
    assert compiler.violating(rules["units minimum"]).document == {**there, "units": 0}
    assert compiler.violating(rules["lines[].at required"]).document == {**there, "lines": [{}]}


def test_values_that_are_fixed_and_documents_that_differ() -> None:
    compiler = DocumentCompiler(SUBSCRIPTION, [CollectionIndex("by_company", (("company", 1),), unique=True)])
    fixed = {"company": "Ember Press", "lines[].at": datetime(2020, 2, 29)}
    document = compiler.satisfying(fixed)
    assert (document["company"], document["lines"]) == ("Ember Press", [{"at": datetime(2020, 2, 29)}])
    several = [compiler.satisfying(number=number) for number in range(50)]
    assert len({one["company"] for one in several}) == len({one["_id"] for one in several}) == 50
    with pytest.raises(NoValue, match="no document was found"):
        compiler.satisfying({"units": 0})


def test_a_schema_that_no_document_satisfies() -> None:
    closed = {"$jsonSchema": {"additionalProperties": False, "properties": {"name": {}}}}
    with pytest.raises(NoValue, match="no document was found"):
        DocumentCompiler(closed).satisfying()
