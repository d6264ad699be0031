"""The audit of single commands, where what it meets is rare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from checks.declared.documents import DeclaredIndex, DeclaredValidator, DocumentExpectations
from checks.interface import Engine
from checks.schema.collections import CollectionIndex
from checks.targets import Role
from runner.declaring.applying import Asked, Site, planned, site
from runner.declaring.audit import RefusalKind
from runner.declaring.plan import Plan
from runner.servers.interface import Database, Wanted
from runner.servers.mongodb.server import MongoServer


@pytest.fixture
def place(mongo_server: MongoServer, mongo_database: Database) -> Iterator[Site]:
    mongo_server.client[mongo_database.name].people.insert_many(
        [{"a": [1], "b": [2], "language": "klingon", "text": "x"}, {"a": 1, "b": 1}]
    )
    with site(Wanted(Engine.MONGODB, url=mongo_database.addresses[Role.OWNER].url())) as found:
        yield found


def of(place: Site, *indexes: CollectionIndex, **asked: Any) -> Plan:
    declared = DocumentExpectations(indexes=tuple(DeclaredIndex("people", index) for index in indexes))
    return planned(place, declared, Asked(**asked))


def refusals(plan: Plan) -> list[tuple[str, int | None]]:
    return [(str(one.kind), one.documents) for audited in plan.audited for one in audited.refusals]


@pytest.mark.parametrize(
    ("index", "found"),
    [
        (CollectionIndex("i", (("a", 1), ("b", 1))), [("arrays", 1)]),
        (CollectionIndex("i", (("a", "hashed"),)), [("arrays", 1)]),
        (CollectionIndex("i", (("text", "text"),)), [("language", 1)]),
        (CollectionIndex("i", (("a.0.b", 1),), unique=True), [("unknown", None)]),
        (CollectionIndex("i", (("a", 1),), unique=True), [("duplicates", 2)]),
        (CollectionIndex("i", (("c", 1),), unique=True), [("duplicates", 2)]),
        (CollectionIndex("i", (("c", 1),), unique=True, sparse=True), []),
        (CollectionIndex("i", (("text", 1),), unique=True), []),
    ],
)
def test_what_documents_do_not_allow(index: CollectionIndex, found: list[tuple[str, int | None]], place: Site) -> None:
    assert refusals(of(place, index)) == found


def test_a_unique_index_of_a_sharded_collection_begins_with_its_key(place: Site) -> None:
    sharded = replace(place, shard_keys={"people": ("text",)})
    (refused,) = of(sharded, CollectionIndex("i", (("c", 1),), unique=True, sparse=True)).refused
    assert refused.refusals[0].kind is RefusalKind.IMPOSSIBLE
    assert "sharded by text" in refused.refusals[0].message
    assert not of(sharded, CollectionIndex("i", (("text", 1), ("c", 1)), unique=True)).refused


def test_places_are_said_not_to_be_counted(place: Site) -> None:
    (audited,) = of(place, CollectionIndex("i", (("a", "2dsphere"),))).audited
    assert "is not counted beforehand" in audited.notes[0]


@pytest.mark.parametrize(
    ("validator", "operator"),
    [
        ({"$where": "true"}, "$where"),
        ({"$and": [{"a": {"$near": [0, 0]}}]}, "$near"),
        ({"$expr": {"$function": {}}}, "$function"),
    ],
)
def test_operators_that_no_validator_may_contain(validator: dict[str, Any], operator: str, place: Site) -> None:
    plan = planned(place, DocumentExpectations(validators=(DeclaredValidator("people", validator),)), Asked())
    assert plan.refused[0].refusals[0].message == f"a validator may not contain {operator}"


def test_a_validator_with_an_expression_is_counted(place: Site) -> None:
    declared = DeclaredValidator("people", {"$expr": {"$ne": ["$a", 1]}})
    assert refusals(planned(place, DocumentExpectations(validators=(declared,)), Asked())) == [("documents", 1)]
