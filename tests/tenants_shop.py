"""A shop with two tenants, walls around them, and the role of an application: what tests of tenancy begin from."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from judging import Judged, Query

from checks.declared.expectations import Expectations
from checks.schema.names import TableName
from checks.tenants.declared import Tenancy
from checks.tenants.templates import parse_template

CHECK = "tenant-isolation-probe"
ROLE = "app '%\" :r ☃"
QUOTED = '"' + ROLE.replace('"', '""') + '"'


@pytest.fixture
def ready(query: Query) -> Query:
    """The database with the application's role."""
    quoted = ROLE.replace("'", "''")
    missing = query(f"SELECT 1 FROM pg_roles WHERE rolname = '{quoted}'") == []
    query(f"CREATE ROLE {QUOTED}" if missing else f"ALTER ROLE {QUOTED} RESET ALL")
    return query


def tenancy(*columns: str, sign_in: str = "set app.tenant = {tenant}", shared: tuple[str, ...] = ()) -> Expectations:
    names = columns or ("tenant_id",)
    tables = frozenset(TableName("public", name) for name in shared)
    return Expectations(tenancy=Tenancy(names, (), tables, ROLE, parse_template(sign_in, names)))


#: Two tenants with a buyer and two orders each, walls around them, and a role that may do anything within its own.
SHOP = f"""
    CREATE TABLE tenants (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE buyers (id int PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants, name text, UNIQUE (tenant_id, id));
    CREATE TABLE orders (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant_id int NOT NULL REFERENCES tenants,
        buyer_id int NOT NULL,
        note text,
        total numeric(8, 2) NOT NULL CHECK (total > 0),
        taxed numeric GENERATED ALWAYS AS (total * 1.2) STORED,
        FOREIGN KEY (tenant_id, buyer_id) REFERENCES buyers (tenant_id, id)
    );
    INSERT INTO tenants VALUES (1, 'one'), (2, 'two');
    INSERT INTO buyers VALUES (10, 1, 'a'), (20, 2, 'b');
    INSERT INTO orders (tenant_id, buyer_id, total) VALUES (1, 10, 5), (1, 10, 6), (2, 20, 7), (2, 20, 8);
    CREATE FUNCTION me() RETURNS int LANGUAGE sql STABLE AS $$ SELECT current_setting('app.tenant')::int $$;
    ALTER TABLE buyers ENABLE ROW LEVEL SECURITY;
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON buyers USING (tenant_id = me());
    CREATE POLICY own ON orders USING (tenant_id = me());
    GRANT SELECT, INSERT, UPDATE, DELETE ON buyers, orders TO {QUOTED};
"""
COMMANDS = ("reads", "inserts", "updates", "deletes", "gives away")
ALL = {f"{table}: {command}" for table in ("buyers", "orders") for command in COMMANDS}


def found(judged: Judged) -> Mapping[str, str]:
    return {finding.subject: finding.message for finding in judged.findings}
