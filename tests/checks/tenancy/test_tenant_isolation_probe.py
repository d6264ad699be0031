"""tenant-isolation-probe: walls that hold are proven, each hole is found, on every version that is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from judging import Judge, Query
from tenants_shop import ALL, CHECK, COMMANDS, QUOTED, ROLE, SHOP, found, tenancy
from tenants_shop import ready as ready
from versions import MAJORS

from checks.interface import Engine, Severity
from runner.servers.interface import Database, Server, Wanted
from runner.servers.registry import provision

pytestmark = pytest.mark.usefixtures("ready")


@pytest.fixture(scope="module", params=MAJORS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with provision(Wanted(Engine.POSTGRESQL, version=request.param)) as running:
        yield running


def test_walls_that_hold_are_proven(judge: Judge) -> None:
    judged = judge(CHECK, SHOP, tenancy())
    assert (set(judged.proven), judged.findings, judged.gaps) == (ALL, [], {})


HOLES = {
    "DROP POLICY own ON orders; CREATE POLICY own ON orders USING (true)": {f"orders: {one}" for one in COMMANDS},
    "ALTER TABLE orders DISABLE ROW LEVEL SECURITY": {f"orders: {one}" for one in COMMANDS},
    f"ALTER TABLE orders OWNER TO {QUOTED}": {f"orders: {one}" for one in COMMANDS},
    f"ALTER TABLE orders OWNER TO {QUOTED}; ALTER TABLE orders FORCE ROW LEVEL SECURITY": set(),
    "CREATE POLICY more ON orders FOR INSERT WITH CHECK (true)": {"orders: inserts"},
    "CREATE POLICY more ON orders FOR SELECT USING (true)": {"orders: reads"},
    "CREATE POLICY more ON orders FOR DELETE USING (true)": {"orders: deletes"},
    # Who may only update, blindly, what it does not see: nothing is left when it is refused the row as it then would be.
    "CREATE POLICY more ON orders FOR UPDATE USING (true) WITH CHECK (tenant_id > 0)": {"orders: updates", "orders: gives away"},
    "CREATE POLICY more ON orders FOR UPDATE USING (tenant_id = me()) WITH CHECK (true)": {"orders: gives away"},
}


@pytest.mark.parametrize("hole", HOLES)
def test_each_hole_is_found(judge: Judge, hole: str) -> None:
    judged = judge(CHECK, SHOP + hole, tenancy())
    assert set(found(judged)) == HOLES[hole], judged.all
    assert set(judged.proven) == ALL - HOLES[hole]
    assert {finding.severity for finding in judged.findings} <= {None}


def test_what_is_read_is_counted_and_explained(judge: Judge) -> None:
    judged = judge(CHECK, SHOP + "ALTER TABLE orders DISABLE ROW LEVEL SECURITY", tenancy())
    reads = next(finding for finding in judged.findings if finding.subject == "orders: reads")
    assert reads.message == (
        f"signed in as one tenant, {ROLE} reads other tenants' rows of orders (2 of them): its row security is off"
    )
    assert reads.count == 2
    assert reads.remedy == "ALTER TABLE orders ENABLE ROW LEVEL SECURITY;"
    assert reads.values


def test_without_signing_in_there_is_nothing(judge: Judge) -> None:
    """A policy that spares who says nothing."""
    policy = """
        DROP POLICY own ON orders;
        CREATE POLICY own ON orders USING (tenant_id = coalesce(nullif(current_setting('app.tenant', true), '')::int, tenant_id));
    """
    judged = judge(CHECK, SHOP + policy, tenancy())
    assert set(found(judged)) == {"orders: reads", "orders: inserts", "orders: updates", "orders: deletes"}
    assert all(message.startswith(f"without signing in, {ROLE}") for message in found(judged).values())


def test_a_reference_across_is_a_warning(judge: Judge) -> None:
    ddl = f"""
        CREATE TABLE labels (id int PRIMARY KEY, tenant_id int NOT NULL, order_id int REFERENCES orders);
        INSERT INTO labels SELECT id, tenant_id, id FROM orders;
        ALTER TABLE labels ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON labels USING (tenant_id = me()) {{check}};
        GRANT SELECT, UPDATE ON labels TO {QUOTED};
    """
    judged = judge(CHECK, SHOP + ddl.format(check=""), tenancy())
    assert judged.finding.subject == "labels.order_id: refers"
    assert judged.finding.severity is Severity.WARNING
    assert "takes any row of orders" in judged.finding.message
    asking = "WITH CHECK (tenant_id = me() AND EXISTS (SELECT FROM orders WHERE orders.id = order_id))"
    again = judge(CHECK, f"DROP POLICY own ON labels; CREATE POLICY own ON labels USING (tenant_id = me()) {asking}", tenancy())
    assert (again.findings, again.gaps) == ([], {})
    assert "labels.order_id: refers" in again.proven


def test_views_and_functions_that_read_as_their_owner(judge: Judge, server: Server) -> None:
    ddl = f"""
        CREATE VIEW "open: %☃" AS SELECT * FROM orders;
        CREATE VIEW totals AS SELECT sum(total) FROM orders;
        CREATE MATERIALIZED VIEW stored AS SELECT * FROM orders;
        CREATE FUNCTION "all: %s"() RETURNS SETOF orders LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT * FROM orders';
        CREATE FUNCTION some_of() RETURNS TABLE (tenant_id int) LANGUAGE sql STABLE SECURITY DEFINER
            AS 'SELECT tenant_id FROM orders WHERE tenant_id = me()';
        GRANT SELECT ON "open: %☃", totals, stored TO {QUOTED};
    """
    judged = judge(CHECK, SHOP + ddl, tenancy())
    assert set(found(judged)) == {"open: %☃: reads", "stored: reads", "all: %s(): reads"}
    assert judged.gaps == {"totals: reads": "it reads with its owner's rights and does not say whose a row is"}
    assert "some_of(): reads" in judged.proven
    if server.version.startswith(("15", "16", "17", "18")):
        again = judge(CHECK, 'ALTER VIEW "open: %☃" SET (security_invoker = true)', tenancy())
        assert "open: %☃: reads" in again.proven


def test_a_partition_is_tried_where_it_can_be_reached(judge: Judge) -> None:
    ddl = f"""
        CREATE TABLE events (id int, tenant_id int NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
        CREATE TABLE "events 2030" PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
        CREATE TABLE events_2031 PARTITION OF events FOR VALUES FROM ('2031-01-01') TO ('2032-01-01');
        INSERT INTO events VALUES (1, 1, '2030-05-05'), (2, 2, '2030-05-05'), (3, 2, '2031-05-05');
        ALTER TABLE events ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON events USING (tenant_id = me());
        GRANT SELECT, INSERT, UPDATE, DELETE ON events TO {QUOTED};
        GRANT SELECT ON "events 2030" TO {QUOTED};
    """
    judged = judge(CHECK, SHOP + ddl, tenancy())
    assert judged.finding.subject == "events 2030: reads"
    assert "a partition of events that is reached by itself" in judged.finding.message
    assert {f"events: {command}" for command in COMMANDS} <= set(judged.proven)


def test_a_role_s_own_settings_are_those_of_a_login(ready: Query, judge: Judge, database: Database) -> None:
    """Also what only a superuser may set, and the role that it takes on."""
    ready(f'DROP ROLE IF EXISTS "base ☃"; CREATE ROLE "base ☃"; GRANT "base ☃" TO {QUOTED}')
    for setting in (
        "search_path = hers",
        "log_statement = 'none'",
        "app.kind = 'a=b'",
        "role = 'base ☃'",
    ):
        ready(f'ALTER ROLE {QUOTED} IN DATABASE "{database.name}" SET {setting}')
    ddl = """
        CREATE SCHEMA hers;
        GRANT USAGE ON SCHEMA hers TO "base ☃";
        GRANT ALL ON orders, buyers TO "base ☃";
        CREATE FUNCTION hers.who(t text) RETURNS int LANGUAGE sql AS 'SELECT t::int';
        DROP POLICY own ON orders;
        CREATE POLICY own ON orders TO "base ☃"
            USING (tenant_id = me() AND current_setting('search_path') = 'hers' AND current_setting('app.kind') = 'a=b');
    """
    judged = judge(CHECK, SHOP + ddl, tenancy(sign_in="select set_config('app.tenant', who({tenant})::text, false)"))
    assert (set(judged.proven), judged.findings) == (ALL, []), judged.all
    ready('DROP OWNED BY "base ☃"; DROP ROLE "base ☃"')
