"""collection-scan: what the server says of its plans against the limits, and the index that would serve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from document_judging import JudgeDocuments
from judging import Judged
from pymongo.database import Database as Documents

from checks.declared.documents import DocumentExpectations, DocumentLimits, DocumentQuery
from checks.declared.queries import Category
from checks.evidence import Evidence
from checks.interface import Severity
from checks.measured import QueryTiming
from checks.pipelines.equality_sort_range import advised
from checks.schema.collections import collection_reference
from checks.schema.indexes import create
from runner.measure.mongodb import measure
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session

COUNT = 300
LIMITED = DocumentLimits(collection_scan=100)

Judge = Callable[..., Judged]


def query(**given: Any) -> DocumentQuery:
    asked = {"find": {"company": "{subscriptions.company}"}, "pipeline": None, "category": Category.SIMPLE, "limit": 5.0} | given
    return DocumentQuery("one", "subscriptions", **asked)


def filled(db: Documents[dict[str, Any]]) -> None:
    db.subscriptions.insert_many([{"company": f"c{n % 50}", "at": n, "price": n % 9} for n in range(COUNT)])


@pytest.fixture
def judge(judge_documents: JudgeDocuments, mongo_database: Database) -> Judge:
    """Fills the collection, measures the query, and gives what a check says of it."""

    def run(check: str, one: DocumentQuery, *indexes: Any, limits: DocumentLimits = LIMITED, prepare: Any = filled) -> Judged:
        with session(mongo_database.private) as client:
            prepare(client[mongo_database.name])
            for keys in indexes:
                client[mongo_database.name].subscriptions.create_index(keys)
        evidence = Evidence(queries=measure(mongo_database, [one]))
        return judge_documents(check, lambda _: None, DocumentExpectations(queries=(one,), limits=limits), evidence)

    return run


def test_a_query_without_an_index_is_found_with_the_index_that_it_wants(judge: Judge) -> None:
    finding = judge("collection-scan", query(find={"price": {"$gt": 3}, "company": "{subscriptions.company}"})).finding
    assert "reads 300 documents for " in finding.message
    assert finding.message.endswith("and may read 100 without an index; subscriptions is read from end to end (COLLSCAN)")
    assert 'db.subscriptions.createIndex({company: 1, price: 1}, {name: "company_1_price_1"})' in finding.remedy
    assert (finding.severity, finding.objects) == (Severity.ERROR, (collection_reference("subscriptions"),))


def test_a_limit_that_nobody_declared_is_wider_and_a_warning(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    assert judge("collection-scan", query(), limits=DocumentLimits()).proven == ["one"]
    monkeypatch.setattr("checks.documents.collection_scan.MOST", 299)
    assert judge("collection-scan", query(), limits=DocumentLimits(), prepare=lambda _: None).finding.severity is None


def test_with_an_index_it_is_proven(judge: Judge) -> None:
    assert judge("collection-scan", query(), "company").proven == ["one"]


def test_what_is_to_read_everything_is_not_judged(judge: Judge) -> None:
    found = judge("collection-scan", query(category=Category.AGGREGATION))
    assert (found.proven, found.findings, found.gaps) == ([], [], {})


def test_a_lookup_without_an_index_names_the_other_collection(judge: Judge, mongo_server: MongoServer) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        filled(db)
        db.invoices.insert_many([{"of": f"c{n}"} for n in range(200)])

    lookup = {"from": "invoices", "localField": "company", "foreignField": "of", "as": "invoices"}
    one = query(find=None, pipeline=[{"$match": {"company": "c3"}}, {"$lookup": lookup}], category=Category.JOIN)
    judged = judge("collection-scan", one, "company", prepare=prepare)
    if mongo_server.version.startswith("4."):
        assert judged.gaps == {"one": "this server does not tell how it reads invoices"}
        return
    finding = judged.finding
    assert finding.objects == (collection_reference("invoices"),)
    assert "db.invoices.createIndex({of: 1}" in finding.remedy


@pytest.mark.parametrize("check", ["collection-scan", "in-memory-sort"])
def test_what_was_not_looked_into_is_not_proven(judge_documents: JudgeDocuments, judge: Judge, check: str) -> None:
    expect = DocumentExpectations(queries=(query(),))
    assert judge_documents(check, filled, expect).gaps == {"one": "not measured"}
    for code, gap in (("13", "permission denied"), ("50", "it did not end, see query-limit")):
        failed = QueryTiming("one", Category.SIMPLE, 5.0, (), 0, "refused", code)
        assert judge_documents(check, lambda _: None, expect, Evidence(queries=(failed,))).gaps == {"one": gap}
    empty = query(find={"company": "{subscriptions.unheard_of}"})
    assert judge(check, empty, prepare=lambda _: None).gaps == {"one": "no documents"}


@pytest.mark.parametrize(
    ("find", "sort", "expected"),
    [
        ({"a": 1, "b": {"$gt": 2}, "c": {"$in": [1, 2]}}, (("d", -1),), "{a: 1, c: 1, d: -1, b: 1}"),
        ({"$and": [{"a": 1}, {"b.c": {"$lt": 3, "$gte": 1}}]}, (), '{a: 1, "b.c": 1}'),
        ({"lines": {"$elemMatch": {"sku": "x", "units": {"$gt": 1}}}}, (), '{"lines.sku": 1, "lines.units": 1}'),
        ({"a": {"$exists": True, "$ne": None}, "b": {"x": 1}}, (("a", 1),), "{b: 1, a: 1}"),
        ({"a\n\"'%s": 1, "täglich": {"$regex": "^x", "$options": "i"}}, (), '{"a\\n\\"\'%s": 1, täglich: 1}'),
        ({"$or": [{"a": 1}, {"b": 1}]}, (), ""),
        ({"$expr": {"$eq": ["$a", "$b"]}}, (), ""),
        ({"place": {"$near": [0, 0]}}, (), ""),
        ({}, (), ""),
    ],
)
def test_equality_then_sort_then_range(find: dict[str, Any], sort: tuple[tuple[str, int], ...], expected: str) -> None:
    index = advised(query(find=find, sort=sort), "subscriptions")
    assert (create("subscriptions", index).partition("createIndex(")[2].partition(", {name")[0] if index else "") == expected


def test_a_pipeline_is_advised_up_to_where_it_changes_its_documents() -> None:
    stages = [
        {"$match": {"a": 1}},
        {"$sort": {"b": 1}},
        {"$match": {"c": {"$gt": 1}}},
        {"$project": {"d": 1}},
        {"$match": {"d": 1}},
    ]
    index = advised(query(find=None, pipeline=stages), "subscriptions")
    assert index is not None
    assert index.keys == (("a", 1), ("b", 1), ("c", 1))
    assert advised(query(find=None, pipeline=[{"$group": {"_id": "$a"}}]), "subscriptions") is None
