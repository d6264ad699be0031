"""cascade-reach: how many tables and rows one DELETE takes along, against what a DELETE really takes."""

from __future__ import annotations

from judging import Judge, Query
from sqlite_judging import ENFORCED, judged

CHECK = "cascade-reach"


def chain(tables: int) -> str:
    below = "".join(
        f"CREATE TABLE t{n} (id int PRIMARY KEY, up int REFERENCES t{n - 1} ON DELETE CASCADE);" for n in range(1, tables)
    )
    return f"CREATE TABLE t0 (id int PRIMARY KEY);{below}"


ROWS = """
    INSERT INTO t0 VALUES (1), (2);
    INSERT INTO t1 SELECT n, 1 + n % 2 FROM generate_series(1, 200) n;
    INSERT INTO t2 SELECT n, n % 2 * 2 + 1 FROM generate_series(1, 9000) n;
    CREATE TABLE side (id int, up int REFERENCES t0 ON DELETE CASCADE);
    INSERT INTO side SELECT n, 2 FROM generate_series(1, {side}) n;
"""


def test_too_many_tables_are_found_with_the_path(judge: Judge) -> None:
    said = judge(CHECK, chain(12))
    finding = said.finding
    assert (finding.subject, finding.count) == ("t0", None)
    assert "can take 11 tables with it, such as t0 -> t1 -> t2" in finding.message
    assert "t1" in said.proven


def test_rows_are_those_that_a_delete_takes(judge: Judge, query: Query) -> None:
    """The parent that takes the most: 100 + 9 000 rows down one path, and those of another table."""
    finding = judge(CHECK, chain(3) + ROWS.format(side=2000)).finding
    before = query("SELECT (SELECT count(*) FROM t1) + (SELECT count(*) FROM t2) + (SELECT count(*) FROM side)")[0][0]
    query("DELETE FROM t0 WHERE id = 2")
    after = query("SELECT (SELECT count(*) FROM t1) + (SELECT count(*) FROM t2) + (SELECT count(*) FROM side)")[0][0]
    assert (finding.subject, finding.count) == ("t0", before - after)


def test_fewer_rows_are_proven(judge: Judge) -> None:
    said = judge(CHECK, chain(3) + ROWS.format(side=10))
    assert (sorted(said.proven), said.findings) == (["t0", "t1"], [])


def test_other_rules_take_nothing_and_circles_end(judge: Judge) -> None:
    said = judge(
        CHECK,
        """
        CREATE TABLE "No ""de" (id int PRIMARY KEY, up int REFERENCES "No ""de" ON DELETE CASCADE);
        INSERT INTO "No ""de" SELECT n, 1 FROM generate_series(1, 20000) n;
        CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
        ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b ON DELETE CASCADE;
        INSERT INTO a VALUES (1, NULL); INSERT INTO b VALUES (1, 1); UPDATE a SET b = 1;
        CREATE TABLE kept (a int REFERENCES a);
        """,
    )
    assert (said.finding.subject, said.finding.count) == ('No "de', 20000)
    assert sorted(said.proven) == ["a", "b"]


def test_sqlite_alike() -> None:
    ddl = """
        CREATE TABLE a (id INTEGER PRIMARY KEY);
        CREATE TABLE b (id INTEGER PRIMARY KEY, a INT REFERENCES a ON DELETE CASCADE);
        INSERT INTO a VALUES (1), (2);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) INSERT INTO b SELECT i, 2 FROM n;
    """
    assert judged(CHECK, ddl.format(10001), ENFORCED).finding.count == 10001
    assert judged(CHECK, ddl.format(10000), ENFORCED).proven == ["a"]
