"""What is said of an index before it is built, held against what the server does when it builds it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from checks.schema.collections import CollectionIndex
from runner.declaring import pipelines
from runner.declaring.index_steps import definition
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer

Document = Mapping[str, Any]

ABSENT = object()
VALUES = [ABSENT, None, 1, 1.0, 2, "a", "A", [], [1], [1, 1], ["a", "b"], [None], {"x": 1}, [[1]], True]
DEEP = [
    ABSENT,
    None,
    [],
    1,
    {"x": 1},
    {"x": None},
    {},
    [{"x": 1}],
    [{"x": 2}, {"x": 1}],
    [{"x": 2}, {}],
    [{"x": [1, 3]}],
    {"x": [3]},
]
ENGLISH = {"locale": "en", "strength": 2}

PLAIN = CollectionIndex("i", (("a", 1),), unique=True)
INDEXES = [
    PLAIN,
    CollectionIndex("i", (("a", 1), ("b", -1)), unique=True),
    CollectionIndex("i", (("a", 1),), unique=True, sparse=True),
    CollectionIndex("i", (("a", 1), ("b", 1)), unique=True, sparse=True),
    CollectionIndex("i", (("a", 1),), unique=True, partial_filter={"b": {"$gt": 0}}),
    CollectionIndex("i", (("a", 1),), unique=True, collation=ENGLISH),
]
DEEP_INDEXES = [
    CollectionIndex("i", (("a.x", 1),), unique=True),
    CollectionIndex("i", (("b", 1), ("a.x", 1)), unique=True),
    CollectionIndex("i", (("a.x", 1), ("a.y", 1)), unique=True),
]


def document(**fields: object) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not ABSENT}


def refused(server: MongoServer, name: str, index: CollectionIndex) -> int:
    """The code by which the server refuses to build an index, 0 where it does not."""
    collection = server.client[name].tried
    try:
        collection.database.command({"createIndexes": "tried", "indexes": [definition(index)]})
    except OperationFailure as error:
        return int(error.code or 0)
    collection.drop_index(index.name)
    return 0


def predicted(server: MongoServer, name: str, index: CollectionIndex) -> int:
    """The code that was to be expected."""
    collection = server.client[name].tried
    arrays = pipelines.arrays(index)
    if arrays and list(collection.aggregate(list(arrays))):
        return 171
    collation: dict[str, Any] = {"collation": dict(index.collation)} if index.collation else {}
    found = next(collection.aggregate(list(pipelines.duplicates(index)), **collation))
    return 11000 if found["all"] else 0


def compare(server: MongoServer, name: str, indexes: Sequence[CollectionIndex], documents: Sequence[Document]) -> set[int]:
    collection = server.client[name].tried
    collection.delete_many({})
    collection.insert_many([dict(one) for one in documents])
    codes = set()
    for index in indexes:
        code = refused(server, name, index)
        assert predicted(server, name, index) == code, (index, documents)
        codes.add(code)
    return codes


def test_two_documents_are_refused_exactly_where_that_is_said(mongo_server: MongoServer, mongo_database: Database) -> None:
    codes = set()
    for one, other in itertools.combinations_with_replacement(VALUES[::2], 2):
        codes |= compare(mongo_server, mongo_database.name, [PLAIN], [document(a=one), document(a=other)])
    assert codes == {0, 11000}


@pytest.mark.parametrize(("indexes", "values"), [(INDEXES, VALUES), (DEEP_INDEXES, DEEP)])
def test_random_documents_are_refused_exactly_where_that_is_said(
    indexes: Sequence[CollectionIndex], values: Sequence[object], mongo_server: MongoServer, mongo_database: Database
) -> None:
    chance = random.Random(20261121)
    codes = set()
    for _ in range(12):
        documents = [document(a=chance.choice(values), b=chance.choice(VALUES)) for _ in range(chance.choice((2, 3)))]
        codes |= compare(mongo_server, mongo_database.name, indexes, documents)
    assert codes >= {0, 11000}


def test_groups_and_their_documents_are_counted(mongo_server: MongoServer, mongo_database: Database) -> None:
    tried = mongo_server.client[mongo_database.name].tried
    tried.insert_many([{"a": number % 7} for number in range(20)] + [{"a": 100}, {}])
    found = next(tried.aggregate(list(pipelines.duplicates(PLAIN))))
    assert (found["all"][0]["groups"], found["all"][0]["documents"]) == (7, 20)
    assert found["sample"][0] == {"_id": [0], "documents": 3}
    assert len(found["sample"]) == pipelines.SAMPLE


@pytest.mark.parametrize("language", ["klingon", 5, None, "English", "de", ABSENT, ["en"]])
def test_languages_that_a_text_index_does_not_know(language: object, mongo_server: MongoServer, mongo_database: Database) -> None:
    tried = mongo_server.client[mongo_database.name].tried
    tried.insert_one(document(text="a word", language=language))
    index = CollectionIndex("i", (("text", "text"),))
    found = list(tried.aggregate(list(pipelines.foreign_languages(index))))
    assert bool(found) == (refused(mongo_server, mongo_database.name, index) in (17261, 17262))


def test_hashed_fields_take_no_array(mongo_server: MongoServer, mongo_database: Database) -> None:
    tried = mongo_server.client[mongo_database.name].tried
    tried.insert_many([{"a": [1]}, {"a": 1}])
    index = CollectionIndex("i", (("a", "hashed"),))
    assert list(tried.aggregate(list(pipelines.arrays(index) or ()))) == [{"documents": 1}]
    assert refused(mongo_server, mongo_database.name, index) == 16766


def test_a_document_expires_by_the_earliest_of_its_dates(mongo_server: MongoServer, mongo_database: Database) -> None:
    now = datetime(2026, 7, 1, tzinfo=UTC)
    old, young = now - timedelta(days=2), now - timedelta(hours=1)
    tried = mongo_server.client[mongo_database.name].tried
    tried.insert_many([{"_id": n, "at": at} for n, at in enumerate([old, young, [young, old], "2020", None, now])])
    index = CollectionIndex("i", (("at", 1),), expire_after_seconds=86_400)
    assert [one["_id"] for one in tried.find(pipelines.expired(index, now))] == [0, 2]


def test_positions_in_arrays_are_not_counted() -> None:
    assert not pipelines.countable(CollectionIndex("i", (("lines.0.sku", 1),), unique=True))
    assert not pipelines.countable(CollectionIndex("i", (("lines", 1), ("lines.sku", 1)), unique=True))
    assert pipelines.countable(CollectionIndex("i", (("lines.sku", 1),), unique=True))
