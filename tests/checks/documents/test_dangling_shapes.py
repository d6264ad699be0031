"""Keys of several fields, DBRefs, arrays in arrays, collations and types: each is counted as the server compares it."""

from __future__ import annotations

from typing import Any

import pytest
from bson import DBRef, Decimal128, Int64, ObjectId
from document_judging import JudgeDocuments
from pymongo.database import Database as Documents

from checks.declared.documents import DocumentExpectations, parse_document_reference
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.interface import State
from checks.pipelines.references import FEW
from checks.registries.documents import DOCUMENTS
from runner.scheduler import run_checks
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session
from runner.targets.mongodb import MongoTarget

OWN = "subscriptions.(tenant_id, company_name) -> companies.(tenant_id, company_name)"
DBREF = "orders.customer.$id -> customers._id"
NO_CASE = {"locale": "en", "strength": 2}


def expect(*references: str) -> DocumentExpectations:
    return DocumentExpectations(references=tuple(map(parse_document_reference, references)))


def holding(**documents: Any) -> Any:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        for name, several in documents.items():
            db[name].insert_many([dict(one) for one in several])

    return prepare


def test_a_key_of_two_fields(judge_documents: JudgeDocuments) -> None:
    companies = [{"tenant_id": 1, "company_name": "a"}, {"tenant_id": 2, "company_name": "b"}]
    subscriptions = [
        {"tenant_id": 1.0, "company_name": "a"},
        {"tenant_id": 2, "company_name": "a"},
        {"tenant_id": 2, "company_name": "a"},
        {"tenant_id": None, "company_name": "c"},
        {"company_name": "c"},
        {"tenant_id": 3},
    ]
    finding = judge_documents(
        "dangling-reference", holding(companies=companies, subscriptions=subscriptions), expect(OWN)
    ).finding
    assert finding.message == (
        "2 documents of subscriptions name a companies.(tenant_id, company_name) that does not exist, 1 that is missing"
    )
    assert (finding.subject, finding.values) == (OWN, ('tenant_id=2, company_name="a" (2)',))


def test_a_key_of_two_fields_that_holds(judge_documents: JudgeDocuments) -> None:
    both = [{"tenant_id": 1, "company_name": "a"}, {"tenant_id": 2, "company_name": "b"}]
    judged = judge_documents("dangling-reference", holding(companies=both, subscriptions=[*both, {"tenant_id": 9}]), expect(OWN))
    assert judged.proven == [OWN]


def test_a_key_of_two_fields_without_any_in_full(judge_documents: JudgeDocuments) -> None:
    held = holding(companies=[{"tenant_id": 1, "company_name": "a"}], subscriptions=[{"tenant_id": 9}])
    assert judge_documents("dangling-reference", held, expect(OWN)).gaps == {OWN: "no document has tenant_id and company_name"}


@pytest.mark.parametrize(
    ("reference", "documents", "dangling"),
    [
        ("a.grid[][] -> b._id", [{"grid": [[1, 2], [3]]}, {"grid": [[]]}], 2),
        ("a.rows[].cells[][] -> b._id", [{"rows": [{"cells": [[1], [2]]}, {"cells": [[3]]}]}], 2),
        ("a.lines[].(kind, id) -> b.(kind, _id)", [{"lines": [{"kind": "x", "id": 1}, {"kind": "y", "id": 1}]}], 1),
        ("a.(kind, lines[].id) -> b.(kind, _id)", [{"kind": "x", "lines": [{"id": 1}, {"id": 2}, {}]}], 1),
        ("a.(_id.kind, _id.id) -> b.(kind, _id)", [{"_id": {"kind": "x", "id": 1}}, {"_id": {"kind": "x", "id": 2}}], 1),
        ("a._id.id -> b._id", [{"_id": {"id": 1}}, {"_id": {"id": 2}}], 1),
        ('a."naïve %s\'\n".x -> b._id', [{"naïve %s'\n": {"x": 1}}, {"naïve %s'\n": {"x": 2}}], 1),
        ("a.key -> b._id", [{"key": Int64(1)}, {"key": Decimal128("1.0")}, {"key": 1.5}], 1),
        ("a.key -> b._id", [{"key": {"$gt": 0}}, {"key": {"$gt": 0}}], 2),
    ],
)
def test_shapes(judge_documents: JudgeDocuments, reference: str, documents: Any, dangling: int) -> None:
    held = holding(a=documents, b=[{"_id": 1, "kind": "x"}])
    assert judge_documents("dangling-reference", held, expect(reference)).finding.count == dangling


def test_a_dbref_refers_by_its_key(judge_documents: JudgeDocuments) -> None:
    held = holding(customers=[{"_id": 1}], orders=[{"customer": DBRef("customers", key)} for key in (1, 2, 2)])
    finding = judge_documents("dangling-reference", held, expect(DBREF)).finding
    assert finding.message == "2 documents of orders name a customers._id that does not exist, 1 that is missing"


def test_dbrefs_to_elsewhere_are_not_read_as_fine(judge_documents: JudgeDocuments) -> None:
    elsewhere = [DBRef("persons", 1), DBRef("persons", 2), DBRef("customers", 3, "archive"), DBRef("customers", 1)]
    held = holding(customers=[{"_id": 1}], persons=[{}], orders=[{"customer": one} for one in elsewhere])
    judged = judge_documents("dangling-reference", held, expect(DBREF))
    assert judged.gaps == {
        DBREF: "3 DBRefs name another collection or database, which no declared reference is about"
        " (persons 2, archive.customers 1)"
    }


def test_dbrefs_to_several_collections_that_are_all_declared(judge_documents: JudgeDocuments) -> None:
    orders = [{"customer": DBRef("customers", 1)}, {"customer": DBRef("persons", 7)}, {"customer": DBRef("persons", 8)}]
    held = holding(customers=[{"_id": 1}], persons=[{"_id": 7}], orders=orders)
    judged = judge_documents("dangling-reference", held, expect(DBREF, "orders.customer.$id -> persons._id"))
    assert (judged.proven, judged.finding.count) == ([DBREF], 1)


def test_a_dbref_of_this_very_database_and_one_to_a_collection_that_is_not_there(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.customers.insert_one({"_id": 1})
        refs = [DBRef("customers", 1, db.name), DBRef("custmers", 1), DBRef("customers", 9)]
        db.orders.insert_one({"customers": refs})

    finding = judge_documents("dangling-reference", prepare, expect("orders.customers[].$id -> customers._id")).finding
    assert finding.message == (
        "1 reference of orders names a customers._id that does not exist, 1 that is missing; 1 DBRef of orders names the"
        " collection custmers, which is not there"
    )
    assert finding.count == 2


@pytest.mark.parametrize(
    ("names", "parents", "words"),
    [
        (["a" * 24, "b" * 24], [ObjectId()], "; all 2 are string, the parent's are objectId"),
        (["a" * 24, ObjectId()], [ObjectId()], "; 1 of them is string, the parent's are objectId"),
        (["a", 1, Int64(2)], [ObjectId(), 7], "; 1 of them is string, the parent's are int and objectId"),
        (["a"], [1.5, Int64(1)], "; it is string, the parent's are double and long"),
        (["a"], ["b", 1], ""),
        ([9], [1.5], ""),
    ],
)
def test_both_sides_types(judge_documents: JudgeDocuments, names: Any, parents: Any, words: str) -> None:
    held = holding(a=[{"key": name} for name in names], b=[{"_id": parent} for parent in parents])
    message = judge_documents("dangling-reference", held, expect("a.key -> b._id")).finding.message
    assert message.partition(" different ones")[2] or message.partition(" that is missing")[2] == words
    assert message.endswith(words)


def test_both_sides_types_of_many_missing_keys(judge_documents: JudgeDocuments) -> None:
    held = holding(a=[{"key": str(number)} for number in range(FEW + 9)], b=[{"_id": number} for number in range(9)])
    finding = judge_documents("dangling-reference", held, expect("a.key -> b._id")).finding
    assert finding.message.endswith(f"; all {FEW + 9} are string, the parent's are int")
    assert finding.evidence["types"] == {"string": FEW + 9}


def test_what_the_parent_does_not_have_at_all(judge_documents: JudgeDocuments) -> None:
    held = holding(a=[{"key": 1}], b=[{"kye": 1}])
    judged = judge_documents("dangling-reference", held, expect("a.key -> b.key", "a.key -> gone.key"))
    assert [finding.message.partition("; ")[2] for finding in judged.findings] == [
        "no document of b has key",
        "there is no collection gone",
    ]


@pytest.mark.parametrize(
    ("child", "parent", "dangling"),
    [(None, NO_CASE, ["c"]), (NO_CASE, None, ["A", "c"]), (NO_CASE, NO_CASE, ["c"]), (None, None, ["A", "c"])],
)
def test_texts_are_compared_as_the_parents_collection_does(
    judge_documents: JudgeDocuments, child: Any, parent: Any, dangling: list[str]
) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.create_collection("companies", collation=parent)
        db.create_collection("subscriptions", collation=child)
        db.subscriptions.create_index("name")
        db.companies.insert_many([{"name": "a"}, {"name": "b"}])
        db.subscriptions.insert_many([{"name": name} for name in ("A", "b", "c")])

    finding = judge_documents("dangling-reference", prepare, expect("subscriptions.name -> companies.name")).finding
    assert finding.count == len(dangling)
    assert {value.split('"')[1] for value in finding.values} == set(dangling)


def test_an_index_that_compares_otherwise_is_pointed_out(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.companies.create_index("name", name="by_name", unique=True, collation=NO_CASE)
        db.companies.insert_one({"name": "a"})
        db.subscriptions.insert_one({"name": "A"})

    finding = judge_documents("dangling-reference", prepare, expect("subscriptions.name -> companies.name")).finding
    assert "companies.by_name compares by another collation (en)" in finding.remedy


def test_views_on_either_side(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.companies.insert_many([{"name": "a"}, {"name": "b", "gone": True}])
        db.subscriptions.insert_many([{"name": "a"}, {"name": "b"}, {"name": "c"}])
        db.create_collection("standing", viewOn="companies", pipeline=[{"$match": {"gone": None}}])
        db.create_collection("known", viewOn="subscriptions", pipeline=[{"$match": {"name": {"$ne": "c"}}}])

    judged = judge_documents(
        "dangling-reference",
        prepare,
        expect("known.name -> standing.name", "known.name -> companies.name", "subscriptions.name -> standing.name"),
    )
    assert [finding.count for finding in judged.findings] == [1, 2]
    assert judged.proven == ["known.name -> companies.name"]


def test_a_view_with_a_collation_of_its_own(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.companies.insert_one({"name": "a"})
        db.subscriptions.insert_one({"name": "a"})
        db.create_collection("loose", viewOn="companies", pipeline=[], collation=NO_CASE)

    reference = "subscriptions.name -> loose.name"
    judged = judge_documents("dangling-reference", prepare, expect(reference))
    assert judged.proven == [reference]
    view = "loose.name -> companies.name"
    assert judge_documents("dangling-reference", lambda _: None, expect(view)).gaps == {
        view: "a view with a collation of its own, which the server compares with no other"
    }


def test_a_view_that_cannot_be_read_hides_no_other_reference(mongo_server: MongoServer, mongo_database: Database) -> None:
    with session(mongo_database.private) as client:
        db = client[mongo_database.name]
        db.a.insert_one({"key": 1})
        db.create_collection("failing", viewOn="a", pipeline=[{"$set": {"key": {"$toInt": "no number"}}}])
    expected = Expectations(documents=expect("a.key -> failing.key", "a.key -> b._id"))
    with MongoTarget(mongo_server, None, mongo_database, expected, Evidence()) as target:
        (outcome,) = run_checks(target, {"dangling-reference": DOCUMENTS["dangling-reference"]}, {})
    assert (outcome.state, [one.subject for one in outcome.findings]) == (State.ERRORED, ["a.key -> b._id"])
    assert "241: a.key -> failing.key: " in outcome.reason
