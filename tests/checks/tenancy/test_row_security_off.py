"""row-security-off: policies that are not asked, and tenants' tables that row security was to keep."""

from __future__ import annotations

from judging import Judge

from checks.declared.expectations import Expectations
from checks.tenants.declared import Tenancy
from checks.tenants.templates import parse_template

CHECK = "row-security-off"
DDL = """
    CREATE TABLE walled (tenant_id int);
    CREATE TABLE "off ""%☃" (tenant_id int);
    CREATE TABLE bare (tenant_id int);
    CREATE TABLE other (id int);
    ALTER TABLE walled ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON walled USING (tenant_id = 1);
    CREATE POLICY "own ☃" ON "off ""%☃" USING (tenant_id = 1);
"""


def test_policies_that_are_not_asked_are_found_whatever_is_declared(judge: Judge) -> None:
    judged = judge(CHECK, DDL)
    assert (judged.finding.subject, judged.proven) == ('off "%☃', ["walled"])
    assert "its policy is not asked (own ☃)" in judged.finding.message
    again = judge(CHECK, judged.finding.remedy)
    assert (again.findings, len(again.proven)) == ([], 2)


def test_row_security_has_to_be_on_where_it_keeps_tenants_apart(judge: Judge) -> None:
    kept = Tenancy(("tenant_id",), role="app", sign_in=parse_template("set app.tenant = {tenant}", ["tenant_id"]))
    judged = judge(CHECK, DDL, Expectations(tenancy=kept))
    assert {finding.subject for finding in judged.findings} == {"bare", 'off "%☃'}
    by_application = judge(CHECK, expect=Expectations(tenancy=Tenancy(("tenant_id",))))
    assert by_application.finding.subject == 'off "%☃'
