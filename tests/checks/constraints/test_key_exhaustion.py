"""key-exhaustion: how much of a key's numbers is used, by its sequence, its type, or both."""

from __future__ import annotations

import pytest
from judging import Judge, Query
from sqlite_judging import judged

CHECK = "key-exhaustion"


@pytest.mark.parametrize(
    ("ddl", "says"),
    [
        (
            "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t SELECT setval('t_id_seq', 1600000000)",
            "integer ends at 2 147 483 647",
        ),
        ("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (1600000000)", "integer ends at 2 147 483 647"),
        ("CREATE TABLE t (id smallint PRIMARY KEY); INSERT INTO t VALUES (30000)", "smallint ends at 32 767"),
        (
            "CREATE DOMAIN d AS smallint; CREATE TABLE t (id d PRIMARY KEY); INSERT INTO t VALUES (30000)",
            "smallint ends at 32 767",
        ),
        (
            "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 10) PRIMARY KEY);"
            "INSERT INTO t SELECT FROM generate_series(1, 8)",
            "the sequence t_id_seq ends at 10",
        ),
        (
            "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (INCREMENT -1 MINVALUE -10) PRIMARY KEY);"
            "INSERT INTO t SELECT FROM generate_series(1, 8)",
            "the sequence t_id_seq ends at -10",
        ),
    ],
)
def test_a_key_near_its_end_is_found(judge: Judge, ddl: str, says: str) -> None:
    finding = judge(CHECK, ddl).finding
    assert finding.subject == "t.id"
    assert finding.message.endswith(says)


@pytest.mark.parametrize(
    "ddl",
    [
        "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t SELECT setval('t_id_seq', 1500000000)",
        "CREATE TABLE t (id bigserial PRIMARY KEY); INSERT INTO t SELECT setval('t_id_seq', 1600000000)",
        "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (-2000000000)",
    ],
)
def test_a_key_far_from_its_end_is_proven(judge: Judge, ddl: str) -> None:
    said = judge(CHECK, ddl)
    assert (said.proven, said.findings) == (["t.id"], [])


def test_without_rows_nothing_is_proven_and_other_keys_are_not_judged(judge: Judge) -> None:
    said = judge(
        CHECK,
        "CREATE TABLE t (id serial PRIMARY KEY); CREATE TABLE u (id text PRIMARY KEY, n int); INSERT INTO u VALUES ('x', 1)",
    )
    assert (said.proven, said.gaps) == ([], {"t.id": "no rows"})


def test_the_remedies_help(judge: Judge, query: Query) -> None:
    ddl = """
        CREATE SCHEMA "S %"; CREATE TABLE "S %"."T ""1" ("i d" smallserial PRIMARY KEY); INSERT INTO "S %"."T ""1" VALUES (30000);
        CREATE TABLE "S %".u (id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME "S %"."q ""1" MAXVALUE 10) PRIMARY KEY);
        INSERT INTO "S %".u SELECT FROM generate_series(1, 8);
    """
    found = judge(CHECK, ddl).findings
    assert len(found) == 2
    for finding in found:
        query(finding.remedy.partition(";")[0])
    assert {finding.subject for finding in judge(CHECK).findings} <= {'S %.T "1.i d'}
    query('ALTER SEQUENCE "S %"."T ""1_i d_seq" AS bigint')
    assert judge(CHECK).findings == []


def test_sqlite_counts_to_64_bits() -> None:
    low = "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (4000000000); CREATE TABLE e (id INTEGER PRIMARY KEY)"
    said = judged(CHECK, low)
    assert (said.proven, said.gaps) == (["t.id"], {"e.id": "no rows"})
    finding = judged(CHECK, low + "; INSERT INTO t VALUES (9223372036854775807)").finding
    assert (finding.subject, finding.evidence["share"]) == ("t.id", 1.0)
