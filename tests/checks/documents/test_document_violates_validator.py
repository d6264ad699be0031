"""Documents that break their validator are counted exactly, with the rules that they break."""

from __future__ import annotations

from typing import Any

import pytest
from document_judging import JudgeDocuments
from pymongo.database import Database as Documents

from checks.declared.documents import DeclaredValidator, DocumentExpectations
from checks.documents.document_violates_validator import COUNTED, SHOWN_KEY

SCHEMA = {
    "required": ["name", "status"],
    "properties": {
        "name": {"bsonType": "string", "minLength": 1, "maxLength": 5},
        "status": {"enum": ["active", "inactive"]},
        "lines": {"bsonType": "array", "items": {"properties": {"quantity": {"bsonType": "int", "minimum": 1}}}},
    },
}
GOOD = {"name": "a", "status": "active", "lines": [{"quantity": 1}]}


def holding(*documents: dict[str, Any], validator: Any = None) -> Any:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.create_collection("subscriptions", validator=validator or {"$jsonSchema": SCHEMA})
        if documents:
            db.subscriptions.insert_many([dict(one) for one in documents], bypass_document_validation=True)

    return prepare


def test_documents_that_obey(judge_documents: JudgeDocuments) -> None:
    judged = judge_documents("document-violates-validator", holding(GOOD))
    assert (judged.proven, judged.findings) == (["subscriptions"], [])


@pytest.mark.mongodb_since("5.0")
def test_what_was_written_past_the_validator(judge_documents: JudgeDocuments) -> None:
    bad = [{"_id": number, "name": "a", "status": "lost"} for number in range(7)]
    worse = {"_id": 7, "name": "", "lines": [{"quantity": 1}, {"quantity": 0}]}
    finding = judge_documents("document-violates-validator", holding(GOOD, *bad, worse)).finding
    assert finding.count == 8
    assert finding.message == (
        "8 documents of subscriptions break its validator: "
        "status: enum (7), lines[].quantity: minimum (1), name: minLength (1) and 1 more rules"
    )
    rules = {"status: enum": 7, "lines[].quantity: minimum": 1, "name: minLength": 1, "status: required": 1}
    assert finding.evidence == {"rules": rules, "server": {"status: enum": 5}}
    assert (finding.code, finding.said) == ("121", "Document failed validation: status: enum")
    assert finding.values == tuple(f"_id={number}: status: enum" for number in range(5))


def test_rules_that_are_no_schema(judge_documents: JudgeDocuments) -> None:
    validator = {"$and": [{"$expr": {"$lt": ["$start", "$end"]}}, {"price": {"$gte": 0}}]}
    good, bad = {"start": 1, "end": 2, "price": 1}, {"start": 2, "end": 1, "price": 1}
    finding = judge_documents("document-violates-validator", holding(good, bad, validator=validator)).finding
    assert finding.message == "1 document of subscriptions breaks its validator: $expr (1)"


@pytest.mark.mongodb_since("5.0")
def test_the_rules_that_the_server_names_are_those_that_are_counted(judge_documents: JudgeDocuments) -> None:
    schema = {
        "required": ["grid"],
        "additionalProperties": False,
        "properties": {
            "_id": {},
            "grid": {"bsonType": "array", "items": {"bsonType": "array", "items": {"bsonType": "int"}}},
            "to": {"properties": {"zip": {"pattern": "^[0-9]+$"}}},
        },
    }
    documents = [{"_id": 1, "grid": [[1], ["a"]]}, {"_id": 2, "to": {"zip": "x"}, "extra": 1}]
    finding = judge_documents("document-violates-validator", holding(*documents, validator={"$jsonSchema": schema})).finding
    assert finding.evidence["rules"] == {
        "additionalProperties": 1,
        "grid: required": 1,
        "grid[][]: bsonType": 1,
        "to.zip: pattern": 1,
    }
    assert finding.evidence["server"] == {
        "extra: additionalProperties": 1,
        "grid: required": 1,
        "grid[][]: bsonType": 1,
        "to.zip: pattern": 1,
    }


def test_rules_without_end_are_counted_each(judge_documents: JudgeDocuments) -> None:
    schema = {"required": [f"f{number:03}" for number in range(3 * COUNTED // 2)]}
    there = {f"f{number:03}": 1 for number in range(3 * COUNTED // 2 - 2)}
    finding = judge_documents("document-violates-validator", holding({}, there, validator={"$jsonSchema": schema})).finding
    rules = finding.evidence["rules"]
    assert isinstance(rules, dict)
    assert (len(rules), sorted(map(str, rules.values()))[-3:]) == (3 * COUNTED // 2, ["1", "2", "2"])
    assert finding.message.startswith(
        "2 documents of subscriptions break its validator: f298: required (2), f299: required (2), "
    )


def test_alternatives_are_one_rule(judge_documents: JudgeDocuments) -> None:
    validator = {"$or": [{"a": 1}, {"b": 1}], "$jsonSchema": {"required": ["c"]}}
    finding = judge_documents(
        "document-violates-validator", holding({"a": 1, "c": 1}, {"a": 2, "c": 1}, validator=validator)
    ).finding
    assert (finding.count, finding.evidence["rules"]) == (1, {"$or": 1})


def test_a_validator_that_fails_on_a_document_is_no_verdict(judge_documents: JudgeDocuments) -> None:
    validator = {"$expr": {"$gt": [{"$toInt": "$n"}, 1]}}
    judged = judge_documents("document-violates-validator", holding({"n": "2"}, {"n": "two"}, validator=validator))
    assert judged.gaps == {"subscriptions": "the server cannot evaluate it on every document (error 241)"}


def test_a_validator_that_only_warns_is_read_by_us_alone(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.create_collection("subscriptions", validator={"$jsonSchema": SCHEMA}, validationAction="warn")
        db.subscriptions.insert_one({"_id": "x" * 2 * SHOWN_KEY, "name": "a", "status": "lost"})

    finding = judge_documents("document-violates-validator", prepare).finding
    assert (finding.evidence, finding.values, finding.code) == ({"rules": {"status: enum": 1}}, (), "")


def test_the_declared_validator_is_asked_where_another_is_attached(judge_documents: JudgeDocuments) -> None:
    declared = DocumentExpectations(validators=(DeclaredValidator("subscriptions", {"$jsonSchema": SCHEMA}),))
    weaker = {"$jsonSchema": {"required": ["name"]}}
    judged = judge_documents("document-violates-validator", holding({"name": "a"}, validator=weaker), declared)
    assert judged.proven == ["subscriptions"]
    assert judged.finding.subject == "subscriptions (as declared)"
    assert judged.finding.message == "1 document of subscriptions breaks the declared validator: status: required (1)"


def test_no_documents_prove_nothing(judge_documents: JudgeDocuments) -> None:
    assert judge_documents("document-violates-validator", holding()).gaps == {"subscriptions": "no documents"}


def test_collections_without_rules_and_views_are_no_subjects(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.free.insert_one({})
        db.command("create", "seen", viewOn="free", pipeline=[])

    assert judge_documents("document-violates-validator", prepare).all == ()
