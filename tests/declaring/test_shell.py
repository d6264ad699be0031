"""Commands as text for mongosh."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from bson import Decimal128, Int64, ObjectId, Regex

from runner.declaring.shell import database_member, literal, shell


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (
            {"createIndexes": "a_b", "indexes": [{"key": {"x.y": 1, "z": -1}, "name": "i", "unique": True}]},
            'db.a_b.createIndex({"x.y": 1, z: -1}, {name: "i", unique: true})',
        ),
        ({"dropIndexes": "stats", "index": 'o"o'}, 'db.getCollection("stats").dropIndex("o\\"o")'),
        ({"create": "c", "validator": {"$expr": False}}, 'db.createCollection("c", {validator: {$expr: false}})'),
        ({"collMod": "c", "validationLevel": "off"}, 'db.runCommand({collMod: "c", validationLevel: "off"})'),
        ({"drop": "a.b"}, 'db.getCollection("a.b").drop()'),
    ],
)
def test_commands(command: dict[str, object], text: str) -> None:
    assert shell(command) == text


@pytest.mark.parametrize("name", ["getName", "stats", "version", "_x", "a-b", "größe", "x\ny", "constructor", "__proto__", "Ab"])
def test_names_that_db_may_have_a_meaning_for_are_named_in_brackets(name: str) -> None:
    assert database_member(name).startswith("db.getCollection(")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("größe", '"größe"'),
        ("a\u2028\x1b[31m\u202e", '"a\\u2028\\u001b[31m\\u202e"'),
        ({"__proto__": 1}, '{["__proto__"]: 1}'),
        ({"a b": [None, True, 1.5]}, '{"a b": [null, true, 1.5]}'),
        (2**60, 'EJSON.parse("{\\"$numberLong\\": \\"1152921504606846976\\"}")'),
        (Int64(5), 'NumberLong("5")'),
        (Decimal128("1.50"), 'NumberDecimal("1.50")'),
        (ObjectId("65a000000000000000000000"), 'ObjectId("65a000000000000000000000")'),
        (datetime(2026, 1, 1, 2, 3, 4, 5999, tzinfo=UTC), 'ISODate("2026-01-01T02:03:04.005Z")'),
        (datetime(30, 1, 1, tzinfo=UTC), 'EJSON.parse("{\\"$date\\": {\\"$numberLong\\": \\"-61220448000000\\"}}")'),
    ],
)
def test_values(value: object, text: str) -> None:
    assert literal(value) == text


def test_what_is_longer_than_a_line_is_folded() -> None:
    command = {"collMod": "c", "validator": {"$jsonSchema": {"required": ["a", "b"], "properties": {}}}}
    assert shell(command, 40) == (
        'db.runCommand({\n  collMod: "c",\n  validator: {\n    $jsonSchema: {\n      required: ["a", "b"],\n'
        "      properties: {}\n    }\n  }\n})"
    )
    assert shell(command, 200) == shell(command)


def test_patterns_keep_what_they_are() -> None:
    assert "$regularExpression" in literal(Regex("^a"))
    assert "$regularExpression" in literal(re.compile("^a"))
    assert "Infinity" in literal(float("inf"))
