"""A run upon a MongoDB that was given to be thrown away: what wants a second server like it is not proven, and nothing stays."""

from __future__ import annotations

import sys
from pathlib import Path

from proving import dbproof
from repositories import repository

from runner.servers.mongodb.server import MongoServer

SETTINGS = """
[databases.docs]
engine = "mongodb"
url_env = "THEIRS"
disposable = true

[databases.docs.migrations]
tool = "python"
directory = "migrations"

[databases.docs.expect]
references = ["plans.company -> companies.name on delete restrict"]
deletes.companies = "{python} -c pass {{name}}"
"""
FIRST = 'def up(db):\n    db.create_collection("companies", validator={"$jsonSchema": {"required": ["name"]}})\n'
SECOND = """
def up(db):
    db.create_collection("plans")
    db.companies.insert_one({"name": "a"})
    db.plans.insert_one({"company": "a"})


def down(db):
    db.plans.drop()
"""
WHY = "a given server cannot be forked"


def test_a_change_upon_base(tmp_path: Path, mongo_server: MongoServer) -> None:
    settings = SETTINGS.format(python=sys.executable)
    made = repository(tmp_path / "docs", {"dbproof.toml": settings, "migrations/1_first.py": FIRST})
    made.branch("change")
    made.commit({"migrations/2_second.py": SECOND})
    before = mongo_server.client.list_database_names()
    ran = dbproof("run", "--compare", "main", root=made.root, more={"THEIRS": mongo_server.admin.url()})
    assert ran.code == 0, ran.said
    assert f"so everything is judged: {WHY}" in ran.said
    assert f"not tried: {WHY}" in ran.said
    for check in ("down-restores", "delete-handling-probe"):
        assert {one["reason"] for one in ran.check(check)["not_proven"]} == {WHY}
    assert ran.check("dangling-reference")["proven"] == 1
    assert ran.check("validator-probe")["proven"] == 1
    assert mongo_server.client.list_database_names() == before
