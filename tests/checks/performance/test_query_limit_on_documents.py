"""query-limit on MongoDB: the same limits of time, and how many documents the server looks at."""

from __future__ import annotations

from typing import Any

import pytest
from document_judging import JudgeDocuments
from pymongo.database import Database as Documents

from checks.declared.documents import DocumentExpectations, DocumentQuery
from checks.declared.queries import Category
from checks.evidence import Evidence
from checks.measured import QueryTiming
from checks.schema.collections import collection_reference
from runner.measure.mongodb import measure
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session

DOCUMENTS = 50


def query(examined: int | None = None, limit: float = 5.0, collection: str = "companies") -> DocumentQuery:
    return DocumentQuery("by_name", collection, {"name": "{companies.name}"}, None, Category.SIMPLE, limit, examined)


def fill(db: Documents[dict[str, Any]]) -> None:
    db.companies.insert_many([{"name": f"company {number}"} for number in range(DOCUMENTS)])


def indexed(db: Documents[dict[str, Any]]) -> None:
    fill(db)
    db.companies.create_index("name")


def measured(database: Database, one: DocumentQuery, prepare: Any) -> Evidence:
    with session(database.private) as client:
        prepare(client[database.name])
    return Evidence(queries=measure(database, [one]))


def unchanged(db: Documents[dict[str, Any]]) -> None:
    """The test has filled it already."""


def test_an_index_keeps_it_within_what_it_may_examine(judge_documents: JudgeDocuments, mongo_database: Database) -> None:
    evidence = measured(mongo_database, query(1), indexed)
    judged = judge_documents("query-limit", unchanged, DocumentExpectations(queries=(query(1),)), evidence)
    assert (judged.proven, judged.findings) == (["by_name"], [])


def test_without_an_index_it_looks_at_everything(judge_documents: JudgeDocuments, mongo_database: Database) -> None:
    evidence = measured(mongo_database, query(10), fill)
    finding = judge_documents("query-limit", unchanged, DocumentExpectations(queries=(query(10),)), evidence).finding
    assert finding.message == (
        "by_name: looks at 50 documents for 1; the limit is 10; companies is read from end to end (COLLSCAN)"
    )
    assert (finding.evidence["documents_examined"], finding.evidence["scanned"]) == (DOCUMENTS, ["companies"])
    assert finding.objects == (collection_reference("companies"),)


def test_nothing_is_said_of_what_may_examine_all(judge_documents: JudgeDocuments, mongo_database: Database) -> None:
    evidence = measured(mongo_database, query(), fill)
    assert judge_documents("query-limit", unchanged, DocumentExpectations(queries=(query(),)), evidence).proven == ["by_name"]


def test_time_counts_too(judge_documents: JudgeDocuments, mongo_database: Database) -> None:
    evidence = measured(mongo_database, query(limit=1e-9), fill)
    expect = DocumentExpectations(queries=(query(limit=1e-9),))
    assert (
        "the limit is 1e-06 ms; companies is read" in judge_documents("query-limit", unchanged, expect, evidence).finding.message
    )


@pytest.mark.parametrize(
    ("failure", "code", "outcome"),
    [("stopped after 2 s", "50", "finding"), ("not authorized", "13", "permission denied")],
)
def test_codes_of_mongodb(judge_documents: JudgeDocuments, failure: str, code: str, outcome: str) -> None:
    timing = QueryTiming("by_name", Category.SIMPLE, 0.5, (), 0, failure, code)
    judged = judge_documents("query-limit", fill, DocumentExpectations(queries=(query(),)), Evidence(queries=(timing,)))
    if outcome == "finding":
        assert judged.finding.message == "by_name: did not end: stopped after 2 s; the limit is 500 ms"
    else:
        assert judged.gaps == {"by_name": outcome}


def test_an_empty_collection_proves_nothing(judge_documents: JudgeDocuments, mongo_database: Database) -> None:
    one = DocumentQuery("all", "companies", {}, None, Category.SIMPLE, 5.0)
    evidence = measured(mongo_database, one, lambda db: db.create_collection("companies"))
    judged = judge_documents("query-limit", unchanged, DocumentExpectations(queries=(one,)), evidence)
    assert judged.gaps == {"all": "no documents"}


def limited(**limits: Any) -> DocumentQuery:
    return DocumentQuery("by_name", "companies", {"name": "{companies.name}"}, None, Category.SIMPLE, 5.0, **limits)


def test_keys_and_what_each_document_costs_have_limits_too(judge_documents: JudgeDocuments, mongo_database: Database) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.companies.insert_many([{"name": f"company {number % 5}", "town": number} for number in range(DOCUMENTS)])
        db.companies.create_index("name")

    wide = DocumentQuery(
        "by_name",
        "companies",
        {"name": "{companies.name}", "town": "{companies.town}"},
        None,
        Category.SIMPLE,
        5.0,
        keys_examined=9,
        examined_per_returned=1.5,
    )
    evidence = measured(mongo_database, wide, prepare)
    finding = judge_documents("query-limit", unchanged, DocumentExpectations(queries=(wide,)), evidence).finding
    assert finding.message == (
        "by_name: looks at 10 keys of indexes for 1; the limit is 9; looks at 10 for each that comes back; the limit is 1.5"
        "; the index companies.name_1 is used"
    )
    assert "createIndex({name: 1, town: 1}" in finding.remedy
    kept = limited(keys_examined=10, examined_per_returned=1)
    evidence = measured(mongo_database, kept, unchanged)
    assert judge_documents("query-limit", unchanged, DocumentExpectations(queries=(kept,)), evidence).proven == ["by_name"]
