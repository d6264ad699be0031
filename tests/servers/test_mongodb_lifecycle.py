"""One story for every MongoDB server there is: local, and Docker."""

from __future__ import annotations

import datetime
import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId, encode
from pymongo import MongoClient
from pymongo.database import Database as Documents
from pymongo.errors import OperationFailure

from checks.targets import Role
from runner.errors import ServerFailed
from runner.servers.containers import engine
from runner.servers.interface import OURS, Address, Database
from runner.servers.mongodb.docker import docker_server
from runner.servers.mongodb.server import MongoServer

MongoConnect = Callable[[Address], Documents[dict[str, Any]]]

UNAUTHORIZED = 13
WHEN = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def server(request: pytest.FixtureRequest) -> Iterator[MongoServer]:
    if request.param == "docker":
        image = request.getfixturevalue("mongo_image")
        with docker_server(engine(), image) as running:
            yield running
    else:
        yield request.getfixturevalue("mongo_server")


@pytest.fixture
def fresh(server: MongoServer) -> Database:
    return server.create(f"life_{secrets.token_hex(4)}")


def code(caught: pytest.ExceptionInfo[OperationFailure]) -> int | None:
    return caught.value.code


def owned(database: Database, connect: MongoConnect) -> Documents[dict[str, Any]]:
    return connect(database.addresses[Role.OWNER])


def test_the_owner_has_its_own_database_only_and_the_admin_all(
    server: MongoServer, fresh: Database, mongo_connect: MongoConnect
) -> None:
    owner = owned(fresh, mongo_connect)
    owner.create_collection("a", validator={"$jsonSchema": {"required": ["x"]}})
    owner.a.create_index("x")
    owner.command("collMod", "a", validationLevel="moderate")
    for refused in (owner.client.other.a.insert_one, owner.client.admin.a.insert_one):
        with pytest.raises(OperationFailure) as caught:
            refused({"x": 1})
        assert code(caught) == UNAUTHORIZED
    with pytest.raises(OperationFailure) as caught:
        owner.command("createUser", "x", pwd="x", roles=["root"])
    assert code(caught) == UNAUTHORIZED
    admin = mongo_connect(fresh.addresses[Role.ADMIN])
    admin.client[f"{fresh.name}_beside"].a.insert_one({})
    admin.client.drop_database(f"{fresh.name}_beside")
    assert server.database(fresh.name).addresses == fresh.addresses


def test_transactions_work(fresh: Database, mongo_connect: MongoConnect) -> None:
    owner = owned(fresh, mongo_connect)
    with owner.client.start_session() as one, one.start_transaction():
        owner.a.insert_one({"x": 1}, session=one)
        owner.create_collection("b", session=one)
        owner.b.insert_one({"x": 1}, session=one)
    assert sorted(owner.list_collection_names()) == ["a", "b"]


def test_a_name_is_given_once_and_kept_within_the_limit(server: MongoServer, fresh: Database) -> None:
    for name in (fresh.name, "admin", "config", "local"):
        with pytest.raises(ServerFailed, match="exists already"):
            server.create(name)
    with pytest.raises(ServerFailed, match="longer than MongoDB's 63 bytes"):
        server.create("n" * 64)
    with pytest.raises(ServerFailed, match="no database unheard_of"):
        server.database("unheard_of")


def test_a_seal_leaves_the_owner_only_reading_until_it_is_taken_off(
    server: MongoServer, fresh: Database, mongo_connect: MongoConnect
) -> None:
    owner = owned(fresh, mongo_connect)
    owner.a.insert_one({"x": 1})
    with owner.client.start_session() as open_one:
        open_one.start_transaction()
        owner.a.insert_one({"x": 2}, session=open_one)
        golden = server.seal(fresh)
        with pytest.raises(OperationFailure):
            open_one.commit_transaction()
    for write in (lambda: owner.a.insert_one({"x": 3}), lambda: owner.command("collMod", "a", validationLevel="off")):
        with pytest.raises(OperationFailure) as caught:
            write()
        assert code(caught) == UNAUTHORIZED
    assert [one["x"] for one in owner.a.find()] == [1]
    assert server.open(golden) == fresh
    owner.a.insert_one({"x": 4})


def fill(database: Documents[dict[str, Any]]) -> None:
    """Everything that a copy could lose, as far as the version has it."""
    version = tuple(database.client.server_info()["versionArray"][:2])
    dollar = "$" if version >= (5, 0) else ""
    database.create_collection(
        "strict", validator={"$jsonSchema": {"required": ["x"]}}, validationLevel="moderate", validationAction="warn"
    )
    database.create_collection("late")
    database.late.insert_many([{"_id": n, "wrong": n} for n in range(1500)])
    database.command("collMod", "late", validator={"$jsonSchema": {"required": ["x"]}})
    database.create_collection("round", capped=True, size=100_000, max=50)
    database.round.insert_many([{"_id": n} for n in (3, 1, 2)])
    if version >= (5, 0):
        database.create_collection("times", timeseries={"timeField": "at", "metaField": "of"}, expireAfterSeconds=3600)
        database.times.insert_many([{"at": WHEN, "of": "a", "value": n} for n in range(3)])
    database.create_collection("swedish", collation={"locale": "sv"})
    database.swedish.insert_one({"_id": "å", "x": "ä"})
    if version >= (5, 3):
        database.create_collection("by_id", clusteredIndex={"key": {"_id": 1}, "unique": True})
        database.by_id.insert_one({"_id": 7})
    database.create_collection("empty")
    database.strict.insert_many(
        [
            {"x": Int64(1), "amount": Decimal128("1.10"), "at": WHEN, "id": ObjectId(), "dotted.name": 1, f"{dollar}x": 2, "": 3},
            {"x": 2.0, "amount": None, "deep": {f"{dollar}a.b": [1, [2, {}]]}, "raw": b"\x00\xff"},
            {"x": "text", "place": {"type": "Point", "coordinates": [1.0, 2.0]}},
        ]
    )
    database.strict.create_index([("x", 1), ("at", -1)], name="unique one", unique=True)
    database.strict.create_index("amount", sparse=True, hidden=True)
    database.strict.create_index("at", expireAfterSeconds=60, partialFilterExpression={"x": {"$gt": 1}})
    database.strict.create_index([("words", "text"), ("more", "text")], weights={"words": 5}, default_language="german")
    database.strict.create_index([("place", "2dsphere")])
    database.strict.create_index([("id", "hashed")])
    database.strict.create_index([("$**", 1)], wildcardProjection={"deep": 1})
    database.swedish.create_index("x", collation={"locale": "de", "strength": 2})
    database.swedish.create_index("x", name="plain", collation={"locale": "simple"})
    database.create_collection("first_view", viewOn="strict", pipeline=[{"$match": {"x": 2}}])
    database.create_collection("a_view_of_it", viewOn="first_view", pipeline=[{"$project": {"x": 1}}])


def content(database: Documents[dict[str, Any]]) -> dict[str, Any]:
    """All that can be seen of a database."""

    def described(one: dict[str, Any]) -> dict[str, Any]:
        return {"options": one.get("options"), "type": one["type"]}

    collections = {
        one["name"]: described(dict(one)) for one in database.list_collections() if not one["name"].startswith("system.")
    }
    for name, one in collections.items():
        one["documents"] = [encode(document) for document in database[name].find()]
        if one["type"] == "collection":
            one["indexes"] = sorted(json.dumps(index, default=str) for index in database[name].list_indexes())
    return collections


@pytest.mark.parametrize("few", [10_000, 0], ids=["indexes first", "documents first"])
def test_a_clone_is_like_the_golden_and_goes(
    server: MongoServer, fresh: Database, mongo_connect: MongoConnect, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.servers.mongodb.copying._FEW", few)
    owner = owned(fresh, mongo_connect)
    fill(owner)
    before = content(owner)
    assert before["first_view"]["documents"]
    golden = server.seal(fresh)
    with server.clone(golden) as clone:
        assert clone.name != fresh.name
        copied = owned(clone, mongo_connect)
        now = content(copied)
        assert now == before
        copied.strict.delete_many({})
        copied.drop_collection("late")
        with pytest.raises(OperationFailure) as caught:
            owner.strict.delete_many({})
        assert code(caught) == UNAUTHORIZED
    assert content(owner) == before
    assert clone.name not in server.client.list_database_names()
    with pytest.raises(OperationFailure) as caught:
        copied.strict.insert_one({"x": 1})
    assert code(caught) == UNAUTHORIZED


def test_a_clone_goes_where_the_work_on_it_fails(server: MongoServer, fresh: Database, mongo_connect: MongoConnect) -> None:
    owned(fresh, mongo_connect).a.insert_one({})
    with pytest.raises(ZeroDivisionError), server.clone(server.seal(fresh)) as clone:
        raise ZeroDivisionError
    assert clone.name not in server.client.list_database_names()


def test_a_fork_holds_everything_and_goes_its_own_way(server: MongoServer, fresh: Database, mongo_connect: MongoConnect) -> None:
    owner = owned(fresh, mongo_connect)
    fill(owner)
    admin = mongo_connect(fresh.addresses[Role.ADMIN])
    admin.command("createRole", "reader", privileges=[], roles=[{"role": "read", "db": fresh.name}])
    admin.command("createUser", "app", pwd="p", roles=["reader"])
    before = content(owner)
    golden = server.seal(fresh)
    with server.fork() as fork:
        assert (fork.version, fork.origin) == (server.version, server.origin)
        there = fork.open(golden)
        head = owned(there, mongo_connect)
        assert content(head) == before
        assert head.late.estimated_document_count() == 1500
        guest = Address(
            there.private.host, there.private.port, "app", "p", fresh.name, {"directConnection": "true"}, scheme="mongodb"
        )
        visiting = mongo_connect(guest)
        assert visiting.late.count_documents({}) == 1500
        with head.client.start_session() as one, one.start_transaction():
            head.late.insert_one({"x": 1}, session=one)
        head.drop_collection("strict")
        with fork.fork() as second, second.clone(second.seal(second.database(fresh.name))) as clone:
            copied = owned(clone, mongo_connect)
            assert copied.late.count_documents({}) == 1501
            copied.client.close()
        fork.create("born_in_the_fork")
        for leaving in (visiting, head):
            leaving.client.close()  # once its server is gone a client looks for it for seconds, to take its leave
    assert content(owner) == before


def test_the_log_has_what_the_project_sent_and_nothing_of_ours(
    server: MongoServer, fresh: Database, mongo_connect: MongoConnect
) -> None:
    owner = owned(fresh, mongo_connect)
    owner.client.admin.command("ping")
    before = server.mark()
    owner.a.insert_one({"secret": "in the document"})
    between = server.mark()
    server.client[fresh.name].command("create", "ours")
    owner.command("create", "b", comment="not a mark")
    with pytest.raises(OperationFailure):
        owner.command("create", "b", capped=True, size=4096)
    records = [one for one in server.log(before) if one.database == fresh.name and one.message.startswith("command")]
    assert [next(iter(json.loads(one.sent))) for one in records] == ["insert", "create", "create"]
    assert {one.application for one in records} == {""}
    assert OURS not in {one.application for one in records}
    assert "in the document" not in repr(records)
    assert [one.code for one in records] == ["", "", "48"]
    assert "already exists" in records[2].detail
    assert all(one.seconds is not None and one.seconds >= 0 for one in records)
    later = [one for one in server.log(between) if one.database == fresh.name and one.message.startswith("command")]
    assert len(later) == 2
    assert not [one for one in server.log(server.mark()) if one.database == fresh.name]


def test_nobody_comes_in_without_a_password(fresh: Database) -> None:
    port = fresh.private.port
    stranger: MongoClient[dict[str, Any]]
    with MongoClient(fresh.private.host, port, directConnection=True) as stranger:
        for attempt in (
            lambda: stranger.admin.command("createUser", "me", pwd="me", roles=["root"]),
            lambda: stranger[fresh.name].a.find_one(),
            lambda: stranger.admin.command("shutdown"),
        ):
            with pytest.raises(OperationFailure) as caught:
                attempt()
            assert code(caught) == UNAUTHORIZED


def test_documents_do_not_vanish_by_their_age(server: MongoServer) -> None:
    assert server.client.admin.command("getParameter", 1, ttlMonitorEnabled=1)["ttlMonitorEnabled"] is False


def test_two_servers_do_not_meet(server: MongoServer, mongo_connect: MongoConnect) -> None:
    name = f"same_{secrets.token_hex(4)}"
    with server.fork() as other:
        one, two = (owned(each.create(name), mongo_connect) for each in (server, other))
        one.a.insert_one({"x": 1})
        assert two.a.count_documents({}) == 0
        two.client.close()
