"""The field of the tenant has to be declared to lead to one."""

from __future__ import annotations

from document_judging import JudgeDocuments
from tenants_documents import CLEAN, OF, SHOP, STRICT, expect, holding


def test_the_field_leads_to_the_tenants(judge_documents: JudgeDocuments) -> None:
    judged = judge_documents("tenant-reference-missing", holding(**CLEAN), expect(OF, STRICT), tenancy=SHOP)
    assert judged.proven == ["orders.tenant_id"]
    assert judged.finding.subject == "customers.tenant_id"
    by_way = expect("customers.tenant_id -> tenants._id", STRICT)
    assert judge_documents("tenant-reference-missing", lambda _: None, by_way, tenancy=SHOP).proven == [
        "customers.tenant_id",
        "orders.tenant_id",
    ]


def test_no_collection_of_the_tenants(judge_documents: JudgeDocuments) -> None:
    judged = judge_documents("tenant-reference-missing", holding(orders=[{"tenant_id": 1}]), expect(), tenancy=SHOP)
    assert judged.gaps == {"orders.tenant_id": "no collection of the tenants is known: name it under `table`"}
