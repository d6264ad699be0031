"""expected-constraint: by name and by meaning, in the server's own words; what is not there, and what cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlite_judging
from judging import Judge, Judged, Query

from checks.declared.expectations import Expectations
from checks.declared.expected import NamedConstraint, parse_expected
from checks.evidence import Evidence, MigrationFailure, Place, Statement
from checks.interface import Engine, NotProven
from checks.registries.relational import RELATIONAL
from checks.schema.names import ObjectKind, ObjectReference
from checks.targets import Role, StatementFailed
from runner.servers.interface import Database, Server, Wanted
from runner.servers.registry import provision
from runner.servers.sqlite.sessions import session as sqlite_session
from runner.targets.postgresql import PostgresTarget
from runner.targets.sqlite import SqliteTarget

CHECK = "expected-constraint"

TABLES = """
    CREATE SCHEMA sales;
    CREATE TYPE color AS ENUM ('red', 'blue');
    CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL CONSTRAINT one_email UNIQUE, deleted_at date, tenant int);
    CREATE UNIQUE INDEX one_alive ON users (tenant, lower(email)) WHERE deleted_at IS NULL;
    CREATE TABLE orders (
        id int PRIMARY KEY, total numeric(9,2), tax numeric(9,2) NOT NULL, status varchar(9), hue color, "Größe 100%" int,
        CONSTRAINT ck_total CHECK (total > 0), CONSTRAINT ck_sum CHECK (total = tax + 1 AND tax >= 0),
        CHECK (status IN ('open', 'paid')), CHECK (hue <> 'red'), CONSTRAINT "ck ""size"" 9" CHECK ("Größe 100%" BETWEEN 1 AND 9),
        CONSTRAINT email_is_there CHECK (NOT status IS NULL)
    );
    CREATE TABLE sales."Or""der: 100%" ("sel ect" int NOT NULL CHECK ("sel ect" > 0), "é" text UNIQUE);
    CREATE TABLE sales.parts (id bigint, sku text, PRIMARY KEY (id, sku)) PARTITION BY LIST (sku)
"""

HOLDS = [
    "ck_total",
    "CK_Total",
    '"ck ""size"" 9"',
    "one_email",
    "one_alive",
    "orders_pkey",
    "orders: total > 0",
    "orders: check (0 < total)",
    "orders: total = 1 + tax",
    "orders: tax >= 0 and total>0",
    "orders: status = ANY (ARRAY['paid', 'open'])",
    "orders: status IN ('paid','open') -- as the page shows them",
    "orders: hue != 'red'::color",
    'orders: "Größe 100%" >= 1 and "Größe 100%" <= 9',
    "orders.tax: not null",
    "orders.status: not null",
    "orders: status is not null",
    "orders: tax IS NOT NULL",
    "users: unique (email)",
    "users: unique (email, tenant)",
    "users: unique (lower(email), tenant) where deleted_at is null",
    "users: unique nulls not distinct (id)",
    "sales.parts: unique (sku, id)",
    'sales."Or""der: 100%": "sel ect" > 0',
    'sales."Or""der: 100%"."sel ect": not null',
    'sales."Or""der: 100%": unique ("é")',
]
LACKS = {
    "ck_totl": "there is no constraint ck_totl; did you mean 'ck_total'?",
    "orders: total >= 0": "orders is not held to (total >= (0)::numeric): none of its CHECKs asks for that; ck_total says "
    "(total > (0)::numeric)",
    "orders.total: not null": "orders takes NULL in total",
    "orders.totl: not null": "orders has no column totl; did you mean 'total'?",
    "ordrs: total > 0": "there is no table ordrs; did you mean 'orders'?",
    "orders: totl > 0": 'orders cannot have it: column "totl" does not exist',
    "users: unique (tenant)": "two rows of users can have the same tenant",
    "users: unique (lower(email))": "two rows of users can have the same lower(email)",
    "users: unique nulls not distinct (tenant, deleted_at)": "two rows of users can have the same tenant, deleted_at",
    "sales.parts: id > 0": "sales.parts is not held to (id > 0): it has no CHECK that asks for that",
}


def expecting(*lines: str, schema: str = "public") -> Expectations:
    return Expectations(constraints=tuple(parse_expected(line, schema, Place("dbproof.toml", 7)) for line in lines))


def test_what_stands_under_any_name_is_proven_and_what_is_missing_is_named(judge: Judge, query: Query) -> None:
    judged = judge(CHECK, TABLES, expecting(*HOLDS, *LACKS))
    assert [finding.message for finding in judged.findings] == list(LACKS.values())
    assert len(judged.proven) == len(HOLDS)
    assert {finding.subject for finding in judged.findings} >= {"ck_totl", "orders: check (total >= 0)", "orders.total: not null"}
    assert query("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'dbproof%'") == [(0,)]
    for finding in judged.findings:
        if finding.remedy.startswith(("ALTER TABLE", "CREATE UNIQUE INDEX")) and "…" not in finding.remedy:
            query(finding.remedy)
    left = [finding.subject for finding in judge(CHECK, "", expecting(*LACKS)).findings]
    assert left == ["ck_totl", "orders.totl: not null", "ordrs: check (total > 0)", "orders: check (totl > 0)"]


def test_a_name_that_was_dropped_is_found_where_it_was(judge: Judge) -> None:
    gone = ObjectReference(ObjectKind.CONSTRAINT, "public", "orders", "ck_gone")
    evidence = Evidence(statements=(Statement("ALTER TABLE orders DROP CONSTRAINT ck_gone", Place("a.sql", 3), dropped=(gone,)),))
    judged = judge(CHECK, TABLES, expecting("ck_gone"), evidence)
    assert (judged.finding.place, judged.finding.evidence) == (Place("a.sql", 3), {"statement": evidence.statements[0].text})
    stopped = Evidence(failure=MigrationFailure("2", None, "", "23503", "no"))
    lines = expecting("ck_gone", "orders: total > 9", "users: unique (tenant)", "users.tenant: not null", "nowhere: a > 1")
    assert judge(CHECK, "", lines, stopped).findings == []


@pytest.mark.parametrize(
    ("line", "words"),
    [("orders: total >>> 0", "operator does not exist"), ("orders: total > ", "syntax error"), ("orders: 1 > 0); SELECT (1", "")],
)
def test_a_line_that_cannot_be_read_is_an_error_that_names_it_and_the_rest_is_judged(judge: Judge, line: str, words: str) -> None:
    judge("no-rows", TABLES)
    with pytest.raises(StatementFailed) as raised:
        judge(CHECK, "", expecting(line, "ck_total"))
    label = f"orders: check ({line.partition(': ')[2].strip()})"
    assert f"dbproof.toml:7: expect.checks: '{label}' cannot be read" in raised.value.said
    assert words in raised.value.said


def test_what_is_not_enforced_does_not_count(server: Server, judge: Judge) -> None:
    if int(server.version.split(".")[0]) < 18:
        pytest.skip("NOT ENFORCED came with PostgreSQL 18")
    ddl = "CREATE TABLE orders (total int, CONSTRAINT ck_total CHECK (total > 0) NOT ENFORCED)"
    judged = judge(CHECK, ddl, expecting("ck_total", "orders: total > 0"))
    assert [finding.message for finding in judged.findings] == [
        "ck_total of orders is NOT ENFORCED: the server refuses no row by it",
        "orders is not held to (total > 0): none of its CHECKs asks for that; ck_total (NOT ENFORCED) says (total > 0)",
    ]


def test_in_a_database_that_is_only_read_names_count_and_meanings_are_not_proven(database: Database, query: Query) -> None:
    query(TABLES)
    with provision(Wanted(Engine.POSTGRESQL, url=database.addresses[Role.OWNER].url())) as server:
        lines = expecting("ck_total", "ck_totl", "orders: total > 0", "users: unique (email)", "orders.tax: not null")
        with PostgresTarget(server, None, server.database(database.name), lines, Evidence()) as found:
            judged = Judged(tuple(RELATIONAL[CHECK].run(found)))
    assert (judged.proven, judged.finding.subject) == (["ck_total", "orders.tax: not null"], "ck_totl")
    assert set(judged.gaps) == {"orders: check (total > 0)", "users: unique (email)"}
    assert set(judged.gaps.values()) == {"the database was given to be read only: constraints are known by name only"}


def test_where_somebody_locks_a_table_meanings_are_not_proven(database: Database, query: Query) -> None:
    """A given database that is disposable, and in use all the same."""
    query(TABLES)
    lines = expecting("ck_total", "orders: total > 0")
    with (
        provision(Wanted(Engine.POSTGRESQL, url=database.addresses[Role.ADMIN].url(), disposable=True)) as server,
        PostgresTarget(server, None, server.database(database.name), lines, Evidence()) as found,
    ):
        assert found.catalogue.tables
        query("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        judged = Judged(tuple(RELATIONAL[CHECK].run(found)))
        query("ROLLBACK")
    assert judged.proven == ["ck_total"]
    assert judged.gaps == {"orders: check (total > 0)": "locked by another session for more than 2 s"}


SQLITE = """
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, nick TEXT COLLATE NOCASE);
    CREATE UNIQUE INDEX one_nick ON users (nick) WHERE nick IS NOT NULL;
    CREATE TABLE orders (id INTEGER PRIMARY KEY, Total INT CONSTRAINT ck_total CHECK (total > 0), tax INT CHECK (tax in (1, 2)))
"""


def test_sqlite() -> None:
    holds = ["CK_TOTAL", "Orders: 0 < TOTAL", "orders: check (tax IN (2,1))", "USERS: unique (Email)", "users: unique (nick)"]
    holds += ["users.EMAIL: not null", "one_nick", "users: email is not null"]
    lacks = ["ck_tax", "orders: total >= 0", "users.nick: not null", "orders: absent > 0", "orders: unique (total)"]
    judged = sqlite_judging.judged(CHECK, SQLITE, expecting(*holds, *lacks, schema=""))
    assert (len(judged.proven), len(judged.findings)) == (len(holds), len(lacks)), judged.all
    assert judged.findings[3].message == "orders cannot have it: no such column: absent"
    with pytest.raises(StatementFailed, match=r"expect\.checks: 'orders: check \(total >\)' cannot be read"):
        sqlite_judging.judged(CHECK, SQLITE, expecting("orders: total >", schema=""))


def test_a_sqlite_file_that_is_only_read() -> None:
    with sqlite_judging.made(SQLITE) as (server, database):
        lines = expecting("ck_total", "orders: total > 0", schema="")
        with SqliteTarget(server, None, database, lines, Evidence()) as found:
            said = list(RELATIONAL[CHECK].run(found))
        with sqlite_session(database.private) as connection:
            assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE 'dbproof%'").fetchone() == (0,)
    assert [type(one) is NotProven for one in said] == [False, True]


def test_how_lines_are_read() -> None:
    assert parse_expected('  "a: b"  ').declared == NamedConstraint("a: b")
    assert parse_expected("orders:total::int > 0").declared == parse_expected("orders: check (total::int > 0)").declared
    assert parse_expected("sales.orders: data -> 'a' is not null").declared.label == (
        "sales.orders: check (data -> 'a' is not null)"
    )


def _wrong() -> Iterator[tuple[str, str]]:
    yield "orders.buyer_id -> users.id", "declare it under 'references'"
    yield "a b", "expected the name of a constraint"
    yield "a.b.c: x > 0", "expected the name of a constraint"
    yield "orders: unique email", "expected the name of a constraint"
    yield "orders: check (a) or (b)", "the parentheses after 'check' do not close at its end"


@pytest.mark.parametrize(("line", "words"), list(_wrong()))
def test_what_is_no_line(line: str, words: str) -> None:
    with pytest.raises(ValueError, match="^" + words.replace("(", r"\(").split(" '")[0]):
        parse_expected(line)
