"""A validator that is not heeded, or that nothing breaks, is told once, by this check or by validator-missing."""

from __future__ import annotations

from typing import Any

import pytest
from document_judging import JudgeDocuments

from checks.declared.documents import DeclaredValidator, DocumentExpectations
from checks.schema.refusing import can_refuse

CHECK = "validator-weak"
RULES = {"$jsonSchema": {"required": ["name"]}}
DECLARED = DocumentExpectations(validators=(DeclaredValidator("companies", RULES),))


def attached(**options: Any) -> Any:
    return lambda db: db.create_collection("companies", **{"validator": RULES, **options})


def test_one_that_is_strict_and_refuses(judge_documents: JudgeDocuments) -> None:
    judged = judge_documents(CHECK, attached())
    assert (judged.proven, judged.all) == (["companies"], judged.all[:1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"validationAction": "warn"}, "its action is warn: what breaks it is written all the same"),
        ({"validationLevel": "moderate"}, "its level is moderate: documents that break it already may go on doing so"),
        ({"validationLevel": "off", "validationAction": "warn"}, "its level is off: no write is looked at"),
        (
            {"validationLevel": "moderate", "validationAction": "warn"},
            "its action is warn: what breaks it is written all the same; "
            "its level is moderate: documents that break it already may go on doing so",
        ),
    ],
)
def test_one_that_is_not_heeded_is_told_here_or_by_validator_missing(
    options: dict[str, Any], words: str, judge_documents: JudgeDocuments
) -> None:
    finding = judge_documents(CHECK, attached(**options)).finding
    assert (finding.subject, finding.message) == ("companies", f"companies has a validator, but {words}")
    assert finding.remedy.startswith('db.runCommand({collMod: "companies", validationLevel: "strict"')
    declared = judge_documents(CHECK, lambda _: None, DECLARED)
    assert declared.all == ()
    assert judge_documents("validator-missing", lambda _: None, DECLARED).finding.subject == "companies (weak)"


def test_one_that_differs_from_its_declaration_is_weak_all_the_same(judge_documents: JudgeDocuments) -> None:
    other = {"$jsonSchema": {"required": ["name", "town"]}}
    prepare = attached(validator=other, validationAction="warn")
    assert judge_documents(CHECK, prepare, DECLARED).finding.subject == "companies"


def test_one_that_refuses_nothing(judge_documents: JudgeDocuments) -> None:
    nothing = {"$jsonSchema": {"bsonType": "object", "properties": {"name": {"description": "how it is called"}}}}
    finding = judge_documents(CHECK, attached(validator=nothing)).finding
    assert finding.subject == "companies (refuses nothing)"
    assert finding.message == "the validator of companies refuses nothing: no document breaks any of its rules"


@pytest.mark.parametrize(
    "validator",
    [
        {"$jsonSchema": {}},
        {"$jsonSchema": {"bsonType": "object", "title": "a company", "properties": {}}},
        {"$jsonSchema": {"bsonType": ["object"], "required": ["_id"], "minProperties": 1}},
        {"$jsonSchema": {"properties": {"a": {}, "b": {"title": "b", "properties": {"c": {"items": {}}}}}}},
        {"$jsonSchema": {"additionalProperties": True, "patternProperties": {"^x": {}}, "properties": {"a": {"minLength": 0}}}},
        {"$jsonSchema": {"anyOf": [{"required": ["a"]}, {}], "dependencies": {}}},
        {"$jsonSchema": {"properties": {"n": {"uniqueItems": False}}}},
        {"$and": [{"$jsonSchema": {}}, {"$expr": True}]},
        {"$or": [{"a": 1}, {"$jsonSchema": {}}]},
        {"_id": {"$exists": True}},
    ],
)
def test_what_refuses_nothing(validator: dict[str, Any], judge_documents: JudgeDocuments) -> None:
    assert not can_refuse(validator)
    odd = {"a": object, "b": [{"c": 1}], "n": float("nan")}

    def prepare(db: Any) -> None:
        db.create_collection("companies", validator=validator)
        db.companies.insert_many([{}, {"a": "", "xs": 1, "b": odd["b"], "n": odd["n"]}])

    assert judge_documents(CHECK, prepare).finding.subject == "companies (refuses nothing)"


@pytest.mark.parametrize(
    "validator",
    [
        {"$jsonSchema": {"required": ["a"]}},
        {"$jsonSchema": {"bsonType": "object", "properties": {"a": {"bsonType": "string"}}}},
        {"$jsonSchema": {"properties": {"required": {"properties": {"a": {"enum": [1]}}}}}},
        {"$jsonSchema": {"properties": {"a": {"required": ["_id"]}}}},
        {"$jsonSchema": {"properties": {"a": {"bsonType": "object"}}}},
        {"$jsonSchema": {"additionalProperties": False, "properties": {"_id": {}, "a": {}}}},
        {"$jsonSchema": {"oneOf": [{}, {}]}},
        {"$jsonSchema": {"not": {"required": ["a"]}}},
        {"$jsonSchema": {"properties": {"a": {"items": [{"minimum": 3}]}}}},
        {"$jsonSchema": {"dependencies": {"a": ["b"]}}},
        {"$jsonSchema": {"minProperties": 2}},
        {"$expr": {"$lt": ["$start", "$end"]}},
        {"name": {"$type": "string"}},
        {"$nor": [{"a": 1}]},
    ],
)
def test_what_can_refuse(validator: dict[str, Any]) -> None:
    assert can_refuse(validator)


@pytest.mark.mongodb_since("5.0")
def test_views_and_collections_without_rules_are_no_subjects(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Any) -> None:
        db.free.insert_one({})
        db.command("create", "seen", viewOn="free", pipeline=[])
        db.command("create", "measured", timeseries={"timeField": "at"})

    assert judge_documents(CHECK, prepare).all == ()


def test_names_that_a_shell_would_trip_over(judge_documents: JudgeDocuments) -> None:
    name = 'a"b 100%\nü.$x'.replace("$", "S")
    prepare = lambda db: db.create_collection(name, validator=RULES, validationAction="warn")  # noqa: E731 - one command
    finding = judge_documents(CHECK, prepare).finding
    assert (finding.subject, '{collMod: "a\\"b 100%\\nü.Sx", ' in finding.remedy) == (name, True)
