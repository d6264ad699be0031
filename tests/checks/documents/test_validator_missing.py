"""A declared validator is attached, strict and the declared one; each way to lose it is a finding of its own."""

from __future__ import annotations

from typing import Any

import pytest
from document_judging import JudgeDocuments
from pymongo.database import Database as Documents

from checks.declared.documents import DeclaredValidator, DocumentExpectations
from checks.evidence import Evidence, Made, MigrationFailure, Place, Statement
from checks.schema.collections import validator_reference
from checks.schema.validators import same

SCHEMA = {"required": ["company_name", "status"], "properties": {"status": {"bsonType": "string", "enum": ["a", "b"]}}}
DECLARED = DeclaredValidator("companies", {"$jsonSchema": SCHEMA}, Place("schemas/companies.json", 1))
EXPECT = DocumentExpectations(validators=(DECLARED,))


def attached(**options: Any) -> Any:
    return lambda db: db.create_collection("companies", **{"validator": {"$jsonSchema": SCHEMA}, **options})


def test_words_for_people_are_no_rules() -> None:
    plain = {"$jsonSchema": {"properties": {"title": {"bsonType": "string"}, "a": {"enum": [{"title": "x"}]}}}}
    told: dict[str, Any] = {"title": "T", "description": "D", **plain["$jsonSchema"]}
    told["properties"] = {**told["properties"], "title": {"bsonType": "string", "description": "A title."}}
    assert same(plain, {"$jsonSchema": told})
    assert not same(plain, {"$jsonSchema": {"properties": {"a": {"enum": [{"title": "x"}]}}}})
    assert not same(plain, {"$jsonSchema": {**told, "properties": {**told["properties"], "a": {"enum": [{"title": "y"}]}}}})


def test_attached_as_declared_in_whatever_order(judge_documents: JudgeDocuments) -> None:
    turned = {
        "properties": {"status": {"enum": ["b", "a"], "bsonType": ["string"]}},
        "required": ["status", "company_name"],
    }
    judged = judge_documents("validator-missing", attached(validator={"$jsonSchema": turned}), EXPECT)
    assert (judged.proven, judged.findings) == (["companies"], [])


@pytest.mark.parametrize(
    ("options", "subject", "words"),
    [
        ({"validator": {}}, "companies", "companies has no validator: every document is taken"),
        (
            {"validator": {"$jsonSchema": {**SCHEMA, "required": ["company_name"]}}},
            "companies (differs)",
            "companies has another validator than the declared one",
        ),
        (
            {"validationAction": "warn"},
            "companies (weak)",
            "companies has its validator, but its action is warn: what it does not like is written all the same",
        ),
        (
            {"validationLevel": "moderate"},
            "companies (weak)",
            "companies has its validator, but its level is moderate: documents that are invalid already may stay so",
        ),
        (
            {"validationLevel": "off"},
            "companies (weak)",
            "companies has its validator, but its level is off: no write is looked at",
        ),
    ],
)
def test_each_way_to_lose_it(judge_documents: JudgeDocuments, options: dict[str, Any], subject: str, words: str) -> None:
    finding = judge_documents("validator-missing", attached(**options), EXPECT).finding
    assert (finding.subject, finding.message) == (subject, words)
    assert finding.objects[0] == validator_reference("companies")
    assert 'collMod: "companies", validator: <schemas/companies.json>' in finding.remedy


def test_without_its_collection_the_place_is_the_declaration(judge_documents: JudgeDocuments) -> None:
    finding = judge_documents("validator-missing", lambda db: db.other.insert_one({}), EXPECT).finding
    assert finding.subject == "companies (absent)"
    assert finding.place == Place("schemas/companies.json", 1)


def test_a_view_takes_none(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.create_collection("raw")
        db.command("create", "companies", viewOn="raw", pipeline=[])

    finding = judge_documents("validator-missing", prepare, EXPECT).finding
    assert finding.message == "companies has a declared validator, and is a view, which takes none"


def test_the_place_is_where_it_was_taken_away(judge_documents: JudgeDocuments) -> None:
    lost = Statement("db.runCommand(…)", Place("migrations/0003_import.py", 5), dropped=(validator_reference("companies"),))
    finding = judge_documents("validator-missing", attached(validator={}), EXPECT, Evidence(statements=(lost,))).finding
    assert finding.place == Place("migrations/0003_import.py", 5)
    assert finding.evidence == {"statement": "db.runCommand(…)"}


def test_what_was_applied_from_the_declaration_proves_nothing(judge_documents: JudgeDocuments) -> None:
    made = {validator_reference("companies"): Made(Place("schemas/companies.json", 1), "db.createCollection(…)")}
    judged = judge_documents("validator-missing", attached(), EXPECT, Evidence(provenance=made))
    assert judged.gaps == {"companies": "applied from this declaration"}


def test_after_failed_migrations_nothing_is_said(judge_documents: JudgeDocuments) -> None:
    failed = Evidence(failure=MigrationFailure("1", None, "", "", "x"))
    judged = judge_documents("validator-missing", attached(validator={}), EXPECT, failed)
    assert judged.gaps == {"companies": "not as declared, the migrations failed"}


def test_undeclared_collections_are_not_judged(judge_documents: JudgeDocuments) -> None:
    assert judge_documents("validator-missing", lambda db: db.other.insert_one({})).all == ()
