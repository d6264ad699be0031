"""Documents that break their validator are counted exactly, with the rules that they break."""

from __future__ import annotations

from typing import Any

from document_judging import JudgeDocuments
from pymongo.database import Database as Documents

from checks.declared.documents import DeclaredValidator, DocumentExpectations

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
    assert finding.evidence == {"rules": rules}
    assert finding.values == ("_id=0", "_id=1", "_id=2", "_id=3", "_id=4")


def test_rules_that_are_no_schema(judge_documents: JudgeDocuments) -> None:
    validator = {"$and": [{"$expr": {"$lt": ["$start", "$end"]}}, {"price": {"$gte": 0}}]}
    good, bad = {"start": 1, "end": 2, "price": 1}, {"start": 2, "end": 1, "price": 1}
    finding = judge_documents("document-violates-validator", holding(good, bad, validator=validator)).finding
    assert finding.message == "1 document of subscriptions breaks its validator: $expr (1)"


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
