"""tenant-isolation-probe: walls that hold are proven, each hole is found, on every version that is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from judging import Judge, Judged, Query, target
from versions import MAJORS

from checks.expectations import Expectations
from checks.interface import Engine, Severity
from checks.relational import RELATIONAL
from checks.schema.model import TableName
from checks.targets import Role
from checks.tenants.declared import Tenancy, parse_template
from runner.servers.interface import Database, Server, Wanted
from runner.servers.registry import provision

pytestmark = pytest.mark.usefixtures("ready")

CHECK = "tenant-isolation-probe"
ROLE = "app '%\" :r ☃"
QUOTED = '"' + ROLE.replace('"', '""') + '"'


@pytest.fixture(scope="module", params=MAJORS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with provision(Wanted(Engine.POSTGRESQL, version=request.param)) as running:
        yield running


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


def test_walls_that_hold_are_proven(judge: Judge) -> None:
    judged = judge(CHECK, SHOP, tenancy())
    assert (set(judged.proven), judged.findings, judged.gaps) == (ALL, [], {})


def test_nothing_that_was_tried_stays(ready: Query, judge: Judge) -> None:
    ready(SHOP)
    before = ready("SELECT id, tenant_id, note FROM orders ORDER BY id")
    judge(CHECK, "DROP POLICY own ON orders; CREATE POLICY own ON orders USING (true)", tenancy())
    assert ready("SELECT id, tenant_id, note FROM orders ORDER BY id") == before


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


def test_a_table_without_rows_gets_one(judge: Judge) -> None:
    """Also where nothing has any: the tenants are invented then."""
    ddl = f"""
        CREATE TABLE lines (
            tenant_id int NOT NULL, order_id int NOT NULL REFERENCES orders, size int UNIQUE CHECK (size BETWEEN 3 AND 5));
        ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON lines USING (tenant_id = me());
        GRANT ALL ON lines TO {QUOTED};
    """
    lines = {f"lines: {command}" for command in COMMANDS}
    judged = judge(CHECK, SHOP + ddl, tenancy())
    assert lines <= set(judged.proven), judged.all
    emptied = judge(CHECK, "TRUNCATE tenants, buyers, orders, lines", tenancy())
    assert (ALL | lines <= set(emptied.proven), emptied.findings) == (True, []), emptied.all
    open_ = judge(CHECK, "CREATE POLICY more ON lines FOR DELETE USING (size > 2)", tenancy())
    assert open_.finding.subject == "lines: deletes"


def test_a_policy_that_lets_some_rows_through_alone(judge: Judge) -> None:
    holes = """
        UPDATE orders SET note = 'open' WHERE id = (SELECT max(id) FROM orders WHERE tenant_id = 2);
        CREATE POLICY one ON orders FOR INSERT WITH CHECK (note = 'open');
        CREATE POLICY two ON orders FOR UPDATE USING (note = 'open');
        CREATE POLICY three ON orders FOR DELETE USING (note = 'open');
    """
    judged = judge(CHECK, SHOP + holes, tenancy())
    assert {"orders: inserts", "orders: updates", "orders: deletes"} <= set(found(judged))
    assert {finding.subject: finding.count for finding in judged.findings}["orders: deletes"] == 1


def test_a_trigger_that_makes_a_row_one_s_own_keeps_it(judge: Judge) -> None:
    trigger = """
        CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN NEW.tenant_id := me(); NEW.buyer_id := me() * 10; RETURN NEW; END';
        CREATE TRIGGER mine BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION mine();
        CREATE POLICY more ON orders FOR INSERT WITH CHECK (true);
    """
    judged = judge(CHECK, SHOP + trigger, tenancy())
    assert (judged.findings, judged.gaps) == ([], {})


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


def test_several_columns_make_a_wall_of_all_that_are_signed_in_with(judge: Judge) -> None:
    ddl = f"""
        CREATE TABLE notes ("Client" uuid NOT NULL, "Project %" text NOT NULL, body text);
        INSERT INTO notes SELECT gen_random_uuid(), p, 'x' FROM unnest(ARRAY['it''s', 'a "b" \\ {{c}} ☃']) p;
        INSERT INTO notes SELECT "Client", 'third', 'x' FROM notes LIMIT 1;
        ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON notes USING ("Client" = current_setting('app.c')::uuid AND "Project %" = current_setting('app.p'));
        GRANT ALL ON notes TO {QUOTED};
    """
    sign_in = "select set_config('app.c', {Client}, false); set app.p = {\"Project %\"}"
    expect = tenancy("Client", "Project %", sign_in=sign_in)
    judged = judge(CHECK, ddl, expect)
    assert set(judged.proven) == {f"notes: {command}" for command in COMMANDS}
    again = judge(
        CHECK, "DROP POLICY own ON notes; CREATE POLICY own ON notes USING (\"Client\" = current_setting('app.c')::uuid)", expect
    )
    assert set(found(again)) == {f"notes: {command}" for command in COMMANDS}, again.all


def test_a_large_table_is_cut_down_to_what_is_tried(judge: Judge) -> None:
    ddl = f"""
        CREATE TABLE clicks (id int PRIMARY KEY, tenant_id int NOT NULL, buyer_id int UNIQUE REFERENCES buyers, note text);
        INSERT INTO clicks SELECT n, 1 + n % 2, NULL FROM generate_series(1, 5100) n;
        UPDATE clicks SET buyer_id = 10 WHERE id = 2;
        UPDATE clicks SET buyer_id = 20 WHERE id = 3;
        ALTER TABLE clicks ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON clicks USING (tenant_id = me());
        CREATE POLICY more ON clicks FOR UPDATE USING (true);
        GRANT SELECT, INSERT, UPDATE, DELETE ON clicks TO {QUOTED};
    """
    judged = judge(CHECK, SHOP + ddl, tenancy())
    assert set(found(judged)) == {"clicks: updates", "clicks: gives away", "clicks.buyer_id: refers"}
    assert {"clicks: reads", "clicks: inserts", "clicks: deletes"} <= set(judged.proven)


def test_what_cannot_be_proven_says_why(judge: Judge) -> None:
    ddl = f"""
        CREATE TABLE odd (tenant_id int, where_to point[] NOT NULL);
        CREATE TABLE closed (tenant_id int);
        CREATE TABLE hidden (tenant_id int);
        INSERT INTO closed VALUES (1), (2);
        INSERT INTO hidden VALUES (1), (2);
        ALTER TABLE odd ENABLE ROW LEVEL SECURITY;
        ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
        GRANT SELECT ON odd, hidden TO {QUOTED};
    """
    judged = judge(CHECK, SHOP + ddl, tenancy())
    assert judged.gaps == {
        "closed: reads": f"{ROLE} has no right to it",
        "odd: reads": "no rows, and none could be made: type point[]",
        "hidden: reads": f"signed in as their own tenant, {ROLE} reads none of the rows either",
    }
    assert judged.findings == []


def test_signing_in_as_a_role_or_by_claims(ready: Query, judge: Judge) -> None:
    ready("DROP ROLE IF EXISTS one_tenant, two_tenant; CREATE ROLE one_tenant; CREATE ROLE two_tenant")
    ddl = f"""
        GRANT one_tenant, two_tenant TO {QUOTED};
        CREATE TABLE notes (tenant_id text NOT NULL, body text);
        INSERT INTO notes VALUES ('one_tenant', 'a'), ('two_tenant', 'b');
        ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON notes USING (tenant_id = current_user);
        GRANT ALL ON notes TO {QUOTED}, one_tenant, two_tenant;
    """
    by_role = judge(CHECK, ddl, tenancy(sign_in="set role {tenant}"))
    claims = "select set_config('claims.own', json_build_object('t', {tenant})::text, true)"
    policy = "USING (tenant_id = nullif(current_setting('claims.own', true), '')::json ->> 't')"
    by_claims = judge(CHECK, f"DROP POLICY own ON notes; CREATE POLICY own ON notes {policy}", tenancy(sign_in=claims))
    for judged in (by_role, by_claims):
        assert (set(judged.proven), judged.findings) == ({f"notes: {command}" for command in COMMANDS}, [])
    ready("DROP OWNED BY one_tenant, two_tenant; DROP ROLE one_tenant, two_tenant")


def test_a_statement_that_does_not_sign_in_proves_nothing(judge: Judge) -> None:
    judged = judge(CHECK, SHOP, tenancy(sign_in="set app.somebody = {tenant}"))
    assert judged.findings == []
    assert "orders: reads" in judged.gaps


def test_shared_tables_and_undeclared_tenancy_are_not_tried(judge: Judge) -> None:
    judged = judge(CHECK, SHOP, tenancy(shared=("orders",)))
    assert all(subject.startswith("buyers: ") for subject in judged.proven)
    assert judge(CHECK).all == ()


def test_who_is_no_superuser_cannot_become_the_application(server: Server, database: Database) -> None:
    """A given database whose address is not a superuser's."""
    theirs = replace(database, private=database.addresses[Role.OWNER])
    with target(server, theirs, tenancy()) as made:
        judged = Judged(tuple(RELATIONAL[CHECK].run(made)))
    assert judged.gaps == {ROLE: "only a superuser can become the application's role"}


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
