"""delete-rule-probe and update-rule-probe on SQLite."""

from __future__ import annotations

import pytest
from sqlite_judging import ENFORCED, judged

from checks.declared.expectations import Expectations
from checks.interface import Severity

CHECKS = ("delete-rule-probe", "update-rule-probe")
HOSTILE = "a \"b\" :c %d %(e)s ? \n'f'; DROP TABLE g; -- ☃"
RULES = """
    CREATE TABLE users (id INTEGER PRIMARY KEY, org INT NOT NULL, code TEXT NOT NULL UNIQUE, UNIQUE (org, id));
    CREATE TABLE cascades (id INT NOT NULL, user_id INT NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE TABLE nulls (user_id INT DEFAULT 7 REFERENCES users ON DELETE SET NULL ON UPDATE SET NULL);
    CREATE TABLE restricts (user_id INT REFERENCES users ON DELETE RESTRICT ON UPDATE RESTRICT);
    CREATE TABLE later (user_id INT REFERENCES users DEFERRABLE INITIALLY DEFERRED, CHECK (user_id < 0));
    CREATE TABLE defaults (user_id INT DEFAULT 7 REFERENCES users ON DELETE SET DEFAULT ON UPDATE SET DEFAULT);
    CREATE TABLE codes (code TEXT PRIMARY KEY REFERENCES users (code) ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE TABLE pairs (org INT, user_id INT, other INT NOT NULL REFERENCES users,
        FOREIGN KEY (org, user_id) REFERENCES users (org, id) ON DELETE SET NULL ON UPDATE CASCADE);
    CREATE TABLE trees (id INTEGER PRIMARY KEY, up INT REFERENCES trees ON DELETE CASCADE ON UPDATE CASCADE);
"""
KEEP = """
    CREATE TABLE users (id INTEGER PRIMARY KEY);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INT REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE, kept INT);
    INSERT INTO users VALUES (1), (2), (3);
    INSERT INTO orders VALUES (1, 1, 0), (2, 2, 1), (3, 3, 0);
"""


@pytest.mark.parametrize("check", CHECKS)
def test_what_does_as_it_says_is_proven(check: str) -> None:
    found = judged(check, RULES, ENFORCED)
    assert (found.findings, found.gaps) == ([], {})
    assert len(found.proven) == 9


@pytest.mark.parametrize("check", CHECKS)
def test_without_foreign_keys_nothing_is_proven(check: str) -> None:
    unsaid = judged(check, KEEP).gaps
    assert unsaid == {"orders.user_id": "not said whether the application's sessions enforce it: set `foreign_keys`"}
    assert judged(check, KEEP, Expectations(foreign_keys=False)).gaps == {"orders.user_id": "foreign_keys is off"}


@pytest.mark.parametrize("check", CHECKS)
def test_null_where_it_may_not_be_means_that_it_is_always_refused(check: str) -> None:
    action = "ON DELETE SET NULL ON UPDATE SET NULL"
    ddl = f"CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p_id INT NOT NULL REFERENCES p {action})"
    finding = judged(check, ddl, ENFORCED).finding
    assert (finding.severity, finding.code) == (Severity.WARNING, "SQLITE_CONSTRAINT_NOTNULL")
    assert finding.message.endswith("SET NULL, and p_id is NOT NULL")


@pytest.mark.parametrize(
    ("check", "trigger"),
    [
        (CHECKS[0], "BEFORE DELETE ON orders WHEN OLD.kept BEGIN SELECT RAISE(IGNORE); END"),
        (CHECKS[1], "AFTER UPDATE ON orders WHEN OLD.kept BEGIN UPDATE orders SET kept = 0, user_id = 99 WHERE id = NEW.id; END"),
    ],
)
def test_sqlite_itself_refuses_what_a_trigger_would_leave_behind(check: str, trigger: str) -> None:
    assert judged(check, f"{KEEP} CREATE TRIGGER undo {trigger}", ENFORCED).proven == ["orders.user_id"]


@pytest.mark.parametrize("check", CHECKS)
def test_a_change_that_is_swallowed_is_a_notice(check: str) -> None:
    verb = check.partition("-")[0].upper()
    ddl = f"{KEEP} CREATE TRIGGER soft BEFORE {verb} ON users BEGIN SELECT RAISE(IGNORE); END"
    finding = judged(check, ddl, ENFORCED).finding
    assert (finding.severity, finding.count) == (Severity.NOTICE, 3)


@pytest.mark.parametrize("check", CHECKS)
def test_a_key_that_sqlite_cannot_use_is_not_proven(check: str) -> None:
    found = judged(check, "CREATE TABLE p (a INT); CREATE TABLE c (a INT REFERENCES p (a))", ENFORCED)
    assert list(found.gaps) == ["c.a"]


@pytest.mark.parametrize("check", CHECKS)
def test_hostile_names(check: str) -> None:
    table, column = ('"{}"'.format(name.replace('"', '""')) for name in (HOSTILE, "Order %s"))
    ddl = f"""
        CREATE TABLE {table} ({column} TEXT PRIMARY KEY);
        CREATE TABLE "select" ({table} TEXT REFERENCES {table} ON DELETE SET NULL ON UPDATE CASCADE);
        INSERT INTO {table} VALUES ('100%'); INSERT INTO "select" VALUES ('100%');
    """
    found = judged(check, ddl, ENFORCED)
    assert (found.findings, found.gaps, found.proven) == ([], {}, [f"select.{HOSTILE}"])
