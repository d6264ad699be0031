"""What new migrations do to base's documents, in a run: at its line, on the repository's own documents and on made ones."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest
from proving import Ran, dbproof
from repositories import repository

pytestmark = pytest.mark.usefixtures("mongod")

IDS = ("changed-values", "lost-rows", "dropped-with-values")
SETTINGS = """
[databases.docs]
engine = "mongodb"
migrations = { tool = "python", directory = "migrations" }
data = DATA

[[allow]]
check = "dropped-with-values"
subject = "sessions"
reason = "they live in the cache since 2.4"

[severity]
down-restores = "off"
"""
FIRST = """
def up(db):
    schema = {"required": ["total"], "properties": {"total": {"bsonType": "double", "minimum": 1, "maximum": 90}}}
    db.create_collection("orders", validator={"$jsonSchema": schema})
    db.create_collection("customers")
    db.create_collection("sessions")
"""
ORDERS: list[dict[str, object]] = [
    {"_id": n, "total": n / 8 + 1, "code": f"L{n}", "state": "new", "old": f"o{n}", "a.b": [{"": f"$x{n}"}]} for n in range(40)
]
CUSTOMERS: list[dict[str, object]] = [{"_id": {"of": n}, "name": f"customer {n}"} for n in range(10)]
ALLOW = "dbproof: allow dropped-with-values, nobody reads it"
NEW = """
def up(db):
    db.command("collMod", "orders", validator={})
    db.orders.update_many({}, [{"$set": {"total": {"$toInt": "$total"}}}])
    db.orders.update_many({}, {"$unset": {"code": ""}, "$rename": {"old": "new"}})
    for order in db.orders.find({"_id": {"$lt": 12}}):
        db.orders.update_one({"_id": order["_id"]}, {"$set": {"state": "open"}})
    db.customers.rename("clients")
    db.clients.delete_many({"_id.of": {"$gt": 7}})
    db.sessions.drop()
"""


def run(root: Path, data: str, files: dict[str, str], new: dict[str, str], more: dict[str, str] | None = None) -> Ran:
    """A run in which ``new`` files are."""
    repo = repository(root, {"dbproof.toml": SETTINGS.replace("DATA", data), "migrations/1_first.py": FIRST, **files})
    repo.branch("change")
    repo.commit({name: dedent(text).lstrip() for name, text in new.items()})
    return dbproof("run", root=repo.root, more={"DBPROOF_SELFTEST": "off", **(more or {})})


def said(ran: Ran) -> dict[tuple[str, str], tuple[str, str, int | None, int | None]]:
    """By check and subject: the severity, where the command stands and the exact count."""
    return {
        (check, one["subject"]): (
            one["severity"],
            *((place["file"], place["line"]) if (place := one["provenance"]) else ("", None)),
            one["evidence"]["count"],
        )
        for check in IDS
        for one in ran.findings(check)
    }


def lines(documents: list[dict[str, object]]) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in documents)


def test_what_became_of_the_repositorys_own_documents_is_said_at_its_line(tmp_path: Path) -> None:
    """Also of a collection under a new name, and by several new files."""
    files = {"orders.jsonl": lines(ORDERS), "customers.jsonl": lines(CUSTOMERS), "sessions.jsonl": '{"_id": 1}\n'}
    data = '{ load = ["orders.jsonl", "customers.jsonl", "sessions.jsonl"] }'
    odd = f'def up(db):\n    db.orders.update_many({{}}, [{{"$unset": "state"}}, {{"$set": {{"at": "$$NOW"}}}}])  # {ALLOW}\n'
    new = {"migrations/2_new.py": NEW, "migrations/3_odd.py": odd}
    ran = run(tmp_path / "repo", data, files, new)
    second, third = "migrations/2_new.py", "migrations/3_odd.py"
    assert said(ran) == {
        ("changed-values", "orders.total"): ("error", second, 3, 35),
        ("dropped-with-values", "orders.code"): ("warning", second, 4, 40),
        ("dropped-with-values", "orders.state"): ("warning", third, 2, 40),
        ("dropped-with-values", "sessions"): ("warning", second, 9, 1),
        ("lost-rows", "customers"): ("warning", second, 8, 2),
    }
    assert (ran.code, ran.failing) == (1, [("changed-values", "orders.total")]), ran.said
    assert "51 documents in 3 collections followed" in ran.said
    assert "customer 9" not in ran.said + json.dumps(ran.report), "values are shown with show_values alone"
    allowed = {one["subject"]: one["allowed"] for one in ran.findings("dropped-with-values")}
    assert {subject: one["reason"] for subject, one in allowed.items() if one} == {
        "sessions": "they live in the cache since 2.4",
        "orders.state": "nobody reads it",
    }


MADE = """
def up(db):
    db.command("collMod", "orders", validator={})
    db.orders.update_many({}, [{"$set": {"total": {"$toInt": "$total"}}}])
    db.sessions.delete_many({})
"""


def test_made_documents_show_it_as_well_and_production_is_asked(tmp_path: Path) -> None:
    """A collection that a migration emptied is filled again for the checks, which hides nothing."""
    ran = run(tmp_path / "repo", "{ rows = 40 }", {}, {"migrations/2_new.py": MADE})
    found = said(ran)
    assert found["lost-rows", "sessions"] == ("warning", "migrations/2_new.py", 4, 40)
    severity, *_, count = found["changed-values", "orders.total"]
    assert (severity, ran.code) == ("warning", 0), ran.said
    assert count in range(1, 41)
    (changed,) = ran.findings("changed-values")
    asked = 'Ask production, where this must give 0: db.orders.countDocuments({"total": {"$type": "double"}, '
    assert changed["remedy"].startswith(asked)
