"""References between databases in whole runs: three engines, base and head, and a look at one of them alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from proving import dbproof
from repositories import repository

SETTINGS = """
references = [
  "docs:subscriptions.customer_id -> app:customers.id",
  "till:orders.customer -> app:customers.id",
  "app:notes.subscription -> docs:subscriptions._id",
]

[databases.app.migrations]
tool = "sql"
directory = "app"

[databases.app.data]
load = ["app.sql"]

[databases.docs]
engine = "mongodb"

[databases.docs.migrations]
tool = "python"
directory = "docs"

[databases.docs.data]
load = ["subscriptions.jsonl"]

[databases.till]
engine = "sqlite"

[databases.till.migrations]
tool = "sql"
directory = "till"

[databases.till.data]
load = ["till.sql"]
"""
OID = "65a1b2c3d4e5f60718293a4b"
FILES = {
    "dbproof.toml": SETTINGS,
    "app/1.sql": "create table customers (id int primary key); create table notes (id int primary key, subscription text);",
    "app.sql": f"insert into customers values (1), (2); insert into notes values (1, '{OID}'), (2, '{OID[:-1]}c');",
    "docs/1.py": "def up(db):\n    db.create_collection('subscriptions')\n",
    "subscriptions.jsonl": f'{{"_id": {{"$oid": "{OID}"}}, "customer_id": 1}}\n',
    "till/1.sql": "create table orders (id integer primary key, customer text);",
    "till.sql": "insert into orders values (1, '1'), (2, '2');",
}


@pytest.mark.usefixtures("mongod")
def test_what_one_database_says_of_another_is_known_from_base_or_new(tmp_path: Path, place: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    repo.branch("change")
    repo.commit({"docs/2.py": "def up(db):\n    db.subscriptions.insert_one({'customer_id': '7'})\n"})
    ran = dbproof("run", root=repo.root, more={"TMPDIR": str(place)})
    assert ran.code == 1, ran.said
    assert list(place.iterdir()) == [], "nothing is left of a run"
    found = {
        one["name"]: next(check for check in one["checks"] if check["id"] == "cross-database-reference")
        for one in ran.report["databases"]
    }
    states = {name: [(finding["subject"], finding["state"]) for finding in check["findings"]] for name, check in found.items()}
    assert states == {
        "app": [("app:notes.subscription -> docs:subscriptions._id", "known")],
        "docs": [("docs:subscriptions.customer_id -> app:customers.id", "new")],
        "till": [],
    }
    assert ran.failing == [("cross-database-reference", "docs:subscriptions.customer_id -> app:customers.id")]
    assert found["till"]["outcome"] == "passed"


def test_a_look_at_one_of_them_proves_nothing_of_the_others(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "till.db")) as till:
        till.executescript(FILES["till/1.sql"] + FILES["till.sql"])
    repo = repository(
        tmp_path / "repo", {"dbproof.toml": SETTINGS.replace('engine = "sqlite"', 'engine = "sqlite"\nurl_env = "TILL"')}
    )
    ran = dbproof("check", "--url-env", "TILL", root=repo.root, more={"TILL": f"sqlite:///{tmp_path / 'till.db'}"})
    (gap,) = ran.check("cross-database-reference")["not_proven"]
    assert gap == {"subject": "till:orders.customer -> app:customers.id", "reason": "app was not seen in this run"}
