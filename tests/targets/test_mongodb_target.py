"""What checks are handed of a MongoDB database: collections, sessions that read, copies to write to."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo.database import Database as Documents

from checks.declared.expectations import Expectations
from checks.document_targets import Denied, Stored
from checks.evidence import Evidence
from checks.schema.collections import CollectionKind
from checks.targets import Role, StatementFailed
from runner.servers.interface import Address, Database
from runner.servers.mongodb.server import MongoServer
from runner.targets.mongodb import MongoTarget

MongoConnect = Callable[[Address], Documents[dict[str, Any]]]


@pytest.fixture
def owner(mongo_database: Database, mongo_connect: MongoConnect) -> Documents[dict[str, Any]]:
    inside = mongo_connect(mongo_database.addresses[Role.OWNER])
    schema = {"bsonType": "object", "required": ["name"], "properties": {"name": {"bsonType": "string", "minLength": 1}}}
    inside.create_collection("companies", validator={"$jsonSchema": schema})
    inside.companies.create_index("name", unique=True, name="name_unique")
    inside.companies.insert_many([{"_id": n, "name": f"company {n}"} for n in range(5)])
    inside.create_collection("view", viewOn="companies", pipeline=[{"$match": {"_id": {"$lt": 2}}}])
    inside.create_collection("no_view", viewOn="companies", pipeline=[{"$match": {"_id": -1}}])
    inside.create_collection("empty")
    inside.create_collection("changelog")
    return inside


@pytest.fixture
def target(
    mongo_server: MongoServer,
    mongo_database: Database,
    owner: Documents[dict[str, Any]],  # noqa: ARG001 - it fills the database
) -> Iterator[MongoTarget]:
    golden = mongo_server.seal(mongo_database)
    with MongoTarget(mongo_server, golden, golden.database, Expectations(), Evidence()) as handed:
        yield handed


def test_collections_and_what_is_filled(target: MongoTarget) -> None:
    kinds = {one.name: one.kind for one in target.collections.all}
    assert kinds == {
        "companies": CollectionKind.COLLECTION,
        "empty": CollectionKind.COLLECTION,
        "no_view": CollectionKind.VIEW,
        "view": CollectionKind.VIEW,
    }
    assert target.filled == {"companies", "view"}
    assert target.collections is target.collections


def test_a_session_reads(target: MongoTarget) -> None:
    with target.documents() as documents:
        assert documents.count("companies") == 5
        assert documents.count("companies", {"_id": {"$gt": 2}}) == 2
        found = documents.find("companies", {"_id": {"$lt": 3}}, {"name": 1, "_id": 0}, sort=[("_id", -1)], limit=2)
        assert list(found) == [{"name": "company 2"}, {"name": "company 1"}]
        assert list(documents.aggregate("companies", [{"$group": {"_id": None, "n": {"$sum": 1}}}])) == [{"_id": None, "n": 5}]
        explained = documents.explain("companies", {"name": "company 1"})
        assert explained["executionStats"]["totalDocsExamined"] == 1
        assert "COLLSCAN" in repr(documents.explain("companies", [{"$match": {"other": 1}}]))


def test_the_server_refusal_comes_with_its_code_and_words(target: MongoTarget) -> None:
    with target.documents() as documents:
        for attempt in (
            lambda: list(documents.find("companies", {"$unheard": 1})),
            lambda: list(documents.aggregate("companies", [{"$match": {"$unheard": 1}}])),
            lambda: documents.count("companies", {"$unheard": 1}),
            lambda: documents.explain("companies", {"$unheard": 1}),
        ):
            with pytest.raises(StatementFailed, match="unknown top level operator: \\$unheard") as caught:
                attempt()
            assert caught.value.code == "2"


def test_a_session_cannot_write(target: MongoTarget) -> None:
    with target.documents() as documents:
        for writing in ({"$out": "stolen"}, {"$merge": {"into": "companies"}}):
            for attempt in (documents.aggregate, documents.explain):
                with pytest.raises(StatementFailed, match="writes, and this session only reads"):
                    list(attempt("companies", [{"$match": {}}, writing]))
        with pytest.raises(StatementFailed):
            list(documents.aggregate("companies", [{"$facet": {"a": [{"$out": "stolen"}]}}]))
    assert "stolen" not in target.collections.collection


def test_values_that_python_cannot_hold_are_read(
    mongo_server: MongoServer, mongo_database: Database, owner: Documents[dict[str, Any]]
) -> None:
    owner.odd.insert_one({"_id": 1, "at": datetime.datetime(2026, 1, 1)})
    owner.command("update", "odd", updates=[{"q": {}, "u": [{"$set": {"at": {"$add": ["$at", _FAR]}}}]}])
    golden = mongo_server.seal(mongo_database)
    with (
        MongoTarget(mongo_server, golden, golden.database, Expectations(), Evidence()) as target,
        target.documents() as documents,
    ):
        (found,) = documents.find("odd", {})
        assert int(found["at"]) > 253402300800000


#: Twenty thousand years, in milliseconds.
_FAR = 20_000 * 366 * 86_400_000


def test_a_scratch_holds_the_real_rules_and_no_documents(target: MongoTarget, mongo_server: MongoServer) -> None:
    with target.scratch(["companies"]) as scratch:
        assert scratch.documents().count("companies") == 0
        assert scratch.insert("companies", {"name": "company 1"}) == Stored(1)
        twice = scratch.insert("companies", {"name": "company 1"})
        assert isinstance(twice, Denied)
        assert (twice.code, twice.index) == ("11000", "name_unique")
        assert "company 1" not in twice.said
        assert "company 1" in twice.detail
        wrong = scratch.insert("companies", {"name": ""})
        assert isinstance(wrong, Denied)
        assert (wrong.code, wrong.index) == ("121", "")
        assert "Document failed validation" in wrong.said
        assert mongo_server.version.startswith("4.") or "name: minLength" in wrong.said, "4.4 does not say which rule"
        assert scratch.update("companies", {"name": "company 1"}, {"$set": {"name": "other"}}) == Stored(1)
        assert isinstance(scratch.update("companies", {"name": "other"}, {"$unset": {"name": 1}}), Denied)
        assert scratch.update("companies", {"name": "nobody"}, {"$set": {"name": "x"}}) == Stored(0)
        assert scratch.delete("companies", {}) == Stored(1)
    with target.documents() as documents:
        assert documents.count("companies") == 5


def test_a_scratch_with_rows_is_a_copy_that_goes(
    target: MongoTarget, mongo_server: MongoServer, mongo_database: Database
) -> None:
    before = mongo_server.client.list_database_names()
    with target.scratch(["companies", "view"], rows=True) as scratch:
        documents = scratch.documents()
        assert (documents.count("companies"), documents.count("view"), documents.count("empty")) == (5, 2, 0)
        (made,) = set(mongo_server.client.list_database_names()) - set(before)
        assert made.startswith(mongo_database.name)
        refused = scratch.insert("companies", {"_id": 1, "name": "x"})
        assert isinstance(refused, Denied)
        assert made not in refused.said
        assert mongo_database.name in refused.said
    assert mongo_server.client.list_database_names() == before


def test_what_is_no_bson_fails(target: MongoTarget) -> None:
    with target.scratch(["companies"]) as scratch, pytest.raises(Exception, match="cannot encode object"):
        scratch.insert("companies", {"name": object()})


def test_a_check_that_still_reads_is_stopped_with_the_target(
    mongo_server: MongoServer, mongo_database: Database, owner: Documents[dict[str, Any]]
) -> None:
    del owner
    golden = mongo_server.seal(mongo_database)
    said: list[StatementFailed] = []
    with (
        MongoTarget(mongo_server, golden, golden.database, Expectations(), Evidence()) as target,
        target.documents() as documents,
    ):
        documents.count("companies")

        def read() -> None:
            try:
                list(documents.find("companies", {"$where": "sleep(60000) || true"}))
            except StatementFailed as failure:
                said.append(failure)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        while not mongo_server.client.admin.aggregate([{"$currentOp": {}}, {"$match": {"command.find": "companies"}}]).try_next():
            assert thread.is_alive()
    thread.join(10)
    assert not thread.is_alive()
    assert len(said) == 1
    with pytest.raises(StatementFailed, match="the run was stopped"), target.documents():
        pass
