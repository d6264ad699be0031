"""A first declaration of a database: what it holds every document to, and whether the file can be read again as it is meant."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database as Documents

from checks.declared.documents import DocumentExpectations
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from runner.errors import UsageError
from runner.inferring import collections as reading
from runner.inferring.collections import Inferred, infer
from runner.inferring.text import text
from runner.inferring.writing import COLLECTIONS, write
from runner.progress import Silent
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session
from runner.settings.declarations import Source, documents
from runner.settings.load import load
from runner.targets.mongodb import MongoTarget

Infer = Callable[[Callable[[Documents[dict[str, Any]]], object]], Inferred]
#: A name that every format would like to take for something else.
HOSTILE = "a \"b\"\n%s''s: # x"


@pytest.fixture
def inferred(mongo_server: MongoServer, mongo_database: Database) -> Infer:
    """``inferred(prepare)``: what is concluded of a database that a function has prepared."""

    def run(prepare: Callable[[Documents[dict[str, Any]]], object]) -> Inferred:
        with session(mongo_database.private) as client:
            prepare(client[mongo_database.name])
        with MongoTarget(mongo_server, None, mongo_database, Expectations(), Evidence()) as target:
            return infer(target, lambda _: None)

    return run


def read_again(found: Inferred, root: Path) -> DocumentExpectations:
    """What a run would take the written file for."""
    (root / "c.yaml").write_text(text(found), encoding="utf-8")
    (root / "dbproof.toml").write_text('[databases.docs]\nengine = "mongodb"\n[databases.docs.expect]\nfiles = ["c.yaml"]\n')
    loaded = load(root, {}, {})
    return documents(loaded.settings.databases["docs"], Source("docs", root))


def subscriptions(database: Documents[dict[str, Any]]) -> None:
    companies = [{"_id": ObjectId(), "company_name": f"Company {number}", "town": "X"} for number in range(40)]
    database.companies.insert_many(companies)
    database.companies.create_index("company_name", unique=True, name="company_name_unique")
    database.subscriptions.insert_many(
        {"company_name": f"Company {number % 42}", "status": ("active", "closed")[number % 2]} for number in range(420)
    )
    database.subscriptions.create_index(
        [("company_name", ASCENDING), ("status", DESCENDING)], name="by", partialFilterExpression={"status": "active"}
    )
    database.invoices.insert_many(
        {"lines": [{"companyId": companies[number % 40]["_id"]}], "town": "Company 1"} for number in range(60)
    )
    database.create_collection("seen", viewOn="companies", pipeline=[])
    database.create_collection("nothing")


def test_schemas_indexes_and_references_are_read_and_can_be_read_again(inferred: Infer, tmp_path: Path) -> None:
    found = inferred(subscriptions)
    by_name = {one.name: one for one in found.collections}
    assert by_name["subscriptions"].schema == {
        "bsonType": "object",
        "required": ["company_name", "status"],
        "properties": {
            "_id": {"bsonType": "objectId"},
            "company_name": {"bsonType": "string"},
            "status": {"bsonType": "string", "enum": ["active", "closed"]},
        },
    }
    assert {one.name: one.exceptions for one in found.collections} == {
        "companies": 0, "invoices": 0, "nothing": None, "subscriptions": 0,
    }  # fmt: skip
    assert {(one.reference.label, one.found, one.asked) for one in found.references} == {
        ("subscriptions.company_name -> companies.company_name", 40, 42),
        ("invoices.lines[].companyId -> companies._id", 40, 40),
    }
    assert found.left_out == (("seen", "it is a view"),)
    declared = read_again(found, tmp_path)
    assert {one.collection: one.validator["$jsonSchema"] for one in declared.validators} == {
        one.name: one.schema for one in found.collections if one.schema
    }
    assert {one.label: (one.index.keys, one.index.unique, one.index.partial_filter) for one in declared.indexes} == {
        "companies.company_name_unique": ((("company_name", 1),), True, None),
        "subscriptions.by": ((("company_name", 1), ("status", -1)), False, {"status": "active"}),
    }
    assert {one.label for one in declared.references} == {one.reference.label for one in found.references}


def test_a_name_alone_makes_no_reference_and_a_share_below_sure_is_a_comment(inferred: Infer, tmp_path: Path) -> None:
    def prepare(database: Documents[dict[str, Any]]) -> None:
        database.customers.insert_many({"_id": f"c{number}"} for number in range(30))
        database.orders.insert_many({"stripe_customer_id": f"cus_{number}"} for number in range(30))
        database.notes.insert_many({"customer_id": f"c{number}"} for number in range(50))

    found = inferred(prepare)
    assert [(one.reference.label, one.is_sure) for one in found.references] == [("notes.customer_id -> customers._id", False)]
    assert "# perhaps: customer_id -> customers._id (60 %: 30 of 50 different values are there)" in text(found)
    assert read_again(found, tmp_path).references == ()


def test_a_sample_is_held_against_all_documents_and_widened(inferred: Infer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "READ", 20)

    def prepare(database: Documents[dict[str, Any]]) -> None:
        database.things.insert_many({"a": number, "b": 1} for number in range(300))
        database.things.insert_one({"a": "text"})

    (things,) = inferred(prepare).collections
    assert things.exceptions == 0
    assert things.read < 60
    assert things.schema["properties"]["a"] == {"bsonType": ["int", "string"]}
    assert things.schema["required"] == ["a"]


def test_a_validator_that_stands_is_taken_as_it_is_and_what_breaks_it_is_counted(inferred: Infer, tmp_path: Path) -> None:
    validator = {"$or": [{"a": {"$gt": 5}}, {"$expr": {"$eq": ["$a", "$b"]}}]}

    def prepare(database: Documents[dict[str, Any]]) -> None:
        database.things.insert_many([{"a": 1}, {"a": 7}, {"a": 2, "b": 2}])
        database.command("collMod", "things", validator=validator)

    found = inferred(prepare)
    (things,) = found.collections
    assert (things.schema, things.stands, things.exceptions) == (validator, True, 1)
    assert "3 documents, all read; 1 break the validator that it has" in text(found)
    assert [one.validator for one in read_again(found, tmp_path).validators] == [validator]


@pytest.mark.mongodb_since("5.0")
def test_hostile_names_are_said_so_that_they_can_be_read_again(inferred: Infer, tmp_path: Path) -> None:
    def prepare(database: Documents[dict[str, Any]]) -> None:
        database[HOSTILE].insert_many({HOSTILE: str(number), "x.y": 1, "$z": 1, "ünï": 1} for number in range(9))
        database[HOSTILE].create_index(HOSTILE, name=HOSTILE, unique=True)
        database["dotted.name"].insert_many({"_id": number} for number in range(9))
        database.children.insert_many({HOSTILE: str(number), "nameId": number} for number in range(9))

    found = inferred(prepare)
    declared = read_again(found, tmp_path)
    assert {one.collection: one.validator["$jsonSchema"] for one in declared.validators} == {
        one.name: one.schema for one in found.collections
    }
    assert {one.label for one in declared.references} == {"children.nameId -> dotted.name._id"}
    assert "\n%s" not in text(found).replace("\n%s''s: # x'", "")


def test_both_files_are_written_and_nothing_that_stands_is_lost(
    mongo_database: Database, tmp_path: Path, inferred: Infer
) -> None:
    inferred(subscriptions)
    address = mongo_database.private.url()
    said = write(tmp_path, "MONGO_URL", address, False, Silent())
    assert said[0] == f"wrote {tmp_path / 'dbproof.toml'}"
    assert said[1].endswith("3 schemas, 3 of 3 hold for every document; 2 indexes; 2 references")
    loaded = load(tmp_path, {}, {"MONGO_URL": address})
    assert loaded.settings.databases[mongo_database.name].url_env == "MONGO_URL"
    with pytest.raises(UsageError, match="exists already"):
        write(tmp_path, "MONGO_URL", address, False, Silent())
    (tmp_path / "dbproof.toml").unlink()
    with pytest.raises(UsageError, match=f"{COLLECTIONS}: exists already"):
        write(tmp_path, "MONGO_URL", address, False, Silent())
    write(tmp_path, "MONGO_URL", address, True, Silent())


def test_a_relational_database_is_not_read_for_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a relational database declares itself"):
        write(tmp_path, "DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/x", False, Silent())


def test_the_command_takes_the_name_of_a_variable(tmp_path: Path) -> None:
    for given, words in (("mongodb://u:secret@h/x", "expected the name of an environment variable"), ("NO_SUCH", "is not set")):
        told = [sys.executable, "-m", "runner.cli", "init", str(tmp_path), "--url-env", given]
        ended = subprocess.run(told, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 2
        assert words in ended.stderr
        assert "secret" not in ended.stdout + ended.stderr
    assert list(tmp_path.iterdir()) == []
