"""unique-probe: the same key twice is refused by that index, on every version of PostgreSQL that is installed, and on SQLite."""

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

CHECK = "unique-probe"


@pytest.fixture(scope="module", params=MAJORS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with provision(Wanted(Engine.POSTGRESQL, version=request.param)) as running:
        yield running


def never_finished(index: str) -> str:
    """What CREATE UNIQUE INDEX CONCURRENTLY leaves behind where it meets a duplicate."""
    return f"UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = {index}::regclass"


def test_keys_that_refuse_are_proven(judge: Judge) -> None:
    found = judge(
        CHECK,
        """
        CREATE DOMAIN code AS varchar(3) CHECK (VALUE <> '');
        CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL, org int, code code, flag bool,
            born date UNIQUE DEFERRABLE INITIALLY DEFERRED, status text CHECK (status <> 'active'), UNIQUE (org, code));
        CREATE UNIQUE INDEX by_email ON users (lower(email)) INCLUDE (flag);
        CREATE UNIQUE INDEX by_code ON users (code) WHERE code IS NOT NULL;
        CREATE UNIQUE INDEX active ON users (org DESC) WHERE status = 'active' AND email LIKE 'a%';
        CREATE UNIQUE INDEX sevenths ON users ((org % 7), flag) WHERE org > 100 AND org < 103;
        CREATE UNIQUE INDEX one ON users (flag) NULLS NOT DISTINCT;
        CREATE TABLE orders (user_id int REFERENCES users);
        INSERT INTO users (email, org, code, flag) VALUES ('x', 1, 'a', true), ('y', 1, 'b', false);
        INSERT INTO orders VALUES (1);
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION refuse();
        """,
    )
    assert (found.findings, found.gaps) == ([], {})
    names = ("users_pkey", "users_born_key", "users_org_code_key", "by_email", "by_code", "active", "sevenths", "one")
    assert sorted(found.proven) == sorted(f"users.{name}" for name in names)


def test_partitioned_tables(judge: Judge) -> None:
    found = judge(
        CHECK,
        """
        CREATE TABLE events (at int, id int, PRIMARY KEY (at, id)) PARTITION BY LIST (at);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
        CREATE UNIQUE INDEX own ON events_1 (id);
        INSERT INTO events VALUES (1, 1);
        """,
    )
    assert (found.findings, found.gaps) == ([], {})
    assert found.proven == ["events.events_pkey", "events_1.own"]


def test_an_index_that_was_never_finished_takes_a_key_twice(judge: Judge) -> None:
    found = judge(
        CHECK,
        f"""
        CREATE TABLE users (id int PRIMARY KEY, email text, code text UNIQUE);
        CREATE UNIQUE INDEX by_email ON users (email);
        CREATE UNIQUE INDEX by_text ON users (lower(email)) WHERE id > 5;
        {never_finished("'by_email'")}; {never_finished("'by_text'")};
        """,
    )
    assert {finding.subject: finding.severity for finding in found.findings} == {"users.by_email": None, "users.by_text": None}
    finding = found.findings[0]
    assert finding.message == "the same key was taken twice in users: by_email is unique but invalid, as it was never finished"
    assert finding.remedy == "REINDEX INDEX by_email;"
    assert [found.name for found in finding.objects] == ["by_email", "email"]
    assert sorted(found.proven) == ["users.users_code_key", "users.users_pkey"]


def test_what_no_row_can_be_thought_of_for_is_not_proven(judge: Judge) -> None:
    found = judge(
        CHECK,
        """
        CREATE TYPE pair AS (a int, b int);
        CREATE TABLE users (at pair UNIQUE, id int);
        CREATE UNIQUE INDEX never ON users (id) WHERE id <> id;
        """,
    )
    assert found.gaps == {
        "users.users_at_key": "type public.pair",
        "users.never": "no row could be thought of that is in the index",
    }


def test_a_predicate_is_met_by_a_row_that_is_there(judge: Judge) -> None:
    found = judge(
        CHECK,
        """
        CREATE TABLE users (id int, secret text);
        CREATE UNIQUE INDEX hard ON users (id) WHERE md5(secret) = '5ebe2294ecd0e0f08eab7690d2a6ee69';
        INSERT INTO users VALUES (1, 'secret');
        """,
    )
    assert found.proven == ["users.hard"]


def test_keys_without_overlaps(judge: Judge, server: Server) -> None:
    if int(server.version.split(".")[0]) < 18:
        pytest.skip("WITHOUT OVERLAPS came with PostgreSQL 18")
    found = judge(CHECK, "CREATE TABLE rooms (room int4range, during tsrange, PRIMARY KEY (room, during WITHOUT OVERLAPS))")
    assert found.proven == ["rooms.rooms_pkey"]


def test_hostile_names(judge: Judge) -> None:
    schema, column, table, index = quoted(HOSTILE), quoted("Order %s"), quoted(LONG), quoted("i% \"')")
    found = judge(
        CHECK,
        f"""
        CREATE SCHEMA {schema};
        CREATE TABLE {schema}.{table} ({column} text PRIMARY KEY, {schema} int UNIQUE);
        CREATE UNIQUE INDEX {index} ON {schema}.{table} (lower({column})) WHERE {schema} > 5;
        INSERT INTO {schema}.{table} VALUES ('100%', 1);
        """,
    )
    assert (found.findings, found.gaps, len(found.proven)) == ([], {}, 3)
    name = f"{schema}.{index}".replace("'", "''")
    off = judge(CHECK, never_finished(f"'{name}'")).finding
    assert off.remedy == f"REINDEX INDEX {schema}.{index};"


SQLITE = """
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, org INT, code TEXT, status TEXT CHECK (status = 'x'),
        UNIQUE (org, code));
    CREATE UNIQUE INDEX by_email ON users (lower(email));
    CREATE UNIQUE INDEX by_code ON users (code) WHERE code IS NOT NULL AND status = 'active';
    CREATE TABLE pairs (a INT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
    INSERT INTO users VALUES (1, 'a', 1, 'b', 'x');
"""


def test_on_sqlite() -> None:
    found = judged(CHECK, SQLITE)
    assert (found.findings, found.gaps) == ([], {})
    assert len(found.proven) == 6
    assert {"users.the rowid", "users.by_email", "users.by_code"} <= set(found.proven)


@pytest.mark.parametrize(
    ("clause", "words"), [("REPLACE", "takes the place of the first"), ("IGNORE", "vanishes without an error")]
)
def test_what_sqlite_does_on_conflict_is_a_notice(clause: str, words: str) -> None:
    finding = judged(CHECK, f"CREATE TABLE users (email TEXT UNIQUE ON CONFLICT {clause})").finding
    assert finding.severity is Severity.NOTICE
    assert f"a second row with the same key {words}" in finding.message


def test_hostile_names_on_sqlite() -> None:
    table, index = quoted(HOSTILE), quoted('i "%\n')
    ddl = f'CREATE TABLE {table} ({table} TEXT UNIQUE, "select" TEXT); CREATE UNIQUE INDEX {index} ON {table} (lower("select"))'
    found = judged(CHECK, ddl)
    assert (found.findings, found.gaps, len(found.proven)) == ([], {}, 2)
