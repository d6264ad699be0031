"""Base's documents beside head's on MongoDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import DBRef, Decimal128, Int64, ObjectId
from following import told
from pymongo.database import Database as Documents

from checks.schema.names import TableName
from checks.survivals import Survival
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session
from runner.surviving.mongodb import documents
from runner.undoing.mongodb import copied

Do = Callable[[Documents[dict[str, Any]]], object]

BEGAN = datetime(2024, 1, 1, 12, 30, 15, 250_000, tzinfo=UTC)
#: Where a name begins with a dollar, an older server takes an insert of the document and no update.
DOLLARS = pytest.mark.mongodb_since("5.0")
ODD = {"a.b": "dotted", "$cost": 7, "": "empty", "ü \n%s'\"": "unicode", "[0]": "bracket"}


def order(number: int) -> dict[str, Any]:
    """A document with a value of every kind that matters."""
    return {
        "_id": number,
        "total": number + 0.25,
        "count": number,
        "big": Int64(2**53 + 1 + number),
        "money": Decimal128(f"{number}.1250"),
        "name": f"name of order {number}",
        "zip": f"{number:05}",
        "placed": BEGAN + timedelta(hours=number),
        "paid": number % 2 == 0,
        "buyer": ObjectId(f"{number:024x}"),
        "ref": DBRef("buyers", number),
        "address": {"street": f"street {number}", "city": "Bern", "geo": [7.4 + number, 46.9]},
        "lines": [{"sku": f"sku-{number}-{line}", "quantity": line + 0.5} for line in range(3)],
        "tags": [f"tag {number}", "new"],
        "note": None,
        "odd": dict(ODD),
        "deep": {"b": {"c": {"d": [{"e": {"f": f"bottom {number}"}}]}}},
        "prices": {f"2024-{number:02}-{day:02}": day + 0.5 for day in range(1, 29)},
    }


def fill(db: Documents[dict[str, Any]]) -> None:
    db.orders.insert_many(order(number) for number in range(1, 21))
    db.log.insert_many({"_id": f"l{number}", "line": "x"} for number in range(3))
    db.create_collection("v", viewOn="orders", pipeline=[])
    db.create_collection("empty")


@pytest.fixture(scope="module")
def base(mongo_server: MongoServer) -> Iterator[Database]:
    """A database of which nothing is changed."""
    database = mongo_server.create("surviving")
    fill(mongo_server.client["surviving"])
    yield database
    mongo_server.client.drop_database("surviving")


@contextmanager
def changed(base: Database, do: Do) -> Iterator[Database]:
    """A copy of it, of which something is."""
    with copied(base) as head, session(head.private) as client:
        do(client[head.name])
        yield head


def follow(base: Database, do: Do, refilled: frozenset[TableName] = frozenset()) -> list[Survival]:
    with changed(base, do) as head:
        return list(documents(base, head, refilled))


def of_orders(base: Database, *updates: Any) -> dict[str, Any]:
    """What became of the orders after updates, of which nothing else may have become anything."""
    found = told(follow(base, lambda db: [db.orders.update_many({}, one) for one in updates]))
    assert found.keys() <= {"orders"}
    orders: dict[str, Any] = found.get("orders", {})
    return orders


def put(field: str, value: Any) -> list[dict[str, Any]]:
    """A pipeline that sets a field."""
    return [{"$set": {field: value}}]


@DOLLARS
def test_what_loses_nothing_is_nothing(base: Database) -> None:
    """Renamed, moved, wrapped, filled, widened, written anew, added to."""
    updates = (
        {"$rename": {"name": "title", "paid": "is_paid", "deep": "bottom", "prices": "price_by_day"}},
        [{"$set": {"street": "$address.street", "place": {"city": "$address.city", "geo": "$address.geo"}}}],
        {"$unset": {"address": "", "note": ""}},
        [{"$set": {"zip": ["$zip"], "buyer": {"$toString": "$buyer"}, "count": {"$toLong": "$count"}}}],
        [{"$set": {"money": {"$toDouble": "$money"}, "placed": {"$dateToString": {"date": "$placed"}}}}],
        {"$push": {"tags": {"$each": ["first"], "$position": 0}, "lines": {"sku": "more"}}, "$set": {"added": 1}},
    )
    assert of_orders(base, *updates) == {}
    (orders,) = (one for one in follow(base, lambda db: [db.orders.update_many({}, one) for one in updates]) if one.columns)
    types = {one.name: (one.type, one.now_type, one.retyped) for one in orders.columns}
    assert types == {
        "buyer": ("objectId", "string", True),
        "money": ("decimal", "double", True),
        "placed": ("date", "string", True),
        "zip": ("string", "array", True),
    }


def test_fields_that_are_gone_with_their_values(base: Database) -> None:
    """Each at the highest place that is gone; odd names are told apart, and an object whose keys are data is one field."""
    found = of_orders(
        base,
        {"$unset": {"address": "", "lines.$[].sku": "", "deep.b.c.d.0.e.f": "", "prices": "", "paid": "", "ref": "", "note": ""}},
        {"$set": {"odd": {"kept": 1}, "flag": True}},
    )
    names = {'odd."a.b"', 'odd."$cost"', 'odd.""', "odd.ü \n%s'\"", 'odd."[0]"'}
    assert len([name for name in found if name.startswith("odd.")]) == len(names)
    assert {name: said for name, said in found.items() if not name.startswith("odd.")} == {
        "address": "gone, 20",
        "lines[].sku": "gone, 20",
        "deep.b.c.d[].e.f": "gone, 20",
        "prices": "gone, 20",
        "paid": "gone, 20",
        "ref": "gone, 20",
    }
    assert {said for name, said in found.items() if name.startswith("odd.")} == {"gone, 20"}


def test_what_some_documents_still_have_was_emptied(base: Database) -> None:
    def do(db: Documents[dict[str, Any]]) -> None:
        db.orders.update_many({"_id": {"$gt": 15}}, {"$unset": {"name": ""}})
        db.orders.update_many({"_id": {"$lt": 3}}, {"$set": {"zip": None, "tags": []}})

    (orders,) = (one for one in follow(base, do) if one.columns)
    assert told([orders])["orders"] == {
        "name": (5, 0, {"emptied": 5}, 0),
        "tags": (2, 0, {"emptied": 2}, 0),
        "zip": (2, 0, {"emptied": 2}, 0),
    }
    assert {one.name: one.keys for one in orders.columns}["zip"] == ("_id=1", "_id=2")
    assert not any(one.retyped for one in orders.columns)


@DOLLARS
def test_types_that_hold_less(base: Database) -> None:
    found = of_orders(
        base,
        put("total", {"$toInt": "$total"}),
        put("big", {"$toDouble": "$big"}),
        put("zip", {"$toInt": "$zip"}),
        put("placed", {"$dateToString": {"date": "$placed", "format": "%Y-%m-%d"}}),
        put("name", {"$substrCP": ["$name", 0, 6]}),
        put("count", {"$cond": [{"$lt": ["$count", 5]}, None, {"$toString": "$count"}]}),
        put(
            "lines",
            {"$map": {"input": "$lines", "in": {"$mergeObjects": ["$$this", {"quantity": {"$toInt": "$$this.quantity"}}]}}},
        ),
        put(
            "prices",
            {
                "$arrayToObject": {
                    "$map": {"input": {"$objectToArray": "$prices"}, "in": {"k": "$$this.k", "v": {"$toInt": "$$this.v"}}}
                }
            },
        ),
        put("address", "$address.city"),
        put("tags", {"$slice": ["$tags", 1]}),
    )
    assert {name: (one[0], one[2]) for name, one in found.items()} == {
        "total": (20, {"rounded": 20}),
        "big": (10, {"rounded": 10}),
        "zip": (20, {"cut": 20}),
        "placed": (20, {"rounded": 20}),
        "name": (20, {"cut": 20}),
        "count": (4, {"emptied": 4}),
        "lines[].quantity": (20, {"rounded": 20}),
        "prices.*": (20, {"rounded": 20}),
        "address": (20, {"cut": 20}),
        "tags": (20, {"cut": 20}),
    }


@DOLLARS
def test_other_values_of_the_same_type(base: Database) -> None:
    found = of_orders(base, {"$inc": {"lines.1.quantity": 1}}, put("address.geo", {"$reverseArray": "$address.geo"}))
    assert {name: one[:1] for name, one in found.items()} == {"lines[].quantity": (20,), "address.geo[]": (20,)}


def test_documents_that_are_gone_and_added(base: Database) -> None:
    def do(db: Documents[dict[str, Any]]) -> None:
        db.orders.delete_many({"_id": {"$gt": 17}})
        db.orders.insert_one({"_id": "more"})
        db.log.delete_many({})

    log, orders = (one for one in follow(base, do) if one.missing)
    assert told([orders, log]) == {"orders": {"missing": 3, "extra": 1}, "log": {"missing": 3, "extra": 0}}
    assert (orders.keys, log.keys) == (("_id=18", "_id=19", "_id=20"), ('_id="l0"', '_id="l1"', '_id="l2"'))


def test_collections(base: Database) -> None:
    """Dropped; copied into a new one; made anew under another key; emptied and filled again by us."""

    def do(db: Documents[dict[str, Any]]) -> None:
        db.orders.aggregate([{"$out": "purchases"}])
        db.orders.drop()
        db.log.drop()
        db.empty.drop()

    assert told(follow(base, do)) == {"empty": {"gone": 0}, "log": {"gone": 3}, "orders": {"now": "purchases"}}

    def anew(db: Documents[dict[str, Any]]) -> None:
        held = [{**one, "_id": f"o{one['_id']}"} for one in db.orders.find({"_id": {"$gt": 2}}, {"name": 0})]
        db.orders.drop()
        db.orders.insert_many(held)

    (orders,) = (one for one in follow(base, anew) if one.missing)
    assert (told([orders])["orders"], orders.keyed) == ({"missing": 2, "extra": 0, "name": "gone, 20"}, False)
    (log,) = (one for one in follow(base, lambda _: None, frozenset({TableName("", "log")})) if one.missing)
    assert (log.before, log.after, log.missing) == (3, 0, 3)


@pytest.mark.mongodb_since("5.0")
def test_a_time_series_is_counted(mongo_server: MongoServer, mongo_database: Database) -> None:
    db = mongo_server.client[mongo_database.name]
    db.create_collection("m", timeseries={"timeField": "at", "metaField": "of"})
    db.m.insert_many({"at": BEGAN + timedelta(seconds=number), "of": number % 2, "v": number} for number in range(10))
    with changed(mongo_database, lambda head: head.m.delete_many({"of": 1})) as head:
        (found,) = documents(mongo_database, head, frozenset())
    assert (found.before, found.after, found.missing, found.keyed) == (10, 5, 5, False)


def test_more_documents_than_are_looked_up_at_a_time(mongo_server: MongoServer, mongo_database: Database) -> None:
    """Keys of several types; the names of a root object that are data."""
    db = mongo_server.client[mongo_database.name]
    keys = (number if number % 3 else f"k{number}" for number in range(2500))
    db.many.insert_many({"_id": key, f"f{number}": number + 0.5} for number, key in enumerate(keys))
    db.deep.insert_many({"_id": Decimal128(f"{number}"), "of": {f"k{number}": {"at": BEGAN, "n": 1}}} for number in range(1200))
    change = [{"$replaceWith": {"$arrayToObject": {"$map": {
        "input": {"$objectToArray": "$$ROOT"},
        "in": {"k": "$$this.k", "v": {"$cond": [{"$eq": ["$$this.k", "_id"]}, "$$this.v", {"$toInt": "$$this.v"}]}},
    }}}}]  # fmt: skip
    parts = {"input": {"$objectToArray": "$of"}, "in": {"k": "$$this.k", "v": {"at": {"$toLong": "$$this.v.at"}}}}

    def do(head: Documents[dict[str, Any]]) -> None:
        head.many.update_many({}, change)
        head.deep.update_many({}, [{"$set": {"of": {"$arrayToObject": {"$map": parts}}}}])
        head.deep.delete_one({"_id": Decimal128("7")})

    with changed(mongo_database, do) as head:
        found = {one.table.name: one for one in documents(mongo_database, head, frozenset())}
    assert told(found.values()) == {
        "many": {"*": (2500, 0, {"rounded": 2500}, 0)},
        "deep": {"missing": 1, "extra": 0, "of.*.n": "gone, 1199"},
    }
    assert [(one.name, one.type, one.now_type) for one in found["deep"].columns if one.retyped] == [("of.*.at", "date", "long")]
