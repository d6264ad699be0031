"""``dbproof fix dangling-reference`` on a real MongoDB: the missing parents are made, once, and removed again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database as Documents

from checks.targets import Role
from runner.cli import answer
from runner.errors import Exit
from runner.servers.interface import Address, Database
from runner.servers.mongodb.server import MongoServer

SETTINGS = """
[databases.docs]
engine = "mongodb"

[databases.docs.expect]
references = ["orders.customer -> customers.name", "orders.lines[].sku -> goods._id"]

[databases.docs.expect.schemas.customers]
required = ["name", "since", "level", "country"]
properties.name = { bsonType = "string", maxLength = 20 }
properties.since = { bsonType = "date" }
properties.level = { bsonType = "int", minimum = 3 }
properties.country = { bsonType = "string" }
properties.notes = { bsonType = "string" }

[databases.docs.fix.customers]
values = { country = "NO" }
"""


class Fixing:
    """Runs ``dbproof fix`` on the test's database, from a directory of its own."""

    def __init__(self, root: Path, database: Database, documents: Documents[dict[str, Any]], capsys: Any) -> None:
        self.root = root
        self.owner = database.addresses[Role.OWNER]
        self.name = database.name
        self.documents = documents
        self.capsys = capsys
        self.out = self.err = ""

    def run(self, *arguments: str, address: Address | None = None, settings: str = SETTINGS) -> Exit:
        (self.root / "dbproof.toml").write_text(settings, "utf-8")
        environment = {"MONGO_URL": (address or self.owner).url()}
        code = answer(["fix", str(self.root), *arguments, "--url-env", "MONGO_URL"], environment)
        self.out, self.err = self.capsys.readouterr()
        return code

    def file(self) -> str:
        (path,) = (self.root / "dbproof-undo").iterdir()
        return str(path)


@pytest.fixture
def fixing(
    tmp_path: Path, mongo_server: MongoServer, mongo_database: Database, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> Fixing:
    monkeypatch.chdir(tmp_path)
    documents = mongo_server.client[mongo_database.name]
    documents.customers.insert_one({"name": "Ada", "since": datetime.now(UTC), "level": 5, "country": "UK"})
    documents.customers.create_index("name", unique=True)
    documents.orders.insert_many(
        {"customer": name, "lines": [{"sku": sku}]}
        for name, sku in (("Ada", 1), ("Bo", 1), ("Bo", 2), ("Cy $1", 3), ("", 1), (None, None))
    )
    documents.goods.insert_one({"_id": 1})
    return Fixing(tmp_path, mongo_database, documents, capsys)


def test_a_dry_run_counts_and_changes_nothing(fixing: Fixing) -> None:
    before = fixing.documents.command("dbHash")["md5"]
    assert fixing.run("dangling-reference", "--dry-run") is Exit.HELD
    assert "orders.customer -> customers.name: 3 parents missing" in fixing.out
    assert "orders.lines[].sku -> goods._id: 2 parents missing" in fixing.out
    assert '{name: "(the key)", since: ISODate("' in fixing.out
    assert {part for part in ("level: 3", 'country: "NO"', "Bo") if part in fixing.out} == {"level: 3", 'country: "NO"'}
    assert '{_id: "(the key)", created_by: "dbproof"}' in fixing.out
    assert fixing.documents.command("dbHash")["md5"] == before
    assert not (fixing.root / "dbproof-undo").exists()


def test_parents_are_made_once_and_exactly_these_are_removed(fixing: Fixing) -> None:
    before = fixing.documents.command("dbHash")["collections"]
    assert fixing.run("dangling-reference", "--yes") is Exit.HELD
    assert "made 5 documents" in fixing.out
    made = {one["name"]: one for one in fixing.documents.customers.find({"created_by": "dbproof"}, {"_id": 0})}
    assert set(made) == {"Bo", "Cy $1", ""}
    assert set(made["Bo"]) == {"name", "since", "level", "country", "created_by"}
    assert {one["_id"] for one in fixing.documents.goods.find({"created_by": "dbproof"})} == {2, 3}
    assert Path(fixing.file()).stat().st_mode & 0o777 == 0o600
    assert "Bo" not in Path(fixing.file()).read_text("utf-8")
    assert fixing.run("dangling-reference", "--yes") is Exit.HELD
    assert "every declared reference finds its parent" in fixing.out
    fixing.documents.customers.update_one({"name": "Bo"}, {"$set": {"level": 9}})
    fixing.documents.goods.delete_one({"_id": 3})
    assert fixing.run("--undo", fixing.file(), "--yes") is Exit.HELD, fixing.err
    assert "removed 3 documents; 1 stay, as somebody has changed them since; 1 are not there" in fixing.out
    assert [one["name"] for one in fixing.documents.customers.find({"created_by": "dbproof"})] == ["Bo"]
    fixing.documents.customers.delete_one({"name": "Bo"})
    assert fixing.documents.command("dbHash")["collections"] == before


def test_what_came_of_it_as_json(fixing: Fixing) -> None:
    def told() -> Any:
        return json.loads((fixing.root / "fixed.json").read_text("utf-8"))

    fixing.documents.orders.insert_one({"customer": 5})
    assert fixing.run("dangling-reference", "--dry-run", "--json", "fixed.json") is Exit.FINDINGS
    assert {name: told()[name] for name in ("format", "database", "missing", "makeable", "made", "undo", "removed")} == {
        "format": "dbproof-fix/1",
        "database": fixing.name,
        "missing": 6,
        "makeable": 5,
        "made": None,
        "undo": None,
        "removed": None,
    }
    customers, goods = told()["references"]
    assert (customers["reference"], customers["missing"], customers["makeable"]) == ("orders.customer -> customers.name", 4, 3)
    assert (customers["of_another_type"], customers["declared"]["file"]) == ({"int": 1}, "dbproof.toml")
    assert customers["example"]["name"] == goods["example"]["_id"] == "(the key)"
    assert "$date" in customers["example"]["since"]
    assert fixing.run("dangling-reference", "--yes", "--json", "fixed.json") is Exit.FINDINGS
    assert (told()["made"], told()["refused"], told()["undo"]) == (5, [], str(Path(fixing.file()).relative_to(fixing.root)))
    assert fixing.run("--undo", fixing.file(), "--yes", "--json", "fixed.json") is Exit.HELD
    assert told()["removed"] == {"removed": 5, "changed": 0, "gone": 0}


def test_keys_that_no_parent_can_have_are_counted_and_the_others_made(fixing: Fixing) -> None:
    fixing.documents.orders.insert_many([{"customer": "x" * 21}, {"customer": 5}, {"customer": ["Ada"]}])
    assert fixing.run("dangling-reference", "--yes") is Exit.FINDINGS
    assert "orders.customer -> customers.name: 6 parents missing" in fixing.out
    assert "1 of their keys is none that a document of customers can have" in fixing.out
    assert "1 of their keys is of the type int, which no key of customers has" in fixing.out
    assert (
        "1 of their keys is of the type array, which no key of customers has (write [] where each element refers)" in fixing.out
    )
    assert fixing.documents.customers.count_documents({"created_by": "dbproof"}) == 3


def test_keys_of_another_type_than_the_parents_are_left(fixing: Fixing) -> None:
    fixing.documents.orders.insert_many([{"lines": [{"sku": "1"}, {"sku": 2.5}]}, {"lines": [{"sku": "2"}]}])
    assert fixing.run("dangling-reference", "--yes") is Exit.FINDINGS
    assert "2 of their keys are of the type string, which no key of goods has (reference-type-mismatch)" in fixing.out
    assert {one["_id"] for one in fixing.documents.goods.find({"created_by": "dbproof"})} == {2, 3, 2.5}


def test_a_closed_schema_gets_no_mark(fixing: Fixing) -> None:
    settings = SETTINGS.replace('required = ["name",', 'additionalProperties = false\nproperties._id = {}\nrequired = ["name",')
    assert fixing.run("dangling-reference", "--yes", settings=settings) is Exit.HELD
    assert set(fixing.documents.customers.find_one({"name": "Bo"}) or {}) == {"_id", "name", "since", "level", "country"}


def test_what_the_server_refuses_is_told_and_the_rest_made(fixing: Fixing) -> None:
    fixing.documents.customers.create_index("country", unique=True)  # and the settings give each the same
    assert fixing.run("dangling-reference", "--yes") is Exit.FINDINGS
    assert "2 documents refused: MongoDB 11000: E11000 duplicate key error" in fixing.out
    assert "made 3 documents" in fixing.out
    assert "NO" not in fixing.out.replace("MongoDB", "").partition("made 3")[2]


def test_references_of_several_fields_and_in_sub_documents(fixing: Fixing) -> None:
    settings = (
        "[databases.docs]\nengine = 'mongodb'\n[databases.docs.expect]\n"
        "references = ['visits.(tenant, who.name) -> people.(tenant, name.full)']\n"
    )
    fixing.documents.create_collection("people")
    fixing.documents.visits.insert_many([{"tenant": n % 2, "who": {"name": "Ada"}} for n in range(4)] + [{"tenant": 7}])
    owner = fixing.owner
    hasty = Address(owner.host, owner.port, owner.user, owner.password, fixing.name, {**owner.extra, "w": "0"}, scheme="mongodb")
    assert fixing.run("dangling-reference", "--yes", address=hasty, settings=settings) is Exit.HELD
    assert "made 2 documents" in fixing.out
    made = list(fixing.documents.people.find({}, {"_id": 0}, sort=[("tenant", 1)]))
    assert made == [{"tenant": n, "name": {"full": "Ada"}, "created_by": "dbproof"} for n in (0, 1)]


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda db: db.drop_collection("goods"), "there is no collection goods; `dbproof apply` makes it"),
        (
            lambda db: (db.drop_collection("goods"), db.create_collection("goods", viewOn="customers", pipeline=[])),
            "goods is a view",
        ),
        (lambda db: (db.drop_collection("goods"), db.create_collection("goods", capped=True, size=4096)), "goods is capped"),
    ],
)
def test_where_no_parent_can_be_made_it_is_said(prepare: Any, words: str, fixing: Fixing) -> None:
    prepare(fixing.documents)
    assert fixing.run("dangling-reference", "--yes") is Exit.FINDINGS
    assert f"none can be made: {words}" in fixing.out
    assert fixing.documents.customers.count_documents({"created_by": "dbproof"}) == 3


def test_a_parent_that_has_to_refer_itself_needs_a_value(fixing: Fixing) -> None:
    settings = SETTINGS.replace('"orders.lines[].sku -> goods._id"', '"customers.country -> countries._id"')
    settings = settings.replace('[databases.docs.fix.customers]\nvalues = { country = "NO" }', "")
    fixing.documents.countries.insert_one({"_id": "UK"})
    assert fixing.run("dangling-reference", "--dry-run", settings=settings) is Exit.FINDINGS
    assert "a document of customers has to refer to one of countries itself, by country" in fixing.out


def test_values_of_the_settings(fixing: Fixing) -> None:
    values = '{ country = "NO", "seat.at" = "{now}", seat = { "$oid" = "65a000000000000000000000" }, day = 2026-01-02 }'
    settings = SETTINGS.replace('{ country = "NO" }', values.replace("seat = {", "owner = {"))
    assert fixing.run("dangling-reference", "--yes", settings=settings) is Exit.HELD
    made = fixing.documents.customers.find_one({"name": "Bo"}) or {}
    assert str(made["owner"]) == "65a000000000000000000000"
    assert isinstance(made["seat"]["at"], datetime)
    assert made["day"] == datetime(2026, 1, 2, tzinfo=made["day"].tzinfo)
    wrong = SETTINGS.replace('{ country = "NO" }', '{ country = { "$oid" = "x" } }')
    fixing.documents.customers.delete_many({"created_by": "dbproof"})
    assert fixing.run("dangling-reference", "--yes", settings=wrong) is Exit.FINDINGS
    assert "a value of the settings is no Extended JSON" in fixing.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "is nothing that is repaired here"),
        (["dangling-refrence"], "did you mean 'dangling-reference'?"),
        (["x", "dangling-reference"], "expected a path and the id of a check"),
        (["dangling-reference"], "there is no terminal to ask on"),
        (["--undo", "gone.jsonl"], "--undo gone.jsonl: no such file or directory"),
        (["--undo", "dbproof.toml"], "is no file of `dbproof fix`"),
        (["--undo", "other.jsonl"], "the file is of the database other"),
    ],
)
def test_usage_errors(arguments: list[str], words: str, fixing: Fixing) -> None:
    Path("other.jsonl").write_text(json.dumps({"format": "dbproof-fix/1", "database": "other"}), "utf-8")
    before = fixing.documents.command("dbHash")["md5"]
    assert fixing.run(*arguments) is Exit.USAGE
    assert words in " ".join(fixing.err.split())
    assert fixing.documents.command("dbHash")["md5"] == before


def test_a_user_who_only_reads_is_told_what_is_missing(fixing: Fixing) -> None:
    fixing.documents.command("createUser", "reader", pwd="only-reads", roles=["read"])
    extra = fixing.owner.extra
    reader = Address(fixing.owner.host, fixing.owner.port, "reader", "only-reads", fixing.name, extra, scheme="mongodb")
    assert fixing.run("dangling-reference", "--dry-run", address=reader) is Exit.HELD
    assert fixing.run("dangling-reference", "--yes", address=reader) is Exit.ENVIRONMENT
    said = " ".join(fixing.err.split())
    assert f"the user reader (of {fixing.name}) may not: insert on customers, insert on goods" in said
    assert f'grantRolesToUser("reader", [{{role: "readWrite", db: "{fixing.name}"}}])' in said
