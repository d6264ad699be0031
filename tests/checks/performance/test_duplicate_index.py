"""duplicate-index: what is the same twice, and all that makes two indexes different."""

from __future__ import annotations

import pytest
from judging import Judge, Query
from sqlite_judging import judged

from checks.interface import Severity
from checks.performance import duplicate_index
from runner.servers.interface import Server

CHECK = "duplicate-index"
TABLE = "CREATE TABLE orders (number int, buyer_id int, status text, note jsonb);"
DIFFERENT = [
    "(status text_pattern_ops)",
    '(status COLLATE "C")',
    "(status DESC)",
    "(status NULLS FIRST)",
    "(status) INCLUDE (number)",
    "(status) WHERE number > 0",
    "USING hash (status)",
    "(status, number)",
    "(lower(status))",
    "(upper(status))",
    "(number)",
    "(status) WITH (fillfactor = 50)",
]


def test_all_that_tells_two_indexes_apart_counts(judge: Judge) -> None:
    ddl = " ".join(f"CREATE INDEX ON orders {index};" for index in ["(status)", *DIFFERENT])
    said = judge(CHECK, f"{TABLE} {ddl} CREATE UNIQUE INDEX ON orders (status)")
    assert (len(said.proven), said.findings) == (len(DIFFERENT) + 2, [])


@pytest.mark.parametrize("index", ["(status)", *DIFFERENT, "USING gin (note jsonb_path_ops)"])
def test_the_younger_of_two_that_are_alike_is_found_and_goes(judge: Judge, query: Query, index: str) -> None:
    finding = judge(CHECK, f'{TABLE} CREATE INDEX zz ON orders {index}; CREATE INDEX "a; ""b" ON orders {index}').finding
    assert (finding.subject, finding.severity or duplicate_index.SEVERITY) == ('orders.a; "b', Severity.WARNING)
    assert finding.message == 'a; "b of orders is the same index as zz'
    query(finding.remedy)
    assert judge(CHECK).proven == ["orders.zz"]


def test_what_backs_a_constraint_stays(judge: Judge, query: Query) -> None:
    ddl = f"{TABLE} CREATE UNIQUE INDEX eldest ON orders (number); ALTER TABLE orders ADD CONSTRAINT num UNIQUE (number)"
    finding = judge(CHECK, ddl).finding
    assert finding.remedy == "DROP INDEX CONCURRENTLY eldest;"
    query(finding.remedy)
    assert judge(CHECK, "ALTER TABLE orders ADD PRIMARY KEY (number)").finding.remedy == "ALTER TABLE orders DROP CONSTRAINT num;"
    query("ALTER TABLE orders DROP CONSTRAINT num")
    assert judge(CHECK).proven == ["orders.orders_pkey"]


def test_what_a_foreign_key_rests_on_stays(judge: Judge) -> None:
    ddl = f"""
        {TABLE} CREATE UNIQUE INDEX a ON orders (number);
        CREATE TABLE items (n int REFERENCES orders (number)); CREATE UNIQUE INDEX b ON orders (number);
    """
    assert judge(CHECK, ddl).finding.subject == "orders.b"


def test_unique_constraints_that_differ_in_when_they_are_checked_are_two(judge: Judge) -> None:
    ddl = f"{TABLE} ALTER TABLE orders ADD UNIQUE (number), ADD UNIQUE (number) DEFERRABLE"
    assert len(judge(CHECK, ddl).proven) == 2


def test_unique_indexes_that_differ_in_nulls_are_two(server: Server, judge: Judge) -> None:
    if int(server.version.split(".")[0]) < 15:
        pytest.skip("NULLS NOT DISTINCT came with PostgreSQL 15")
    ddl = f"{TABLE} CREATE UNIQUE INDEX ON orders (number); CREATE UNIQUE INDEX ON orders (number) NULLS NOT DISTINCT"
    assert len(judge(CHECK, ddl).proven) == 2


def test_exclusions_by_other_operators_are_two(judge: Judge) -> None:
    ddl = """
        CREATE TABLE stays (during tsrange, EXCLUDE USING gist (during WITH &&));
        ALTER TABLE stays ADD EXCLUDE USING gist (during WITH -|-);
    """
    assert len(judge(CHECK, ddl).proven) == 2


def test_parts_are_judged_with_their_parent(judge: Judge) -> None:
    parts = "".join(f"CREATE TABLE p{n} PARTITION OF orders FOR VALUES IN ({n});" for n in (1, 2))
    ddl = f"CREATE TABLE orders (n int) PARTITION BY LIST (n); {parts} CREATE INDEX a ON orders (n); CREATE INDEX b ON orders (n)"
    said = judge(CHECK, ddl)
    assert (said.finding.subject, said.finding.remedy, said.proven) == ("orders.b", "DROP INDEX b;", ["orders.a"])


def test_an_invalid_index_is_left_to_its_own_check(judge: Judge, query: Query) -> None:
    judge(CHECK, f"{TABLE} CREATE INDEX a ON orders (number); CREATE INDEX b ON orders (number)")
    query("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'b'::regclass")
    assert judge(CHECK).proven == ["orders.a"]


USERS = "CREATE TABLE users (id int PRIMARY KEY, code int UNIQUE);"
KEY = "ALTER TABLE orders ADD CONSTRAINT {} FOREIGN KEY (buyer_id) REFERENCES users {};"


def test_a_reference_declared_twice_is_found_and_the_remedy_settles_it(judge: Judge, query: Query) -> None:
    ddl = USERS + TABLE + KEY.format("a", "") + KEY.format('"b; c"', "(id) ON DELETE CASCADE")
    finding = judge(CHECK, ddl).finding
    assert finding.subject == "orders.buyer_id -> users.(id)"
    assert finding.message == (
        "orders.buyer_id is declared to refer to users twice, with different rules"
        " (ON DELETE NO ACTION ON UPDATE NO ACTION; ON DELETE CASCADE ON UPDATE NO ACTION)"
    )
    query(finding.remedy)
    assert judge(CHECK).findings == []
    assert "orders.buyer_id -> users.(id)" in judge(CHECK).proven


@pytest.mark.parametrize("second", ["(code)", "(id) NOT VALID"])
def test_another_parent_column_or_one_that_waits_is_no_second_declaration(judge: Judge, second: str) -> None:
    assert judge(CHECK, USERS + TABLE + KEY.format("a", "") + KEY.format("b", second)).findings == []


def test_sqlite_tells_indexes_apart_and_finds_the_same_one() -> None:
    ddl = "CREATE TABLE t (a TEXT UNIQUE, b TEXT); "
    different = [
        *("(a)", "(b)", "(b DESC)", "(b COLLATE nocase)", "(b) WHERE a > 'x'", "(b, a)"),
        *("(lower(b))", "(lower(b) DESC)", "(upper(b))", "(lower(b), a)"),
    ]
    plain = "".join(f"CREATE INDEX i{n} ON t {index};" for n, index in enumerate(different))
    assert len(judged(CHECK, ddl + plain).proven) == len(different) + 1
    for index in different:
        assert judged(CHECK, f'{ddl} {plain} CREATE INDEX "a""b" ON t {index}').finding.remedy == 'DROP INDEX "a""b";'
    assert judged(CHECK, f"{ddl} CREATE UNIQUE INDEX again ON t (a)").finding.subject == "t.again"


def test_sqlite_keeps_a_reference_that_is_declared_twice() -> None:
    ddl = "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (x INT REFERENCES p{}{});"
    assert judged(CHECK, ddl.format("", "")).findings == []
    finding = judged(CHECK, ddl.format("", ", FOREIGN KEY (x) REFERENCES p (id)")).finding
    assert (finding.subject, finding.count) == ("c.x -> p.(id)", 2)
