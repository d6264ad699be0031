"""A collection whose documents say nothing of their tenant is found, also before it has any."""

from __future__ import annotations

from document_judging import JudgeDocuments
from tenants_documents import CLEAN, OF, SHOP, TYPED, expect, holding


def test_without_tenants_nothing_is_judged(judge_documents: JudgeDocuments) -> None:
    assert judge_documents("tenant-column-missing", holding(**CLEAN), expect(OF)).all == ()


def test_every_collection_says_whose_its_documents_are(judge_documents: JudgeDocuments) -> None:
    judged = judge_documents("tenant-column-missing", holding(**CLEAN, lines=[{"order": 1}], drafts=[]), expect(OF), tenancy=SHOP)
    assert judged.proven == ["customers", "orders"]
    assert judged.gaps == {"drafts": "no documents, and no validator"}
    assert judged.finding.message == "the documents of lines have no tenant_id: nothing tells whose they are"


def test_a_validator_says_it_for_documents_to_come(judge_documents: JudgeDocuments) -> None:
    prepare = holding(TYPED, drafts=[])
    assert judge_documents("tenant-column-missing", prepare, expect(OF), tenancy=SHOP).proven == ["drafts"]
    odd = lambda db: db.create_collection("notes", validator={"text": {"$type": "string"}})  # noqa: E731 - one line of a test
    assert judge_documents("tenant-column-missing", odd, expect(OF), tenancy=SHOP).finding.subject == "notes"
