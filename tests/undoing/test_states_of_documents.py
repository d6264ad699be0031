"""States of a real MongoDB: what counts as another state, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import DBRef, Decimal128, Int64, ObjectId
from pymongo.database import Database as Documents
from pymongo.errors import OperationFailure

from checks.reversals import Difference, DifferenceKind
from checks.schema.collections import collection_reference, index_reference, validator_reference
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session
from runner.undoing import documents, mongodb

Do = Callable[[Documents[dict[str, Any]]], object]

A = collection_reference("a")
KIND = DifferenceKind


def fill(db: Documents[dict[str, Any]]) -> None:
    db.create_collection("a", validator={"x": {"$exists": True}})
    db.a.create_index("x", name="by_x")
    db.a.insert_many({"_id": number, "x": number, "deep": {"b": [1, {"y": 1}], "c": 2}, "d": 1} for number in range(5))
    db.create_collection("v", viewOn="a", pipeline=[])
    db.create_collection("empty")


def compared(database: Database, do: Do) -> tuple[Difference, ...]:
    """What differs after something was done, compared with a copy from before it."""
    with session(database.private) as client:
        fill(client[database.name])
        with mongodb.copied(database) as before:
            do(client[database.name])
            return mongodb.differences(mongodb.read(before), mongodb.read(database), live=(before, database))


def written_anew(db: Documents[dict[str, Any]]) -> None:
    """The same documents in another order, with their fields in another order at every depth."""
    held = list(db.a.find())
    db.a.delete_many({})
    turned = [{"deep": {"c": one["deep"]["c"], "b": one["deep"]["b"]}, "x": one["x"], "d": 1, "_id": one["_id"]} for one in held]
    db.a.insert_many(reversed(turned))


@pytest.mark.parametrize(
    "do",
    [
        lambda _: None,
        written_anew,
        lambda db: [db.a.update_many({}, {"$rename": {"d": "z"}}), db.a.update_many({}, {"$rename": {"z": "d"}})],
        lambda db: [db.empty.drop(), db.create_collection("another")],
        lambda db: [db.changelog.insert_one({}), db.pymongo_migrate.insert_one({}), db.migrations_log.insert_one({})],
    ],
    ids=["nothing", "another order", "renamed there and back", "empty collections", "books of tools"],
)
def test_the_same_state(do: Do, mongo_database: Database) -> None:
    assert compared(mongo_database, do) == ()


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        (lambda db: db.a.drop_index("by_x"), [Difference(index_reference("a", "by_x"), KIND.MISSING)]),
        (lambda db: db.a.create_index("d", name="e %s.$"), [Difference(index_reference("a", "e %s.$"), KIND.EXTRA)]),
        (
            lambda db: [db.a.drop_index("by_x"), db.a.create_index("x", name="by_x", unique=True)],
            [Difference(index_reference("a", "by_x"), KIND.CHANGED, words="is unique, expected not unique")],
        ),
        (lambda db: db.command("collMod", "a", validator={}), [Difference(validator_reference("a"), KIND.MISSING)]),
        (
            lambda db: db.command("collMod", "a", validator={"y": {"$exists": False}}),
            [Difference(validator_reference("a"), KIND.CHANGED, words="is another one")],
        ),
        (
            lambda db: db.command("collMod", "a", validationAction="warn"),
            [
                Difference(
                    validator_reference("a"),
                    KIND.CHANGED,
                    words="has level strict and action warn, expected strict and error",
                )
            ],
        ),
        (lambda db: db.a.drop(), [Difference(A, KIND.MISSING, 5)]),
        (lambda db: db.other.insert_one({}), [Difference(collection_reference("other"), KIND.EXTRA, 1)]),
        (
            lambda db: db.create_collection("w", viewOn="a", pipeline=[]),
            [Difference(collection_reference("w"), KIND.EXTRA)],
        ),
        (
            lambda db: db.command("collMod", "v", viewOn="a", pipeline=[{"$limit": 1}]),
            [Difference(collection_reference("v"), KIND.CHANGED, words="has other options (pipeline)")],
        ),
        (lambda db: db.a.delete_many({"_id": {"$lt": 2}}), [Difference(A, KIND.ROWS_MISSING, 2)]),
        (lambda db: db.a.insert_one({"x": 1}), [Difference(A, KIND.ROWS_EXTRA, 1)]),
        (
            lambda db: [db.a.update_one({}, {"$unset": {"d": ""}}), db.a.update_many({"_id": 3}, {"$set": {"deep.b": []}})],
            [Difference(A, KIND.ROWS_CHANGED, 2, "d, deep")],
        ),
        (lambda db: db.a.update_one({"_id": 1}, {"$set": {"d": 1.0}}), [Difference(A, KIND.ROWS_CHANGED, 1, "d")]),
        (lambda db: db.a.update_one({"_id": 1}, {"$set": {"d": None}}), [Difference(A, KIND.ROWS_CHANGED, 1, "d")]),
    ],
    ids=lambda value: None if callable(value) else "-".join(one.kind.value for one in value),
)
def test_another_state(do: Do, expected: list[Difference], mongo_database: Database) -> None:
    assert list(compared(mongo_database, do)) == expected


def odd(db: Documents[dict[str, Any]]) -> None:
    """Keys and values of every kind, a capped collection, a time series, one with a collation, hostile names."""
    ids: list[Any] = [
        1,
        Int64(2),
        2.5,
        "é\n%s",
        b"\0",
        ObjectId(),
        None,
        True,
        datetime(2020, 1, 1, tzinfo=UTC),
        {"b": 1, "a": 2},
    ]
    name = 'quo\'te "%s" é.x'
    db[name].insert_many({"_id": one, "a.b": 1, "$c": Decimal128("1.10"), "r": DBRef("a", 1)} for one in ids)
    db.create_collection("capped", capped=True, size=100_000)
    db.capped.insert_many({"_id": number} for number in (3, 1, 2))
    db.create_collection("measured", timeseries={"timeField": "at"})
    db.measured.insert_many({"at": datetime(2020, 1, number, tzinfo=UTC), "value": number} for number in (1, 2, 3))
    db.create_collection("loose", collation={"locale": "en", "strength": 1})
    db.loose.insert_many([{"_id": "a"}, {"_id": "b"}])


@pytest.mark.mongodb_since("5.0")
def test_odd_collections_stay_the_same_and_are_seen_to_change(mongo_database: Database) -> None:
    with session(mongo_database.private) as client:
        db = client[mongo_database.name]
        odd(db)
        with mongodb.copied(mongo_database) as before:
            live = (before, mongo_database)
            was = mongodb.read(before)
            assert mongodb.differences(was, mongodb.read(mongo_database), live=live) == ()
            db['quo\'te "%s" é.x'].update_many({}, {"$set": {"z": 1}})
            db.measured.insert_one({"at": datetime(2020, 1, 9, tzinfo=UTC)})
            db.loose.delete_one({"_id": "A"})
            found = {
                one.of.relation: (one.kind, one.rows) for one in mongodb.differences(was, mongodb.read(mongo_database), live=live)
            }
    assert found == {
        'quo\'te "%s" é.x': (KIND.ROWS_CHANGED, 10),
        "measured": (KIND.ROWS_EXTRA, 1),
        "loose": (KIND.ROWS_MISSING, 1),
    }


def test_numbers_alone_count_where_a_migration_writes_the_time(mongo_database: Database) -> None:
    with session(mongo_database.private) as client:
        db = client[mongo_database.name]
        db.a.insert_one({"at": 1})
        first = mongodb.read(mongo_database)
        db.a.update_one({}, {"$set": {"at": 2}})
        assert mongodb.differences(first, mongodb.read(mongo_database), numbers=True) == ()
        assert mongodb.differences(first, mongodb.read(mongo_database)) == (Difference(A, KIND.ROWS_CHANGED),)
        db.a.insert_one({})
        assert mongodb.differences(first, mongodb.read(mongo_database), numbers=True) == (Difference(A, KIND.ROWS_EXTRA, 1),)


def test_more_documents_than_are_looked_up_at_a_time(mongo_database: Database) -> None:
    with session(mongo_database.private) as client:
        db = client[mongo_database.name]
        db.a.insert_many({"_id": number} for number in range(2 * documents.BATCH + 5))
        with mongodb.copied(mongo_database) as before:
            db.a.delete_many({"_id": {"$gte": documents.BATCH}})
            db.a.insert_many({"_id": -number} for number in range(1, 4))
            found = mongodb.differences(mongodb.read(before), mongodb.read(mongo_database), live=(before, mongo_database))
    assert found == (Difference(A, KIND.ROWS_MISSING, documents.BATCH + 5), Difference(A, KIND.ROWS_EXTRA, 3))


def test_without_the_right_to_dbhash_digests_are_added_up(mongo_database: Database) -> None:
    name = mongo_database.name
    resource = {"resource": {"db": name, "collection": ""}, "actions": ["find", "listCollections", "listIndexes", "collStats"]}
    with session(mongo_database.private) as client:
        db = client[name]
        db.command("createRole", "reader", privileges=[resource], roles=[])
        db.command("createUser", "reader", pwd="reader", roles=["reader"])
        extra = {**mongo_database.private.extra, "authSource": name}
        address = replace(mongo_database.private, user="reader", password="reader", extra=extra)
        database = replace(mongo_database, private=address)
        with session(address) as reader, pytest.raises(OperationFailure):
            reader[name].command("dbHash")
        try:
            fill(db)
            first = mongodb.read(database)
            written_anew(db)
            assert mongodb.differences(first, mongodb.read(database)) == ()
            db.a.update_one({"_id": 1}, {"$set": {"d": 7}})
            assert mongodb.differences(first, mongodb.read(database)) == (Difference(A, KIND.ROWS_CHANGED),)
        finally:
            db.command("dropRole", "reader")
