"""Values that no parent has: the server takes them, by type, and the probe built on them holds."""

from __future__ import annotations

import pytest
from judging import Judge, Query

from checks.rows.values import PLENTY, candidates
from checks.schema.model import Column

TYPES = [
    "smallint",
    "integer",
    "bigint",
    "oid",
    "numeric",
    "numeric(10,2)",
    "numeric(2,1)",
    "numeric(3,3)",
    "numeric(5,0)",
    "real",
    "double precision",
    "money",
    "text",
    "character varying",
    "character varying(1)",
    "character varying(2)",
    "character varying(5)",
    "character varying(255)",
    "character(1)",
    "character(3)",
    "bpchar",
    "name",
    '"char"',
    "uuid",
    "date",
    "timestamp without time zone",
    "timestamp(3) without time zone",
    "timestamp with time zone",
    "time without time zone",
    "time(0) with time zone",
    "interval",
    "bytea",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "bit(5)",
    "bit varying(7)",
    "bit varying",
    "jsonb",
    "int4range",
    "int8range",
    "numrange",
    "daterange",
    "tsrange",
    "tstzrange",
    "integer[]",
    "text[]",
    "character varying(9)[]",
    "daterange[]",
]


@pytest.mark.parametrize("type_", TYPES)
def test_candidates_are_different_values_of_their_type(query: Query, type_: str) -> None:
    element = type_.removesuffix("[]") if type_.endswith("[]") else None
    values = candidates(Column("c", type_, True, element=element))
    assert len(values) >= PLENTY
    quoted = ", ".join(f"('{value}')" for value in values)
    query(f"CREATE TABLE t (c {type_} PRIMARY KEY); INSERT INTO t VALUES {quoted}")
    assert query("SELECT count(*) FROM t") == [(len(values),)]


def test_a_type_with_few_values_has_all_of_them() -> None:
    assert set(candidates(Column("c", "boolean", True))) == {"true", "false"}
    assert set(candidates(Column("c", "bit(1)", True))) == {"0", "1"}
    assert candidates(Column("c", "public.mood", True, enum_labels=("a", "b"))) == ("a", "b")
    assert candidates(Column("c", "public.mood[]", True, element="public.mood", enum_labels=('a"', "b\\"))) == (
        '{"a\\""}',
        '{"b\\\\"}',
    )
    assert candidates(Column("c", "app.text", True)) == ()


@pytest.mark.parametrize(
    ("child", "parent", "rows"),
    [
        ("integer", "bigint", "9223372036854775807"),
        ("bigint", "integer", "2147483647"),
        ("bigint", "smallint", "32767"),
        ("integer", "numeric(5,0)", "1"),
        ("integer", "double precision", "1"),
        ("character varying(3)", "text", "'~~~'"),
        ("text", "character varying(3)", "'~~~'"),
        ("date", "timestamp without time zone", "'9999-12-31'"),
        ("positive", "integer", "2147483647"),
        ("integer", "positive", "2147483647"),
        ("few[]", "few[]", "'{a}'"),
        ("tiny", "tiny", "'~'"),
    ],
)
def test_the_probe_holds_across_types(judge: Judge, child: str, parent: str, rows: str) -> None:
    judged = judge(
        "reference-probe",
        f"""
        CREATE DOMAIN positive AS int CHECK (VALUE > 0);
        CREATE TYPE few AS ENUM ('a', 'b');
        CREATE DOMAIN tiny AS character varying(1) NOT NULL;
        CREATE TABLE parent (id {parent} PRIMARY KEY);
        INSERT INTO parent VALUES ({rows});
        CREATE TABLE child (parent_id {child} REFERENCES parent);
        """,
    )
    assert judged.proven == ["child.parent_id"], judged.all


def test_the_last_free_code_is_found(judge: Judge) -> None:
    judged = judge(
        "reference-probe",
        """
        CREATE TABLE codes (code char(1) PRIMARY KEY);
        INSERT INTO codes SELECT chr(n) FROM generate_series(33, 126) n WHERE chr(n) <> '0';
        CREATE TABLE uses (code char(1) REFERENCES codes);
        """,
    )
    assert judged.proven == ["uses.code"]


def test_it_gives_up_where_every_value_has_a_parent(judge: Judge) -> None:
    judged = judge(
        "reference-probe",
        """
        CREATE TABLE answers (answer boolean PRIMARY KEY);
        INSERT INTO answers VALUES (true), (false);
        CREATE TABLE uses (answer boolean REFERENCES answers);
        """,
    )
    assert judged.gaps == {"uses.answer": "every value that was thought of has a parent (2)"}
