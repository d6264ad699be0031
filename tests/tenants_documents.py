"""A shop of two tenants on MongoDB, and how a test fills its collections."""

from __future__ import annotations

from typing import Any

from pymongo.database import Database as Documents

from checks.declared.documents import DocumentExpectations, parse_document_reference
from checks.schema.names import TableName
from checks.tenants.declared import Tenancy

OF = "orders.tenant_id -> tenants._id"
BY = "orders.customer_id -> customers._id"
STRICT = "orders.(tenant_id, customer_id) -> customers.(tenant_id, _id)"
TYPED = {"$jsonSchema": {"required": ["tenant_id"], "properties": {"tenant_id": {"bsonType": "int"}}}}
SHOP = Tenancy(("tenant_id",), shared=frozenset({TableName("public", "plans")}))


def expect(*references: str) -> DocumentExpectations:
    return DocumentExpectations(references=tuple(map(parse_document_reference, references)))


def holding(validator: Any = None, **documents: Any) -> Any:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        for name, several in documents.items():
            db.create_collection(name, validator=validator or {})
            if several:
                db[name].insert_many([dict(one) for one in several], bypass_document_validation=True)

    return prepare


CLEAN: Any = {
    "tenants": [{"_id": 1}, {"_id": 2}],
    "plans": [{"_id": "free"}],
    "customers": [{"_id": "a", "tenant_id": 1}, {"_id": "b", "tenant_id": 2}, {"_id": "all", "tenant_id": None}],
    "orders": [
        {"tenant_id": 1, "customer_id": "a"},
        {"tenant_id": 2.0, "customer_id": "b"},
        {"tenant_id": 2, "customer_id": "all"},
        {"tenant_id": 2, "customer_id": "none"},
        {"tenant_id": 2},
    ],
}
