"""The same on MongoDB: each check of documents that faults can be planted for finds one of every kind."""

from __future__ import annotations

from datetime import datetime

from bson import Decimal128, ObjectId
from faulty import self_test

from checks.declared.documents import (
    DeclaredIndex,
    DeclaredValidator,
    DocumentExpectations,
    parse_document_reference,
)
from checks.declared.expectations import Expectations
from checks.faults.registry import FAULTS
from checks.interface import State
from checks.registries.documents import DOCUMENTS
from checks.schema.collections import CollectionIndex
from checks.tenants.declared import Tenancy
from checks.tenants.reads import parse_document_read
from runner.report import FaultState
from runner.selftest.proving import Extent
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session

COMPANY = {
    "$jsonSchema": {
        "required": ["name", "since", "tags"],
        "properties": {
            "name": {"bsonType": "string", "minLength": 1, "maxLength": 40},
            "since": {"bsonType": "date"},
            "tags": {"bsonType": "array", "items": {"bsonType": "string"}},
        },
    }
}
PLAN = {
    "$jsonSchema": {
        "additionalProperties": False,
        "required": ["company", 'a "b" %s'],
        "properties": {
            "_id": {},
            "company": {"bsonType": "string", "pattern": "^[A-Z]"},
            'a "b" %s': {"enum": ["it's", "line\nbreak"]},
            "price": {"bsonType": "decimal", "minimum": 0},
        },
    }
}
EXPECT = DocumentExpectations(
    references=(parse_document_reference('"plans of"."company" -> companies.name'),),
    validators=(DeclaredValidator("companies", COMPANY), DeclaredValidator("plans of", PLAN)),
    indexes=(
        DeclaredIndex("companies", CollectionIndex("by_name", (("name", 1),), unique=True)),
        DeclaredIndex("plans of", CollectionIndex("by company", (("company", 1),))),
    ),
)


def fill(database: Database) -> None:
    with session(database.private) as client:
        db = client[database.name]
        db.create_collection("companies", validator=COMPANY)
        db.companies.create_index("name", unique=True, name="by_name")
        db.create_collection("plans of", validator=PLAN)
        db["plans of"].create_index("company", name="by company")
        db.create_collection("audit", validator={"at": {"$type": "date"}, "by": {"$type": "objectId"}})
        since = datetime(2025, 1, 1)
        db.companies.insert_many([{"name": name, "since": since, "tags": ["a"]} for name in ("Ember", "Fjord")])
        for price, company in enumerate(("Ember", "Ember", "Fjord")):
            db["plans of"].insert_one({"company": company, 'a "b" %s': "it's", "price": Decimal128(f"{price}")})
        db.audit.insert_many([{"at": since, "by": ObjectId()} for _ in range(2)])


def test_every_kind_of_fault_is_found_on_mongodb(mongo_server: MongoServer, mongo_database: Database) -> None:
    fill(mongo_database)
    with self_test(mongo_server, mongo_database, Expectations(documents=EXPECT), DOCUMENTS, Extent(600)) as test:
        proof = test.run()
    missed = [f"{one.check}: {one.kind} of {one.place}: {one.reason}" for one in proof.of(FaultState.MISSED)]
    assert missed == []
    judged = {outcome.check for outcome in test.outcomes if outcome.state in (State.PASSED, State.FAILED)}
    assert judged & FAULTS.keys() - {one.check for one in proof.of(FaultState.FOUND)} == set()
    found = {one.kind for one in proof.of(FaultState.FOUND)}
    assert {
        "orphan",
        "dropped-validator",
        "weakened-validator",
        "changed-validator",
        "loosened-rule",
        "ignored-validator",
    } <= found
    assert {"other-uniqueness", "dropped-index", "drifted-index", "undeclared-index", "invalid-document"} <= found


def test_without_documents_there_is_none_to_copy(mongo_server: MongoServer, mongo_database: Database) -> None:
    index = DeclaredIndex("companies", CollectionIndex("by_name", (("name", 1),), unique=True))
    with session(mongo_database.private) as client:
        client[mongo_database.name].companies.create_index("name", unique=True, name="by_name")
    expect = Expectations(documents=DocumentExpectations(indexes=(index,)))
    with self_test(mongo_server, mongo_database, expect, {"duplicate-keys": DOCUMENTS["duplicate-keys"]}) as test:
        assert [(one.state, one.reason) for one in test.run().faults] == [(FaultState.NOT_PLANTED, "there is no document for it")]


def test_what_a_read_looks_up_is_made_another_tenants(mongo_server: MongoServer, mongo_database: Database) -> None:
    with session(mongo_database.private) as client:
        db = client[mongo_database.name]
        db.customers.insert_many([{"_id": number, "of": number} for number in (1, 2)])
        db.orders.insert_many([{"of": number, "customer": number} for number in (1, 2)])
    own = {"$match": {"of": "{tenant}"}}
    found = {"$lookup": {"from": "customers", "localField": "customer", "foreignField": "_id", "as": "it's 50 % \n"}}
    reads = {
        name: parse_document_read("orders", read, ["of"]) for name, read in {"open": [own, found], "plain": own["$match"]}.items()
    }
    expect = Expectations(tenancy=Tenancy(("of",), document_reads=reads))
    with self_test(mongo_server, mongo_database, expect, {"tenant-query": DOCUMENTS["tenant-query"]}) as test:
        assert [(one.kind, one.place, one.state) for one in test.run().faults] == [("lent", "open", FaultState.FOUND)]
