"""no-policy: row security without a policy hides every row."""

from __future__ import annotations

from judging import Judge

from checks.declared.expectations import Expectations
from checks.interface import Severity
from checks.tenants.declared import Tenancy

CHECK = "no-policy"
DDL = """
    CREATE TABLE walled (tenant_id int);
    CREATE TABLE "closed ☃" (tenant_id int);
    CREATE TABLE narrowed (id int);
    CREATE TABLE plain (id int);
    ALTER TABLE walled ENABLE ROW LEVEL SECURITY;
    ALTER TABLE "closed ☃" ENABLE ROW LEVEL SECURITY;
    ALTER TABLE narrowed ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON walled USING (tenant_id = 1);
    CREATE POLICY narrow ON narrowed AS RESTRICTIVE USING (id = 1);
"""


def test_a_table_that_nobody_reads(judge: Judge) -> None:
    judged = judge(CHECK, DDL)
    assert judged.proven == ["walled"]
    assert {finding.subject: finding.severity for finding in judged.findings} == {"closed ☃": None, "narrowed": None}
    declared = judge(CHECK, expect=Expectations(tenancy=Tenancy(("tenant_id",))))
    assert {finding.subject: finding.severity for finding in declared.findings} == {
        "closed ☃": Severity.WARNING,
        "narrowed": None,
    }
