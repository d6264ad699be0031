"""A folder of Python files on a real MongoDB: order, places, what each command made, failures, other servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from checks.evidence import Place, Statement
from checks.schema.collections import collection_reference, index_reference, validator_reference
from checks.targets import Role
from runner.errors import ToolFailed, UsageError
from runner.migrations import python_files
from runner.migrations.interface import Began, Broke, Came, Elsewhere, Ended, Event, Project, Ran
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session
from runner.settings.model import MigrationSettings


def project(root: Path, files: Mapping[str, str]) -> Project:
    (root / "migrations").mkdir(exist_ok=True)
    for name, text in files.items():
        (root / "migrations" / name).write_text(text, "utf-8")
    return Project(root, root / "migrations", MigrationSettings(tool="python", directory="migrations"), root)


def applied(here: Project, database: Database) -> list[Event]:
    return [event for event in python_files.apply(here, database.addresses[Role.OWNER]) if not isinstance(event, Came)]


def ran(events: Sequence[Event]) -> list[Statement]:
    return [event.statement for event in events if isinstance(event, Ran)]


def broke(events: Sequence[Event]) -> Broke:
    assert isinstance(events[-1], Broke), events
    return events[-1]


def test_files_in_the_order_of_their_numbers_with_what_they_made(tmp_path: Path, mongo_database: Database) -> None:
    files = {
        "10_last.py": '"""The last."""\ndef up(db):\n    db.companies.drop_index("by_name")\n',
        "2_index.py": 'async def up(db):\n    await db.companies.create_index("name", name="by_name", unique=True)\n',
        "1_first.py": 'def up(db):\n    db.create_collection("companies", validator={"name": {"$exists": True}})\n',
        "helpers.py": "def nothing(): pass\n",
        "_private.py": "def up(db): raise SystemExit\n",
    }
    here = project(tmp_path, files)
    assert [(one.id, one.title, one.place.line) for one in python_files.revisions(here)] == [
        ("1_first", "first", 1),
        ("2_index", "index", 1),
        ("10_last", "The last.", 2),
    ]
    events = applied(here, mongo_database)
    assert [event.revision for event in events if isinstance(event, Began | Ended)] == [
        *("1_first", "1_first", "2_index", "2_index", "10_last", "10_last")
    ]
    made, indexed, dropped = ran(events)
    assert made.text == 'db.createCollection("companies", {validator: {name: {$exists: true}}})'
    assert made.place == Place("migrations/1_first.py", 2)
    assert made.made == (collection_reference("companies"), validator_reference("companies"))
    assert indexed.text == 'db.companies.createIndex({name: 1}, {name: "by_name", unique: true})'
    assert (indexed.place, indexed.made) == (Place("migrations/2_index.py", 2), (index_reference("companies", "by_name"),))
    assert dropped.dropped == (index_reference("companies", "by_name"),)


COMMANDS = {
    "db.a.insert_one({})": ("made", [collection_reference("a")]),
    "db.a.update_one({'_id': 1}, {'$set': {'b': 1}}, upsert=True)": ("made", [collection_reference("a")]),
    "db.there.aggregate([{'$out': 'a'}])": ("made", [collection_reference("a")]),
    "db.there.aggregate([{'$merge': {'into': 'a'}}])": ("made", [collection_reference("a")]),
    "db.a.create_index('b')": ("made", [collection_reference("a"), index_reference("a", "b_1")]),
    "db.command('collMod', 'there', validator={'b': 1})": ("made", [validator_reference("there")]),
    "db.command('collMod', 'there', validationLevel='off')": ("made", [validator_reference("there")]),
    "db.command('collMod', 'there', index={'name': 'b_1', 'hidden': True})": ("made", [index_reference("there", "b_1")]),
    "db.command('collMod', 'there', validator={})": ("dropped", [validator_reference("there")]),
    "db.there.drop_indexes()": ("dropped", [index_reference("there", "b_1")]),
    "db.there.drop()": (
        "dropped",
        [
            collection_reference("there"),
            validator_reference("there"),
            index_reference("there", "b_1"),
        ],
    ),
    "db.there.rename('a')": (
        "made",
        [collection_reference("a"), validator_reference("a"), index_reference("a", "b_1")],
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_each_command_makes_and_drops(command: str, tmp_path: Path, mongo_database: Database) -> None:
    with session(mongo_database.private) as client:
        there = client[mongo_database.name].there
        there.insert_one({})
        there.create_index("b")
    side, expected = COMMANDS[command]
    (statement,) = ran(applied(project(tmp_path, {"1_do.py": f"def up(db):\n    {command}\n"}), mongo_database))
    assert list(getattr(statement, side)) == expected
    assert statement.place == Place("migrations/1_do.py", 2)


def test_reading_and_writing_what_is_there_is_not_told(tmp_path: Path, mongo_database: Database) -> None:
    text = "def up(db):\n    db.a.insert_one({})\n    db.a.insert_one({})\n    db.a.find_one()\n    db.a.create_index('_id')\n"
    assert [one.text for one in ran(applied(project(tmp_path, {"1_do.py": text}), mongo_database))] == ["db.a.insert(…)"]


FAILURES = {
    "db.a.insert_many([{'b': 1}, {'b': 1}])\n    db.a.create_index('b', unique=True)": (
        "11000",
        3,
        "E11000 duplicate key error collection: {database}.a index: b_1",
        'db.a.createIndex({b: 1}, {name: "b_1", unique: true})',
    ),
    "db.create_collection('a', validator={'$jsonSchema': {'required': ['b']}})\n    db.a.insert_one({'secret': 1})": (
        "121",
        3,
        "Document failed validation: b: required",
        "db.a.insert(…)",
    ),
    "db.create_collection('a')\n    db.create_collection('a', check_exists=False, capped=True, size=9)": (
        "48",
        3,
        "Collection {database}.a already exists.",
        'db.createCollection("a", {capped: true, size: 9.0})',
    ),
    "db.command('collMod', 'none', validator={})": (
        "26",
        2,
        "ns does not exist",
        'db.runCommand({collMod: "none", validator: {}})',
    ),
    "raise ValueError('no')": ("", 2, "ValueError: no", ""),
}


#: What servers said before: without the rule before 5.0, in another order before 6.0.
FORMERLY = {
    ("4.", "Document failed validation: b: required"): "Document failed validation",
    ("4.", "Collection {database}.a already exists."): "Collection already exists. NS: {database}.a",
    ("5.", "Collection {database}.a already exists."): "Collection already exists. NS: {database}.a",
}


@pytest.mark.parametrize("body", FAILURES)
def test_a_failure_at_its_line_with_the_servers_words(
    body: str, tmp_path: Path, mongo_database: Database, mongo_server: MongoServer
) -> None:
    code, line, said, statement = FAILURES[body]
    said = FORMERLY.get((mongo_server.version[:2], said), said)
    stopped = broke(applied(project(tmp_path, {"1_bad.py": f"def up(db):\n    {body}\n"}), mongo_database))
    assert (stopped.revision, stopped.place) == ("1_bad", Place("migrations/1_bad.py", line))
    assert (stopped.code, stopped.statement) == (code, statement)
    assert said.format(database=mongo_database.name) in stopped.said
    assert "secret" not in stopped.said + stopped.statement


def test_a_helper_s_failure_stands_at_the_migration_that_called_it(tmp_path: Path, mongo_database: Database) -> None:
    files = {
        "helpers.py": "def fail(db):\n    db.command('nonsense')\n",
        "1_do.py": "import helpers\n\ndef up(db):\n    helpers.fail(db)\n",
    }
    stopped = broke(applied(project(tmp_path, files), mongo_database))
    assert (stopped.place, stopped.code) == (Place("migrations/1_do.py", 4), "59")


def test_a_file_that_python_cannot_read(tmp_path: Path, mongo_database: Database) -> None:
    stopped = broke(applied(project(tmp_path, {"1_bad.py": "def up(db):\n    (\n"}), mongo_database))
    assert (stopped.revision, stopped.place) == ("1_bad", Place("migrations/1_bad.py", 2))


def test_what_the_database_holds_already_is_not_applied_again(tmp_path: Path, mongo_database: Database) -> None:
    here = project(
        tmp_path, {"1_a.py": "def up(db):\n    db.a.drop()\n    1 / 0\n", "2_b.py": "def up(db):\n    db.b.insert_one({})\n"}
    )
    again = Project(here.root, here.directory, here.settings, here.work_tree, frozenset({"1_a"}))
    assert [event.revision for event in applied(again, mongo_database) if isinstance(event, Ended)] == ["2_b"]


OTHER = "from pymongo import {client}\n\ndef up(db):\n    {client}({arguments})\n"


@pytest.mark.parametrize(
    ("client", "arguments", "address"),
    [
        ("MongoClient", "", "mongodb://localhost:27017/"),
        ("MongoClient", "'db.example.com', 27018", "mongodb://db.example.com:27018/"),
        ("MongoClient", "'mongodb://user:hidden@db.example.com/shop?retryWrites=true'", "mongodb://db.example.com:27017/shop"),
        ("MongoClient", "['127.0.0.1:1', '[::1]:2']", "mongodb://127.0.0.1:1/"),
        ("MongoClient", "'mongodb+srv://user:hidden@cluster.example.net/shop'", "mongodb+srv://cluster.example.net/shop"),
        ("AsyncMongoClient", "'mongodb://db.example.com'", "mongodb://db.example.com:27017/"),
    ],
)
def test_another_server_is_refused(client: str, arguments: str, address: str, tmp_path: Path, mongo_database: Database) -> None:
    text = OTHER.format(client=client, arguments=arguments)
    last = applied(project(tmp_path, {"1_out.py": text}), mongo_database)[-1]
    assert isinstance(last, Elsewhere)
    assert last.address == address


def test_a_client_of_its_own_to_our_server_passes(tmp_path: Path, mongo_database: Database) -> None:
    text = (
        "import os\nfrom pymongo import MongoClient\n\ndef up(db):\n"
        "    with MongoClient(os.environ['MONGODB_URI']) as client:\n        client[db.name].own.insert_one({})\n"
    )
    events = applied(project(tmp_path, {"1_own.py": text}), mongo_database)
    assert [one.text for one in ran(events)] == ["db.own.insert(…)"]


def test_the_address_is_proven_by_a_session_that_only_connects(tmp_path: Path, mongo_database: Database) -> None:
    here = project(tmp_path, {"1_do.py": "raise SystemExit('not to be run')\n"})
    assert list(python_files.current(here, mongo_database.addresses[Role.OWNER])) == [Came()]


def test_modules_that_the_project_lacks(tmp_path: Path, mongo_database: Database) -> None:
    with pytest.raises(ToolFailed, match="no module 'beanie_of_nobody'"):
        applied(project(tmp_path, {"1_do.py": "import beanie_of_nobody\n\ndef up(db): pass\n"}), mongo_database)


def test_a_pattern_that_leaves_the_folder(tmp_path: Path) -> None:
    settings = MigrationSettings(tool="python", directory="migrations", files="../*.py")
    with pytest.raises(UsageError, match="leaves the folder"):
        python_files.revisions(Project(tmp_path, tmp_path / "migrations", settings, tmp_path))


def test_the_folder_is_a_suggestion_only(tmp_path: Path) -> None:
    project(tmp_path, {"0001_first.py": "def up(db): pass\n", "0002_next.py": "async def up(db): pass\n"})
    found = python_files.detect(tmp_path)
    assert found is not None
    assert (found.settings.directory, found.because, found.sure) == ("migrations", Place("migrations/0001_first.py"), False)
    project(tmp_path, {"0003_other.py": "def upgrade(): pass\n"})
    assert python_files.detect(tmp_path) is None
