"""The relational checks on MariaDB: each on a database in which everything holds, and on one in which it does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from judging import Judged
from mariadb_judging import JudgeMariadb, target

from checks.declared.candidates import parse_candidate
from checks.declared.expectations import Expectations
from checks.declared.expected import ExpectedConstraint, parse_expected
from checks.declared.queries import Category, DeclaredQuery
from checks.declared.references import parse_reference
from checks.interface import Engine, Severity
from checks.measured import QueryTiming
from checks.registries.relational import RELATIONAL
from runner.measure.mariadb_queries import measure
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import rows, session
from runner.targets.mariadb import MariadbTarget

GREEN = """
    CREATE TABLE users (
        id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT, email VARCHAR(99) NOT NULL UNIQUE CHECK (email LIKE '%@%'),
        kind ENUM('a', 'b') NOT NULL DEFAULT 'a', born DATE, score DECIMAL(5, 2) CHECK (score BETWEEN 0 AND 100)
    );
    CREATE TABLE orders (
        id BIGINT PRIMARY KEY AUTO_INCREMENT, buyer_id INT UNSIGNED NOT NULL, seller_id INT UNSIGNED,
        number CHAR(9) NOT NULL UNIQUE,
        subtotal DECIMAL(12, 2) NOT NULL, tax DECIMAL(12, 2) NOT NULL, total DECIMAL(12, 2) NOT NULL, placed DATETIME NOT NULL,
        twice DECIMAL(13, 2) AS (total * 2) STORED,
        CONSTRAINT fk_buyer FOREIGN KEY (buyer_id) REFERENCES users (id) ON DELETE RESTRICT,
        CONSTRAINT fk_seller FOREIGN KEY (seller_id) REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE,
        CONSTRAINT ck_total CHECK (total = subtotal + tax), CONSTRAINT ck_name CHECK (length(trim(number)) > 0)
    );
    CREATE TABLE items (
        order_id BIGINT NOT NULL, line INT NOT NULL, PRIMARY KEY (order_id, line),
        CONSTRAINT fk_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE ON UPDATE CASCADE
    );
    CREATE TABLE tree (id INT PRIMARY KEY, up INT, CONSTRAINT fk_up FOREIGN KEY (up) REFERENCES tree (id) ON DELETE CASCADE);
    INSERT INTO users (email, score) VALUES ('a@x', 5), ('b@x', 7);
    INSERT INTO orders (buyer_id, number, subtotal, tax, total, placed)
        VALUES (1, 'one', 1, 1, 2, now()), (1, 'two', 1, 1, 2, now());
    INSERT INTO items VALUES (1, 1), (1, 2), (2, 1);
    INSERT INTO tree VALUES (1, NULL), (2, 1);
"""
REFERENCES = 4
#: What each check proves of it.
HOLDS = {
    "orphaned-rows": REFERENCES,
    "reference-probe": REFERENCES,
    "delete-rule-probe": REFERENCES,
    "update-rule-probe": REFERENCES,
    "delete-rule": 1,
    "reference-type-mismatch": REFERENCES,
    "reference-cycle": 2,
    "cascade-reach": 2,
    "insert-probe": 4,
    "check-probe": 4,
    "constraint-violation": 4,
    "duplicate-rows": 6,
    "expected-constraint": 5,
    "not-null-probe": 13,
    "unique-probe": 6,
    "key-exhaustion": 3,
    "missing-primary-key": 4,
    "no-rows": 1,
    "unindexed-foreign-key": REFERENCES,
    "duplicate-index": 13,
    "redundant-index": 9,
}


def expected(*lines: str) -> tuple[ExpectedConstraint, ...]:
    return tuple(parse_expected(line, "") for line in lines)


def test_where_everything_holds_each_check_proves_it(judge_mariadb: JudgeMariadb) -> None:
    expect = Expectations(
        references=(parse_reference("orders.buyer_id -> users.id on delete restrict", ""),),
        no_rows={"an order has a total": "select id from orders where total is null"},
        constraints=expected(
            "CK_TOTAL",
            "orders: check (subtotal+tax = total)",
            "users: check (score between 0 and 100)",
            "orders: unique (number)",
            "orders.buyer_id: not null",
        ),
    )
    said = judge_mariadb(GREEN, *HOLDS, expect=expect)
    assert {check: found.findings for check, found in said.items() if found.findings} == {}
    assert {check: found.gaps for check, found in said.items() if found.gaps} == {}
    assert {check: len(found.proven) for check, found in said.items()} == HOLDS


RED = """
    CREATE TABLE users (id INT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(99),
        KEY one (email), KEY two (email), KEY longer (email, id));
    CREATE TABLE orders (
        id TINYINT PRIMARY KEY AUTO_INCREMENT, buyer_id INT, total INT, label VARCHAR(9),
        CONSTRAINT buyer FOREIGN KEY (buyer_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT again FOREIGN KEY (buyer_id) REFERENCES users (id),
        CONSTRAINT positive CHECK (total > 0)
    );
    CREATE TABLE log (line VARCHAR(20));
    CREATE TABLE a (id INT PRIMARY KEY, b INT NOT NULL);
    CREATE TABLE b (id INT PRIMARY KEY, a INT NOT NULL, CONSTRAINT to_a FOREIGN KEY (a) REFERENCES a (id));
    ALTER TABLE a ADD CONSTRAINT to_b FOREIGN KEY (b) REFERENCES b (id);
    CREATE TABLE old (id INT PRIMARY KEY, buyer_id INT, FOREIGN KEY (buyer_id) REFERENCES users (id)) ENGINE = MyISAM;
    CREATE TABLE parents (id INT PRIMARY KEY);
    CREATE TABLE children (id INT PRIMARY KEY, parent_id INT, CONSTRAINT narrow FOREIGN KEY (parent_id) REFERENCES parents (id));
    SET foreign_key_checks = 0;
    DROP TABLE parents;
    CREATE TABLE parents (id BIGINT PRIMARY KEY);
    SET foreign_key_checks = 1;
    INSERT INTO users VALUES (1, 'x'), (2, 'y');
    SET check_constraint_checks = 0;
    INSERT INTO orders VALUES (120, 1, -5, 'a'), (121, 2, 0, '%');
    INSERT INTO log VALUES ('same'), ('same'), ('other');
    SET check_constraint_checks = 1;
"""
#: Check, subject, words of the message, words of the remedy.
FOUND = [
    ("delete-rule", "old.buyer_id -> users.id (missing)", "no foreign key enforces", "ALTER TABLE old ADD FOREIGN KEY"),
    ("delete-rule", "orders.buyer_id -> users.id", "is ON DELETE RESTRICT, expected SET NULL", "DROP CONSTRAINT again"),
    ("reference-type-mismatch", "children.parent_id", "int(11) against bigint(20)", "MODIFY parent_id bigint(20);"),
    ("reference-cycle", "a, b", "no row can be the first", "Let one of the columns be NULL"),
    ("constraint-violation", "orders.positive", "2 rows of orders break positive", "SELECT * FROM orders"),
    ("duplicate-rows", "log", "2 rows of log, which has no key, are copies", "give the table a primary key"),
    ("expected-constraint", "ck_absent", "there is no constraint ck_absent", "Add it in a migration"),
    (
        "key-exhaustion",
        "orders.id",
        "has used 95% of its numbers",
        "ALTER TABLE orders MODIFY id BIGINT NOT NULL AUTO_INCREMENT;",
    ),
    ("missing-primary-key", "log", "neither a primary key nor a unique index", "ALTER TABLE log ADD PRIMARY KEY"),
    ("no-rows", "no free order", "1 row against: no free order", "select id from orders"),
    ("duplicate-index", "users.two", "two of users is the same index as one", "DROP INDEX two ON users;"),
    (
        "duplicate-index",
        "orders.buyer_id -> users.(id)",
        "twice, with different rules",
        "ALTER TABLE orders DROP CONSTRAINT buyer;",
    ),
    ("redundant-index", "users.one", "nothing that longer does not find", "DROP INDEX one ON users;"),
]


def test_what_does_not_hold_is_found_and_its_remedy_runs_here(judge_mariadb: JudgeMariadb) -> None:
    lines = ("orders.buyer_id -> users.id on delete set null", "old.buyer_id -> users.id")
    expect = Expectations(
        references=tuple(parse_reference(line, "") for line in lines),
        no_rows={"no free order": "select id from orders where total = 0 and label like '%'"},
        constraints=expected("ck_absent"),
    )
    said = judge_mariadb(RED, *dict.fromkeys(check for check, *_ in FOUND), expect=expect)
    for check, subject, message, remedy in FOUND:
        found = {finding.subject: finding for finding in said[check].findings}
        assert subject in found, (check, said[check])
        assert message in found[subject].message
        assert remedy in found[subject].remedy
    assert said["constraint-violation"].finding.values == ("id=120", "id=121")


def audit(found: MariadbTarget, check: str) -> Judged:
    return Judged(tuple(RELATIONAL[check].run(found)))


def test_constraints_to_come_are_audited_on_the_rows_there_are(mariadb_server: MariadbServer) -> None:
    lines = ("users: unique (email)", "orders: check (total >= 0)", "orders.label: not null", "old.buyer_id -> users.id")
    expect = Expectations(audit=tuple(parse_candidate(line, "") for line in lines))
    ddl = RED + "    INSERT INTO users VALUES (3, 'x');\n    INSERT INTO old VALUES (1, 99);\n"
    with target(mariadb_server, ddl, expect) as found:
        said = audit(found, "constraint-violation")
    counts = {finding.subject: finding.count for finding in said.findings}
    assert counts["orders: check (total >= 0)"] == 1
    assert counts["users: unique (email)"] == 2
    assert counts["old.buyer_id -> users.id"] == 1
    assert "orders.label: not null" in said.proven


QUERIES = (
    DeclaredQuery("quick", "select label from orders where buyer_id = {users.id} and label like '%'", Category.SIMPLE, 5.0),
    DeclaredQuery("slow", "select sleep(0.02) from orders where id = {orders.id}", Category.SIMPLE, 0.01),
    DeclaredQuery("wrong", "select nothing from orders", Category.SIMPLE, 1.0),
    DeclaredQuery("endless", "select sum(a.seq * b.seq) from seq_1_to_1000000 a, seq_1_to_1000000 b", Category.SIMPLE, 0.1),
)


@pytest.fixture
def timings(mariadb_server: MariadbServer) -> dict[str, QueryTiming]:
    with target(mariadb_server, RED) as found:
        return {timing.name: timing for timing in measure(found._database, QUERIES)}


def test_queries_are_measured_with_values_of_real_rows_and_stopped(timings: dict[str, QueryTiming]) -> None:
    assert (timings["quick"].failure, len(timings["quick"].seconds), timings["quick"].rows) == ("", 7, 1)
    assert min(timings["slow"].seconds) > 0.02
    assert (timings["wrong"].code, timings["wrong"].failure) == ("1054", "Unknown column 'nothing' in 'SELECT'") or timings[
        "wrong"
    ].code == "1054"
    assert (timings["endless"].code, timings["endless"].failure) == ("1969", "stopped after 2 s")


def test_every_check_that_names_mariadb_is_tried_here_or_elsewhere() -> None:
    of_runs = {"migration-failed", "superuser-migration", "load-refused", "lost-constraint", "query-limit", "ignored-reference"}
    of_runs |= {"down-restores"}
    of_runs |= {"model-drift", "n-minus-1"}
    of_runs |= {"dropped-with-values", "lost-rows", "changed-values"}
    of_runs |= {"edited-migration"}
    of_runs |= {"migration-limit", "blocking-migration", "lock-queue"}
    without = {
        name for name, check in RELATIONAL.items() if Engine.MARIADB in check.ENGINES and check.SEVERITY is not Severity.OFF
    }
    others = {name for name in without if name.startswith("tenant") or "tenant" in name} | {
        "soft-deleted-parent",
        "polymorphic-reference",
        "nullable-unique",
        "null-passes-check",
    }
    assert without <= {*HOLDS, *of_runs, *others}


LOOSENED = """
    CREATE TABLE users (id INT PRIMARY KEY, score INT, CONSTRAINT positive CHECK (score > 0 OR TRUE));
    CREATE TABLE orders (id INT PRIMARY KEY, buyer_id INT, CONSTRAINT buyer FOREIGN KEY (buyer_id) REFERENCES users (id));
    SET foreign_key_checks = 0;
    ALTER TABLE orders DROP INDEX buyer;
    SET foreign_key_checks = 1;
"""


IDLE = """
    CREATE TABLE users (id INT PRIMARY KEY, seen TIMESTAMP NOT NULL, email VARCHAR(9) NOT NULL);
    CREATE TABLE orders (id INT PRIMARY KEY, buyer_id INT,
        CONSTRAINT buyer FOREIGN KEY (buyer_id) REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE TABLE notes (id INT PRIMARY KEY, user_id INT, CONSTRAINT about FOREIGN KEY (user_id) REFERENCES users (id));
    CREATE TABLE empty (id INT PRIMARY KEY, user_id INT,
        CONSTRAINT of_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL);
    INSERT INTO users VALUES (1, now(), 'a'), (2, now(), 'b'), (3, now(), 'c');
    INSERT INTO orders VALUES (1, 1), (2, 2);
    INSERT INTO notes VALUES (1, 3);
    SET foreign_key_checks = 0;
    ALTER TABLE users DROP PRIMARY KEY;
    SET foreign_key_checks = 1;
"""


def test_references_whose_parent_lost_its_key_refuse_good_rows_and_forget_their_rules(judge_mariadb: JudgeMariadb) -> None:
    said = judge_mariadb(IDLE, "reference-probe", "delete-rule-probe", "update-rule-probe", "orphaned-rows")
    probes = ("reference-probe", "delete-rule-probe", "update-rule-probe")
    found = {check: {finding.subject: finding for finding in said[check].findings} for check in probes}
    for check in probes:
        assert set(found[check]) == {"orders.buyer_id", "notes.user_id", "empty.user_id"}
        assert all("users has no key (id) that the server could use for it" in one.message for one in found[check].values())
    assert "can be met by nothing" in found["reference-probe"]["empty.user_id"].message
    deleted = found["delete-rule-probe"]
    assert deleted["orders.buyer_id"].count == 2
    assert deleted["orders.buyer_id"].message.startswith("deleting a row of users leaves 2 rows of orders without a parent")
    assert deleted["notes.user_id"].message.startswith("deleting a row of users leaves 1 row of notes without a parent")
    assert "does nothing to the rows that refer to it" in deleted["empty.user_id"].message
    assert deleted["empty.user_id"].remedy.startswith("ALTER TABLE users ADD UNIQUE (id);")
    assert set(said["orphaned-rows"].proven) == {"orders.buyer_id", "notes.user_id"}


def test_null_that_becomes_the_time_is_no_refusal(judge_mariadb: JudgeMariadb) -> None:
    """A TIMESTAMP that is NOT NULL takes NULL for the current time (MariaDB's manual, "TIMESTAMP")."""
    said = judge_mariadb(IDLE, "not-null-probe")["not-null-probe"]
    assert said.finding.subject == "users.seen"
    assert said.finding.message.startswith("NULL is taken, and the server puts the time in its place, in users.seen")
    assert "users.email" in said.proven


@pytest.fixture
def blackhole(mariadb_server: MariadbServer) -> Iterator[None]:
    """The storage engine that keeps nothing, which Debian's server brings and does not load."""
    with session(mariadb_server.private) as driver:
        rows(driver, "INSTALL SONAME 'ha_blackhole'")
    yield
    with session(mariadb_server.private) as driver:
        rows(driver, "UNINSTALL SONAME 'ha_blackhole'")


@pytest.mark.usefixtures("blackhole")
def test_a_unique_key_of_a_table_that_keeps_nothing_refuses_nothing(judge_mariadb: JudgeMariadb) -> None:
    ddl = """
        CREATE TABLE replayed (id INT NOT NULL, number CHAR(9), UNIQUE KEY once (number)) ENGINE = BLACKHOLE;
        CREATE TABLE kept (id INT NOT NULL, number CHAR(9), UNIQUE KEY once (number));
    """
    said = judge_mariadb(ddl, "unique-probe")["unique-probe"]
    assert (said.finding.subject, said.proven) == ("replayed.once", ["kept.once"])


def test_what_stands_and_does_nothing_is_found(judge_mariadb: JudgeMariadb) -> None:
    """A CHECK that takes everything, and a key whose index was taken from under it."""
    said = judge_mariadb(LOOSENED, "check-probe", "unindexed-foreign-key")
    assert "is always true" in said["check-probe"].finding.message
    assert said["unindexed-foreign-key"].finding.subject == "orders.buyer_id"
