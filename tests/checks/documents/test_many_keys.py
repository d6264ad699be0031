"""Many different keys are compared in their order, and that says what the server's own grouping says."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, Decimal128, Int64, MinKey, ObjectId
from pymongo.database import Database as Documents

from checks.declared.documents import DocumentExpectations, parse_document_reference
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.pipelines import dangling
from checks.pipelines.dangling import Dangling, grouped, has_many_keys, merged
from checks.pipelines.merging import Unordered
from checks.pipelines.references import sides
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session
from runner.targets.mongodb import MongoTarget

#: One of each type that has an order here, the awkward ones beside those that they are equal or close to.
KEYS: list[Any] = [
    *(1, 1.0, Int64(1), Decimal128("1.00"), True, "1", 0.1, Decimal128("0.1"), -0.0, 0, float("nan"), Decimal128("NaN")),
    *(
        float("inf"),
        float("-inf"),
        2**53,
        float(2**53),
        Int64(2**53 + 1),
        Decimal128("1E+6000"),
        "",
        "a",
        "A",
        "ä",
        "z",
        "\U0001f600",
    ),
    *("\uffee", "a\0b", {}, {"a": 1}, {"a": 1.0}, {"b": 1}, {"a": "1"}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": {"x": 1}}),
    *(ObjectId("0" * 24), ObjectId("f" * 24), False, datetime(2025, 1, 1, tzinfo=UTC), datetime(1960, 1, 1, tzinfo=UTC)),
    *(b"", b"\xff", b"\0\0", Binary(b"\0", 128), UUID(int=7), Binary(b"\0" * 16, 5), UUID(int=2**127)),
]

Compare = Callable[[str], tuple[Dangling, Dangling]]


def fill(db: Documents[dict[str, Any]]) -> None:
    chance = random.Random(7)
    children = [{"key": key, "kind": kind, "keys": [key, None]} for key in KEYS for kind in ("x", 2) for _ in range(2)]
    parents = [{"key": key, "kind": kind} for key in KEYS[::2] for kind in ("x", 2.0)]
    for name, documents in (("a", children), ("b", parents)):
        chance.shuffle(documents)
        db[name].insert_many([{"_id": number, **one} for number, one in enumerate(documents)])
    db.a.insert_many([{"key": None}, {}])


@pytest.fixture
def target(mongo_server: MongoServer, mongo_database: Database) -> Iterator[MongoTarget]:
    with session(mongo_database.private) as client:
        fill(client[mongo_database.name])
    with MongoTarget(mongo_server, None, mongo_database, Expectations(documents=DocumentExpectations()), Evidence()) as opened:
        yield opened


@pytest.mark.parametrize(
    ("reference", "index"),
    [
        ("a.key -> b.key", False),
        ("a.key -> b.key", True),
        ("a.keys[] -> b.key", True),
        ("a.(kind, key) -> b.(kind, key)", False),
        ("a._id -> b._id", False),
        ("a.key -> gone.key", False),
    ],
)
def test_both_ways_say_the_same(target: MongoTarget, mongo_database: Database, reference: str, index: bool) -> None:
    if index:
        with session(mongo_database.private) as client:
            client[mongo_database.name].a.create_index("key")
    two = sides(parse_document_reference(reference), target.collections)
    with target.documents() as documents:
        here, there = merged(two, documents), grouped(two, documents)
    assert (here.references, here.missing, here.refers, here.parents) == (there.references, there.missing, True, there.parents)
    assert here.references > 0
    assert sorted(times for _, times in here.sample) == sorted(times for _, times in there.sample)


def test_nothing_that_refers(target: MongoTarget) -> None:
    two = sides(parse_document_reference("a.none -> b.key"), target.collections)
    with target.documents() as documents:
        assert merged(two, documents) == grouped(two, documents) == Dangling(refers=False)


@pytest.mark.parametrize("key", [MinKey(), [1], {"a": MinKey()}])
def test_what_has_no_order_here_is_left_to_the_server(target: MongoTarget, mongo_database: Database, key: Any) -> None:
    with session(mongo_database.private) as client:
        client[mongo_database.name].a.insert_many([{"key": key}, {"key": key}])
    two = sides(parse_document_reference("a.key -> b.key"), target.collections)
    with target.documents() as documents, pytest.raises(Unordered):
        merged(two, documents)


@pytest.mark.parametrize(("many", "expected"), [(10, True), (30, True), (10_000, False)])
def test_which_way_is_gone(target: MongoTarget, monkeypatch: pytest.MonkeyPatch, many: int, expected: bool) -> None:
    monkeypatch.setattr(dangling, "MANY", many)
    monkeypatch.setattr(dangling, "MANY_INDEXED", 10_000)
    with target.documents() as documents:
        two = sides(parse_document_reference("a.key -> b.key"), target.collections)
        assert has_many_keys(two, target.collections, documents) is expected
        few = sides(parse_document_reference("a.kind -> gone.key"), target.collections)
        assert not has_many_keys(few, target.collections, documents)
