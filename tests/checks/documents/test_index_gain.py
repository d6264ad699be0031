"""index-gain: a query with its indexes against the same query without, and what the pairs must show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from document_judging import JudgeDocuments
from judging import Judged
from pymongo.database import Database as Documents

from checks.declared.documents import DocumentExpectations, DocumentQuery
from checks.declared.expectations import Expectations
from checks.declared.queries import Category
from checks.evidence import Evidence
from checks.measured import IndexGain, UsedIndex
from checks.schema.collections import index_reference
from runner.backends import mongodb
from runner.measure.mongodb import measure
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session

COUNT = 4000
BY_COMPANY = (UsedIndex("subscriptions", "company_1"),)


def query(field: str = "company", gain: float | None = 1.5, **given: Any) -> DocumentQuery:
    asked = {"find": {field: f"{{subscriptions.{field}}}"}, "pipeline": None} | given
    return DocumentQuery("one", "subscriptions", category=Category.SIMPLE, limit=5.0, gain=gain, **asked)


def filled(db: Documents[dict[str, Any]], count: int = COUNT) -> None:
    db.subscriptions.insert_many([{"company": f"c{n}", "all": "same", "at": [n, n], "pad": "x" * 100} for n in range(count)])
    for field in ("company", "all"):
        db.subscriptions.create_index(field)
    db.subscriptions.create_index([("company", 1), ("all", 1)], name="second")


def weighed(database: Database, one: DocumentQuery) -> Evidence:
    expect = Expectations(documents=DocumentExpectations(queries=(one,)))
    return mongodb.weigh(database, expect, Evidence(queries=measure(database, [one])))


Judge = Callable[..., Judged]


@pytest.fixture
def judge(judge_documents: JudgeDocuments, mongo_database: Database) -> Judge:
    """Fills the collection, measures a query with its indexes and without, and gives what the check says of it."""

    def run(one: DocumentQuery, count: int = COUNT, gains: tuple[IndexGain, ...] | None = None) -> Judged:
        with session(mongo_database.private) as client:
            filled(client[mongo_database.name], count)
        told = weighed(mongo_database, one) if gains is None else Evidence(queries=measure(mongo_database, [one]), gains=gains)
        return judge_documents("index-gain", lambda _: None, DocumentExpectations(queries=(one,)), told)

    return run


def test_an_index_that_finds_one_of_thousands_gains(judge: Judge, mongo_database: Database) -> None:
    assert judge(query()).proven == ["one"]
    with session(mongo_database.private) as client:
        hidden = [one["name"] for one in client[mongo_database.name].subscriptions.list_indexes() if one.get("hidden")]
    assert hidden == [], "what was hidden is shown again"


def test_an_index_on_what_all_have_gains_nothing(judge: Judge) -> None:
    finding = judge(query("all", gain=50)).finding
    assert finding.message.startswith("one: index subscriptions.all_1: ")
    assert finding.message.endswith("; expected at least 50x")
    assert finding.objects[0] == index_reference("subscriptions", "all_1")


def test_a_query_without_an_index_gains_nothing_and_is_told_what_to_build(judge: Judge) -> None:
    finding = judge(query(find={"pad": "y"})).finding
    assert finding.message == "one: uses no index; expected at least 1.5x"
    assert "db.subscriptions.createIndex({pad: 1}" in finding.remedy


def test_what_cannot_be_measured_is_not_proven(judge: Judge) -> None:
    assert judge(query(), count=50).gaps == {"one": "fewer than 1000 documents"}


def test_a_key_of_its_own_cannot_be_hidden(judge: Judge) -> None:
    assert judge(query("_id")).gaps == {"one": "the index of _id cannot be hidden"}


def test_a_database_that_is_only_read_has_no_copy_to_measure_on(judge: Judge) -> None:
    assert judge(query(), gains=()).gaps == {"one": "measured on a copy only"}


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (IndexGain("one", BY_COMPANY, ((0.002, 0.045),) * 9), None),
        (IndexGain("one", BY_COMPANY, ((0.002, 2.0),), stopped=True), None),
        (IndexGain("one", BY_COMPANY, ((0.002, 0.004),) * 9), "index subscriptions.company_1: 2x, 4 ms to 2 ms"),
        (IndexGain("one", BY_COMPANY, failure="text index required"), "does not run without its index: text index required"),
    ],
)
def test_pairs_are_judged_by_their_bounds(judge: Judge, gain: IndexGain, said: str | None) -> None:
    judged = judge(query(gain=20), gains=(gain,))
    if said is None:
        assert judged.proven == ["one"]
    elif gain.failure:
        assert judged.gaps == {"one": said}
    else:
        assert judged.finding.message == f"one: {said}; expected at least 20x"


def test_a_query_without_a_gain_is_measured_for_the_report_and_not_judged(
    judge_documents: JudgeDocuments, mongo_database: Database
) -> None:
    with session(mongo_database.private) as client:
        filled(client[mongo_database.name])
    one = query(gain=None)
    evidence = weighed(mongo_database, one)
    assert [(found.query, found.indexes) for found in evidence.gains] == [("one", BY_COMPANY)]
    judged = judge_documents("index-gain", lambda _: None, DocumentExpectations(queries=(one,)), evidence)
    assert (judged.proven, judged.findings, judged.gaps) == ([], [], {})


def test_a_query_that_is_stopped_without_its_index_gains_at_least_that(
    mongo_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session(mongo_database.private) as client:
        filled(client[mongo_database.name], 20_000)
    monkeypatch.setattr("runner.measure.mongodb_gains.timeout_of", lambda _: 0.001)
    (gain,) = weighed(mongo_database, query()).gains
    assert (gain.stopped, gain.pairs[0][1], len(gain.pairs)) == (True, 0.001, 1)
