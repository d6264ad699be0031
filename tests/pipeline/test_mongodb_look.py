"""``dbproof check --url-env MONGO_URL``: a look at a MongoDB that exists, by a user who may only read, that writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from proving import Ran, dbproof, project
from pymongo.database import Database as Documents

from checks.targets import Role
from runner.servers.interface import Address, Database
from runner.servers.mongodb.server import MongoServer

PASSWORD = "c4nary-p@ss"
WRITTEN = "c4nary-p%40ss"
SETTINGS = """
[databases.billing]
engine = "mongodb"
url_env = "MONGO_URL"

[databases.billing.expect]
references = ["subscriptions.company_name -> companies.company_name"]
schemas.companies = { required = ["company_name"] }

[databases.billing.expect.indexes.subscriptions]
company_name_idx = { keys = ["company_name"] }

[databases.billing.queries.of_a_company]
collection = "subscriptions"
find = { company_name = "{companies.company_name}" }
"""
#: What takes the server long for each document, and nothing before it.
SLOW = {"$expr": {"$gt": [{"$size": {"$range": [0, {"$add": [300_000, {"$strLenCP": "$company_name"}]}]}}, -1]}}


@pytest.fixture
def billing(mongo_server: MongoServer, mongo_database: Database) -> Documents[dict[str, Any]]:
    inside: Documents[dict[str, Any]] = mongo_server.client[mongo_database.name]
    inside.create_collection("companies", validator={"$jsonSchema": {"required": ["company_name"]}})
    inside.companies.insert_many([{"company_name": name} for name in "abc"])
    inside.create_collection("subscriptions", validator={"$jsonSchema": {"required": ["status"]}}, validationAction="warn")
    inside.subscriptions.insert_many([{"company_name": name, "status": "active"} for name in "aabbcc"])
    inside.subscriptions.create_index("company_name", name="company_name_idx")
    inside.create_collection("named", viewOn="companies", pipeline=[])
    return inside


def user(inside: Documents[dict[str, Any]], address: Address, roles: list[Any]) -> str:
    """The address of a user with roles in a database; the user goes with it."""
    inside.command("createUser", "looker", pwd=PASSWORD, roles=roles)
    return f"mongodb://looker:{WRITTEN}@{address.host}:{address.port}/{inside.name}?directConnection=true"


def look(root: Path, url: str, *arguments: str, settings: str | None = None) -> Ran:
    project(root / "repository", {}, settings)
    ran = dbproof("check", "--url-env", "MONGO_URL", *arguments, root=root / "repository", more={"MONGO_URL": url})
    assert [canary for canary in (PASSWORD, WRITTEN) if canary in ran.said] == []
    return ran


def written(server: MongoServer) -> list[Any]:
    """What the replica set's log of writes holds beside its own housekeeping, the newest first."""
    theirs = {"op": {"$ne": "n"}, "ns": {"$not": {"$regex": r"^(config|admin)\."}}}
    return [one["ts"] for one in server.client.local["oplog.rs"].find(theirs).sort("$natural", -1).limit(1)]


def test_a_user_who_may_only_read_sees_all_that_is_declared_and_nothing_is_written(
    tmp_path: Path, billing: Documents[dict[str, Any]], mongo_server: MongoServer, mongo_database: Database
) -> None:
    billing.subscriptions.insert_many([{"company_name": "gone"}, {"company_name": "gone", "status": "active"}])
    url = user(billing, mongo_database.private, ["read"])
    before = written(mongo_server)
    ran = look(tmp_path, url, settings=SETTINGS)
    assert ran.code == 1, ran.said
    assert sorted(ran.failing) == [
        ("dangling-reference", "subscriptions.company_name -> companies.company_name"),
        ("document-violates-validator", "subscriptions"),
    ]
    outcomes = {check["id"]: (check["outcome"], check.get("reason", "")) for check in ran.database["checks"]}
    assert "errored" not in {outcome for outcome, _ in outcomes.values()}, outcomes
    for name in ("validator-missing", "index-drift", "query-limit"):
        assert outcomes[name][0] == "passed", outcomes
    probes = {reason for name, (_, reason) in outcomes.items() if name.endswith("-probe")}
    assert probes <= {"the database was given to be read only"}
    by_owner = look(tmp_path / "owner", mongo_database.addresses[Role.OWNER].url(), settings=SETTINGS)
    assert by_owner.failing == ran.failing
    assert written(mongo_server) == before


def test_without_settings_a_look_shows_what_the_database_says_of_itself_on_one_screen(
    tmp_path: Path, billing: Documents[dict[str, Any]], mongo_database: Database
) -> None:
    url = user(billing, mongo_database.private, ["read"])
    ran = look(tmp_path, url)
    assert ran.code == 0, ran.said
    assert "holds       2 collections, about 9 documents, " in ran.err
    assert "only reads, no statement for longer than 60 s" in ran.err
    assert ran.check("document-violates-validator")["proven"] == 2
    assert ran.check("dangling-reference")["reason"] == "nothing is declared of it"
    assert len(ran.said.splitlines()) < 30, ran.said
    billing.subscriptions.insert_one({"company_name": "a"})
    broken = look(tmp_path / "broken", url)
    assert (broken.code, broken.failing) == (1, [("document-violates-validator", "subscriptions")])


def test_what_the_user_may_not_read_is_named_and_is_no_pass(
    tmp_path: Path, billing: Documents[dict[str, Any]], mongo_database: Database
) -> None:
    everything, companies = ({"db": billing.name, "collection": name} for name in ("", "companies"))
    may = [{"resource": everything, "actions": ["listCollections"]}, {"resource": companies, "actions": ["find", "listIndexes"]}]
    billing.command("createRole", "narrow", privileges=may, roles=[])
    try:
        ran = look(tmp_path, user(billing, mongo_database.private, ["narrow"]), settings=SETTINGS)
    finally:
        billing.command("dropRole", "narrow")
    assert ran.failing == [], ran.said
    for name, subject in (("index-drift", "subscriptions.company_name_idx"), ("document-violates-validator", "subscriptions")):
        gaps = {one["subject"]: one["reason"] for one in ran.check(name)["not_proven"]}
        assert gaps.get(subject) == "permission denied", (name, gaps)
    assert ran.check("validator-missing")["proven"] == 1


def test_what_takes_too_long_is_not_proven(tmp_path: Path, billing: Documents[dict[str, Any]], mongo_database: Database) -> None:
    billing.companies.insert_many([{"company_name": str(number)} for number in range(200)])
    billing.command("collMod", "companies", validator=SLOW)
    ran = look(tmp_path, user(billing, mongo_database.private, ["read"]), "--statement-timeout", "300ms")
    assert "no statement for longer than 0.3 s" in ran.err
    gaps = {one["subject"]: one["reason"] for one in ran.check("document-violates-validator")["not_proven"]}
    assert "limit of time" in gaps["companies"]
    assert ran.check("document-violates-validator")["proven"] == 1


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ((WRITTEN, "c4nary-wrong"), 4, "it does not accept the user and password"),
        (("?", "/no/such?"), 2, "cannot be read"),
    ],
)
def test_an_address_that_does_not_lead_there(
    change: tuple[str, str], code: int, words: str, tmp_path: Path, billing: Documents[dict[str, Any]], mongo_database: Database
) -> None:
    ran = look(tmp_path, user(billing, mongo_database.private, ["read"]).replace(*change))
    assert (ran.code, words in ran.said, "c4nary" in ran.said) == (code, True, False), ran.said
