"""What MongoDB's log, or the project's program, says was executed, and what made each object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from pymongo.database import Database as Documents
from pymongo.errors import OperationFailure

from checks.evidence import Place, Statement
from checks.schema.collections import collection_reference, index_reference, validator_reference
from checks.schema.names import ObjectReference
from checks.targets import Role
from runner.backends import mongodb as backend
from runner.migrations.interface import Came, Ran
from runner.recorder.recording import Recording
from runner.servers.interface import Address, Database
from runner.servers.mongodb.server import MongoServer

MongoConnect = Callable[[Address], Documents[dict[str, Any]]]


@pytest.fixture
def owner(mongo_database: Database, mongo_connect: MongoConnect) -> Documents[dict[str, Any]]:
    return mongo_connect(mongo_database.addresses[Role.OWNER])


class Log:
    """Reads what was logged of a database since the last time."""

    def __init__(self, server: MongoServer, database: Database) -> None:
        self._server = server
        self._database = database
        self._mark = server.mark()
        self._before: list[Recording] = []

    def read(self) -> Recording:
        recording = backend.recording(self._server, self._database, self._mark, (), self._before)
        self._mark = self._server.mark()
        self._before.append(recording)
        return recording


@pytest.fixture
def log(mongo_server: MongoServer, mongo_database: Database) -> Log:
    return Log(mongo_server, mongo_database)


def made(recording: Recording) -> list[tuple[ObjectReference, ...]]:
    return [one.made for one in recording.statements]


def test_everything_that_is_made_and_dropped_is_seen(owner: Documents[dict[str, Any]], log: Log) -> None:
    owner.create_collection("a", validator={"$jsonSchema": {"required": ["x"]}})
    owner.a.create_index([("x", 1), ("y", -1)], unique=True, name="one")
    owner.a.create_index("z")
    owner.a.create_index("z")
    owner.command("collMod", "a", validationLevel="moderate")
    owner.command("collMod", "a", validator={})
    owner.command("collMod", "a", index={"name": "one", "hidden": True})
    owner.implied.insert_one({"x": 1})
    owner.implied.insert_one({"x": 2})
    owner.by_index.create_index("x", name="first")
    list(owner.implied.aggregate([{"$out": "copied"}]))
    owner.a.drop_index("z_1")
    owner.b.create_index("x")
    owner.b.drop_indexes()
    owner.drop_collection("a")
    statements = log.read().statements
    a, one, z = collection_reference("a"), index_reference("a", "one"), index_reference("a", "z_1")
    assert [(statement.made, statement.dropped) for statement in statements] == [
        ((a, validator_reference("a")), ()),
        ((one,), ()),
        ((z,), ()),
        ((validator_reference("a"),), ()),
        ((), (validator_reference("a"),)),
        ((one,), ()),
        ((collection_reference("implied"),), ()),
        ((collection_reference("by_index"), index_reference("by_index", "first")), ()),
        ((collection_reference("copied"),), ()),
        ((), (z,)),
        ((collection_reference("b"), index_reference("b", "x_1")), ()),
        ((), (index_reference("b", "x_1"),)),
        ((), (a, validator_reference("a"), one)),
    ]
    assert statements[0].text == 'db.createCollection("a", {validator: {$jsonSchema: {required: ["x"]}}})'
    assert statements[1].text == 'db.a.createIndex({x: 1, y: -1}, {name: "one", unique: true})'
    assert all(statement.seconds is not None for statement in statements)


def test_a_rename_takes_indexes_along(owner: Documents[dict[str, Any]], log: Log) -> None:
    owner.old.create_index("x", name="one")
    owner.client.admin.command("ping")
    first = log.read()
    owner.old.rename("new")
    assert made(first) == [(collection_reference("old"), index_reference("old", "one"))]
    (renamed,) = log.read().statements
    assert renamed.made == (collection_reference("new"), validator_reference("new"), index_reference("new", "one"))
    assert renamed.dropped == (collection_reference("old"), validator_reference("old"), index_reference("old", "one"))


def test_a_transaction_that_is_aborted_is_undone(owner: Documents[dict[str, Any]], log: Log) -> None:
    for name, fails in (("kept", False), ("gone", True)):
        with owner.client.start_session() as session:
            session.start_transaction()
            owner.create_collection(name, session=session)
            session.abort_transaction() if fails else session.commit_transaction()
    found = {one.made: one.undone for one in log.read().statements}
    assert found == {(collection_reference("kept"),): False, (collection_reference("gone"),): True}


def test_errors_are_told_with_their_code_and_quote_no_document(owner: Documents[dict[str, Any]], log: Log) -> None:
    owner.a.insert_many([{"x": "in the document"}, {"x": "in the document"}])
    for attempt in (
        lambda: owner.a.create_index("x", unique=True),
        lambda: owner.client.other.command("create", "a"),
        lambda: owner.command("collMod", "unheard_of", validator={}),
    ):
        with pytest.raises(OperationFailure):
            attempt()
    first, second = log.read().errors
    assert (first.code, second.code) == ("11000", "26")
    assert first.said.startswith("E11000 duplicate key error collection")
    assert "in the document" not in first.said
    assert "in the document" in first.detail
    assert first.statement == 'db.a.createIndex({x: 1}, {name: "x_1", unique: true})'


def test_sessions_are_the_project_s_and_not_ours(
    mongo_server: MongoServer, mongo_database: Database, mongo_connect: MongoConnect, log: Log
) -> None:
    mongo_server.client[mongo_database.name].a.insert_one({})
    assert not backend.arrived(mongo_server, mongo_database, log._mark, ())
    other = mongo_server.create(f"{mongo_database.name}_other")
    mongo_connect(other.addresses[Role.OWNER]).a.insert_one({})
    assert not backend.arrived(mongo_server, mongo_database, log._mark, ())
    assert backend.arrived(mongo_server, mongo_database, log._mark, (Came(),))
    mongo_connect(mongo_database.addresses[Role.OWNER]).client.admin.command("ping")
    assert backend.arrived(mongo_server, mongo_database, log._mark, ())
    mark = mongo_server.mark()
    mongo_connect(mongo_database.addresses[Role.ADMIN]).a.find_one()
    assert backend.arrived(mongo_server, mongo_database, mark, ())


def ran(text: str, line: int, made: Sequence[ObjectReference] = (), dropped: Sequence[ObjectReference] = ()) -> Ran:
    return Ran(Statement(text, Place("migrations/0001_first.py", line), made=tuple(made), dropped=tuple(dropped)))


def test_what_the_program_told_comes_before_the_log(
    mongo_server: MongoServer, mongo_database: Database, owner: Documents[dict[str, Any]], log: Log
) -> None:
    owner.create_collection("a")
    told = (ran("told", 3, [collection_reference("a")]), Came())
    recording = backend.recording(mongo_server, mongo_database, log._mark, told, ())
    assert [one.text for one in recording.statements] == ["told"]
    assert recording.sessions


def test_the_last_statement_that_made_or_changed_an_object_made_it(
    mongo_database: Database, owner: Documents[dict[str, Any]]
) -> None:
    owner.create_collection("a", validator={"$jsonSchema": {"required": ["x"]}})
    owner.a.create_index("x", name="one")
    owner.create_collection("b")
    a, one, validator = collection_reference("a"), index_reference("a", "one"), validator_reference("a")
    told = [
        ran("create a", 1, [a, validator]),
        ran("index", 2, [one]),
        ran("drop the index", 3, dropped=[one]),
        ran("index again", 4, [one]),
        ran("collMod", 5, [validator]),
        ran("index gone", 6, [index_reference("a", "gone")]),
        ran("drop b", 7, [collection_reference("b")]),
        ran("drop b", 8, dropped=[collection_reference("b")]),
    ]
    recordings = [Recording(tuple(each.statement for each in told[:4])), Recording(tuple(each.statement for each in told[4:]))]
    found = backend.provenance(mongo_database, recordings, {"migrations/0001_first.py": "0001_first"})
    assert {key: (value.place.line, value.revision) for key, value in found.items()} == {
        a: (1, "0001_first"),
        one: (4, "0001_first"),
        validator: (5, "0001_first"),
    }


def test_a_collection_that_is_dropped_takes_its_indexes_along(mongo_database: Database, owner: Documents[dict[str, Any]]) -> None:
    owner.a.create_index("x", name="one")
    a, one = collection_reference("a"), index_reference("a", "one")
    told = [ran("first", 1, [a, one]), ran("drop", 2, dropped=[a]), ran("second", 3, [a])]
    found = backend.provenance(mongo_database, [Recording(tuple(each.statement for each in told))], {})
    assert {key: value.place.line for key, value in found.items()} == {a: 3}
