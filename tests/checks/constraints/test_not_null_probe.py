"""not-null-probe: NULL is refused for the very column, on the oldest and the newest PostgreSQL here, and on SQLite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from judging import Judge
from rule_cases import HOSTILE, LONG, quoted
from sqlite_judging import judged
from versions import MAJORS

from checks.interface import Engine, Severity
from runner.servers.interface import Server, Wanted
from runner.servers.registry import provision

CHECK = "not-null-probe"


@pytest.fixture(scope="module", params=sorted({MAJORS[0], MAJORS[-1]}))
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with provision(Wanted(Engine.POSTGRESQL, version=request.param)) as running:
        yield running


def test_a_column_that_refuses_null_is_proven(judge: Judge) -> None:
    found = judge(
        CHECK,
        """
        CREATE DOMAIN given AS text NOT NULL CHECK (VALUE <> '');
        CREATE TYPE pair AS (a int, b int);
        CREATE TYPE mood AS ENUM ('sad');
        CREATE TABLE parents (id int PRIMARY KEY);
        CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n serial, total int NOT NULL CHECK (total < 0),
            free int, note given, other given NOT NULL, at pair NOT NULL, mood mood NOT NULL, tags text[] NOT NULL DEFAULT '{}',
            parent_id int NOT NULL REFERENCES parents, twice int NOT NULL GENERATED ALWAYS AS (2) STORED, UNIQUE (mood));
        INSERT INTO parents VALUES (1);
        INSERT INTO orders (total, note, other, at, mood, parent_id) VALUES (-1, 'x', 'y', (1, 2), 'sad', 1);
        CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.total := -1; RETURN NEW; END $$;
        CREATE TRIGGER fill BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION fill();
        """,
    )
    assert (found.findings, found.gaps) == ([], {})
    columns = ("id", "n", "total", "note", "other", "at", "mood", "tags", "parent_id", "twice")
    assert sorted(found.proven) == sorted([*(f"orders.{name}" for name in columns), "parents.id"])


def test_a_partition_is_judged_by_what_it_says_itself(judge: Judge) -> None:
    found = judge(
        CHECK,
        """
        CREATE TABLE events (at date NOT NULL, kind text NOT NULL, note text) PARTITION BY RANGE (at);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        ALTER TABLE events_1 ALTER note SET NOT NULL;
        INSERT INTO events VALUES ('2024-05-05', 'a', 'b');
        """,
    )
    assert (found.findings, found.gaps) == ([], {})
    assert found.proven == ["events.at", "events.kind", "events_1.note"]


def test_a_column_whose_mark_was_cleared_by_hand_takes_null(judge: Judge) -> None:
    found = judge(
        CHECK,
        """
        CREATE TABLE orders (id int PRIMARY KEY, total int NOT NULL);
        UPDATE pg_attribute SET attnotnull = false WHERE attrelid = 'orders'::regclass AND attname = 'id';
        """,
    )
    assert (found.finding.subject, found.finding.severity) == ("orders.id", None)
    assert found.finding.message == "NULL was taken in orders.id, which is NOT NULL"
    assert found.finding.remedy == "ALTER TABLE orders ALTER COLUMN id SET NOT NULL;"
    assert found.finding.objects[0].name == "id"
    assert found.proven == ["orders.total"]


def test_named_and_not_validated_ones_refuse_too(judge: Judge, server: Server) -> None:
    if int(server.version.split(".")[0]) < 18:
        pytest.skip("NOT NULL as a constraint came with PostgreSQL 18")
    found = judge(
        CHECK,
        """
        CREATE TABLE orders (a int CONSTRAINT a_given NOT NULL, b int, c int NOT NULL GENERATED ALWAYS AS (1) VIRTUAL);
        INSERT INTO orders (a) VALUES (1);
        ALTER TABLE orders ADD CONSTRAINT b_given NOT NULL b NOT VALID;
        """,
    )
    assert {"orders.a", "orders.b"} == set(found.proven)
    assert list(found.gaps) == ["orders.c"]


def test_hostile_names(judge: Judge) -> None:
    schema, column, table = quoted(HOSTILE), quoted("Order %s"), quoted(LONG)
    found = judge(
        CHECK,
        f"""
        CREATE SCHEMA {schema};
        CREATE TABLE {schema}.{table} ({column} text PRIMARY KEY, {schema} int NOT NULL, "select" int NOT NULL);
        UPDATE pg_attribute SET attnotnull = false WHERE attname = 'Order %s' AND attnum = 1;
        """,
    )
    assert (found.finding.subject, found.gaps) == (f"{HOSTILE}.{LONG}.Order %s", {})
    assert found.finding.remedy == f"ALTER TABLE {schema}.{table} ALTER COLUMN {column} SET NOT NULL;"
    assert found.proven == [f"{HOSTILE}.{LONG}.{name}" for name in (HOSTILE, "select")]


SQLITE = """
    CREATE TABLE orders (id INTEGER PRIMARY KEY, total INT NOT NULL CHECK (total < 0), "a.b" TEXT NOT NULL,
        filled INT NOT NULL ON CONFLICT REPLACE DEFAULT 7, parent_id INT NOT NULL REFERENCES nobody);
    CREATE TABLE codes (code TEXT PRIMARY KEY) WITHOUT ROWID;
"""


def test_on_sqlite() -> None:
    found = judged(CHECK, SQLITE)
    assert (found.findings, found.gaps) == ([], {})
    columns = ("codes.code", "orders.a.b", "orders.filled", "orders.id", "orders.parent_id", "orders.total")
    assert sorted(found.proven) == list(columns)


def test_a_row_that_vanishes_on_sqlite_is_found() -> None:
    finding = judged(CHECK, "CREATE TABLE orders (id INTEGER PRIMARY KEY, total INT NOT NULL ON CONFLICT IGNORE)").finding
    assert (finding.subject, finding.severity) == ("orders.total", Severity.WARNING)
    assert finding.message == "a row with NULL vanishes without an error in orders.total, which is NOT NULL"
    assert "Make orders anew with total INT NOT NULL (" in finding.remedy


def test_hostile_names_on_sqlite() -> None:
    table = quoted(HOSTILE)
    found = judged(CHECK, f'CREATE TABLE {table} ({table} TEXT NOT NULL, "select" INT NOT NULL ON CONFLICT IGNORE)')
    assert found.proven == [f"{HOSTILE}.{HOSTILE}"]
    assert found.finding.subject == f"{HOSTILE}.select"
