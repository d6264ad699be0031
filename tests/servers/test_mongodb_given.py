"""MongoDB servers that are given by their URL: only read from, disposable, or not reached at all; no URL is ever repeated."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from pymongo.database import Database as Documents
from pymongo.errors import OperationFailure

from checks.declared.expectations import Expectations
from checks.document_targets import DocumentTarget, Stored
from checks.evidence import Evidence
from checks.interface import Engine
from checks.targets import Role, StatementFailed
from runner.backends import mongodb as backend
from runner.errors import DbproofError, Exit, ServerFailed, UsageError
from runner.servers.interface import Address, Database, Server, Wanted
from runner.servers.mongodb.address import parsed
from runner.servers.mongodb.overview import overview
from runner.servers.mongodb.server import MongoServer
from runner.servers.registry import provision

MongoConnect = Callable[[Address], Documents[dict[str, Any]]]

CANARY = "c4nary%2Fp%40ss"
PARTS = ("c4nary", "p%40ss", "p@ss")


def looked_at(url: str, **more: Any) -> Wanted:
    return Wanted(Engine.MONGODB, url=url, standing=True, **more)


def looking(server: Server) -> AbstractContextManager[DocumentTarget]:
    return backend.target(server, None, server.database("whatever"), Expectations(), Evidence())


@pytest.fixture
def url(mongo_database: Database, mongo_connect: MongoConnect) -> str:
    owner = mongo_connect(mongo_database.addresses[Role.OWNER])
    owner.create_collection("a", validator={"$jsonSchema": {"required": ["x"]}})
    owner.a.insert_many([{"x": 1}, {"x": 2}])
    return mongo_database.addresses[Role.OWNER].url()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("mongodb://u:p%40ss@h/d", "mongodb://u:p%40ss@h:27017/d"),
        ("mongodb://h:1/d?authSource=admin&tls=true", "mongodb://h:1/d?authSource=admin&tls=true"),
        ("mongodb://u:p@one:1,two:2,[::1]:3/d?replicaSet=rs", "mongodb://u:p@one:1,two:2,[::1]:3/d?replicaSet=rs"),
        ("mongodb://[::1]/d", "mongodb://[::1]:27017/d"),
        ("  mongodb://h/d\n", "mongodb://h:27017/d"),
        ("mongodb://h/?appName=x", "mongodb://h:27017/?appName=x"),
    ],
)
def test_an_address_keeps_all_that_its_url_says(text: str, written: str) -> None:
    assert parsed(text).url() == written


@pytest.mark.parametrize(
    "text",
    [
        f"mongodb://u:{CANARY}@/d",
        "mongodb://u:c4nary/p@ss@h/d",
        "mongodb://u:c4nary@p@ss@h/d",
        f"mongodb://u:{CANARY}@h:port/d",
        f"mongodb://u:{CANARY}@h/d?tls=perhaps&tlsCAFile=c4nary",
        "mongodb://u:c4nary%zz@h/d",
    ],
)
def test_a_url_that_cannot_be_read_is_a_usage_error_and_not_repeated(text: str) -> None:
    with pytest.raises(DbproofError) as caught, provision(looked_at(text)):
        pass
    said = f"{caught.value.message} {caught.value.remedy} {caught.value!r}"
    assert not [part for part in PARTS if part in said]
    assert caught.value.exit in (Exit.USAGE, Exit.ENVIRONMENT)


def test_a_url_without_a_database_is_a_usage_error() -> None:
    for url in (f"mongodb://u:{CANARY}@127.0.0.1:1/?authSource=admin", f"mongodb://u:{CANARY}@127.0.0.1:1"):
        with pytest.raises(UsageError, match="names no database") as caught, provision(looked_at(url)):
            pass
        assert not [part for part in PARTS if part in f"{caught.value.message} {caught.value.remedy}"]


def test_where_nothing_listens_it_is_said_without_the_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        url = f"mongodb://u:{CANARY}@127.0.0.1:{port}/d"
        with pytest.raises(ServerFailed, match="nothing listens at its address") as caught, provision(looked_at(url)):
            pass
    assert caught.value.exit is Exit.ENVIRONMENT
    assert not [part for part in (*PARTS, str(port)) if part in f"{caught.value.message} {caught.value.remedy}"]


def test_a_host_that_is_not_known_is_said_without_its_name() -> None:
    with pytest.raises(ServerFailed, match="host name") as caught, provision(looked_at("mongodb://u:x@c4nary.invalid/d")):
        pass
    assert "c4nary" not in f"{caught.value.message} {caught.value.remedy}"


def test_srv_addresses_that_cannot_be_looked_up_are_said_without_their_name() -> None:
    url = f"mongodb+srv://u:{CANARY}@c4nary.db.invalid/d"
    with pytest.raises(ServerFailed, match=r"mongodb\+srv") as caught, provision(looked_at(url)):
        pass
    assert not [part for part in PARTS if part in f"{caught.value.message} {caught.value.remedy}"]


def test_a_wrong_password_is_said(mongo_database: Database) -> None:
    address = mongo_database.addresses[Role.OWNER]
    wrong = Address(address.host, address.port, address.user, "c4nary-p@ss", address.database, address.extra, scheme="mongodb")
    with pytest.raises(ServerFailed, match="does not accept the user and password") as caught, provision(looked_at(wrong.url())):
        pass
    assert "c4nary" not in f"{caught.value.message} {caught.value.remedy}"


def test_a_given_database_is_read_and_nothing_else(url: str, mongo_database: Database, mongo_server: MongoServer) -> None:
    before = mongo_server.client[mongo_database.name].command("dbStats")["objects"], mongo_server.client.list_database_names()
    with provision(looked_at(url)) as server:
        database = server.database("whatever")
        assert (server.origin, server.version, database.name) == ("given", mongo_server.version, mongo_database.name)
        assert not server.disposable
        with backend.target(server, None, database, Expectations(), Evidence()) as target:
            assert [one.name for one in target.collections.all] == ["a"]
            with target.documents() as documents:
                assert documents.count("a") == 2
                for writing in ({"$out": "b"}, {"$merge": {"into": "b"}}):
                    with pytest.raises(StatementFailed, match="only reads"):
                        list(documents.aggregate("a", [{"$match": {}}, writing]))
            with pytest.raises(UsageError, match="nothing may be written"), target.scratch(["a"]):
                pass
        for refused in (
            lambda: server.create("x"),
            lambda: server.clone(server.seal(database)),
            lambda: server.fork(),
        ):
            with pytest.raises(ServerFailed, match="read-only"):
                refused()
        assert list(server.log(server.mark())) == []
    after = mongo_server.client[mongo_database.name].command("dbStats")["objects"], mongo_server.client.list_database_names()
    assert after == before


def test_what_the_user_may_not_read_is_not_readable_and_refused_with_its_code(
    mongo_database: Database,
    mongo_server: MongoServer,
    url: str,  # noqa: ARG001 - it fills the database
) -> None:
    name = mongo_database.name
    inside = mongo_server.client[name]
    inside.secrets.insert_one({"x": 1})
    may = [{"resource": {"db": name, "collection": ""}, "actions": ["listCollections"]}]
    may += [{"resource": {"db": name, "collection": "a"}, "actions": ["find", "listIndexes", "collStats"]}]
    inside.command("createRole", "narrow", privileges=may, roles=[])
    inside.command("createUser", "guest", pwd="guest", roles=["narrow"])
    try:
        private = mongo_database.private
        guest = Address(private.host, private.port, "guest", "guest", name, {"directConnection": "true"}, scheme="mongodb")
        with provision(looked_at(guest.url())) as server, looking(server) as target:
            seen = {one.name: (one.readable, one.documents) for one in target.collections.all}
            assert seen == {"a": (True, 2), "secrets": (False, 0)}
            assert target.filled == {"a"}
            with target.documents() as documents, pytest.raises(StatementFailed) as caught:
                documents.count("secrets")
            assert (caught.value.code, caught.value.said) == ("13", f"not authorized on {name}")
    finally:
        inside.command("dropRole", "narrow")


def test_a_command_that_takes_too_long_is_ended(url: str) -> None:
    with provision(looked_at(url, statement_timeout=0.2)) as server:
        database = server.database("x")
        assert database.statement_timeout == 0.2
        with backend.target(server, None, database, Expectations(), Evidence()) as target, target.documents() as documents:
            with pytest.raises(StatementFailed) as caught:
                list(documents.find("a", {"$where": "sleep(20000) || true"}))
            assert caught.value.code == "50"


def test_a_database_that_is_looked_at_and_disposable_gets_its_copies_beside_it(mongo_database: Database, url: str) -> None:  # noqa: ARG001
    admin = mongo_database.addresses[Role.ADMIN]
    with provision(looked_at(admin.url(), disposable=True)) as server:
        database = server.database("x")
        with backend.target(server, None, database, Expectations(), Evidence()) as target, target.scratch(["a"]) as scratch:
            assert scratch.insert("a", {"x": 9}) == Stored(1)
            with target.documents() as documents:
                assert documents.count("a") == 2


def test_a_disposable_server_gets_databases_of_our_own_that_go(
    mongo_server: MongoServer, mongo_database: Database, mongo_connect: MongoConnect
) -> None:
    names = set(mongo_server.client.list_database_names())
    url = mongo_database.addresses[Role.ADMIN].url()
    with provision(Wanted(Engine.MONGODB, url=url, disposable=True)) as server:
        database = server.create("shop")
        assert database.name.startswith("shop_")
        owner = mongo_connect(database.addresses[Role.OWNER])
        owner.a.insert_one({"x": 1})
        golden = server.seal(database)
        with pytest.raises(OperationFailure):
            owner.a.insert_one({"x": 2})
        with server.clone(golden) as clone:
            assert mongo_connect(clone.addresses[Role.OWNER]).a.count_documents({}) == 1
        assert list(server.log(server.mark())) == []
        with pytest.raises(ServerFailed, match="cannot be forked"):
            server.fork()
    assert set(mongo_server.client.list_database_names()) == names
    assert not mongo_server.client[database.name].command("usersInfo")["users"]


def test_a_disposable_server_wants_the_role_root(mongo_database: Database) -> None:
    url = mongo_database.addresses[Role.OWNER].url()
    with pytest.raises(ServerFailed, match="role root"), provision(Wanted(Engine.MONGODB, url=url, disposable=True)):
        pass


def test_a_given_database_is_told_at_a_glance(url: str, mongo_database: Database) -> None:
    with provision(looked_at(url)) as server:
        seen = overview(server.database(mongo_database.name))
    assert seen.rows == {"a": 2}
    assert seen.sentence().startswith("1 collection, about 2 documents, ")
