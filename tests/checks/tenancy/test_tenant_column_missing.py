"""tenant-column-missing: every table says whose its rows are, but those of the tenants, shared ones, and partitions."""

from __future__ import annotations

from judging import Judge
from sqlite_judging import judged as judged_on_sqlite

from checks.declared.expectations import Expectations
from checks.schema.names import TableName
from checks.tenants.declared import Tenancy

CHECK = "tenant-column-missing"
DDL = """
    CREATE TABLE tenants (id int PRIMARY KEY);
    CREATE TABLE orders (id int PRIMARY KEY, tenant_id int REFERENCES tenants);
    CREATE TABLE "items ""%☃" (id int PRIMARY KEY, order_id int REFERENCES orders);
    CREATE TABLE plans (id int PRIMARY KEY);
"""


def tenancy(schema: str, *columns: str) -> Expectations:
    return Expectations(tenancy=Tenancy(columns, shared=frozenset({TableName(schema, "plans")})))


def test_a_table_that_does_not_say_whose_its_rows_are(judge: Judge) -> None:
    judged = judge(
        CHECK, DDL + "CREATE TABLE parts (tenant_id int) PARTITION BY LIST (tenant_id)", tenancy("public", "tenant_id")
    )
    assert judged.finding.subject == 'items "%☃'
    assert judged.finding.remedy.startswith('ALTER TABLE "items ""%☃" ADD COLUMN tenant_id integer;')
    assert judged.proven == ["orders", "parts"]
    again = judge(CHECK, 'ALTER TABLE "items ""%☃" ADD tenant_id int', tenancy("public", "tenant_id"))
    assert (again.findings, len(again.proven)) == ([], 3)


def test_each_of_several_columns_is_wanted(judge: Judge) -> None:
    judged = judge(CHECK, "CREATE TABLE notes (a int); CREATE TABLE words (a int, b int)", tenancy("public", "a", "b"))
    assert judged.finding.message == "notes has no column b: nothing tells whose its rows are"
    assert judged.proven == ["words"]


def test_sqlite() -> None:
    judged = judged_on_sqlite(CHECK, DDL, tenancy("", "tenant_id"))
    assert (judged.finding.subject, judged.proven) == ('items "%☃', ["orders"])


def test_without_tenants_there_is_nothing_to_judge(judge: Judge) -> None:
    assert judge(CHECK, DDL).all == ()
