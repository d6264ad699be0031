"""Databases that hold what drivers, servers and people leave behind, each with one oddity, in a collection called ``odd``."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from typing import Any

import bson
import pytest
from bson import Binary, Code, DatetimeMS, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database as Documents

Prepare = Callable[[Documents[dict[str, Any]]], object]

#: Each document of an ordinary collection has these.
SCHEMA = {"required": ["name"], "properties": {"name": {"bsonType": "string"}, "n": {"bsonType": "int"}}}
NAMES = {"$jsonSchema": {"required": ["name"]}}
LARGE = 15_900_000


def _since(db: Documents[Any], *version: int) -> None:
    if tuple(db.client.server_info()["versionArray"]) < version:
        pytest.skip(f"this server is older than MongoDB {'.'.join(map(str, version))}")


def raw(document: Mapping[str, Any], old: bytes, new: bytes) -> RawBSONDocument:
    """A document as no driver would write it: some bytes exchanged for others of the same number."""
    return RawBSONDocument(bson.encode(document).replace(old, new))


def view(db: Documents[Any]) -> None:
    """A view where the collection should be."""
    db.real.insert_many([{"name": "a"}, {"name": 1}])
    db.command("create", "odd", viewOn="real", pipeline=[{"$match": {}}])


def failing_view(db: Documents[Any]) -> None:
    """A view that cannot be read: its pipeline fails on what is there."""
    db.real.insert_one({"name": "no number"})
    db.command("create", "odd", viewOn="real", pipeline=[{"$set": {"n": {"$toInt": "$name"}}}])


def capped(db: Documents[Any]) -> None:
    """A capped collection, which deletes by itself and takes no other deletes before 5.0."""
    db.create_collection("odd", capped=True, size=65_536, max=3, validator={"$jsonSchema": SCHEMA})
    db.odd.insert_many([{"name": "a", "n": number} for number in range(5)])


def time_series(db: Documents[Any]) -> None:
    """A time series, which takes no validator and is stored as buckets."""
    _since(db, 5, 0)
    db.command("create", "odd", timeseries={"timeField": "at", "metaField": "name"})
    at = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
    db.odd.insert_many([{"at": at, "name": "a", "n": number} for number in range(3)] + [{"at": at, "name": "a", "n": "x"}])


def expression_validator(db: Documents[Any]) -> None:
    """A validator that is an expression."""
    db.create_collection("odd", validator={"$expr": {"$lt": ["$start", "$end"]}})
    db.odd.insert_many(
        [{"name": "a", "start": 1, "end": 2}, {"name": "b", "start": 2, "end": 1}], bypass_document_validation=True
    )


def failing_validator(db: Documents[Any]) -> None:
    """A validator that cannot be evaluated on a document that is there."""
    db.create_collection("odd", validator={"$expr": {"$gt": [{"$toInt": "$name"}, 0]}})
    db.odd.insert_many([{"name": "1"}, {"name": "one"}], bypass_document_validation=True)


def names(db: Documents[Any]) -> None:
    """Names with dots, dollars, quotes, line breaks, other scripts, and none at all."""
    _since(db, 5, 0)
    db.create_collection("odd", validator=NAMES)
    fields = {"a.b": 1, "$c": 2, "": 3, "d.$e": {"": [{"f.g": 1, "$h": None}]}, 'q"\n%s': 4, "größe": 5, "[]": 6, "*": 7}
    db.odd.insert_many([{"name": "a", **fields}, {"name": "a", **dict.fromkeys(fields, "x")}])


def large(db: Documents[Any]) -> None:
    """Documents of nearly 16 MB: one long text, one of many elements, one of many names, and a key that long."""
    db.create_collection("odd", validator={"$jsonSchema": {"required": ["name", "n"]}})
    many = 100_000
    for document in (
        {"_id": 1, "name": "x" * LARGE},
        {"_id": 2, "name": "x" * (LARGE - 15 * many), "list": [0] * many},
        {"_id": 3, "name": "a", "map": {f"{number:07}": 1 for number in range(many)}},
        {"_id": "x" * (LARGE // 2)},
    ):
        db.odd.insert_one(document, bypass_document_validation=True)


def no_text(db: Documents[Any]) -> None:
    """Text that is no UTF-8, as values and as names."""
    db.create_collection("odd", validator={"$jsonSchema": SCHEMA})
    for document in (
        raw({"_id": 1, "name": "ABCD"}, b"ABCD", b"\xff\xfe\xc3\x28"),
        raw({"_id": 2, "name": "a", "ABCD": 1}, b"ABCD", b"\xff\xfe\xc3\x28"),
        raw({"_id": "ABCD", "n": 1}, b"ABCD", b"\xff\xfe\xc3\x28"),
    ):
        db.odd.insert_one(document, bypass_document_validation=True)


def twice(db: Documents[Any]) -> None:
    """A name that a document has twice."""
    db.create_collection("odd", validator=NAMES)
    db.odd.insert_one(raw({"_id": 1, "name": "a", "NAME": 1}, b"NAME", b"name"))
    db.odd.insert_one({"_id": 2, "name": "a"})


def deep(db: Documents[Any]) -> None:
    """Documents as deep as the server takes them: in sub-documents, and in arrays."""
    inside: Any = 1
    listed: Any = 1
    for _ in range(90):
        inside = {"a": inside}
        listed = [listed]
    db.create_collection("odd", validator=NAMES)
    db.odd.insert_many([{"name": "a", "inside": inside, "listed": listed}, {"inside": inside}], bypass_document_validation=True)


def numbers(db: Documents[Any]) -> None:
    """Numbers that are none, are without end, or too long for most."""
    db.create_collection("odd", validator={"$jsonSchema": {"properties": {"n": {"minimum": 0}}}})
    values = [
        math.nan,
        math.inf,
        -math.inf,
        -0.0,
        Int64(2**63 - 1),
        Decimal128("NaN"),
        Decimal128("Infinity"),
        Decimal128("9E+6144"),
    ]
    db.odd.insert_many(
        [{"_id": n, "n": value, "name": value, "list": [value]} for n, value in enumerate(values)],
        bypass_document_validation=True,
    )


def dates(db: Documents[Any]) -> None:
    """Dates that Python has no name for."""
    db.create_collection("odd", validator={"$jsonSchema": {"required": ["n"]}})
    for milliseconds in (-(2**63), 2**63 - 1, 253_402_300_800_000, -62_135_596_800_001):
        db.odd.insert_one({"_id": DatetimeMS(milliseconds), "name": DatetimeMS(milliseconds)}, bypass_document_validation=True)


def types(db: Documents[Any]) -> None:
    """Every type there is, some of them old, some as no driver would write them."""
    db.create_collection("odd", validator={"$jsonSchema": {"required": ["n"]}})
    values = (
        Binary(b"x" * 16, 3),
        Binary(b"x" * 16, 4),
        Code("f()"),
        Code("f()", {"a": 1}),
        DBRef("odd", 1),
        DBRef("odd", 1, "other"),
    )
    more: tuple[Any, ...] = (
        MinKey(),
        MaxKey(),
        Regex("a", "i"),
        Timestamp(1, 1),
        ObjectId(),
        None,
        {},
        [],
        {"$ref": 1},
        {"$id": 1},
    )
    for number, value in enumerate((*values, *more)):
        db.odd.insert_one({"_id": {"value": number}, "name": value, "list": [value]}, bypass_document_validation=True)
    broken = raw({"_id": "uuid", "name": Binary(b"12345678", 0)}, b"\x08\0\0\0\x0012345678", b"\x08\0\0\0\x0412345678")
    db.odd.insert_one(broken, bypass_document_validation=True)


def keys_without_end(db: Documents[Any]) -> None:
    """Names that no two documents share, at the top and inside."""
    db.odd.insert_many(
        [{"name": "a", "by_day": {f"day {number * 50 + more}": more for more in range(50)}} for number in range(100)]
        + [{f"field {number}": 1} for number in range(300)]
    )


def collated(db: Documents[Any]) -> None:
    """A collection whose texts are compared without regard to case."""
    db.create_collection("odd", collation={"locale": "en", "strength": 2}, validator={"name": {"$in": ["a"]}})
    db.odd.insert_many([{"name": "A"}, {"name": "a"}, {"name": "b"}], bypass_document_validation=True)


def clustered(db: Documents[Any]) -> None:
    """A collection that is its own index (MongoDB 5.3)."""
    _since(db, 5, 3)
    db.command("create", "odd", clusteredIndex={"key": {"_id": 1}, "unique": True})
    db.odd.insert_many([{"name": "a"}, {"name": "b"}])


#: All of them, by name.
ODD: Mapping[str, Prepare] = {
    one.__name__: one
    for one in (
        *(view, failing_view, capped, time_series, expression_validator, failing_validator, names, large, no_text, twice, deep),
        *(numbers, dates, types, keys_without_end, collated, clustered),
    )
}
