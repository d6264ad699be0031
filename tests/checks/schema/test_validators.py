"""The single rules of a validator, held against the server: a document breaks the validator where it breaks one of them."""

from __future__ import annotations

from typing import Any

import pytest

from checks.schema.validators import rules, same
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session

VALIDATORS: list[dict[str, Any]] = [
    {
        "$jsonSchema": {
            "bsonType": "object",
            "title": "no rule",
            "description": "nor this",
            "required": ["a", "b"],
            "properties": {
                "a": {"bsonType": "int", "minimum": 1, "exclusiveMinimum": True, "multipleOf": 2},
                "b": {"bsonType": ["string", "null"], "pattern": "^x", "maxLength": 3},
                "c": {"bsonType": "array", "minItems": 1, "uniqueItems": True, "items": {"required": ["d"]}},
                "e": {"properties": {"f": {"enum": [1, "1"]}}, "additionalProperties": False},
                "h": {"bsonType": "array", "items": [{"bsonType": "int"}], "additionalItems": False},
            },
            "patternProperties": {"^z": {"bsonType": "string"}},
            "dependencies": {"g": ["e"]},
            "anyOf": [{"required": ["a"]}, {"required": ["c"]}],
            "not": {"required": ["bad"]},
            "maxProperties": 6,
        }
    },
    {"$jsonSchema": {"additionalProperties": False, "properties": {"_id": {}, "a": {}}, "patternProperties": {"^z": {}}}},
    {"$and": [{"a": {"$gte": 0}}, {"$expr": {"$ne": ["$a", "$b"]}}], "b": {"$exists": True}},
    {"$or": [{"a": 2}, {"$jsonSchema": {"required": ["c"]}}]},
    {"$jsonSchema": {"required": ["a"], "properties": {"c": {"maxItems": 1}}}, "b": {"$type": "string"}},
]

DOCUMENTS: list[dict[str, Any]] = [
    {},
    {"a": 2, "b": "x"},
    {"a": 1, "b": "x"},
    {"a": 3, "b": "y"},
    {"a": 2, "b": "xxxx"},
    {"a": 2, "b": None, "c": []},
    {"a": 2, "b": "x", "c": [{"d": 1}, {"d": 1}]},
    {"a": 2, "b": "x", "c": [{"d": 1}, 3]},
    {"a": 2, "b": "x", "c": [{}]},
    {"a": 2, "b": "x", "e": {"f": 1}},
    {"a": 2, "b": "x", "e": {"f": 2, "more": 1}},
    {"a": 2, "b": "x", "g": 1},
    {"a": 2, "b": "x", "h": [1, 2]},
    {"a": 2, "b": "x", "h": ["no"]},
    {"a": 2, "b": "x", "z1": 3},
    {"a": 2, "b": "x", "z1": "y"},
    {"a": 2, "b": 2},
    {"a": "2", "b": "x", "bad": 1},
    {"a": -2, "b": "x", "c": [1], "d": 1, "e": {}, "i": 1, "j": 1},
]


@pytest.mark.parametrize("number", range(len(VALIDATORS)))
def test_to_break_the_validator_is_to_break_a_rule(number: int, mongo_database: Database) -> None:
    validator = VALIDATORS[number]
    with session(mongo_database.private) as client:
        held = client[mongo_database.name].held
        held.insert_many([{"_id": at, **one} for at, one in enumerate(DOCUMENTS)])
        whole = {one["_id"] for one in held.find({"$nor": [validator]})}
        single = {rule.label: {one["_id"] for one in held.find({"$nor": [rule.obeys]})} for rule in rules(validator)}
    assert whole
    assert set().union(*single.values()) == whole
    assert len(single) == 1 or any(broken != whole for broken in single.values())


def test_rules_are_named_by_field_and_keyword() -> None:
    assert [rule.label for rule in rules(VALIDATORS[0])] == [
        *("bsonType", "a: required", "b: required"),
        *("a: bsonType", "a: minimum", "a: multipleOf"),
        *("b: bsonType", "b: pattern", "b: maxLength"),
        *("c: bsonType", "c: minItems", "c: uniqueItems", "c[].d: required"),
        *("e.f: enum", "e: additionalProperties", "h: bsonType", "h: items"),
        *("patternProperties", "dependencies", "anyOf", "not", "maxProperties"),
    ]


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({"required": ["a", "b"]}, {"required": ["b", "a"]}, True),
        ({"enum": ["a", 1]}, {"enum": [1, "a"]}, True),
        ({"bsonType": "int"}, {"bsonType": ["int"]}, True),
        ({"minimum": 1}, {"minimum": 1.0}, True),
        ({"required": ["a"]}, {"required": ["a", "b"]}, False),
        ({"anyOf": [{"required": ["a"]}]}, {"anyOf": [{"required": ["b"]}]}, False),
        ({"properties": {"required": {"enum": [1]}}}, {"properties": {"required": {"enum": [2]}}}, False),
        ({"minimum": 1}, {}, False),
    ],
)
def test_order_makes_no_difference(one: dict[str, Any], other: dict[str, Any], equal: bool) -> None:
    assert same({"$jsonSchema": one}, {"$jsonSchema": other}) is equal


def test_none_is_none() -> None:
    assert same(None, {})
    assert not same({"a": 1}, None)
