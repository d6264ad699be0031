"""tenant-column-nullable: a column that may be NULL is a warning, rows without a tenant are an error and are counted."""

from __future__ import annotations

import pytest
from judging import Judge
from sqlite_judging import judged as judged_on_sqlite

from checks.declared.expectations import Expectations
from checks.interface import Severity
from checks.tenants.declared import Tenancy

CHECK = "tenant-column-nullable"
EXPECT = Expectations(tenancy=Tenancy(('Tenant "%☃',)))
COLUMN = '"Tenant ""%☃"'


@pytest.mark.parametrize(
    "column",
    [
        "{} int NOT NULL",
        "{} int PRIMARY KEY",
        "{} given NOT NULL",
        "{} owned",
        "{0} int CHECK ({0} IS NOT NULL)",
    ],
)
def test_what_refuses_null_is_proven(judge: Judge, column: str) -> None:
    ddl = "CREATE DOMAIN given AS int; CREATE DOMAIN owned AS int NOT NULL;"
    judged = judge(CHECK, f"{ddl} CREATE TABLE orders ({column.format(COLUMN)})", EXPECT)
    assert (judged.proven, judged.findings) == (['orders.Tenant "%☃'], [])


def test_what_takes_null_is_found_and_its_rows_are_counted(judge: Judge) -> None:
    judged = judge(CHECK, f"CREATE TABLE orders (id int PRIMARY KEY, {COLUMN} int)", EXPECT)
    assert (judged.finding.severity, judged.finding.count) == (None, None)
    assert judged.finding.remedy == f"ALTER TABLE orders ALTER COLUMN {COLUMN} SET NOT NULL;"
    rows = "INSERT INTO orders (id) SELECT generate_series(1, 7); INSERT INTO orders VALUES (8, 1); ANALYZE orders"
    found = judge(CHECK, rows, EXPECT).finding
    assert (found.severity, found.count) == (Severity.ERROR, 7)
    assert found.values == ("id=1", "id=2", "id=3", "id=4", "id=5")
    assert "7 rows have none already" in found.message


def test_a_check_that_is_not_valid_proves_nothing(judge: Judge) -> None:
    ddl = f"CREATE TABLE orders ({COLUMN} int); ALTER TABLE orders ADD CHECK ({COLUMN} IS NOT NULL) NOT VALID"
    assert judge(CHECK, ddl, EXPECT).finding.subject == 'orders.Tenant "%☃'


def test_partitions_are_judged_with_their_table(judge: Judge) -> None:
    ddl = f"""
        CREATE TABLE events ({COLUMN} int) PARTITION BY HASH ({COLUMN});
        CREATE TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 1, REMAINDER 0);
        INSERT INTO events VALUES (NULL), (1);
    """
    assert judge(CHECK, ddl, EXPECT).finding.count == 1


def test_sqlite() -> None:
    ddl = f"""
        CREATE TABLE orders (id integer PRIMARY KEY, {COLUMN} int);
        INSERT INTO orders VALUES (1, NULL), (2, 2);
        CREATE TABLE kept ({COLUMN} int NOT NULL);
    """
    judged = judged_on_sqlite(CHECK, ddl, EXPECT)
    assert (judged.finding.count, judged.finding.values, judged.proven) == (1, ("id=1",), ['kept.Tenant "%☃'])
