"""undeclared-reference: names, types and values together, and nothing on names alone."""

from __future__ import annotations

import pytest
from judging import Judge
from sqlite_judging import judged

from checks.declared.expectations import Expectations
from checks.declared.references import parse_reference
from checks.interface import Severity
from checks.registries.every import LIVE

CHECK = "undeclared-reference"

#: What refers to something has a row in ``FOUND``; everything else only looks like it.
SHOP = """
    CREATE TABLE customers (id bigint PRIMARY KEY, stripe_customer_id text, parent_id bigint, paid int, valid int);
    CREATE TABLE shop_category (id int PRIMARY KEY);
    CREATE TABLE addresses (id uuid PRIMARY KEY);
    CREATE TABLE posts (id int PRIMARY KEY);
    CREATE TABLE "Bus %s" (id int PRIMARY KEY);
    CREATE TABLE orders (id int PRIMARY KEY, customer_id int, "billingCustomerId" bigint, category_id int, address_uuid uuid,
        session_id int, post_id int, subject_id int, subject_type text, "bus %s_id" int, customer_fk text, old_customer_id int);
    INSERT INTO customers SELECT i, 'cus_' || i, CASE WHEN i > 1 THEN i / 2 END, i, i FROM generate_series(1, 40) AS i;
    INSERT INTO shop_category VALUES (1), (2);
    INSERT INTO addresses VALUES ('11111111-1111-1111-1111-111111111111');
    INSERT INTO posts VALUES (1), (2);
    INSERT INTO "Bus %s" VALUES (7);
    INSERT INTO orders SELECT i, CASE WHEN i = 7 THEN 99 ELSE i END, 41 - i, 1 + i % 2, '11111111-1111-1111-1111-111111111111',
        i, 100 + i, i, 'Customer', 7, i::text, CASE WHEN i < 20 THEN i ELSE 1000 + i END FROM generate_series(1, 40) AS i;
"""
FOUND = {
    "customers.parent_id": ("customers.id", 0, 1.0),
    "orders.customer_id": ("customers.id", 1, 0.97),
    "orders.billingCustomerId": ("customers.id", 0, 0.8),
    "orders.category_id": ("shop_category.id", 0, 0.9),
    "orders.address_uuid": ("addresses.id", 0, 1.0),
    "orders.bus %s_id": ("Bus %s.id", 0, 1.0),
}


def test_names_types_and_values_decide_together(judge: Judge) -> None:
    said = judge(CHECK, SHOP)
    assert {
        found.subject: (found.evidence["parent"], found.evidence["orphans"], found.evidence["confidence"])
        for found in said.findings
    } == FOUND
    assert said.proven == ["orders.post_id", "orders.old_customer_id"]
    assert {found.severity for found in said.findings} == {Severity.NOTICE} == {LIVE[CHECK]}
    customer = next(found for found in said.findings if found.subject == "orders.customer_id")
    assert customer.message == "orders.customer_id names customers.id in all but 1 of its 40 rows, and no foreign key says so"
    assert customer.remedy.startswith("ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID; ")


def test_a_remedy_settles_it_and_so_does_a_declaration(judge: Judge) -> None:
    found = judge(CHECK, SHOP).findings
    lines = [finding.remedy.split('references = ["')[1].split('"]')[0] for finding in found if "%" not in finding.remedy]
    expect = Expectations(references=tuple(parse_reference(line) for line in lines))
    assert [finding.subject for finding in judge(CHECK, "", expect).findings] == ["orders.bus %s_id"]
    assert judge(CHECK, "".join(finding.remedy.split(" Where")[0] for finding in found)).findings == []


SQLITE = """
    CREATE TABLE customers (id INTEGER PRIMARY KEY); CREATE TABLE tags (id VARCHAR(9) PRIMARY KEY);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id BIGINT, tag_id TEXT, customers_id TEXT, paid INTEGER);
    INSERT INTO customers VALUES (1), (2); INSERT INTO tags VALUES ('a'), ('b');
    INSERT INTO orders VALUES (1, 1, 'a', '1', 1), (2, 2, 'B', '2', 2), (3, 2, NULL, '2', 2);
"""


def test_sqlite() -> None:
    said = judged(CHECK, SQLITE)
    assert said.finding.message == "orders.customer_id names customers.id in every one of its 3 rows, and no foreign key says so"
    assert said.proven == ["orders.tag_id"]


@pytest.mark.parametrize(
    ("more", "gap"),
    [
        (
            "CREATE TABLE shop_tag (id int PRIMARY KEY); CREATE TABLE crm_tags (id int PRIMARY KEY)",
            "it could name crm_tags.id or shop_tag.id",
        ),
        ("CREATE TABLE tags (id int PRIMARY KEY); UPDATE notes SET tag_id = NULL", "no values"),
        ("CREATE TABLE tags (id int PRIMARY KEY); DELETE FROM notes", "no rows"),
    ],
)
def test_what_cannot_be_decided_is_said(judge: Judge, more: str, gap: str) -> None:
    fill = "INSERT INTO shop_tag VALUES (1); INSERT INTO crm_tags VALUES (1);" if "crm" in more else ""
    said = judge(CHECK, f"CREATE TABLE notes (id int PRIMARY KEY, tag_id int); INSERT INTO notes VALUES (1, 1); {more}; {fill}")
    assert said.gaps == {"notes.tag_id": gap}


def test_keys_that_are_declared_and_partitions_are_left_alone(judge: Judge) -> None:
    said = judge(CHECK, """
        CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1);
        CREATE TABLE a (user_id int REFERENCES users); INSERT INTO a VALUES (1);
        CREATE TABLE parts (id int, user_id int) PARTITION BY LIST (id);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
        INSERT INTO parts VALUES (1, 1);
    """)  # fmt: skip
    assert [found.subject for found in said.findings] == ["parts.user_id"]
    assert "its only row" in said.finding.message
