"""missing-primary-key: what names a row, and what does not."""

from __future__ import annotations

import pytest
from judging import Judge, Query
from sqlite_judging import judged

CHECK = "missing-primary-key"


@pytest.mark.parametrize(
    "ddl",
    [
        "CREATE TABLE t (id int PRIMARY KEY)",
        "CREATE TABLE t (a int NOT NULL, b int NOT NULL, UNIQUE (a, b))",
        "CREATE TABLE t (a int NOT NULL); CREATE UNIQUE INDEX ON t (a)",
        "CREATE TABLE t (a int, PRIMARY KEY (a)) PARTITION BY LIST (a); CREATE TABLE p PARTITION OF t FOR VALUES IN (1)",
        "CREATE TABLE t (a int, b int) PARTITION BY LIST (a); CREATE TABLE p PARTITION OF t (PRIMARY KEY (b)) FOR VALUES IN (1)",
    ],
)
def test_a_key_is_proven(judge: Judge, ddl: str) -> None:
    said = judge(CHECK, ddl)
    assert (said.proven, said.findings) == (["t"], [])


@pytest.mark.parametrize(
    "ddl",
    [
        "CREATE TABLE t (id int NOT NULL)",
        "CREATE TABLE t (id int UNIQUE)",
        "CREATE TABLE t (id int NOT NULL); CREATE UNIQUE INDEX ON t (id) WHERE id > 0",
        "CREATE TABLE t (id int NOT NULL); CREATE UNIQUE INDEX ON t ((id % 2))",
        "CREATE TABLE t (id int NOT NULL, EXCLUDE (id WITH =))",
        "CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE TABLE p PARTITION OF t FOR VALUES IN (1)",
    ],
)
def test_what_leaves_rows_without_a_name_is_found(judge: Judge, ddl: str) -> None:
    assert judge(CHECK, ddl).finding.subject == "t"


def test_the_remedy_settles_it_whatever_the_table_is_called(judge: Judge, query: Query) -> None:
    finding = judge(CHECK, 'CREATE SCHEMA "S"; CREATE TABLE "S"."a; ""b\n" (id int)').finding
    assert finding.subject == 'S.a; "b\n'
    query(finding.remedy.replace("…", "id"))
    assert judge(CHECK).findings == []


def test_sqlite() -> None:
    assert judged(CHECK, "CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE u (a NOT NULL UNIQUE)").proven == ["t", "u"]
    finding = judged(CHECK, 'CREATE TABLE "a b" (id INTEGER UNIQUE)').finding
    assert finding.subject == "a b"
    assert finding.remedy.startswith('Make "a b" anew with PRIMARY KEY (…)')
