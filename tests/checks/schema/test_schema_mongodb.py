"""What the reader says of a MongoDB database."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database as Documents

from checks.schema.collections import Collection, CollectionIndex, CollectionKind, ValidationAction, ValidationLevel
from checks.schema.mongodb import read
from checks.targets import Role
from runner.servers.interface import Address, Database

MongoConnect = Callable[[Address], Documents[dict[str, Any]]]

ID = CollectionIndex("_id_", (("_id", 1),))


@pytest.fixture
def owner(mongo_database: Database, mongo_connect: MongoConnect) -> Documents[dict[str, Any]]:
    return mongo_connect(mongo_database.addresses[Role.OWNER])


def one(owner: Documents[dict[str, Any]]) -> Collection:
    (found,) = read(owner).all
    return found


def test_a_plain_collection(owner: Documents[dict[str, Any]]) -> None:
    owner.a.insert_many([{}, {}])
    assert one(owner) == Collection("a", indexes=(ID,), documents=2)


def test_validators_and_their_level(owner: Documents[dict[str, Any]]) -> None:
    rule = {"$jsonSchema": {"required": ["x"]}}
    owner.create_collection("a", validator=rule, validationLevel="moderate", validationAction="warn")
    found = one(owner)
    assert (found.validator, found.validation_level, found.validation_action) == (
        rule,
        ValidationLevel.MODERATE,
        ValidationAction.WARN,
    )
    assert found.options == {}
    owner.command("collMod", "a", validationLevel="off", validationAction="error")
    assert (one(owner).validation_level, one(owner).validation_action) == (ValidationLevel.OFF, ValidationAction.ERROR)
    owner.command("collMod", "a", validator={})
    assert one(owner).validator is None


def test_indexes_of_every_kind(owner: Documents[dict[str, Any]]) -> None:
    owner.a.create_index([("b", 1), ("a", -1)], name="two", unique=True, sparse=True)
    owner.a.create_index("at", name="ttl", expireAfterSeconds=60, partialFilterExpression={"x": {"$gt": 1}}, hidden=True)
    owner.a.create_index([("place", "2dsphere")], name="place")
    owner.a.create_index([("words", "text"), ("more", "text")], name="words", weights={"words": 5})
    owner.a.create_index("x", name="german", collation={"locale": "de", "strength": 2})
    index = one(owner).index
    assert list(index) == ["_id_", "german", "place", "ttl", "two", "words"]
    assert index["two"] == CollectionIndex("two", (("b", 1), ("a", -1)), unique=True, sparse=True)
    assert index["ttl"] == CollectionIndex(
        "ttl", (("at", 1),), expire_after_seconds=60, partial_filter={"x": {"$gt": 1}}, hidden=True
    )
    assert index["place"].keys == (("place", "2dsphere"),)
    assert set(index["words"].keys) == {("words", "text"), ("more", "text")}
    assert index["words"].options["weights"] == {"words": 5, "more": 1}
    assert index["german"].collation is not None
    assert (index["german"].collation["locale"], index["german"].collation["strength"]) == ("de", 2)


@pytest.mark.mongodb_since("5.0")
def test_views_time_series_and_capped_collections(owner: Documents[dict[str, Any]]) -> None:
    owner.create_collection("times", timeseries={"timeField": "at"})
    owner.times.insert_many([{"at": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "n": n} for n in range(3)])
    owner.create_collection("seen", viewOn="times", pipeline=[{"$match": {"n": 1}}])
    owner.create_collection("round", capped=True, size=4096)
    found = read(owner).collection
    assert {name: (each.kind, each.documents) for name, each in found.items()} == {
        "round": (CollectionKind.COLLECTION, 0),
        "seen": (CollectionKind.VIEW, 0),
        "times": (CollectionKind.TIME_SERIES, 3),
    }
    assert found["seen"].options == {"viewOn": "times", "pipeline": [{"$match": {"n": 1}}]}
    assert found["seen"].indexes == ()
    assert found["round"].options["capped"] is True


def test_books_of_tools_and_of_the_server_are_left_out(owner: Documents[dict[str, Any]]) -> None:
    for name in ("changelog", "_migrations", "schema_migrations", "judged", "mine"):
        owner.create_collection(name)
    owner.create_collection("view", viewOn="judged", pipeline=[])
    owner.command("profile", 0)
    assert list(read(owner).collection) == ["judged", "mine", "view"]
    assert list(read(owner, frozenset({"mine"})).collection) == ["judged", "view"]
