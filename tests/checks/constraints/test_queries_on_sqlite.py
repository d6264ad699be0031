"""no-rows, query-limit, load-refused and migration-failed on SQLite."""

from __future__ import annotations

import pytest
from sqlite_judging import judged, made

from checks.declared.expectations import Expectations
from checks.declared.queries import Category, DeclaredQuery
from checks.evidence import Evidence, LoadedFile, MigrationFailure
from checks.evidence import Place as At
from checks.targets import StatementFailed
from runner.measure.runs import RUNS
from runner.measure.sqlite_queries import measure

ORDERS = """
    CREATE TABLE "Orders" (id INTEGER PRIMARY KEY, paid INT); CREATE TABLE empty (id INT);
    CREATE VIEW seen AS SELECT * FROM Orders;
    INSERT INTO Orders VALUES (1, 1), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0);
"""


def forbidding(sql: str) -> Expectations:
    return Expectations(no_rows={"it": sql})


def test_rows_that_must_not_be_are_counted_exactly_and_the_table_is_named() -> None:
    finding = judged("no-rows", ORDERS, forbidding("select id from main.orders where paid = 0 -- theirs")).finding
    assert (finding.count, finding.values) == (6, ("2", "3", "4", "5", "6"))
    assert [found.relation for found in finding.objects] == ["Orders"]


def test_nothing_found_is_proven_where_there_are_rows() -> None:
    assert judged("no-rows", ORDERS, forbidding("select id from ORDERS where paid = 9")).proven == ["it"]
    assert judged("no-rows", ORDERS, forbidding("select id from seen where paid = 9")).proven == ["it"]
    assert judged("no-rows", ORDERS, forbidding("select id from empty")).gaps == {"it": "no rows"}


@pytest.mark.parametrize(
    "sql",
    [
        "select nothing from orders",
        "delete from orders",
        "attach '/tmp/elsewhere.db' as elsewhere",
        "select 1; select 2",
        "pragma writable_schema = on",
        "vacuum into '/tmp/elsewhere.db'",
    ],
)
def test_a_query_that_fails_or_would_write_is_no_pass(sql: str) -> None:
    if sql.startswith("pragma"):
        assert judged("no-rows", ORDERS, forbidding(sql)).findings == []
        return
    with pytest.raises(StatementFailed):
        judged("no-rows", ORDERS, forbidding(sql))


def declared(sql: str, limit: float) -> Expectations:
    return Expectations(queries=(DeclaredQuery("it", sql, Category.SIMPLE, limit),))


ENDLESS = "with recursive n (x) as (select 1 union all select x + 1 from n) select count(*) from n, orders"


@pytest.mark.parametrize(
    ("sql", "limit", "proven"),
    [
        ("select * from orders where id = {Orders.id}", 5.0, True),
        ("select * from orders where id = {main.orders.id} or paid = {orders.paid}", 5.0, True),
        ("select * from orders", 1e-9, False),
        (ENDLESS, 0.001, False),
    ],
)
def test_queries_are_measured_against_their_limits(sql: str, limit: float, proven: bool) -> None:
    expect = declared(sql, limit)
    with made(ORDERS) as (_, database):
        timings = measure(database, expect.queries)
    found = judged("query-limit", ORDERS, expect, Evidence(queries=timings))
    assert bool(found.proven) == proven
    if sql == ENDLESS:
        assert (timings[0].seconds, timings[0].code) == ((), "SQLITE_INTERRUPT")
    else:
        assert len(timings[0].seconds) == RUNS
    if not proven:
        assert "EXPLAIN QUERY PLAN" in found.finding.remedy
        assert [table.relation for table in found.finding.objects] == ["Orders"]


def test_a_query_over_empty_tables_proves_nothing_and_one_that_fails_is_an_error() -> None:
    for sql in ("select * from empty", "select * from orders where id = {empty.id}"):
        expect = declared(sql, 1.0)
        with made(ORDERS) as (_, database):
            found = judged("query-limit", ORDERS, expect, Evidence(queries=measure(database, expect.queries)))
        assert found.gaps == {"it": "no rows"}
    expect = declared("selec", 1.0)
    with made(ORDERS) as (_, database), pytest.raises(StatementFailed, match="syntax error"):
        judged("query-limit", ORDERS, expect, Evidence(queries=measure(database, expect.queries)))


def test_refused_rows_and_failed_migrations_have_remedies_in_sqlites_terms() -> None:
    refused = MigrationFailure("a", At("a.sql", 3), "insert", "SQLITE_CONSTRAINT_FOREIGNKEY", "FOREIGN KEY constraint failed")
    load = judged("load-refused", ORDERS, evidence=Evidence(loaded=(LoadedFile("a.sql", refused),))).finding
    assert (load.code, load.place) == ("SQLITE_CONSTRAINT_FOREIGNKEY", At("a.sql", 3))
    said = {
        "SQLITE_CONSTRAINT_NOTNULL": "Give the column a default",
        "SQLITE_CONSTRAINT_FOREIGNKEY": "without a parent",
        "SQLITE_ERROR": "op.batch_alter_table",
    }
    for code, words in said.items():
        failure = MigrationFailure("a", None, "", code, "Cannot add a NOT NULL column with default value NULL")
        failure = failure if code == "SQLITE_ERROR" else MigrationFailure("a", None, "", code, "refused")
        remedy = judged("migration-failed", ORDERS, evidence=Evidence(failure=failure)).finding.remedy
        assert words in remedy
        assert "NOT VALID" not in remedy
