"""tenant-isolation-probe: what tenants are, what rows they are tried with, and what is no proof."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judging import Judge, Judged, Query, target
from tenants_shop import ALL, CHECK, COMMANDS, QUOTED, ROLE, SHOP, found, tenancy
from tenants_shop import ready as ready

from checks.registries.relational import RELATIONAL
from checks.targets import Role
from runner.servers.interface import Database, Server

pytestmark = pytest.mark.usefixtures("ready")


def test_nothing_that_was_tried_stays(ready: Query, judge: Judge) -> None:
    ready(SHOP)
    before = ready("SELECT id, tenant_id, note FROM orders ORDER BY id")
    judge(CHECK, "DROP POLICY own ON orders; CREATE POLICY own ON orders USING (true)", tenancy())
    assert ready("SELECT id, tenant_id, note FROM orders ORDER BY id") == before


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
        CREATE TABLE shut (tenant_id int);
        CREATE FUNCTION shut() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''shut''; END';
        CREATE TRIGGER shut BEFORE INSERT ON shut EXECUTE FUNCTION shut();
        CREATE TABLE closed (tenant_id int);
        CREATE TABLE hidden (tenant_id int);
        INSERT INTO closed VALUES (1), (2);
        INSERT INTO hidden VALUES (1), (2);
        ALTER TABLE shut ENABLE ROW LEVEL SECURITY;
        ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
        GRANT SELECT ON shut, hidden TO {QUOTED};
    """
    judged = judge(CHECK, SHOP + ddl, tenancy())
    assert judged.gaps == {
        "closed: reads": f"{ROLE} has no right to it",
        "shut: reads": "no rows, and the one that was made was refused: P0001 shut",
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
