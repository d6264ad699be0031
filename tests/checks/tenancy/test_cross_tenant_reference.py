"""cross-tenant-reference: children whose parent is another tenant's are counted, whatever the keys say."""

from __future__ import annotations

import pytest
from judging import Judge
from sqlite_judging import judged as judged_on_sqlite

from checks.declared.expectations import Expectations
from checks.declared.references import parse_reference
from checks.tenants.declared import Tenancy

CHECK = "cross-tenant-reference"
TENANT = Expectations(tenancy=Tenancy(("Tenant %",)))
DDL = """
    CREATE TABLE orders (id int PRIMARY KEY, "Tenant %" int);
    CREATE TABLE "items ""☃" (id int PRIMARY KEY, "Tenant %" int, order_id int REFERENCES orders);
    INSERT INTO orders VALUES (1, 1), (2, 2), (3, NULL);
"""
ITEMS = 'INSERT INTO "items ""☃" VALUES '


@pytest.mark.parametrize(
    ("row", "count"),
    [
        ("(1, 1, 1)", 0),
        ("(1, 1, 2)", 1),
        ("(1, 1, 2), (2, 2, 1), (3, 1, NULL)", 2),
        ("(1, NULL, 1)", 1),  # nobody's row below somebody's
        ("(1, 1, 3), (2, NULL, 3)", 0),  # a parent of nobody's is everybody's
    ],
)
def test_rows_are_counted(judge: Judge, row: str, count: int) -> None:
    judged = judge(CHECK, DDL + ITEMS + row, TENANT)
    assert [finding.count for finding in judged.findings] == ([count] if count else [])
    assert judged.proven == ([] if count else ['items "☃.order_id'])
    sqlite = judged_on_sqlite(CHECK, DDL + ITEMS + row, TENANT)
    assert [finding.count for finding in sqlite.findings] == ([count] if count else [])


def test_a_finding_shows_its_rows_and_a_key_that_would_refuse_them(judge: Judge) -> None:
    finding = judge(CHECK, DDL + ITEMS + "(7, 1, 2)", TENANT).finding
    assert finding.values == ("id=7, order_id=2, Tenant %=1",)
    strict = finding.remedy.partition("in the key too: ")[2]
    again = judge(CHECK, f'UPDATE "items ""☃" SET "Tenant %" = 2; {strict}', TENANT)
    assert again.findings == []
    assert len(again.proven) == 2  # the loose key and the strict one


def test_a_key_that_compares_the_tenant_needs_no_rows_unless_it_is_not_valid(judge: Judge) -> None:
    ddl = """
        CREATE TABLE p (id int, "Tenant %" int, UNIQUE ("Tenant %", id));
        CREATE TABLE c (id int, "Tenant %" int,
                        CONSTRAINT k FOREIGN KEY ("Tenant %", id) REFERENCES p ("Tenant %", id) {});
        ALTER TABLE c DROP CONSTRAINT k, ADD CONSTRAINT k FOREIGN KEY ("Tenant %", id) REFERENCES p ("Tenant %", id) {};
    """
    assert judge(CHECK, ddl.format("", ""), TENANT).proven == ["c.(Tenant %, id)"]
    assert judge(CHECK, "DROP TABLE c, p;" + ddl.format("", "NOT VALID"), TENANT).gaps == {"c.(Tenant %, id)": "no rows"}


def test_partitioned_tables_other_schemas_and_columns_of_two_types(judge: Judge) -> None:
    ddl = """
        CREATE SCHEMA "s ☃";
        CREATE TABLE "s ☃".p (id int PRIMARY KEY, "Tenant %" text);
        CREATE TABLE c (id int REFERENCES "s ☃".p, "Tenant %" varchar(9)) PARTITION BY RANGE (id);
        CREATE TABLE c1 PARTITION OF c FOR VALUES FROM (1) TO (9);
        INSERT INTO "s ☃".p VALUES (1, 'a'), (2, 'b'), (3, 'c');
        INSERT INTO c VALUES (1, 'a'), (2, 'a'), (3, 'b');
    """
    assert judge(CHECK, ddl, TENANT).finding.count == 2


def test_a_reference_without_a_key_is_followed_too(judge: Judge) -> None:
    ddl = """
        CREATE TABLE p (id int PRIMARY KEY, "Tenant %" int);
        CREATE TABLE c (p_id int, "Tenant %" int);
        INSERT INTO p VALUES (1, 1);
        INSERT INTO c VALUES (1, 2);
    """
    expect = Expectations((parse_reference("c.p_id -> p.id undeclared"),), tenancy=Tenancy(("Tenant %",)))
    assert judge(CHECK, ddl, expect).finding.subject == "c.p_id -> p.id"


def test_no_rows_prove_nothing(judge: Judge) -> None:
    assert judge(CHECK, DDL, TENANT).gaps == {'items "☃.order_id': "no rows"}
