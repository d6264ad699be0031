"""A shop of two tenants on MongoDB: an order that names the other's customer is found in a run, and all else holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_repositories import run_on
from repositories import repository

pytestmark = pytest.mark.usefixtures("mongod")

SETTINGS = """
[databases.docs]
engine = "mongodb"

[databases.docs.data]
load = ["tenants.jsonl", "customers.jsonl", "orders.jsonl"]

[databases.docs.tenancy]
column = "tenant_id"

[databases.docs.tenancy.reads.orders]
collection = "orders"
find = { tenant_id = "{tenant}" }

[databases.docs.tenancy.reads."orders with their customers"]
collection = "orders"
pipeline = '''[
  {"$match": {"tenant_id": "{tenant}"}},
  {"$lookup": {"from": "customers", "localField": "customer_id", "foreignField": "_id", "as": "customer"}}
]'''

[databases.docs.expect]
references = [
  "orders.tenant_id -> tenants._id",
  "customers.tenant_id -> tenants._id",
  "orders.customer_id -> customers._id",
]

[databases.docs.expect.schemas.customers]
required = ["tenant_id"]
properties.tenant_id = { bsonType = "int" }

[databases.docs.expect.schemas.orders]
required = ["tenant_id"]
properties.tenant_id = { bsonType = "int" }
"""
FILES = {
    "dbproof.toml": SETTINGS,
    "tenants.jsonl": '{"_id": 1}\n{"_id": 2}\n',
    "customers.jsonl": '{"_id": 10, "tenant_id": 1}\n{"_id": 20, "tenant_id": 2}\n',
    "orders.jsonl": '{"_id": 1, "tenant_id": 1, "customer_id": 10}\n{"_id": 2, "tenant_id": 2, "customer_id": 10}\n',
}


def test_an_order_of_the_other_tenants_customer(tmp_path: Path) -> None:
    run = run_on(repository(tmp_path / "shop", FILES).root)
    assert run.code == 1, run.said
    assert {(check, one["subject"]): one["message"] for check, one in run.findings("error", "warning")} == {
        ("tenant-query", "orders with their customers"): "“orders with their customers” returns 1 document that holds, under"
        " customer, what is another tenant's in customers, by tenant_id",
        ("cross-tenant-reference", "orders.customer_id -> customers._id"): "1 document of orders names a document of customers"
        " that has another tenant_id: a look for it by _id does not ask whose it is",
    }
    judged = ("tenant-query", "tenant-column-missing", "tenant-column-nullable", "tenant-reference-missing", "dangling-reference")
    assert {name: run.check(name)["proven"] for name in judged} == dict(zip(judged, (1, 2, 2, 2, 3), strict=True))
