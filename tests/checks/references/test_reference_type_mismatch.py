"""reference-type-mismatch: type, width, domain and collation, column by column."""

from __future__ import annotations

import pytest
from judging import Judge, Query

from checks.interface import Severity

CHECK = "reference-type-mismatch"

TYPES = """
    CREATE DOMAIN small_id AS int CHECK (VALUE < 100);
    CREATE DOMAIN other_id AS int;
"""


@pytest.mark.parametrize(
    "kind", ["int", "bigint", "text", "uuid", "varchar(20)", "numeric(10,2)", "small_id", 'text COLLATE "C"']
)
def test_equal_types_are_proven(judge: Judge, kind: str) -> None:
    judged = judge(CHECK, f"{TYPES} CREATE TABLE p (id {kind} PRIMARY KEY); CREATE TABLE c (p_id {kind} REFERENCES p)")
    assert (judged.proven, judged.findings) == (["c.p_id"], [])


@pytest.mark.parametrize(
    ("parent", "child", "severity"),
    [
        ("bigint", "int", Severity.WARNING),
        ("int", "bigint", Severity.WARNING),
        ("int", "smallint", Severity.WARNING),
        ("numeric", "int", Severity.WARNING),
        ("timestamptz", "timestamp", Severity.WARNING),
        ("char(3)", "text", Severity.WARNING),
        ("text", "varchar(20)", Severity.NOTICE),
        ("varchar(20)", "text", Severity.NOTICE),
        ("varchar(20)", "varchar(30)", Severity.NOTICE),
        ("int", "small_id", Severity.WARNING),
        ("small_id", "int", Severity.NOTICE),
        ("small_id", "other_id", Severity.WARNING),
        ("bigint", "small_id", Severity.WARNING),
        ('text COLLATE "C"', "text", Severity.WARNING),
        ('text COLLATE "C"', 'varchar COLLATE "POSIX"', Severity.WARNING),
    ],
)
def test_types_that_differ(judge: Judge, parent: str, child: str, severity: Severity) -> None:
    finding = judge(
        CHECK, f"{TYPES} CREATE TABLE p (id {parent} PRIMARY KEY); CREATE TABLE c (p_id {child} REFERENCES p)"
    ).finding
    assert (finding.subject, finding.severity) == ("c.p_id", severity)
    assert [(found.kind, found.relation, found.name) for found in finding.objects[:1]] == [("column", "c", "p_id")]


def test_the_message_says_which_column_and_how(judge: Judge, query: Query) -> None:
    ddl = """
        CREATE TABLE p (tenant bigint, number text, PRIMARY KEY (tenant, number));
        CREATE TABLE c (number text, tenant int, FOREIGN KEY (tenant, number) REFERENCES p);
    """
    finding = judge(CHECK, ddl).finding
    said = "c.(tenant, number) and p.(tenant, number) differ in type (tenant to tenant: integer against bigint, which holds more)"
    assert finding.message == said
    query(finding.remedy)
    assert judge(CHECK).proven == ["c.(tenant, number)"]


@pytest.mark.parametrize(
    ("parent", "child"),
    [("int", "bigint"), ("bigint", "int"), ('text COLLATE "C"', 'text COLLATE "POSIX"'), ("text", "varchar(3)")],
)
def test_the_remedy_settles_it(judge: Judge, query: Query, parent: str, child: str) -> None:
    ddl = f"""
        CREATE TABLE "the parent" ("a %s" {parent} PRIMARY KEY);
        CREATE TABLE "order" ("from" {child} REFERENCES "the parent");
    """
    query(judge(CHECK, ddl).finding.remedy)
    assert judge(CHECK).proven == ["order.from"]


def test_a_parent_that_is_not_judged_leaves_it_open(judge: Judge) -> None:
    ddl = "CREATE TABLE django_migrations (id int PRIMARY KEY); CREATE TABLE c (m_id int REFERENCES django_migrations)"
    assert judge(CHECK, ddl).gaps == {"c.m_id": "the columns of django_migrations are not known"}
