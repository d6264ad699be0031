"""Declared queries on MongoDB: measured with values of real documents, and what the server looks at for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from pymongo.database import Database as Documents

from checks.declared.documents import DocumentQuery
from checks.declared.queries import Category
from checks.measured import Examined, QueryTiming, UsedIndex
from checks.targets import Role
from runner.measure.mongodb import measure
from runner.measure.runs import RUNS
from runner.servers.interface import Address, Database
from runner.servers.mongodb.server import MongoServer

MongoConnect = Callable[[Address], Documents[dict[str, Any]]]

COUNT = 2000


@pytest.fixture
def filled(mongo_database: Database, mongo_connect: MongoConnect) -> Database:
    owner = mongo_connect(mongo_database.addresses[Role.OWNER])
    owner.companies.insert_many([{"_id": n, "name": f"company {n}", "deep": {"tags": [f"t{n}", "all"]}} for n in range(COUNT)])
    owner.companies.create_index("name")
    owner.subscriptions.insert_many([{"company": f"company {n}"} for n in range(COUNT)])
    return mongo_database


def timing(
    database: Database,
    find: Mapping[str, Any] | None = None,
    pipeline: Sequence[Mapping[str, Any]] | None = None,
    limit: float = 1.0,
    collection: str = "companies",
) -> QueryTiming:
    (found,) = measure(database, [DocumentQuery("one", collection, find, pipeline, Category.SIMPLE, limit)])
    return found


def test_a_find_is_run_with_values_of_documents(filled: Database, mongo_server: MongoServer) -> None:
    mark = mongo_server.mark()
    found = timing(filled, {"name": "{companies.name}"})
    assert (found.name, found.category, found.limit, found.failure, found.code) == ("one", Category.SIMPLE, 1.0, "", "")
    assert (len(found.seconds), found.rows) == (RUNS, 1)
    assert all(second > 0 for second in found.seconds)
    assert found.examined == Examined(documents=1, keys=1, indexes=(UsedIndex("companies", "name_1"),), per_returned=1.0)
    assert not [one for one in mongo_server.log(mark) if one.database == filled.name], "measuring is not the project's work"


def test_a_scan_is_told_with_what_it_looked_at(filled: Database) -> None:
    found = timing(filled, {"deep.tags": "{companies.deep.tags}"})
    assert found.rows == 1
    assert found.examined == Examined(documents=COUNT, keys=0, scanned=("companies",), per_returned=COUNT)


@pytest.mark.mongodb_since("5.0")
def test_a_pipeline_is_run_with_all_that_it_looks_up(filled: Database) -> None:
    lookup = {"from": "companies", "localField": "company", "foreignField": "name", "as": "found"}
    found = timing(
        filled, pipeline=[{"$match": {"company": "{subscriptions.company}"}}, {"$lookup": lookup}], collection="subscriptions"
    )
    assert found.rows == 1
    assert found.examined is not None
    assert found.examined.documents == COUNT + 1
    assert found.examined.scanned == ("subscriptions",)


@pytest.mark.mongodb_since("5.0")
def test_a_lookup_without_an_index_is_a_scan(filled: Database) -> None:
    lookup = {"from": "subscriptions", "localField": "name", "foreignField": "company", "as": "found"}
    found = timing(filled, pipeline=[{"$match": {"_id": {"$lt": 3}}}, {"$lookup": lookup}, {"$unwind": "$found"}])
    assert found.rows == 3
    assert found.examined is not None
    assert found.examined.documents >= COUNT
    assert "subscriptions" in found.examined.scanned


def test_values_of_one_collection_are_of_one_document(filled: Database) -> None:
    assert timing(filled, {"_id": "{companies._id}", "name": "{companies.name}"}).rows == 1
    assert timing(filled, {"$or": [{"name": {"$in": ["{companies.name}", "{subscriptions.company}"]}}]}).rows in (1, 2)


def test_the_values_are_the_same_in_every_run(filled: Database) -> None:
    seen = [timing(filled, pipeline=[{"$match": {"_id": {"$lt": "{companies._id}"}}}]).rows for _ in range(2)]
    assert seen[0] == seen[1]


def test_without_a_value_nothing_is_measured(filled: Database) -> None:
    found = timing(filled, {"name": "{companies.unheard_of}"})
    assert (found.seconds, found.failure, found.examined) == ((), "", None)


def test_a_text_that_names_no_collection_is_a_text(filled: Database) -> None:
    found = timing(filled, {"name": "{nothing.name}"})
    assert (len(found.seconds), found.rows) == (RUNS, 0)


def test_a_query_that_the_server_refuses_has_its_words_and_code(filled: Database) -> None:
    found = timing(filled, {"$unheard": 1})
    assert (found.seconds, found.code) == ((), "2")
    assert "unknown top level operator: $unheard" in found.failure


def test_a_query_that_would_write_is_refused_and_writes_nothing(filled: Database, mongo_server: MongoServer) -> None:
    found = timing(filled, pipeline=[{"$out": "stolen"}])
    assert "only reads" in found.failure
    assert "stolen" not in mongo_server.client[filled.name].list_collection_names()


def test_a_query_is_stopped_well_past_its_limit(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.measure.mongodb.PATIENCE", 0.1)
    found = timing(filled, {"$where": "sleep(5000) || true"}, limit=0.04)
    assert (found.seconds, found.failure, found.code) == ((), "stopped after 0.2 s", "50")


def test_one_that_fails_does_not_end_the_others(filled: Database) -> None:
    queries = [
        DocumentQuery("wrong", "companies", {"$unheard": 1}, None, Category.SIMPLE, 1.0),
        DocumentQuery("right", "companies", {"_id": 1}, None, Category.SIMPLE, 1.0),
    ]
    assert [(one.name, bool(one.failure)) for one in measure(filled, queries)] == [("wrong", True), ("right", False)]
    assert measure(filled, []) == ()
