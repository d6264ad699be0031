"""tenant-reference-missing: a column that names a tenant leads to the tenants, itself or by way of a table that does."""

from __future__ import annotations

from judging import Judge
from sqlite_judging import judged as judged_on_sqlite

from checks.declared.expectations import Expectations
from checks.schema.names import TableName
from checks.tenants.declared import Tenancy

CHECK = "tenant-reference-missing"
TENANT = Expectations(tenancy=Tenancy(("tenant_id",)))
DDL = """
    CREATE TABLE tenants (id int PRIMARY KEY);
    CREATE TABLE orders (id int PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants (id), UNIQUE (tenant_id, id));
"""


def test_the_way_is_followed(judge: Judge) -> None:
    ddl = """
        CREATE TABLE items (tenant_id int, order_id int NOT NULL,
                            FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id));
        CREATE TABLE maybe (tenant_id int, order_id int, FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id));
        CREATE TABLE "lost ""%☃" (tenant_id int, order_id int REFERENCES orders (id));
    """
    judged = judge(CHECK, DDL + ddl, TENANT)
    assert judged.proven == ["items.tenant_id", "orders.tenant_id"]
    assert {finding.subject for finding in judged.findings} == {"maybe.tenant_id", 'lost "%☃.tenant_id'}
    remedies = {finding.remedy for finding in judged.findings}
    assert 'ALTER TABLE "lost ""%☃" ADD FOREIGN KEY (tenant_id) REFERENCES tenants (id);' in remedies
    for remedy in remedies:
        judged = judge(CHECK, remedy, TENANT)
    assert judged.findings == []


def test_tenants_in_parts(judge: Judge) -> None:
    """A project is of a client; both are tenants' own tables, and the project's client leads to the clients."""
    ddl = """
        CREATE TABLE clients (id int PRIMARY KEY);
        CREATE TABLE projects (id int PRIMARY KEY, client_id int {}, UNIQUE (client_id, id));
        CREATE TABLE notes (client_id int NOT NULL, project_id int NOT NULL,
                            FOREIGN KEY (client_id, project_id) REFERENCES projects (client_id, id));
    """
    expect = Expectations(tenancy=Tenancy(("client_id", "project_id")))
    judged = judge(CHECK, ddl.format("REFERENCES clients"), expect)
    assert (judged.proven, judged.findings) == (["notes.client_id", "notes.project_id", "projects.client_id"], [])
    own = Expectations(
        tenancy=Tenancy(("client_id", "project_id"), (TableName("public", "clients"), TableName("public", "projects")))
    )
    again = judge(CHECK, "ALTER TABLE projects DROP CONSTRAINT projects_client_id_fkey", own)
    assert {finding.subject for finding in again.findings} == {"notes.client_id", "projects.client_id"}


def test_tenants_that_are_elsewhere_prove_nothing(judge: Judge) -> None:
    judged = judge(CHECK, "CREATE TABLE orders (tenant_id int)", TENANT)
    assert judged.gaps == {"orders.tenant_id": "no table of the tenants is known: name it under `table`"}


def test_sqlite() -> None:
    judged = judged_on_sqlite(CHECK, DDL + "CREATE TABLE lost (tenant_id int)", TENANT)
    assert (judged.finding.subject, judged.proven) == ("lost.tenant_id", ["orders.tenant_id"])
