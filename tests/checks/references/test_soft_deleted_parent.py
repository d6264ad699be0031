"""soft-deleted-parent: rows whose parent is there and does not count any more."""

from __future__ import annotations

import pytest
from judging import Judge, Query
from sqlite_judging import judged

from checks.declared.expectations import Expectations
from checks.declared.references import parse_reference
from checks.targets import StatementFailed

CHECK = "soft-deleted-parent"

SHOP = """
    CREATE TABLE users (id int PRIMARY KEY, deleted_at text, boss_id int);
    CREATE TABLE orders (id int PRIMARY KEY, buyer_id int, deleted_at text);
    INSERT INTO users VALUES (1, NULL, NULL), (2, 'May', 1), (3, NULL, 2);
    INSERT INTO orders VALUES (10, 1, NULL), (11, 2, NULL), (12, 2, 'May'), (13, 9, NULL), (14, NULL, NULL);
"""
LINES = {
    "orders.buyer_id -> users.id where users.deleted_at is null": (2, ("id=11, buyer_id=2", "id=12, buyer_id=2")),
    "orders.buyer_id -> users.id where deleted_at is null or orders.deleted_at is not null -- gone": (1, ("id=11, buyer_id=2",)),
    "users.boss_id -> users.id where users.deleted_at is null": (1, ("id=3, boss_id=2",)),
    "users.boss_id -> users.id where child.id = 3": (1, ("id=2, boss_id=1",)),
}
HELD = "orders.buyer_id -> users.id where users.id < 9"


def declaring(*lines: str, schema: str = "public") -> Expectations:
    return Expectations(references=tuple(parse_reference(line, schema) for line in lines))


def test_rows_are_counted_whose_parent_is_there_and_fails_the_condition(judge: Judge, query: Query) -> None:
    said = judge(CHECK, SHOP, declaring(*LINES, HELD, "orders.buyer_id -> users.id"))
    assert {found.subject: (found.count, found.values) for found in said.findings} == LINES
    assert said.proven == [HELD]
    assert said.findings[0].message == "2 rows of orders name a users.id that is there, but not: users.deleted_at is null"
    for finding in said.findings:
        assert len(query(finding.remedy.removeprefix("List them all with: ").split("; then")[0])) == finding.count


def test_they_are_counted_in_sqlite_too() -> None:
    said = judged(CHECK, SHOP, declaring(*LINES, HELD, schema=""))
    assert {found.subject: (found.count, found.values) for found in said.findings} == LINES
    assert said.proven == [HELD]


def test_hostile_names_and_partitions(judge: Judge, query: Query) -> None:
    ddl = """
        CREATE SCHEMA "Order"; CREATE TABLE "Order"."us""ers %s" ("i d" int, "gone?" bool);
        CREATE TABLE parts (id int, "select" int) PARTITION BY LIST (id);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
        INSERT INTO "Order"."us""ers %s" VALUES (7, true); INSERT INTO parts VALUES (1, 7), (1, 7);
    """
    line = """parts.select -> "Order"."us""ers %s"."i d" undeclared where not "gone?" and 'a%' like '%(a)s' """
    finding = judge(CHECK, ddl, declaring(line)).finding
    assert (finding.count, finding.values[0]) == (2, "select=7")
    assert len(query(finding.remedy.removeprefix("List them all with: ").split("; then")[0])) == 2


def test_what_cannot_be_looked_at_is_said(judge: Judge) -> None:
    said = judge(CHECK, SHOP, declaring("orders.buyer -> users.id where users.deleted_at is null"))
    assert list(said.gaps.values()) == ["there is no column orders.buyer"]
    judge(CHECK, "DELETE FROM orders")
    assert list(judge(CHECK, "", declaring(*LINES)).gaps.values()) == ["no rows", "no rows"]
    with pytest.raises(StatementFailed, match=r"users\.id where users\.gone: column users\.gone does not exist"):
        judge(CHECK, "INSERT INTO orders VALUES (1, 1, NULL)", declaring("orders.buyer_id -> users.id where users.gone"))
