"""The audit before a migration: a database that exists is counted by constraints to come, until it is clean."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from proving import Ran, dbproof, project

SETTINGS = """\
[databases.shop]
engine = "sqlite"
url_env = "SHOP"

[databases.shop.expect]
audit = ["orders: check (total > 0)", "orders.buyer_id: not null", "users: unique (email)", "orders.buyer_id -> users.id"]
"""
SHOP = """\
create table users (id integer primary key, email text);
create table orders (id integer primary key, buyer_id integer, total integer);
insert into users values (1, 'a'), (2, 'a');
insert into orders values (1, 1, 5), (2, 9, -1), (3, null, 0);
"""
CLEAN = "update orders set buyer_id = 1, total = 1; update users set email = id"


def look(root: Path, file: Path, *arguments: str) -> Ran:
    return dbproof("check", *arguments, root=root, more={"SHOP": f"sqlite:///{file}"})


def test_an_audit_names_every_violation_and_changes_nothing_until_all_is_clean(tmp_path: Path) -> None:
    root, file = project(tmp_path / "repo", {}, SETTINGS), tmp_path / "shop.db"
    with closing(sqlite3.connect(file)) as shop:
        shop.executescript(SHOP)
    before = file.read_bytes()
    ran = look(root, file, "--show-values")
    assert ran.code == 1, ran.said
    assert {finding["subject"]: (finding["evidence"]["count"], finding["evidence"]["values"]) for finding in ran.findings()} == {
        "orders: check (total > 0)": (2, ["id=2", "id=3"]),
        "orders.buyer_id: not null": (1, ["id=3"]),
        "users: unique (email)": (2, ["email=a (2)"]),
        "orders.buyer_id -> users.id": (1, ["id=2, buyer_id=9"]),
    }
    assert file.read_bytes() == before
    with closing(sqlite3.connect(file)) as shop:
        shop.executescript(CLEAN)
    assert look(root, file).code == 0
