"""in-memory-sort: an order that no index gives, where it must come from one, and sorts that went to disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from document_judging import JudgeDocuments
from judging import Judged

from checks.declared.documents import DocumentExpectations, DocumentQuery
from checks.declared.queries import Category
from checks.evidence import Evidence
from checks.interface import Severity
from runner.measure.mongodb import measure
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session

Judge = Callable[..., Judged]


def query(**given: Any) -> DocumentQuery:
    asked = {"find": {"company": "{subscriptions.company}"}, "pipeline": None, "category": Category.SIMPLE, "limit": 5.0} | given
    return DocumentQuery("one", "subscriptions", **asked)


@pytest.fixture
def judge(judge_documents: JudgeDocuments, mongo_database: Database) -> Judge:
    """Fills the collection, measures the query, and gives what the check says of it."""

    def run(one: DocumentQuery, *indexes: Any) -> Judged:
        with session(mongo_database.private) as client:
            subscriptions = client[mongo_database.name].subscriptions
            subscriptions.insert_many([{"company": f"c{n % 50}", "at": n, "price": n % 9} for n in range(300)])
            for keys in indexes:
                subscriptions.create_index(keys)
        evidence = Evidence(queries=measure(mongo_database, [one]))
        return judge_documents("in-memory-sort", lambda _: None, DocumentExpectations(queries=(one,)), evidence)

    return run


def test_a_sort_in_memory_is_an_error_where_it_is_not_to_be(judge: Judge) -> None:
    finding = judge(query(sort=(("at", -1),), in_memory_sort=False), "company").finding
    assert "bytes by (-at) in memory; the index subscriptions.company_1 is used" in finding.message
    assert 'createIndex({company: 1, at: -1}, {name: "company_1_at_-1"})' in finding.remedy
    assert finding.severity is None, "the check's own, an error"


def test_an_index_in_that_order_proves_it_in_both_directions(judge: Judge) -> None:
    found = judge(query(sort=(("at", -1),), in_memory_sort=False), [("company", 1), ("at", 1)])
    assert found.proven == ["one"]


def test_a_sort_that_may_be_in_memory_is_proven(judge: Judge) -> None:
    assert judge(query(sort=(("at", -1),)), "company").proven == ["one"]


def test_a_sort_on_disk_is_a_warning_whatever_is_declared(judge: Judge, mongo_database: Database) -> None:
    parameter = "internalQueryMaxBlockingSortMemoryUsageBytes"
    with session(mongo_database.private) as client:
        was = client.admin.command({"getParameter": 1, parameter: 1})[parameter]
        client.admin.command({"setParameter": 1, parameter: 2000})
        try:
            one = query(find=None, pipeline=[{"$sort": {"price": 1}}], category=Category.BATCH)
            finding = judge(one).finding
        finally:
            client.admin.command({"setParameter": 1, parameter: was})
    assert "by (price) on disk, as memory did not do" in finding.message
    assert (finding.severity, finding.evidence["on_disk"]) == (Severity.WARNING, True)
