"""policy-always-true: conditions that are true of every row, as the planner sees them."""

from __future__ import annotations

import pytest
from judging import Judge

from checks.declared.expectations import Expectations
from checks.interface import Severity
from checks.tenants.declared import Tenancy

CHECK = "policy-always-true"
DDL = 'CREATE TABLE "orders ""%☃" (id int NOT NULL, tenant_id int); CREATE POLICY "p ☃" ON "orders ""%☃" '
SUBJECT = 'orders "%☃.p ☃'


@pytest.mark.parametrize(
    ("policy", "severity"),
    [
        ("USING (true)", None),
        ("USING (1 = 1)", None),
        ("USING (tenant_id = 1 OR true)", None),
        ("USING (tenant_id = 1) WITH CHECK (true)", None),
        ("FOR INSERT WITH CHECK (true)", None),
        ("FOR UPDATE USING (true) WITH CHECK (tenant_id = 1)", None),
        ("FOR DELETE USING (coalesce(NULL, true))", None),
        ("FOR SELECT USING (true)", Severity.NOTICE),
        ("TO pg_monitor USING (true)", Severity.NOTICE),
    ],
)
def test_a_policy_that_asks_nothing(judge: Judge, policy: str, severity: Severity | None) -> None:
    judged = judge(CHECK, DDL + policy)
    assert (judged.finding.subject, judged.finding.severity) == (SUBJECT, severity)


@pytest.mark.parametrize(
    "policy",
    [
        "USING (tenant_id = 1)",
        "USING (current_setting('app.tenant', true) = '1')",
        "USING (current_user = 'postgres')",
        "USING (EXISTS (SELECT FROM pg_class WHERE oid = tenant_id))",
        "USING (random() >= 0)",
        "USING (false)",
        "USING (NULL)",
        "FOR INSERT WITH CHECK (tenant_id = 1)",
        "AS RESTRICTIVE USING (true)",
        "TO postgres USING (true)",
        'USING (true); CREATE POLICY narrow ON "orders ""%☃" AS RESTRICTIVE USING (tenant_id = 1)',
    ],
)
def test_a_policy_that_asks_something(judge: Judge, policy: str) -> None:
    judged = judge(CHECK, DDL + policy)
    assert (judged.findings, judged.gaps) == ([], {})


def test_what_everybody_reads_is_a_warning_where_it_is_a_tenant_s(judge: Judge) -> None:
    expect = Expectations(tenancy=Tenancy(("tenant_id",)))
    found = judge(CHECK, DDL + "FOR SELECT USING (true)", expect).finding
    assert found.severity is None
    assert found.remedy == 'ALTER POLICY "p ☃" ON "orders ""%☃" USING (tenant_id = …);'
    assert judge(CHECK, found.remedy.replace("…", "1"), expect).proven == [SUBJECT]


def test_partitioned_tables(judge: Judge) -> None:
    ddl = """
        CREATE TABLE events (t int) PARTITION BY LIST (t);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
        CREATE TABLE without (t int) PARTITION BY LIST (t);
        CREATE POLICY wide ON events USING (true);
        CREATE POLICY narrow ON events_1 USING (t = 2);
        CREATE POLICY wide ON without USING (1 = 1);
    """
    judged = judge(CHECK, ddl)
    assert {finding.subject for finding in judged.findings} == {"events.wide"}
