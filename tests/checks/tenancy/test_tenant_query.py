"""tenant-query: the application's own queries keep to their tenant."""

from __future__ import annotations

import pytest
from judging import Judge
from sqlite_judging import judged as judged_on_sqlite

from checks.declared.expectations import Expectations
from checks.tenants.declared import Tenancy
from checks.tenants.templates import parse_template

CHECK = "tenant-query"
DDL = """
    CREATE TABLE orders (id int, "Tenant %" text, open int);
    INSERT INTO orders VALUES (1, 'it''s', 1), (2, 'a \\ "b" ☃ %s', 1), (3, 'a \\ "b" ☃ %s', 0);
"""


def expect(query: str) -> Expectations:
    columns = ("Tenant %",)
    return Expectations(tenancy=Tenancy(columns, reads={"open ☃": parse_template(query, columns)}))


GOOD = 'SELECT id, "Tenant %" FROM orders WHERE "Tenant %" = {tenant} AND open = 1; -- {tenant}'.replace("; --", " --")
LEAKS = 'SELECT id, "Tenant %" FROM orders WHERE "Tenant %" = {tenant} OR open = 0;'


def test_a_query_that_keeps_to_its_tenant(judge: Judge) -> None:
    assert judge(CHECK, DDL, expect(GOOD)).proven == ["open ☃"]
    assert judged_on_sqlite(CHECK, DDL, expect(GOOD)).proven == ["open ☃"]


def test_a_query_that_does_not(judge: Judge) -> None:
    for judged in (judge(CHECK, DDL, expect(LEAKS)), judged_on_sqlite(CHECK, DDL, expect(LEAKS))):
        assert judged.finding.count == 1
        assert judged.finding.message == "“open ☃” returns 1 row that is not of the tenant that it is asked for, by Tenant %"
        assert [one.relation for one in judged.finding.objects] == ["orders"]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ('SELECT id FROM orders WHERE "Tenant %" = {tenant}', "it could not be read with Tenant %"),
        ('SELECT * FROM orders WHERE "Tenant %" = {tenant} AND id > 9', "it returns no row for any tenant"),
        ('DELETE FROM orders WHERE "Tenant %" = {tenant} RETURNING *', "it could not be read with Tenant %"),
    ],
)
def test_what_proves_nothing(judge: Judge, query: str, reason: str) -> None:
    assert judge(CHECK, DDL, expect(query)).gaps["open ☃"].startswith(reason)


def test_one_tenant_proves_nothing(judge: Judge) -> None:
    judged = judge(CHECK, DDL + "DELETE FROM orders WHERE id > 1", expect(GOOD))
    assert judged.gaps == {"open ☃": "fewer than two tenants have rows"}
