"""The fault that the subscriptions began with, mended where it stands: their index by company name is unique, and must not be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from bson import json_util
from example_repositories import EXAMPLES
from pymongo.database import Database as Documents

from checks.targets import Role
from runner.cli import answer
from runner.declaring.standing import standing
from runner.errors import Exit
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer

SUBSCRIPTIONS = EXAMPLES / "subscriptions"
DECLARED = {
    "companies": {"company_name_unique", "created_at_asc"},
    "subscriptions": {
        *("company_name_idx", "status_idx", "company_status_idx", "start_date_idx", "end_date_idx", "created_at_asc"),
    },
}


@pytest.fixture
def production(mongo_server: MongoServer, mongo_database: Database) -> Documents[dict[str, Any]]:
    """The example's own documents without validators, one subscription a company, as the unique index has it."""
    documents = mongo_server.client[mongo_database.name]
    for name in ("companies", "subscriptions", "invoices"):
        lines = (SUBSCRIPTIONS / "seeds" / f"{name}.jsonl").read_text("utf-8").splitlines()
        read = [json_util.loads(line) for line in lines]
        documents[name].insert_many(
            {one.get("company_name") if name == "subscriptions" else one["_id"]: one for one in read}.values()
        )
    documents.subscriptions.create_index("company_name", name="company_name_unique", unique=True)
    return documents


def made_of(documents: Documents[dict[str, Any]]) -> Mapping[str, object]:
    return {name: (one.rules, one.definitions) for name, one in standing(documents).items()}


def digests(documents: Documents[dict[str, Any]]) -> Mapping[str, str]:
    return dict(documents.command("dbHash")["collections"])


def test_the_unique_index_gives_way_to_the_plain_one_and_back(
    production: Documents[dict[str, Any]],
    mongo_database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"MONGO_URL": mongo_database.addresses[Role.OWNER].url()}
    apply = ["apply", str(SUBSCRIPTIONS), "--url-env", "MONGO_URL"]
    before, held = made_of(production), digests(production)

    assert answer([*apply, "--dry-run", "--json", "plan.json"], environment) is Exit.HELD
    assert (made_of(production), digests(production)) == (before, held)
    plan = json.loads(Path("plan.json").read_text("utf-8"))
    assert [step["kind"] for step in plan["steps"]] == ["validator"] * 3 + ["build"] * 8 + ["drop"]
    assert plan["steps"][-1]["shell"] == 'db.subscriptions.dropIndex("company_name_unique")'
    assert plan["steps"][5]["declared"]["file"] == "dbproof.toml"

    assert answer([*apply, "--yes"], environment) is Exit.HELD
    after = standing(production)
    assert {name: set(after[name].definitions) for name in DECLARED} == DECLARED
    assert not after["subscriptions"].indexes["company_name_idx"].unique
    assert {one.rules["validationLevel"] for one in after.values()} == {"strict"}
    assert digests(production) == held
    first = production.subscriptions.find_one({}, {"_id": 0}) or {}
    second = production.subscriptions.insert_one(first)

    (undo,) = Path("dbproof-undo").iterdir()
    assert answer([*apply, "--undo", str(undo), "--yes"], environment) is Exit.FINDINGS  # the unique one takes it no more
    assert "2 documents of subscriptions share one value of company_name" in capsys.readouterr().out
    production.subscriptions.delete_one({"_id": second.inserted_id})
    assert answer([*apply, "--undo", str(undo), "--yes"], environment) is Exit.HELD
    assert (made_of(production), digests(production)) == (before, held)
