"""no-rows: exact counts, odd queries, failing queries, empty tables."""

from __future__ import annotations

import pytest
from judging import Judge, Query, target

from checks.constraints.no_rows import run
from checks.declared.expectations import Expectations
from checks.interface import Finding, Judgement, Proven
from checks.targets import StatementFailed
from runner.servers.interface import Database, Server

CHECK = "no-rows"
ORDERS = """
    CREATE TABLE orders (id int PRIMARY KEY, paid bool, payment int);
    INSERT INTO orders SELECT n, n % 2 = 0, NULLIF(n % 3, 0) FROM generate_series(1, 600) n;
"""


def expecting(*queries: str) -> Expectations:
    return Expectations(no_rows={f"rule {number}": query for number, query in enumerate(queries, 1)})


def test_a_query_that_finds_nothing_is_proven(judge: Judge) -> None:
    assert judge(CHECK, ORDERS, expecting("select * from orders where id < 0")).proven == ["rule 1"]


@pytest.mark.parametrize(
    "query",
    [
        "select id from orders where paid and payment is null",
        "select id from orders where paid and payment is null ;  ",
        "select id from orders where paid and payment is null -- they come from the old shop",
        "select id from orders where paid and payment is null; -- they come from the old shop",
        "with late as (table orders) select a.id, b.id from late a join late b using (id) where a.paid and b.payment is null",
        "/* one; two */ select id, '%s', '{}' from orders where paid and payment is null order by 1 desc",
    ],
)
def test_every_row_is_counted_and_five_are_shown(judge: Judge, query: str) -> None:
    finding = judge(CHECK, ORDERS, expecting(query)).finding
    assert (finding.subject, finding.count, len(finding.values)) == ("rule 1", 100, 5)
    assert finding.message == "100 rows against: rule 1"
    assert [found.relation for found in finding.objects] == ["orders"]


def test_values_are_shown_as_text(judge: Judge) -> None:
    finding = judge(CHECK, ORDERS, expecting("select id, payment, 'infinity'::date from orders where id = 3")).finding
    assert (finding.count, finding.values, finding.message) == (1, ("3, NULL, infinity",), "1 row against: rule 1")


def test_a_query_that_cannot_stand_in_another_is_counted_as_it_comes(judge: Judge) -> None:
    assert judge(CHECK, ORDERS, expecting("SHOW search_path")).finding.count == 1


def test_past_what_is_counted_no_number_is_claimed(judge: Judge) -> None:
    """EXECUTE cannot stand in another query, so the server cannot count it."""
    body = "'SELECT 1 FROM generate_series(1, 10001)'"
    ddl = f"{ORDERS} CREATE FUNCTION many() RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE {body}; END $$"
    counted = judge(CHECK, ddl, expecting("select many()")).finding
    assert (counted.count, counted.message) == (10_001, "10001 rows against: rule 1")
    claimed = judge(CHECK, "", expecting("select many() -- \n; ;")).finding
    assert (claimed.count, claimed.message) == (None, "more than 10000 rows against: rule 1")


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ("select nope from orders", "42703"),
        ("selec", "42601"),
        ("delete from orders returning id", "25006"),
        ("select 1 / (id - id) from orders", "22012"),
        ("set search_path = public", ""),
        ("", ""),
    ],
)
def test_a_query_that_fails_is_raised_after_the_others(
    server: Server, database: Database, query: Query, broken: str, code: str
) -> None:
    query(ORDERS)
    said: list[Judgement] = []
    expect = expecting(broken, "select id from orders where id = 1", "select id from orders where id = 0")
    with target(server, database, expect) as made, pytest.raises(StatementFailed, match=r"rule 1: ") as failure:
        said.extend(run(made))
    assert failure.value.code == code
    assert [(type(judgement), judgement.subject) for judgement in said] == [(Finding, "rule 2"), (Proven, "rule 3")]
    assert query("SELECT count(*) FROM orders") == [(600,)]


@pytest.mark.parametrize(
    ("read", "proven"),
    [
        ("select * from orders", False),
        ("select * from public.orders o left join payments p on p.id = o.payment", False),
        ('select * from orders left join "Filled" on true where orders.id is not null', True),
        ("select * from filled_view where n < 0", True),
        ("select 1 where false", True),
    ],
)
def test_over_empty_tables_there_is_no_verdict(judge: Judge, read: str, proven: bool) -> None:
    ddl = """
        CREATE TABLE orders (id int, payment int); CREATE TABLE payments (id int);
        CREATE TABLE "Filled" (n int); INSERT INTO "Filled" VALUES (1); CREATE VIEW filled_view AS SELECT * FROM "Filled";
    """
    judged = judge(CHECK, ddl, expecting(read))
    assert (judged.proven, judged.gaps) == ((["rule 1"], {}) if proven else ([], {"rule 1": "no rows"}))


def test_an_empty_database_proves_nothing(judge: Judge) -> None:
    assert judge(CHECK, "CREATE TABLE a (); CREATE VIEW v AS SELECT 1 FROM a", expecting("select * from v")).gaps == {
        "rule 1": "no rows"
    }
