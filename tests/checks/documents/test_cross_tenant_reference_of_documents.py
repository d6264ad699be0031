"""Documents whose parent is another tenant's are counted, whatever shape the reference has."""

from __future__ import annotations

from document_judging import JudgeDocuments
from tenants_documents import BY, CLEAN, OF, SHOP, STRICT, expect, holding

from checks.tenants.declared import Tenancy


def test_references_that_stay_within_the_tenant(judge_documents: JudgeDocuments) -> None:
    judged = judge_documents("cross-tenant-reference", holding(**CLEAN), expect(OF, BY, STRICT), tenancy=SHOP)
    assert (judged.proven, judged.findings) == ([BY, STRICT], [])


def test_references_to_another_tenants_document(judge_documents: JudgeDocuments) -> None:
    crossing = [{"tenant_id": 2, "customer_id": "a"}, {"tenant_id": 2, "customer_id": "a"}, {"customer_id": "b"}]
    held = {**CLEAN, "orders": [*CLEAN["orders"], *crossing]}
    finding = judge_documents("cross-tenant-reference", holding(**held), expect(OF, BY), tenancy=SHOP).finding
    assert finding.message.startswith("3 documents of orders name a document of customers that has another tenant_id")
    assert finding.values == ('_id="a" (2)', '_id="b" (1)')
    assert finding.remedy.endswith(STRICT)


def test_each_element_of_an_array_and_a_tenant_in_parts(judge_documents: JudgeDocuments) -> None:
    held = {
        "items": [{"_id": 1, "org": {"id": "x"}, "site": 1}, {"_id": 2, "org": {"id": "x"}, "site": 2}],
        "lists": [{"org": {"id": "x"}, "site": 1, "rows": [{"item": 1}, {"item": 2}, {"item": 2}]}],
    }
    parts = Tenancy(("org.id", "site"))
    finding = judge_documents(
        "cross-tenant-reference", holding(**held), expect("lists.rows[].item -> items._id"), tenancy=parts
    ).finding
    assert finding.message.startswith("2 references of lists name a document of items that has another org.id or site")
