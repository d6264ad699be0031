"""A field of the tenant that a document may be without is found, and the documents that are."""

from __future__ import annotations

from typing import Any

import pytest
from document_judging import JudgeDocuments
from pymongo.database import Database as Documents
from tenants_documents import OF, SHOP, TYPED, expect, holding

from checks.interface import Severity


@pytest.mark.parametrize(
    ("validator", "documents", "severity", "words"),
    [
        (TYPED, [{"tenant_id": 1}], Severity.OFF, ""),
        ({"tenant_id": {"$type": ["int", "long"]}}, [{"tenant_id": 1}], Severity.OFF, ""),
        ({"$and": [{"tenant_id": {"$type": "int"}}]}, [{"tenant_id": 1}], Severity.OFF, ""),
        ({"$jsonSchema": {"required": ["tenant_id"]}}, [{"tenant_id": 1}], None, "orders takes documents without tenant_id"),
        (
            {"$jsonSchema": {"properties": {"tenant_id": {"bsonType": "int"}}}},
            [{"tenant_id": 1}],
            None,
            "no document has made use",
        ),
        (None, [{"tenant_id": 1}], None, "no document has made use of it"),
        (None, [{"tenant_id": 1}, {}, {"tenant_id": None}], Severity.ERROR, "2 documents have none already"),
        (TYPED, [{"tenant_id": 1}, {}], Severity.ERROR, "the validator of orders now refuses documents without tenant_id"),
    ],
)
def test_no_document_without_its_tenant(
    judge_documents: JudgeDocuments, validator: Any, documents: Any, severity: Severity | None, words: str
) -> None:
    judged = judge_documents("tenant-column-nullable", holding(validator, orders=documents), expect(OF), tenancy=SHOP)
    if severity is Severity.OFF:
        assert judged.proven == ["orders.tenant_id"]
    else:
        assert (judged.finding.severity, words in judged.finding.message) == (severity, True)


def test_a_validator_that_only_warns_refuses_nothing(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.create_collection("orders", validator=TYPED, validationAction="warn")

    assert judge_documents("tenant-column-nullable", prepare, expect(OF), tenancy=SHOP).finding.subject == "orders.tenant_id"
