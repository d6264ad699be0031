"""What models print becomes a validator: attached to a real server, each takes a good document and refuses a bad one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Binary, Decimal128, Int64, ObjectId, Regex
from pymongo.database import Database as Documents
from pymongo.errors import WriteError

from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session
from runner.settings.json_schema import converted

NOW = datetime(2024, 1, 1, tzinfo=UTC)
HEX = "5eb7cf5a86d9755df3a6c593"
PYDANTIC_OBJECT_ID = {"type": "string", "pattern": "^[0-9a-f]{24}$", "minLength": 24, "maxLength": 24, "example": HEX}


@dataclass(frozen=True)
class Case:
    """A schema of the field ``x`` (or a ``whole`` one), what it becomes, values that it takes and values that it refuses."""

    schema: Any
    becomes: Any
    good: tuple[Any, ...]
    bad: tuple[Any, ...]
    whole: bool = False
    defs: Mapping[str, Any] = field(default_factory=dict)


def of_x(schema: object, becomes: object, good: tuple[Any, ...], bad: tuple[Any, ...], **defs: object) -> Case:
    return Case(schema, becomes, good, bad, defs=defs)


TOWN = {"title": "Town", "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
TREE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "children": {"items": {"$ref": "#/$defs/Tree"}, "type": "array"}},
}
CUT = {"bsonType": "object", "description": "Tree once more, not looked into: a validator has no recursion"}

CASES = {
    "integer": of_x({"type": "integer"}, {"bsonType": ["int", "long"]}, (1, Int64(2)), (1.5, "1")),
    "number": of_x({"type": "number"}, {"bsonType": "number"}, (1, 1.5, Decimal128("1.5")), ("1",)),
    "boolean": of_x({"type": "boolean"}, {"bsonType": "bool"}, (True,), (1,)),
    "several types": of_x({"type": ["string", "null"]}, {"bsonType": ["string", "null"]}, ("a", None), (1,)),
    "date-time": of_x({"type": "string", "format": "date-time"}, {"bsonType": "date"}, (NOW,), ("2024-01-01T00:00:00Z",)),
    "date": of_x({"type": "string", "format": "date"}, {"bsonType": "date"}, (NOW,), ("2024-01-01",)),
    "duration": of_x({"type": "string", "format": "duration"}, {"bsonType": "number"}, (1.5,), ("PT1S",)),
    "uuid": of_x(
        {"type": "string", "format": "uuid"}, {"bsonType": ["binData", "string"]}, (Binary.from_uuid(uuid.uuid4()), "a"), (1,)
    ),
    "binary": of_x({"type": "string", "format": "binary"}, {"bsonType": "binData"}, (b"a",), ("a",)),
    "regex": of_x({"type": "string", "format": "regex"}, {"bsonType": ["regex", "string"]}, (Regex("a"), "a"), (1,)),
    "a format that is no type": of_x({"type": "string", "format": "email"}, {"bsonType": "string"}, ("a",), (1,)),
    "ObjectId by format": of_x({"type": "string", "format": "objectid"}, {"bsonType": "objectId"}, (ObjectId(),), (HEX,)),
    "ObjectId by pattern": of_x(PYDANTIC_OBJECT_ID, {"bsonType": "objectId"}, (ObjectId(),), (HEX,)),
    "ObjectId by example": of_x({"type": "string", "examples": [HEX]}, {"bsonType": "objectId"}, (ObjectId(),), (HEX,)),
    "a pattern that is more": of_x(
        {"type": "string", "pattern": "^[0-9a-f]{24}$|^x$"},
        {"bsonType": "string", "pattern": "^[0-9a-f]{24}$|^x$"}, ("x", HEX), (ObjectId(),),
    ),
    "an own bsonType": of_x({"bsonType": "decimal"}, {"bsonType": "decimal"}, (Decimal128("1"),), (1,)),
    "no rule at all": of_x({"title": "X", "default": 3, "examples": [4], "x-more": 1}, {}, (1, None, "a"), ()),
    "a pattern of JavaScript": of_x(
        {"pattern": r"^\u00e9\u{1F600}[^]\\u0041$"}, {"pattern": r"^\x{00e9}\x{1F600}[\s\S]\\u0041$"},
        ("é\U0001f600\n\\u0041",), ("é\U0001f600\n\\A", "e"),
    ),
    "const": of_x({"const": "a"}, {"enum": ["a"]}, ("a",), ("b",)),
    "const null": of_x({"const": None}, {"enum": [None]}, (None,), (1,)),
    "or null": of_x(
        {"anyOf": [{"type": "string", "maxLength": 2}, {"type": "null"}], "default": None},
        {"bsonType": ["string", "null"], "maxLength": 2}, ("ab", None), ("abc", 1),
    ),
    "a choice or null": of_x(
        {"anyOf": [{"enum": ["a"], "type": "string"}, {"type": "null"}]},
        {"bsonType": ["string", "null"], "enum": ["a", None]}, ("a", None), ("b",),
    ),
    "nullable": of_x({"type": "string", "nullable": True}, {"bsonType": ["string", "null"]}, ("a", None), (1,)),
    "a nullable ObjectId": of_x(
        {"anyOf": [PYDANTIC_OBJECT_ID, {"type": "null"}]}, {"bsonType": ["objectId", "null"]}, (ObjectId(), None), (HEX,)
    ),
    "any of": of_x(
        {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]},
        {"anyOf": [{"bsonType": ["int", "long"]}, {"bsonType": "string"}, {"bsonType": "null"}]}, (1, "a", None), (1.5,),
    ),
    "one of": of_x(
        {"oneOf": [{"type": "string"}, {"type": "string", "maxLength": 1}], "discriminator": {"propertyName": "k"}},
        {"oneOf": [{"bsonType": "string"}, {"bsonType": "string", "maxLength": 1}]}, ("ab",), ("a",),
    ),
    "all of": of_x(
        {"allOf": [{"type": "string"}, {"minLength": 2}]}, {"bsonType": "string", "minLength": 2}, ("ab",), ("a", 1)
    ),
    "all of, which say the same keyword": of_x(
        {"allOf": [{"minLength": 2}, {"minLength": 3}]}, {"minLength": 2, "allOf": [{"minLength": 3}]}, ("abc",), ("ab",)
    ),
    "not": of_x({"not": {"const": "a"}}, {"not": {"enum": ["a"]}}, ("b",), ("a",)),
    "an exclusive minimum": of_x({"exclusiveMinimum": 0}, {"minimum": 0, "exclusiveMinimum": True}, (1,), (0,)),
    "an exclusive maximum": of_x({"exclusiveMaximum": 9}, {"maximum": 9, "exclusiveMaximum": True}, (8,), (9,)),
    "two bounds, the exclusive one closer": of_x(
        {"minimum": 0, "exclusiveMinimum": 5}, {"minimum": 5, "exclusiveMinimum": True}, (6,), (5,)
    ),
    "two bounds, the other one closer": of_x(
        {"minimum": 5, "exclusiveMinimum": 0}, {"minimum": 5, "exclusiveMinimum": False}, (5,), (4,)
    ),
    "draft 4's own": of_x({"minimum": 5, "exclusiveMinimum": True}, {"minimum": 5, "exclusiveMinimum": True}, (6,), (5,)),
    "a tuple": of_x(
        {"prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False, "type": "array"},
        {"bsonType": "array", "items": [{"bsonType": ["int", "long"]}, {"bsonType": "string"}], "additionalItems": False},
        ([1, "a"],), (["a"], [1, "a", 2]),
    ),
    "a tuple and more": of_x(
        {"prefixItems": [{"type": "integer"}], "items": {"type": "string"}},
        {"items": [{"bsonType": ["int", "long"]}], "additionalItems": {"bsonType": "string"}}, ([1, "a"],), ([1, 2],),
    ),
    "a tuple of draft 7": of_x(
        {"items": [{"type": "integer"}], "additionalItems": False},
        {"items": [{"bsonType": ["int", "long"]}], "additionalItems": False}, ([1],), ([1, 2],),
    ),
    "no items": of_x({"type": "array", "items": False}, {"bsonType": "array", "maxItems": 0}, ([],), ([1],)),
    "items": of_x({"items": {"type": "string"}}, {"items": {"bsonType": "string"}}, (["a"],), ([1],)),
    "contains": of_x(
        {"contains": {"const": 1}},
        {"anyOf": [{"not": {"bsonType": "array"}}, {"not": {"items": {"not": {"enum": [1]}}}}]},
        ([2, 1], "a"), ([2], []),
    ),
    "if": of_x(
        {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 5}},
        {"anyOf": [
            {"allOf": [{"bsonType": "string"}, {"minLength": 2}]}, {"allOf": [{"not": {"bsonType": "string"}}, {"minimum": 5}]},
        ]},
        ("ab", 5), ("a", 4),
    ),
    "names of properties by a pattern": of_x(
        {"type": "object", "propertyNames": {"pattern": "^a"}, "additionalProperties": {"type": "integer"}},
        {
            "bsonType": "object",
            "additionalProperties": {"bsonType": ["int", "long"]},
            "allOf": [{"patternProperties": {"^a": {}}, "additionalProperties": False}],
        },
        ({"ab": 1},), ({"b": 1}, {"a": "x"}),
    ),
    "names of properties by their length": of_x(
        {"propertyNames": {"maxLength": 2}},
        {"patternProperties": {r"^[\s\S]{0,2}$": {}}, "additionalProperties": False}, ({"ab": 1},), ({"abc": 1},),
    ),
    "names of properties by a choice": of_x(
        {"propertyNames": {"enum": ["a"]}}, {"properties": {"a": {}}, "additionalProperties": False}, ({"a": 1},), ({"b": 1},)
    ),
    "fields that need others": of_x(
        {"dependentRequired": {"a": ["b"], "c": []}, "dependentSchemas": {"d": {"required": ["e"]}}},
        {"dependencies": {"a": ["b"], "d": {"required": ["e"]}}}, ({"a": 1, "b": 1}, {"c": 1}), ({"a": 1}, {"d": 1}),
    ),
    "a false schema": of_x(
        {"properties": {"a": False, "b": True}}, {"properties": {"a": {"not": {}}, "b": {}}}, ({"b": 1},), ({"a": 1},)
    ),
    "an empty list of what is required": of_x(
        {"type": "object", "required": [], "properties": {}}, {"bsonType": "object"}, ({},), (1,)
    ),
    "a map": of_x(
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"bsonType": "object", "additionalProperties": {"bsonType": ["int", "long"]}}, ({"a": 1},), ({"a": "b"},),
    ),
    "a reference": of_x(
        {"$ref": "#/$defs/Town"},
        {"bsonType": "object", "properties": {"name": {"bsonType": "string"}}, "required": ["name"]},
        ({"name": "a"},), ({}, {"name": 1}), Town=TOWN,
    ),
    "a reference with words beside it": of_x(
        {"$ref": "#/$defs/Kind", "default": "a", "description": "Which."},
        {"description": "Which.", "enum": ["a"], "bsonType": "string"}, ("a",), ("b",), Kind={"enum": ["a"], "type": "string"},
    ),
    "a reference with rules beside it": of_x(
        {"$ref": "#/$defs/Town", "properties": {"zip": {"type": "string"}}},
        {
            "properties": {"zip": {"bsonType": "string"}},
            "allOf": [{"bsonType": "object", "properties": {"name": {"bsonType": "string"}}, "required": ["name"]}],
        },
        ({"name": "a", "zip": "b"},), ({"zip": "b"}, {"name": "a", "zip": 1}), Town=TOWN,
    ),
    "a reference by an escaped name": of_x(
        {"$ref": "#/$defs/a~1b%20c"}, {"bsonType": "string"}, ("a",), (1,), **{"a/b c": {"type": "string"}}
    ),
    "a recursion, which is cut": of_x(
        {"$ref": "#/$defs/Tree"},
        {"bsonType": "object", "properties": {"name": {"bsonType": "string"}, "children": {"bsonType": "array", "items": CUT}}},
        ({"children": [{"name": 1}]},), ({"children": [1]}, {"name": 1}), Tree=TREE,
    ),
    "the _id of a model": Case(
        {"properties": {"_id": {"anyOf": [PYDANTIC_OBJECT_ID, {"type": "null"}]}}, "required": ["_id"], "type": "object"},
        {"bsonType": "object", "properties": {"_id": {"bsonType": "objectId"}}},
        ({}, {"_id": ObjectId()}), ({"_id": 1},), whole=True,
    ),
    "an id that is the _id": Case(
        {"properties": {"id": PYDANTIC_OBJECT_ID}, "required": ["id"]},
        {"properties": {"_id": {"bsonType": "objectId"}}}, ({}, {"id": 1}), ({"_id": 1},), whole=True,
    ),
    "an id of its own": Case(
        {"properties": {"id": {"type": "integer"}}, "required": ["id"]},
        {"properties": {"id": {"bsonType": ["int", "long"]}}, "required": ["id"]}, ({"id": 1},), ({},), whole=True,
    ),
    "nothing further, but the _id": Case(
        {"properties": {"a": {}}, "additionalProperties": False},
        {"properties": {"a": {}, "_id": {}}, "additionalProperties": False}, ({"a": 1},), ({"b": 1},), whole=True,
    ),
    "a whole that refers to itself": Case(
        {"$ref": "#/$defs/Tree", "$defs": {"Tree": TREE}, "$schema": "https://json-schema.org/draft/2020-12/schema"},
        {"bsonType": "object", "properties": {"name": {"bsonType": "string"}, "children": {"bsonType": "array", "items": CUT}}},
        ({"children": [{}]},), ({"children": [1]},), whole=True,
    ),
}  # fmt: skip


@pytest.fixture
def db(mongo_database: Database) -> Iterator[Documents[dict[str, Any]]]:
    with session(mongo_database.private) as client:
        yield client[mongo_database.name]


def schema_of(case: Case) -> Mapping[str, Any]:
    return case.schema if case.whole else {"type": "object", "properties": {"x": case.schema}, "$defs": case.defs}


@pytest.mark.parametrize("name", CASES)
def test_what_it_becomes(name: str) -> None:
    case = CASES[name]
    whole = case.becomes if case.whole else {"bsonType": "object", "properties": {"x": case.becomes}}
    assert converted(schema_of(case)) == whole


def test_the_server_takes_what_is_good_and_refuses_what_is_bad(db: Documents[dict[str, Any]]) -> None:
    for number, case in enumerate(CASES.values()):
        collection = db.create_collection(f"case_{number}", validator={"$jsonSchema": converted(schema_of(case))})
        for value in case.good:
            collection.insert_one(dict(value) if case.whole else {"x": value})
        for value in case.bad:
            with pytest.raises(WriteError, match="Document failed validation"):
                collection.insert_one(dict(value) if case.whole else {"x": value})


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"properties": {"a": {"$ref": "#/$defs/B"}}}, "a: '#/$defs/B' leads nowhere: every definition must be printed"),
        ({"$ref": "https://example.com/schema.json"}, "at the top: 'https://example.com/schema.json' leads nowhere"),
        ({"properties": {"a": {"items": {"unevaluatedProperties": False}}}}, "a[]: MongoDB cannot say 'unevaluatedProperties'"),
        ({"properties": {"a": {"type": "strin"}}}, "a: 'strin' is not a type of JSON Schema"),
        ({"properties": {"a": 3}}, "a: expected a schema, which is an object"),
        ({"properties": {"a": {"propertyNames": {"not": {"const": "b"}}}}}, "a.*: MongoDB cannot say this of the names"),
        ({"type": "array"}, "describes array, and a collection holds objects"),
    ],
)
def test_what_a_validator_cannot_say_is_refused(schema: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r".*") as wrong:
        converted(schema)
    assert str(wrong.value).startswith(message)


def test_definitions_that_multiply_are_refused() -> None:
    doubled = {
        f"d{n}": {"properties": {"a": {"$ref": f"#/$defs/d{n + 1}"}, "b": {"$ref": f"#/$defs/d{n + 1}"}}} for n in range(40)
    }
    with pytest.raises(ValueError, match="it becomes too large"):
        converted({"$ref": "#/$defs/d0", "$defs": {**doubled, "d40": {}}})
