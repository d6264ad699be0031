"""redundant-index: what a longer index does as well, and what it does not."""

from __future__ import annotations

import pytest
from judging import Judge, Query
from sqlite_judging import judged

from checks.interface import Severity
from checks.performance import redundant_index

CHECK = "redundant-index"
TABLE = "CREATE TABLE orders (id int PRIMARY KEY, buyer_id int, status text, CONSTRAINT by_buyer UNIQUE (status, id));"
REDUNDANT = {
    "(buyer_id)": "(buyer_id, status)",
    "(id)": "(buyer_id)",
    "(status)": "(buyer_id)",
    "(buyer_id DESC)": "(buyer_id DESC, id)",
    "(lower(status))": "(lower(status), id)",
    "(buyer_id) WHERE id > 0": "(buyer_id, id) WHERE id > 0",
    "(buyer_id) INCLUDE (id)": "(buyer_id, status) INCLUDE (id)",
    "(buyer_id, status)": "(buyer_id, status) INCLUDE (id)",
}
NEEDED = [
    ("(buyer_id)", "(status, buyer_id)"),
    ("(buyer_id DESC)", "(buyer_id, id)"),
    ("(buyer_id NULLS FIRST)", "(buyer_id, id)"),
    ("(status text_pattern_ops)", "(status, buyer_id)"),
    ('(status COLLATE "C")', "(status, buyer_id)"),
    ("(lower(status))", "(upper(status), id)"),
    ("(buyer_id) WHERE id > 0", "(buyer_id, id)"),
    ("(buyer_id)", "(buyer_id, id) WHERE id > 0"),
    ("(buyer_id) INCLUDE (id)", "(buyer_id, status)"),
    ("USING hash (buyer_id)", "(buyer_id, status)"),
    ("USING brin (buyer_id)", "USING brin (buyer_id, id)"),
    ("(buyer_id, id)", "(buyer_id, id)"),
]


@pytest.mark.parametrize("index", REDUNDANT)
def test_the_beginning_of_another_is_found_and_the_remedy_settles_it(judge: Judge, query: Query, index: str) -> None:
    ddl = f'{TABLE} CREATE INDEX "the; one" ON orders {index}; CREATE INDEX longer ON orders {REDUNDANT[index]};'
    finding = judge(CHECK, ddl).finding
    assert (finding.subject, finding.severity or redundant_index.SEVERITY) == ("orders.the; one", Severity.NOTICE)
    query(finding.remedy)
    assert judge(CHECK).findings == []


@pytest.mark.parametrize(("index", "longer"), NEEDED)
def test_what_another_does_not_do_is_no_finding(judge: Judge, index: str, longer: str) -> None:
    said = judge(CHECK, f"{TABLE} CREATE INDEX one ON orders {index}; CREATE INDEX longer ON orders {longer};")
    assert ("orders.one" in said.proven, said.findings) == (True, [])


def test_what_does_more_than_find_rows_is_never_redundant(judge: Judge) -> None:
    ddl = """
        CREATE TABLE orders (id int PRIMARY KEY, a int UNIQUE, b int);
        CREATE INDEX ON orders (id, b); CREATE INDEX ON orders (a, b);
        CREATE UNIQUE INDEX ON orders (b); CREATE INDEX ON orders (b, a);
    """
    assert judge(CHECK, ddl).findings == []


def test_an_index_of_a_partition_beside_its_part_of_the_whole(judge: Judge) -> None:
    ddl = """
        CREATE TABLE orders (n int, m int) PARTITION BY LIST (n); CREATE TABLE p1 PARTITION OF orders FOR VALUES IN (1);
        CREATE INDEX a ON orders (n, m); CREATE INDEX own ON p1 (n);
    """
    said = judge(CHECK, ddl)
    assert (said.finding.subject, said.proven) == ("p1.own", ["orders.a"])


def test_sqlite_counts_order_collation_and_condition() -> None:
    table = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT, UNIQUE (b, a));"
    ddl = table + " CREATE INDEX one ON t {}; CREATE INDEX two ON t {}"
    assert judged(CHECK, ddl.format("(a)", "(a, b)")).finding.remedy == "DROP INDEX one;"
    assert judged(CHECK, ddl.format("(b)", "(a)")).finding.subject == "t.one"
    assert (
        judged(CHECK, ddl.format("(id)", "(a)")).finding.message == "one of t finds nothing that the rowid does not find as well"
    )
    for one, two in [
        ("(a DESC)", "(a, b)"),
        ("(a COLLATE nocase)", "(a, b)"),
        ("(a)", "(a, b) WHERE b > 'x'"),
        ("(lower(a))", "(a)"),
    ]:
        assert judged(CHECK, ddl.format(one, two)).findings == []
