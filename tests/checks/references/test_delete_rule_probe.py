"""delete-rule-probe: what does as it says is proven, what does not is found, on every version."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from judging import Judge
from rule_cases import HOSTILE, KEEP, LONG, RULES, TO_USERS, partitioned, quoted
from versions import MAJORS

from checks.interface import Engine, Severity
from runner.servers.interface import Server, Wanted
from runner.servers.registry import provision

CHECK = "delete-rule-probe"


@pytest.fixture(scope="module", params=MAJORS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with provision(Wanted(Engine.POSTGRESQL, version=request.param)) as running:
        yield running


def test_what_does_as_it_says_is_proven(judge: Judge) -> None:
    judged = judge(CHECK, RULES)
    assert judged.findings == []
    assert judged.gaps == {}
    assert len(judged.proven) == 14
    assert {"nulls.user_id", "pairs.(org, user_id)", "trees.up", "sales.bills.user_id"} <= set(judged.proven)


def test_a_rule_that_is_switched_off_does_nothing(judge: Judge) -> None:
    judged = judge(CHECK, f"{RULES}; ALTER TABLE users DISABLE TRIGGER ALL")
    assert {finding.subject for finding in judged.findings} == TO_USERS
    for finding in judged.findings:
        assert finding.severity is None
        assert "its triggers on users are disabled" in finding.message
        assert finding.remedy.startswith("ALTER TABLE users ENABLE TRIGGER ALL;")
    restricts = next(finding for finding in judged.findings if finding.subject == "restricts.user_id")
    assert "is not refused although a row of restricts refers to it: restricts_user_id_fkey says ON" in restricts.message
    assert restricts.objects[0].name == "restricts_user_id_fkey"


def test_a_database_that_replays_replication_carries_no_rule_out(judge: Judge) -> None:
    off = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_replication_role = replica', current_database()); END $$"
    judged = judge(CHECK, f"{RULES}; {off}")
    assert {"session_replication_role" in finding.remedy for finding in judged.findings} == {True}
    assert len(judged.findings) == 14


def test_not_enforced_does_nothing(judge: Judge, server: Server) -> None:
    if int(server.version.split(".")[0]) < 18:
        pytest.skip("NOT ENFORCED came with PostgreSQL 18")
    finding = judge(
        CHECK,
        """
        CREATE TABLE users (id int PRIMARY KEY);
        CREATE TABLE orders (user_id int CONSTRAINT buyer REFERENCES users ON DELETE CASCADE NOT ENFORCED);
        """,
    ).finding
    assert finding.message.endswith("and it is NOT ENFORCED")
    assert finding.remedy == "ALTER TABLE orders ALTER CONSTRAINT buyer ENFORCED;"


def test_null_where_it_may_not_be_means_that_it_is_always_refused(judge: Judge) -> None:
    finding = judge(
        CHECK,
        """
        CREATE TABLE users (org int, id int, PRIMARY KEY (org, id));
        CREATE TABLE orders (org int NOT NULL, user_id int,
            FOREIGN KEY (org, user_id) REFERENCES users ON DELETE SET NULL ON UPDATE SET NULL);
        """,
    ).finding
    assert (finding.severity, finding.code) == (Severity.WARNING, "23502")
    assert finding.message.endswith("SET NULL, and org is NOT NULL")


def test_a_trigger_that_undoes_a_rule_leaves_orphans(judge: Judge) -> None:
    judged = judge(CHECK, f"{KEEP}; CREATE TRIGGER kept BEFORE DELETE OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION keep()")
    (orphans,) = [finding for finding in judged.findings if finding.severity is None]
    assert (orphans.subject, orphans.count) == ("orders.user_id", 1)
    assert orphans.message.startswith("deleting a row of users")
    assert "leaves 1 row of orders without a parent" in orphans.message
    assert "kept of orders" in orphans.message
    assert (orphans.objects[0].kind, orphans.objects[0].name) == ("trigger", "kept")
    assert {finding.severity for finding in judged.findings} <= {None, Severity.NOTICE}


def test_orphans_further_down_are_found_where_a_cascade_ends(judge: Judge) -> None:
    judged = judge(
        CHECK,
        f"""{KEEP}; ALTER TABLE lines ADD kept bool DEFAULT true;
        CREATE TABLE notes (id int PRIMARY KEY, line_id int REFERENCES lines ON DELETE CASCADE);
        CREATE TRIGGER kept BEFORE DELETE ON lines FOR EACH ROW EXECUTE FUNCTION keep()""",
    )
    assert judged.finding.subject == "lines.order_id"
    assert judged.finding.message.startswith("deleting a row of orders leaves ")  # not of users, from which it comes as well
    assert judged.proven == ["notes.line_id", "orders.user_id"]


def test_a_change_that_is_swallowed_is_a_notice(judge: Judge) -> None:
    finding = judge(
        CHECK,
        f"""{KEEP}; DELETE FROM lines; DROP TABLE lines;
        CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER soft BEFORE DELETE OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION swallow()""",
    ).finding
    assert (finding.subject, finding.severity, finding.count) == ("orders.user_id", Severity.NOTICE, 9)
    assert "soft swallows it" in finding.message


def test_orphans_that_were_there_before_are_not_counted_again(judge: Judge) -> None:
    judged = judge(CHECK, f"{KEEP}; SET session_replication_role = replica; INSERT INTO orders VALUES (77, 77); RESET ALL")
    assert (judged.findings, judged.gaps) == ([], {})


@pytest.mark.parametrize("by", ["RANGE", "LIST", "HASH"])
def test_partitioned_parents_and_children(judge: Judge, by: str) -> None:
    judged = judge(CHECK, partitioned(by))
    assert (judged.findings, judged.gaps) == ([], {})
    assert sorted(judged.proven) == ["orders.(at, up)", "orders.user_id"]
    off = judge(CHECK, "ALTER TABLE users_1 DISABLE TRIGGER ALL").finding
    assert off.subject == "orders.user_id"
    assert "does nothing to the rows that refer to it" in off.message
    assert off.remedy.startswith("ALTER TABLE users_1 ENABLE TRIGGER ALL;")


def test_what_cannot_be_tried_is_not_proven(judge: Judge) -> None:
    judged = judge(
        CHECK,
        """
        CREATE TYPE pair AS (a int, b int);
        CREATE TABLE points (at pair PRIMARY KEY);
        CREATE TABLE marks (at pair REFERENCES points ON DELETE CASCADE);
        CREATE TABLE selves (id int PRIMARY KEY REFERENCES selves);
        CREATE TABLE users (id int PRIMARY KEY);
        CREATE TABLE orders (user_id int DEFAULT (random() * 1000000)::int REFERENCES users
            ON DELETE SET DEFAULT ON UPDATE SET DEFAULT);
        """,
    )
    assert judged.gaps == {
        "marks.at": "type public.pair",
        "selves.id": "a row always refers to itself",
        "orders.user_id": "the default changes from row to row",
    }


def test_hostile_names(judge: Judge) -> None:
    table, column, other = quoted(HOSTILE), quoted("Order %s"), quoted(LONG)
    judged = judge(
        CHECK,
        f"""
        CREATE SCHEMA {table}; CREATE TABLE {table}.{other} ({column} text PRIMARY KEY);
        CREATE TABLE "select" ({table} text CONSTRAINT {column} REFERENCES {table}.{other} ON DELETE SET NULL ON UPDATE CASCADE);
        INSERT INTO {table}.{other} VALUES ('100%'), ('x'); INSERT INTO "select" VALUES ('100%'), ('x');
        """,
    )
    assert (judged.findings, judged.gaps, judged.proven) == ([], {}, [f"select.{HOSTILE}"])
    off = judge(CHECK, f"ALTER TABLE {table}.{other} DISABLE TRIGGER ALL").finding
    assert off.subject == f"select.{HOSTILE}"
    assert off.remedy.startswith(f"ALTER TABLE {table}.{other} ENABLE TRIGGER ALL;")
