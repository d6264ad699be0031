"""Tenants on MariaDB, which has no row security: columns, references and the application's own queries."""

from __future__ import annotations

from mariadb_judging import JudgeMariadb

from checks.declared.expectations import Expectations
from checks.interface import Severity
from checks.tenants.declared import Tenancy
from checks.tenants.templates import parse_template

COLUMNS = ("tenant %",)
KEPT = "SELECT id, `tenant %` FROM orders WHERE `tenant %` = {tenant}"
LEAKS = "SELECT id, `tenant %` FROM orders WHERE `tenant %` = {tenant} OR id = 1"
READS = {"kept": parse_template(KEPT, COLUMNS), "leaks": parse_template(LEAKS, COLUMNS)}
DDL = r"""
CREATE TABLE tenants (id varchar(20) PRIMARY KEY);
CREATE TABLE orders (id int PRIMARY KEY, `tenant %` varchar(20) NOT NULL REFERENCES tenants (id));
CREATE TABLE items (id int PRIMARY KEY, `tenant %` varchar(20), order_id int REFERENCES orders (id));
CREATE TABLE `lines "☃` (id int PRIMARY KEY);
INSERT INTO tenants VALUES ('it''s'), ('a \\ b');
INSERT INTO orders VALUES (1, 'it''s'), (2, 'a \\ b');
INSERT INTO items VALUES (1, 'it''s', 1), (2, 'it''s', 2), (3, NULL, NULL);
"""
CHECKS = (
    "tenant-column-missing",
    "tenant-column-nullable",
    "tenant-reference-missing",
    "cross-tenant-reference",
    "tenant-query",
)


def test_columns_references_and_queries(judge_mariadb: JudgeMariadb) -> None:
    judged = judge_mariadb(DDL, *CHECKS, expect=Expectations(tenancy=Tenancy(COLUMNS, reads=READS)))
    missing, nullable, reference, crossing, query = (judged[check] for check in CHECKS)
    assert (missing.finding.subject, missing.proven) == ('lines "☃', ["items", "orders"])
    assert (nullable.finding.subject, nullable.finding.severity, nullable.finding.count) == ("items.tenant %", Severity.ERROR, 1)
    assert nullable.finding.remedy.endswith("ALTER TABLE items MODIFY COLUMN `tenant %` varchar(20) NOT NULL;")
    assert nullable.proven == ["orders.tenant %"]
    assert (reference.finding.subject, reference.proven) == ("items.tenant %", ["orders.tenant %"])
    assert (crossing.finding.subject, crossing.finding.count) == ("items.order_id", 1)
    assert (query.finding.subject, query.finding.count, query.proven) == ("leaks", 1, ["kept"])
