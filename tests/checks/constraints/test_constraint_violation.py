"""constraint-violation: what rows break, counted exactly, of CHECKs that are there and of constraints to come."""

from __future__ import annotations

import pytest
from judging import Judge, Judged, target
from sqlalchemy import Executable
from sqlite_judging import judged

from checks.declared.candidates import parse_candidate
from checks.declared.expectations import Expectations
from checks.evidence import Evidence, Place, Statement
from checks.registries.relational import RELATIONAL
from checks.rulebook.audited import added, check_rule, count_added
from checks.rulebook.violations import Counter
from checks.targets import ReadSession, StatementFailed
from runner.servers.interface import Database, Server
from runner.servers.postgresql.sessions import session

CHECK = "constraint-violation"

SHOP = """
    CREATE TABLE users (id int PRIMARY KEY, email text, tenant int, gone text);
    CREATE TABLE orders (id int PRIMARY KEY, buyer_id int, total int, note text);
    INSERT INTO users VALUES (1, 'a', 1, NULL), (2, 'A', 1, NULL), (3, NULL, 1, NULL), (4, NULL, 1, NULL), (5, 'a', 2, 'x');
    INSERT INTO orders VALUES (10, 1, 5, 'x'), (11, 9, -1, NULL), (12, NULL, -2, 'y'), (13, 8, NULL, 'z'), (14, NULL, 0, 'z');
"""
CANDIDATES = {
    "orders: check (total > 0)": (3, ("id=11", "id=12", "id=14"), "3 rows of orders break CHECK (total > 0), which is to come"),
    "orders.buyer_id: not null": (2, ("id=12", "id=14"), "2 rows of orders break buyer_id NOT NULL, which is to come"),
    "orders.note: not null": (1, ("id=11",), "1 row of orders breaks note NOT NULL, which is to come"),
    "users: unique (email)": (2, ("email=a (2)",), "2 rows of users share 1 value against UNIQUE (email), which is to come"),
    "users: unique nulls not distinct (email)": (
        4,
        ("email=a (2)", "email=NULL (2)"),
        "4 rows of users share 2 values against UNIQUE (email), which is to come",
    ),
    "users: unique (tenant, lower(email))": (
        2,
        ("tenant=1, lower(email)=a (2)",),
        "2 rows of users share 1 value against UNIQUE (tenant, lower(email)), which is to come",
    ),
    "orders.buyer_id -> users.id": (
        2,
        ("id=11, buyer_id=9", "id=13, buyer_id=8"),
        "2 rows of orders find no parent by FOREIGN KEY (buyer_id) REFERENCES users (id), which is to come",
    ),
}
HELD = ("orders: check (total is null or total > -9 -- more\n)", "users: unique (email) where gone is null", "users.id: not null")


def auditing(*lines: str, schema: str = "public") -> Expectations:
    return Expectations(audit=tuple(parse_candidate(line, schema) for line in lines))


def test_each_candidate_is_counted_with_the_keys_of_the_first_rows(judge: Judge) -> None:
    said = judge(CHECK, SHOP, auditing(*CANDIDATES, *HELD))
    assert {found.subject: (found.count, tuple(sorted(found.values)), found.message) for found in said.findings} == {
        label: (count, tuple(sorted(values)), message) for label, (count, values, message) in CANDIDATES.items()
    }
    assert len(said.proven) == len(HELD)


def test_each_candidate_is_counted_in_sqlite_too() -> None:
    said = judged(CHECK, SHOP, auditing("ORDERS.Total: not null", *CANDIDATES, *HELD, schema=""))
    (total,) = (found for found in said.findings if found.subject == "orders.total: not null")
    assert (total.count, total.values) == (1, ("id=13",))
    assert {found.subject: (found.count, tuple(sorted(found.values))) for found in said.findings if found is not total} == {
        label: (count, tuple(sorted(values))) for label, (count, values, _) in CANDIDATES.items()
    }
    assert len(said.proven) == len(HELD)


def test_the_remedy_lists_exactly_the_rows_that_are_counted(judge: Judge, database: Database) -> None:
    found = {finding.subject: finding.remedy for finding in judge(CHECK, SHOP, auditing(*CANDIDATES)).findings}
    with session(database.private) as connection:
        for subject, remedy in found.items():
            listed = connection.execute(remedy.removeprefix("List them all with: ").split("; then")[0].encode()).fetchall()
            rows = sum(row[-1] for row in listed) if "unique" in subject else len(listed)
            assert rows == CANDIDATES[subject][0], remedy


def test_a_check_that_is_not_valid_is_counted_and_null_passes_it(judge: Judge) -> None:
    said = judge(CHECK, f"{SHOP} ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0) NOT VALID, ADD CHECK (total < 9);")
    assert (said.finding.subject, said.finding.count) == ("orders.positive", 3)
    assert said.finding.message == "3 rows of orders break positive: CHECK (total > 0)"
    assert said.finding.remedy.endswith("then correct them, and: ALTER TABLE orders VALIDATE CONSTRAINT positive;")
    assert said.proven == ["orders.orders_total_check"]


def test_a_check_that_sqlite_was_told_to_ignore_is_counted() -> None:
    said = judged(
        CHECK,
        """CREATE TABLE t (id INTEGER PRIMARY KEY, a INT CONSTRAINT small CHECK (a < 5 /* not ) much */),
                           b TEXT CHECK ("b" <> ''));
           PRAGMA ignore_check_constraints = on; INSERT INTO t VALUES (1, 9, 'x'), (2, 1, ''), (3, NULL, NULL), (4, 7, 'y');""",
    )
    assert {found.subject: (found.count, found.values) for found in said.findings} == {
        "t.small": (2, ("id=1", "id=4")),
        """t.CHECK ("b" <> '')""": (1, ("id=2",)),
    }


class Counting:
    """A session that counts its statements."""

    def __init__(self, session_: ReadSession) -> None:
        self._session = session_
        self.sent = 0

    def rows(self, statement: Executable) -> object:
        self.sent += 1
        return self._session.rows(statement)


def test_all_rules_of_single_rows_take_one_scan_of_their_table(judge: Judge, server: Server, database: Database) -> None:
    checks = ", ".join(f"ADD CONSTRAINT c{number} CHECK (total < {number + 100})" for number in range(30))
    said = judge(CHECK, f"{SHOP} ALTER TABLE orders {checks};", auditing("orders.id: not null"))
    assert len(said.proven) == 31
    with target(server, database, auditing("orders.id: not null")) as made, made.rows() as reading:
        counting = Counting(reading)
        rules = [check_rule(check) for table in made.catalogue.tables for check in table.checks]
        assert len(list(Counter(counting, made.catalogue, made.engine).counted(rules))) == 30  # type: ignore[arg-type]
        assert counting.sent == 1


def test_an_expression_that_fails_keeps_no_other_from_being_counted(judge: Judge) -> None:
    with pytest.raises(StatementFailed, match=r"orders: check \(1 / total > 0\): division by zero"):
        judge(CHECK, SHOP, auditing("orders: check (1 / total > 0)", "orders: check (total > 0)"))
    ddl = """CREATE FUNCTION fine(int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT true';
        ALTER TABLE orders ADD CONSTRAINT a CHECK (fine(total)), ADD CONSTRAINT b CHECK (total > 0) NOT VALID;
        CREATE OR REPLACE FUNCTION fine(int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT 1 / $1 > 0';"""
    said = judge(CHECK, ddl)
    assert said.finding.subject == "orders.b"
    assert said.gaps == {"orders.a": "its expression failed: 22012: division by zero"}


def test_what_a_candidate_names_and_is_not_there_is_said(judge: Judge) -> None:
    said = judge(CHECK, SHOP, auditing("orders.buyer: not null", "clients: unique (a)", "orders.buyer_id -> clients.id"))
    assert {found.subject: found.message.rpartition(", and there is ")[2] for found in said.findings} == {
        "orders.buyer: not null (absent)": "no column orders.buyer",
        "clients: unique (a) (absent)": "no table clients",
        "orders.buyer_id -> clients.id (absent)": "no table clients",
    }


def test_without_rows_nothing_is_proven(judge: Judge) -> None:
    ddl = "CREATE TABLE t (id int PRIMARY KEY, a int CHECK (a > 0));"
    said = judge(CHECK, ddl, auditing("t: check (a > 1)", "t: unique (a)"))
    assert said.gaps == {"t.t_a_check": "no rows", "t: check (a > 1)": "no rows", "t: unique (a)": "no rows"}
    assert judged(CHECK, ddl.replace("CHECK", "CONSTRAINT t_a_check CHECK"), auditing("t: unique (a)", schema="")).gaps == {
        "t.t_a_check": "no rows",
        "t: unique (a)": "no rows",
    }


HOSTILE = 'a "b" %s %(x)s :y ; -- é\nselect'


def test_hostile_names_partitions_and_other_schemas(judge: Judge) -> None:
    name = '"' + HOSTILE.replace('"', '""') + '"'
    ddl = f"""
        CREATE SCHEMA "Order"; CREATE TABLE "Order".{name} ({name} int, "p%" int);
        INSERT INTO "Order".{name} VALUES (2, 3), (4, 3);
        ALTER TABLE "Order".{name} ADD CONSTRAINT {name} CHECK ("p%" % 2 = 0) NOT VALID;
        CREATE TABLE parts (id int, a int) PARTITION BY LIST (id);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1); CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
        INSERT INTO parts VALUES (1, 1), (2, 1), (2, NULL);
    """
    lines = ("parts: unique (a)", "parts.a: not null", f'"Order".{name}: unique ("p%")', f'"Order".{name}: check ("p%" % 3 = 1)')
    said = judge(CHECK, ddl, auditing(*lines))
    counts = {found.subject: found.count for found in said.findings}
    assert counts.pop(f"Order.{HOSTILE}.{HOSTILE}") == 2
    assert sorted(counts.values()) == [1, 2, 2, 2]  # type: ignore[type-var]


ADDED = """
    ALTER TABLE orders ADD COLUMN currency text, ADD CONSTRAINT ck_total CHECK (total > 0) NOT VALID,
        ADD CONSTRAINT ck_currency CHECK (currency <> total::text) NOT VALID,
        ADD CONSTRAINT fk_buyer FOREIGN KEY (buyer_id) REFERENCES users (id) NOT VALID;
    DELETE FROM orders; DELETE FROM users; ALTER TABLE orders ALTER buyer_id SET NOT NULL, ALTER currency SET NOT NULL;
    CREATE UNIQUE INDEX users_email ON users (email) WHERE gone IS NULL; CREATE UNIQUE INDEX users_email_all ON users (email);
    CREATE TABLE later (id int CHECK (id > 0));
"""


def test_what_new_migrations_add_is_counted_on_the_rows_of_base(judge: Judge, server: Server, database: Database) -> None:
    judge(CHECK, SHOP)
    head = server.create(f"{database.name}_head")
    with session(head.private) as connection:
        connection.execute(SHOP.encode())
        connection.execute(ADDED.encode())
    with target(server, database) as base, target(server, head) as made:
        sets = Statement("ALTER TABLE orders ALTER buyer_id SET NOT NULL, ALTER currency SET NOT NULL", Place("2.sql", 7))
        evidence = Evidence(base=base.catalogue, audits=count_added(made.catalogue, base), statements=(sets,))
        subjects = {rule.subject for rule in added(made.catalogue, base.catalogue)}
    assert set(evidence.audits) == subjects
    with target(server, head, evidence=evidence) as made:
        said = Judged(tuple(RELATIONAL[CHECK].run(made)))
    assert {found.subject: found.count for found in said.findings} == {
        "orders.ck_total": 3,
        "orders.fk_buyer": 2,
        "orders.buyer_id NOT NULL": 2,
        "users.users_email_all": 2,
    }
    assert said.findings[0].message == "3 rows of orders break ck_total: CHECK (total > 0), which the new migrations add"
    places = {found.subject: found.place for found in said.findings if found.place is not None}
    assert places == {"orders.buyer_id NOT NULL": Place("2.sql", 7)}, "the column was made by an older one"
    assert said.proven == ["users.users_email"]
    assert said.gaps == {
        "orders.ck_currency": "column orders.currency is not there yet",
        "orders.currency NOT NULL": "column orders.currency is not there yet",
        "later.later_id_check": "no rows",
    }
