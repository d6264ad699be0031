"""Each rule of a validator is broken on a scratch copy: the server must refuse, by that rule."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from bson import Decimal128, ObjectId
from document_judging import JudgeDocuments
from pymongo.database import Database as Documents

from checks.declared.documents import DeclaredValidator, DocumentExpectations
from checks.evidence import Place
from checks.interface import Severity

SCHEMA: dict[str, Any] = {
    "bsonType": "object",
    "required": ["name", "status"],
    "properties": {
        "name": {"bsonType": "string", "minLength": 1, "maxLength": 5, "pattern": "^[a-z]+$"},
        "status": {"enum": ["active", "inactive"]},
        "price": {"bsonType": "decimal", "minimum": 0},
        "lines": {"bsonType": "array", "minItems": 1, "uniqueItems": True, "items": {"required": ["at"], "bsonType": "object"}},
    },
}
LOOSE_LINES = {"bsonType": "array", "minItems": 1, "uniqueItems": True, "items": {"bsonType": "object"}}
RULES = [
    "plans: name required",
    "plans: status required",
    "plans: name bsonType",
    "plans: name minLength",
    "plans: name maxLength",
    "plans: name pattern",
    "plans: status enum",
    "plans: price bsonType",
    "plans: price minimum",
    "plans: lines bsonType",
    "plans: lines minItems",
    "plans: lines uniqueItems",
    "plans: lines[].at required",
    "plans: lines[] bsonType",
]


def plans(validator: Any, *documents: dict[str, Any], **options: Any) -> Any:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.create_collection("plans", validator=validator, **options)
        if documents:
            db.plans.insert_many([dict(one) for one in documents], bypass_document_validation=True)

    return prepare


def declaring(schema: Any) -> DocumentExpectations:
    return DocumentExpectations(validators=(DeclaredValidator("plans", {"$jsonSchema": schema}, Place("schemas/plans.json", 1)),))


def test_every_rule_refuses(judge_documents: JudgeDocuments) -> None:
    judged = judge_documents("validator-probe", plans({"$jsonSchema": SCHEMA}))
    assert (judged.proven, judged.findings, judged.gaps) == (RULES, [], {})


def test_with_documents_that_are_there(judge_documents: JudgeDocuments) -> None:
    """They stay as they are, and what breaks the validator already is no good start."""
    there: list[dict[str, Any]] = [
        {"_id": 1},
        {"_id": 2, "name": "a", "status": "active", "secret": "s", "price": Decimal128("3")},
    ]
    kept: list[Any] = []

    def prepare(db: Documents[dict[str, Any]]) -> None:
        plans({"$jsonSchema": SCHEMA}, *there)(db)

    judged = judge_documents("validator-probe", prepare)
    assert (judged.proven, judged.findings) == (RULES, [])
    judge_documents("validator-missing", lambda db: kept.extend(db.plans.find({})))
    assert kept == there


@pytest.mark.parametrize(
    ("path", "changed", "subject", "words"),
    [
        ("status", {"bsonType": "string"}, "plans: status enum", 'with status = "ACTIVE", which its declared rule refuses'),
        ("status", {"enum": ["active", "inactive", "paused"]}, "plans: status enum", 'with status = "paused", which'),
        (
            "name",
            {**SCHEMA["properties"]["name"], "bsonType": ["string", "int"]},
            "plans: name bsonType",
            "name = 1 (int), which",
        ),
        ("price", {"bsonType": "decimal"}, "plans: price minimum", "with price = -0.01 (decimal), which"),
        ("price", {"bsonType": "number", "minimum": 0}, "plans: price bsonType", "with price = 0.0 (double), which"),
        ("lines", LOOSE_LINES, "plans: lines[].at required", "without lines[0].at"),
    ],
)
def test_a_rule_that_was_loosened(judge_documents: JudgeDocuments, path: str, changed: Any, subject: str, words: str) -> None:
    loose = {**SCHEMA, "properties": {**SCHEMA["properties"], path: changed}}
    judged = judge_documents("validator-probe", plans({"$jsonSchema": loose}), declaring(SCHEMA))
    finding = judged.finding
    assert (finding.subject, finding.severity) == (subject, None)
    assert words in finding.message
    assert "schemas/plans.json" in finding.remedy
    assert sorted([*judged.proven, subject]) == sorted(RULES)


@pytest.mark.mongodb_since("5.0")
def test_one_that_is_stricter_than_declared(judge_documents: JudgeDocuments) -> None:
    price = {"bsonType": "decimal", "minimum": 0, "exclusiveMinimum": True}
    strict = {**SCHEMA, "properties": {**SCHEMA["properties"], "price": price}}
    there = {"_id": 1, "name": "a", "status": "active", "price": Decimal128("3")}
    finding = judge_documents("validator-probe", plans({"$jsonSchema": strict}, there), declaring(SCHEMA)).finding
    assert finding.subject == "plans: price minimum"
    assert "refuses a document at the limit of price: minimum, which its declared validator takes" in finding.message
    needs = {**SCHEMA, "required": ["name", "status", "owner"]}
    refused = judge_documents("validator-probe", plans_again({"$jsonSchema": needs}), declaring(SCHEMA)).finding
    assert refused.subject == "plans (refuses)"
    assert "owner: required" in refused.message


def plans_again(validator: Any) -> Any:
    return lambda db: db.command("collMod", "plans", validator=validator)


@pytest.mark.parametrize("options", [{"validationAction": "warn"}, {"validationLevel": "off"}])
def test_one_that_is_not_heeded(judge_documents: JudgeDocuments, options: dict[str, str]) -> None:
    judged = judge_documents("validator-probe", plans({"$jsonSchema": SCHEMA}, **options))
    assert (judged.finding.subject, judged.finding.severity) == ("plans (weak)", Severity.WARNING)
    assert "of 14 documents, each of which breaks a rule, 14 were written" in judged.finding.message
    assert len(judged.gaps) == len(RULES)


def test_one_that_is_declared_and_not_heeded_is_told_once(judge_documents: JudgeDocuments) -> None:
    weak = plans({"$jsonSchema": SCHEMA}, validationAction="warn")
    judged = judge_documents("validator-probe", weak, declaring(SCHEMA))
    assert (judged.findings, len(judged.gaps)) == ([], len(RULES))
    assert set(judged.gaps.values()) == {"its validator is not heeded (validator-missing)"}
    assert judge_documents("validator-missing", lambda _: None, declaring(SCHEMA)).finding.subject == "plans (weak)"
    less = {**SCHEMA, "required": [*SCHEMA["required"], "more"]}
    assert judge_documents("validator-probe", lambda _: None, declaring(less)).finding.subject == "plans (weak)"


def test_moderate_refuses_what_is_new(judge_documents: JudgeDocuments) -> None:
    judged = judge_documents("validator-probe", plans({"$jsonSchema": SCHEMA}, validationLevel="moderate"))
    assert (judged.proven, judged.findings) == (RULES, [])


def test_one_that_takes_nothing(judge_documents: JudgeDocuments) -> None:
    closed = {"$jsonSchema": {"additionalProperties": False, "properties": {"name": {"bsonType": "string"}}}}
    judged = judge_documents("validator-probe", plans(closed))
    assert judged.finding.subject == "plans (takes nothing)"
    assert list(judged.gaps) == ["plans: additionalProperties", "plans: name bsonType"]


@pytest.mark.mongodb_since("5.0")
def test_a_rule_that_nothing_breaks_alone(judge_documents: JudgeDocuments) -> None:
    """It is broken with others, and the server names it; one that the server does not look at is not proven."""
    schema = {"properties": {"units": {"bsonType": "int", "maxLength": 5}, "code": {"minLength": 1, "pattern": "^[a-z]+$"}}}
    judged = judge_documents("validator-probe", plans({"$jsonSchema": schema}))
    assert judged.proven == ["plans: units bsonType", "plans: code minLength", "plans: code pattern"]
    assert judged.gaps == {"plans: units maxLength": "no document was found that breaks it and nothing else"}


@pytest.mark.mongodb_since("5.0")
def test_queries_and_expressions(judge_documents: JudgeDocuments) -> None:
    validator = {
        "$jsonSchema": {"required": ["start", "end"], "properties": {"start": {"bsonType": "date"}, "end": {"bsonType": "date"}}},
        "$expr": {"$lt": ["$start", "$end"]},
        "price": {"$gte": 0, "$type": "number"},
        "kind": {"$in": ["a", None]},
        "$or": [{"a": {"$exists": True}}, {"b.c": {"$regex": "^x", "$options": "i"}}],
        "units": {"$mod": [7, 3]},
        "tags": {"$elemMatch": {"$eq": "new"}},
        "code": {"$not": {"$regex": "[0-9]"}},
    }  # fmt: skip
    judged = judge_documents("validator-probe", plans(validator))
    assert judged.findings == []
    assert judged.gaps == {"plans: price $type": "no document was found that breaks it and nothing else"}
    assert [subject.removeprefix("plans: ") for subject in judged.proven] == [
        *("start required", "end required", "start bsonType", "end bsonType", "$expr", "price $gte", "kind $in", "$or"),
        *("units $mod", "tags $elemMatch", "code $not"),
    ]


@pytest.mark.mongodb_since("5.0")
def test_names_with_dots_dollars_quotes_and_newlines(judge_documents: JudgeDocuments) -> None:
    names = ["$price", 'a "b" %s', "line\nbreak", "ünï"]
    schema = {"required": names, "properties": {name: {"bsonType": "int", "minimum": 1} for name in names}}
    judged = judge_documents("validator-probe", plans({"$jsonSchema": schema}))
    assert judged.findings == []
    assert judged.proven == [
        *(f"plans: {name} required" for name in names),
        *(f"plans: {name} {keyword}" for name in names for keyword in ("bsonType", "minimum")),
    ]
    unnamed = {"required": [""], "properties": {"": {"bsonType": "int"}}}
    assert judge_documents("validator-probe", plans_again({"$jsonSchema": unnamed})).proven == []
    dotted = {"required": ["a.b"], "properties": {"a.b": {"bsonType": "int"}, "a.c.d": {"minimum": 1}, "a": {"minProperties": 1}}}
    paths = judge_documents("validator-probe", plans_again({"$jsonSchema": dotted}))
    assert (paths.findings, paths.gaps) == ([], {})
    assert sorted(paths.proven) == [
        *("plans: a bsonType", "plans: a minProperties", "plans: a required"),
        *("plans: a.b bsonType", "plans: a.b required", "plans: a.c.d minimum"),
    ]


@pytest.mark.mongodb_since("5.0")
def test_odd_collections_and_types(judge_documents: JudgeDocuments) -> None:
    typed = {
        "at": "date",
        "by": "objectId",
        "raw": "binData",
        "moment": "timestamp",
        "like": "regex",
        "many": "long",
        "code": "javascript",
    }
    schema = {"required": list(typed), "properties": {name: {"bsonType": kind} for name, kind in typed.items()}}

    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.create_collection(
            "capped", capped=True, size=4096, validator={"$jsonSchema": schema}, collation={"locale": "en", "strength": 2}
        )
        db.create_collection("series", timeseries={"timeField": "at"})
        db.command("create", "view", viewOn="capped", pipeline=[])
        db.capped.insert_one({"_id": ObjectId(), "at": datetime(2025, 1, 1)}, bypass_document_validation=True)

    judged = judge_documents(
        "validator-probe",
        prepare,
        DocumentExpectations(validators=(DeclaredValidator("view", {"$jsonSchema": {"required": ["a"]}}),)),
    )
    assert judged.findings == []
    assert judged.proven == [f"capped: {name} {kind}" for kind in ("required", "bsonType") for name in typed]
    assert judged.gaps == {"view: a required": "its collection has no validator (validator-missing)"}


def test_texts_that_a_collation_takes_for_the_same(judge_documents: JudgeDocuments) -> None:
    """A schema's enum tells case apart all the same."""
    collation = {"locale": "en", "strength": 2}
    query = {"status": {"$in": ["active"]}, "$jsonSchema": {"properties": {"kind": {"enum": ["a"]}}}}
    judged = judge_documents("validator-probe", plans(query, collation=collation))
    assert (judged.proven, judged.findings) == (["plans: kind enum"], [])
    assert judged.gaps == {"plans: status $in": "the collation of its collection decides what is equal"}
