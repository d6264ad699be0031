"""A field that a schema names and no document has is found, at any depth; one that a late document has is there."""

from __future__ import annotations

from typing import Any

import pytest
from document_judging import JudgeDocuments

from checks.declared.documents import DeclaredValidator, DocumentExpectations
from checks.documents.unused_field_in_schema import FIRST, TOGETHER
from checks.interface import Severity
from checks.registries.documents import DOCUMENTS
from checks.registries.every import LIVE

CHECK = "unused-field-in-schema"
SCHEMA = {
    "properties": {
        "name": {"bsonType": "string"},
        "adress": {"properties": {"street": {}}},
        "lines": {"items": {"properties": {"q": {}, "sku": {}}}},
        "a.b": {},
        "": {},
    }
}


def holding(*documents: dict[str, Any], schema: dict[str, Any] = SCHEMA) -> Any:
    def prepare(db: Any) -> None:
        db.create_collection("orders", validator={"$jsonSchema": schema})
        if documents:
            db.orders.insert_many([dict(one) for one in documents], bypass_document_validation=True)

    return prepare


@pytest.mark.mongodb_since("5.0")
def test_fields_that_no_document_has(judge_documents: JudgeDocuments) -> None:
    judged = judge_documents(CHECK, holding({"name": None, "a.b": 1, "": 2}, {"lines": [{"q": 1}, {}], "address": {}}))
    assert judged.proven == ["orders.name", "orders.lines", "orders.lines[].q", 'orders."a.b"', 'orders.""']
    assert [found.subject for found in judged.findings] == ["orders.adress", "orders.lines[].sku"]
    assert judged.findings[0].message == "the schema of orders names orders.adress, and none of its 2 documents has it"
    assert judged.gaps == {"orders.adress.street": "no document has adress"}


@pytest.mark.mongodb_since("5.0")
def test_what_only_a_late_document_has_is_there(judge_documents: JudgeDocuments) -> None:
    late = {"name": "a", "adress": {"street": "a"}, "lines": [{"q": 1, "sku": 1}], "a.b": 1, "": 1}
    judged = judge_documents(CHECK, holding(*({"name": "a"} for _ in range(FIRST)), late))
    assert (judged.findings, judged.gaps) == ([], {})


def test_the_declared_schema_counts_too_and_each_field_once(judge_documents: JudgeDocuments) -> None:
    rules = {"$and": [{"$jsonSchema": {"properties": {"name": {}, "town": {}}}}, {"$expr": True}]}
    declared = DocumentExpectations(validators=(DeclaredValidator("orders", rules),))
    judged = judge_documents(CHECK, holding({"name": "a"}, schema={"properties": {"name": {}}}), declared)
    assert (judged.proven, [found.subject for found in judged.findings]) == (["orders.name"], ["orders.town"])


def test_schemas_without_end_empty_collections_and_views(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Any) -> None:
        wide: dict[str, Any] = {"properties": {f"f{number}": {} for number in range(TOGETHER + 1)}}
        db.create_collection("wide", validator={"$jsonSchema": wide})
        db.wide.insert_one({f"f{number}": number for number in range(TOGETHER)})
        db.create_collection("empty", validator={"$jsonSchema": SCHEMA})
        db.command("create", "seen", viewOn="wide", pipeline=[])

    judged = judge_documents(CHECK, prepare)
    assert judged.finding.subject == f"wide.f{TOGETHER}"
    assert (len(judged.proven), set(judged.gaps.values())) == (TOGETHER, {"no documents"})


def test_it_is_asked_where_a_database_is_looked_at() -> None:
    assert (DOCUMENTS[CHECK].SEVERITY, LIVE[CHECK]) == (Severity.OFF, Severity.NOTICE)
