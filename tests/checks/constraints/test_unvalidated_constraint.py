"""unvalidated-constraint: NOT VALID and NOT ENFORCED, of foreign keys and CHECKs."""

from __future__ import annotations

import pytest
from judging import Judge, Query

from checks.evidence import Evidence, MigrationFailure
from runner.servers.interface import Server

CHECK = "unvalidated-constraint"

TABLES = """
    CREATE TABLE users (id int PRIMARY KEY);
    CREATE TABLE orders (buyer_id int, total int);
"""


def test_what_is_validated_is_proven(judge: Judge) -> None:
    buyer = "ADD CONSTRAINT buyer FOREIGN KEY (buyer_id) REFERENCES users"
    judged = judge(CHECK, f"{TABLES} ALTER TABLE orders {buyer}, ADD CONSTRAINT total CHECK (total > 0)")
    assert (sorted(judged.proven), judged.findings) == (["orders.buyer", "orders.total"], [])


@pytest.mark.parametrize(
    ("constraint", "kind"), [("FOREIGN KEY (buyer_id) REFERENCES users", "foreign key"), ("CHECK (total > 0)", "CHECK")]
)
def test_what_is_not_valid_is_found_and_the_remedy_settles_it(judge: Judge, query: Query, constraint: str, kind: str) -> None:
    finding = judge(CHECK, f'{TABLES} ALTER TABLE orders ADD CONSTRAINT "the; rule" {constraint} NOT VALID').finding
    assert finding.subject == "orders.the; rule"
    assert finding.message == f"{kind} the; rule of orders is NOT VALID: rows from before it were never looked at"
    assert finding.objects[0].name == "the; rule"
    query(finding.remedy)
    assert judge(CHECK).proven == ["orders.the; rule"]


def test_what_is_not_enforced_is_called_that(server: Server, judge: Judge, query: Query) -> None:
    if int(server.version.split(".")[0]) < 18:
        pytest.skip("NOT ENFORCED came with PostgreSQL 18")
    ddl = f"""
        {TABLES} ALTER TABLE orders ADD CONSTRAINT buyer FOREIGN KEY (buyer_id) REFERENCES users NOT ENFORCED,
            ADD CONSTRAINT total CHECK (total > 0) NOT ENFORCED
    """
    judged = judge(CHECK, ddl)
    assert [finding.subject for finding in judged.findings] == ["orders.buyer", "orders.total"]
    assert all("NOT ENFORCED: the server refuses no row by it" in finding.message for finding in judged.findings)
    for finding in judged.findings:
        query(finding.remedy.partition(";")[0])
    assert judge(CHECK).proven == ["orders.buyer"]


def test_what_partitions_inherit_is_judged_once(judge: Judge) -> None:
    ddl = """
        CREATE TABLE users (id int PRIMARY KEY);
        CREATE TABLE orders (buyer_id int, region int, CONSTRAINT buyer FOREIGN KEY (buyer_id) REFERENCES users)
            PARTITION BY LIST (region);
        CREATE TABLE orders_1 PARTITION OF orders FOR VALUES IN (1);
        ALTER TABLE orders ADD CONSTRAINT total CHECK (region > 0) NOT VALID;
    """
    judged = judge(CHECK, ddl)
    assert (judged.finding.subject, judged.proven) == ("orders.total", ["orders.buyer"])


def test_a_database_without_constraints_has_nothing_to_say(judge: Judge) -> None:
    assert judge(CHECK, "CREATE TABLE plain (id int NOT NULL)").all == ()


def test_where_the_migrations_stopped_it_may_not_have_been_reached(judge: Judge) -> None:
    stopped = Evidence(failure=MigrationFailure("2", None, "", "23503", "violates foreign key constraint"))
    judged = judge(CHECK, f"{TABLES} ALTER TABLE orders ADD CONSTRAINT total CHECK (total > 0) NOT VALID", evidence=stopped)
    assert (judged.gaps, judged.findings) == ({"orders.total": "not validated when the migrations failed"}, [])
