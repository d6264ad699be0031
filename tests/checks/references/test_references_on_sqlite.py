"""The checks of references on SQLite: orphans as SQLite counts them, probes, delete rules, affinities."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest
from sqlite_judging import ENFORCED, judged, made, target

from checks.declared.expectations import Expectations
from checks.declared.references import parse_reference
from checks.interface import Engine, Severity
from checks.sql.orphans import sample
from checks.sql.statements import copyable

USERS = "CREATE TABLE users (id INTEGER PRIMARY KEY); INSERT INTO users VALUES (1), (2);"
SHOP = f"""{USERS}
    CREATE TABLE orders (id INTEGER PRIMARY KEY, buyer_id BIGINT CONSTRAINT buyer REFERENCES users (id));
    INSERT INTO orders VALUES (10, 1), (11, 2), (12, NULL);
"""


# orphaned-rows --------------------------------------------------------------------------------------------------------


def test_rows_that_all_have_parents_are_proven_and_an_empty_child_proves_nothing() -> None:
    assert judged("orphaned-rows", SHOP).proven == ["orders.buyer_id"]
    assert judged("orphaned-rows", f"{SHOP} DELETE FROM orders").gaps == {"orders.buyer_id": "no rows"}


def test_orphans_are_counted_whatever_the_sessions_do_with_foreign_keys() -> None:
    for foreign_keys in (None, True, False):
        expect = Expectations(foreign_keys=foreign_keys)
        finding = judged("orphaned-rows", f"{SHOP} INSERT INTO orders VALUES (13, 77), (14, 78)", expect).finding
        assert (finding.subject, finding.count) == ("orders.buyer_id", 2)
        assert finding.message == "2 rows of orders name a users.id that does not exist"
        assert finding.values == ("id=13, buyer_id=77", "id=14, buyer_id=78")
        assert [(found.kind, found.schema, found.name) for found in finding.objects] == [
            ("constraint", "", "buyer"),
            ("column", "", "buyer_id"),
            ("table", "", ""),
        ]
        assert "NOT VALID" not in finding.remedy
        assert "main" not in finding.remedy


def test_the_remedy_lists_the_orphans() -> None:
    with made(f"{SHOP} INSERT INTO orders VALUES (13, 77)") as (_, database):
        finding = judged("orphaned-rows", f"{SHOP} INSERT INTO orders VALUES (13, 77)").finding
        listing = finding.remedy.removeprefix("List them all with: ").partition("; then")[0]
        own = sqlite3.connect(database.private.database)
        assert own.execute(listing).fetchall() == [(13, 77)]
        own.close()


#: Parents and children in which each way of comparing decides otherwise; the child's key refers to ``p (k)``.
COMPARED = {
    "integer to text": ("k TEXT UNIQUE", "x INTEGER", "('1'), ('02')", "(1), (2), (NULL)"),
    "text to integer": ("k INTEGER PRIMARY KEY", "x TEXT", "(1), (2)", "('1'), ('02'), ('x'), ('2.0')"),
    "text to nothing": ("k UNIQUE", "x TEXT", "(1), ('2')", "('1'), ('2'), ('3')"),
    "nothing to text": ("k TEXT UNIQUE", "x", "('1'), ('2')", "(1), ('2'), (3), (x'31')"),
    "real to integer": ("k INTEGER UNIQUE", "x REAL", "(1), (9007199254740993)", "(1.0), (1.5), (9007199254740993)"),
    "numeric to blob": ("k BLOB UNIQUE", "x NUMERIC", "(1), ('2')", "(1), ('2'), (3)"),
    "no case in the parent": ("k TEXT COLLATE nocase UNIQUE", "x TEXT", "('Ab')", "('aB'), ('ab'), ('c')"),
    "no case in the child": ("k TEXT UNIQUE", "x TEXT COLLATE nocase", "('Ab')", "('aB'), ('Ab'), ('c')"),
    "padded": ("k TEXT COLLATE rtrim UNIQUE", "x TEXT", "('a')", "('a   '), ('a'), ('b ')"),
}


@pytest.mark.parametrize("case", COMPARED)
def test_what_is_an_orphan_is_what_sqlite_says(case: str) -> None:
    """The oracle is PRAGMA foreign_key_check, and inserting row by row with foreign keys on."""
    parent, child, parents, children = COMPARED[case]
    tables = f"CREATE TABLE p ({parent}); CREATE TABLE c ({child} REFERENCES p (k)); INSERT INTO p VALUES {parents};"
    own = sqlite3.connect(":memory:", isolation_level=None)
    own.executescript(f"{tables} INSERT INTO c VALUES {children};")
    checked = len(own.execute("PRAGMA foreign_key_check").fetchall())
    own.executescript("CREATE TABLE copy AS SELECT * FROM c; DELETE FROM c; PRAGMA foreign_keys = on;")
    refused = 0
    for row in range(own.execute("SELECT count(*) FROM copy").fetchone()[0]):
        try:
            own.execute("INSERT INTO c SELECT * FROM copy WHERE rowid = ?", [row + 1])
        except sqlite3.IntegrityError:
            refused += 1
    own.close()
    found = judged("orphaned-rows", f"{tables} INSERT INTO c VALUES {children};")
    assert sum(finding.count or 0 for finding in found.findings) == checked == refused


def test_composite_self_implicit_and_generated_keys_and_odd_names() -> None:
    ddl = """
        CREATE TABLE papers (tenant INT, number INT, PRIMARY KEY (tenant, number)) WITHOUT ROWID;
        CREATE TABLE lines (
            id INTEGER PRIMARY KEY, tenant INT, number INT, FOREIGN KEY (tenant, number) REFERENCES papers
        ) STRICT;
        INSERT INTO papers VALUES (1, 1);
        INSERT INTO lines VALUES (1, 1, 1), (2, 1, NULL), (3, NULL, 1), (4, 1, 9), (5, NULL, NULL);
        CREATE TABLE tree (id INTEGER PRIMARY KEY, up INT REFERENCES tree); INSERT INTO tree VALUES (1, 1), (2, 1), (3, 9);
        CREATE TABLE "sel;ect" ("fro m" INTEGER PRIMARY KEY, "x'y""z %s" INT REFERENCES "sel;ect");
        INSERT INTO "sel;ect" VALUES (1, 5);
        CREATE TABLE made (a INT, g INT AS (a + 1) REFERENCES tree); INSERT INTO made (a) VALUES (1), (7);
    """
    found = {finding.subject: (finding.count, finding.values) for finding in judged("orphaned-rows", ddl).findings}
    assert found == {
        "lines.(tenant, number)": (1, ("id=4, tenant=1, number=9",)),
        "tree.up": (1, ("id=3, up=9",)),
        "sel;ect.x'y\"z %s": (1, ("fro m=1, x'y\"z %s=5",)),
        "made.g": (1, ("g=8",)),
    }


def test_a_parent_that_is_not_there_makes_every_row_an_orphan() -> None:
    ddl = "CREATE TABLE c (x REFERENCES nowhere (id), y REFERENCES d (z)); CREATE TABLE d (e);"
    ddl += "INSERT INTO c VALUES (1, 1), (2, NULL)"
    found = judged("orphaned-rows", ddl)
    assert (found.finding.subject, found.finding.count) == ("c.x", 2)
    assert found.finding.message == "2 rows of c name a row of nowhere, and there is no table nowhere"
    assert found.gaps == {"c.y": "d has no column z"}


MILLION = """
    CREATE TABLE users (id INTEGER PRIMARY KEY);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, buyer_id INT REFERENCES users);
    INSERT INTO users WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT i FROM n;
    INSERT INTO orders WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000)
        SELECT i, CASE WHEN i % 4 = 0 THEN i + 1000000 ELSE 1 + i % 100000 END FROM n;
"""
MEASURED = """
import resource
from sqlite_judging import judged
from checks.references.test_references_on_sqlite import MILLION
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
finding = judged("orphaned-rows", MILLION).finding
print(finding.count, len(finding.values), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_million_rows_are_counted_exactly_in_little_memory(pytestconfig: pytest.Config) -> None:
    tests = pytestconfig.rootpath / "tests"
    code = MEASURED.replace("checks.references.test_references_on_sqlite", "test_references_on_sqlite")
    path = f"import sys; sys.path[:0] = [{str(tests)!r}, {str(tests / 'checks' / 'references')!r}]\n"
    done = subprocess.run([sys.executable, "-c", path + code], check=True, capture_output=True, text=True, timeout=120)
    count, shown, kilobytes = map(int, done.stdout.split())
    assert (count, shown) == (250_000, 5)
    assert kilobytes < 60_000


def test_each_child_is_looked_up_by_the_parents_index() -> None:
    with target(f"{SHOP} CREATE TABLE p (k TEXT UNIQUE); CREATE TABLE c (x INTEGER REFERENCES p (k))") as found:
        statements = [
            copyable(sample(key, found.catalogue, Engine.SQLITE), Engine.SQLITE) for key in found.catalogue.foreign_keys
        ]
        with found.rows() as session:
            plans = [[row[-1] for row in session.raw(f"EXPLAIN QUERY PLAN {statement}", 50)] for statement in statements]
    for plan in plans:
        assert any(step.startswith("SEARCH parent USING") for step in plan), plan
        assert sum(step.startswith("SCAN") and "child" in step for step in plan) == 1, plan


# reference-probe ------------------------------------------------------------------------------------------------------

PROBED = f"""{USERS}
    CREATE TABLE regions (code TEXT COLLATE nocase PRIMARY KEY, label TEXT NOT NULL CHECK (label = 'only this')) WITHOUT ROWID;
    CREATE TABLE pairs (a INT, b TEXT, PRIMARY KEY (b, a)) STRICT;
    CREATE TABLE orders (
        id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE CHECK (number LIKE 'S-%'), placed DATETIME NOT NULL,
        buyer_id BIGINT NOT NULL REFERENCES users ON DELETE CASCADE,
        region TEXT NOT NULL REFERENCES regions DEFERRABLE INITIALLY DEFERRED,
        a INT, b TEXT, up INT NOT NULL REFERENCES orders (id),
        g INT AS (a * 2), weight REAL NOT NULL, data BLOB NOT NULL,
        FOREIGN KEY (b, a) REFERENCES pairs
    );
    CREATE TRIGGER stamp BEFORE INSERT ON orders BEGIN SELECT RAISE(ABORT, 'never'); END;
"""


def test_every_key_is_tried_alone_whatever_else_would_refuse() -> None:
    found = judged("reference-probe", PROBED, ENFORCED)
    assert found.findings == []
    assert found.gaps == {}
    assert sorted(found.proven) == ["orders.(b, a)", "orders.buyer_id", "orders.region", "orders.up"]


def test_a_trigger_that_swallows_the_row_is_a_warning() -> None:
    ddl = SHOP + "CREATE TRIGGER quiet BEFORE INSERT ON orders BEGIN SELECT RAISE(IGNORE); END;"
    finding = judged("reference-probe", ddl, ENFORCED).finding
    assert (finding.subject, finding.severity) == ("orders.buyer_id", Severity.WARNING)
    assert "swallows it" in finding.message


def test_a_key_that_sqlite_cannot_use_refuses_everything() -> None:
    ddl = "CREATE TABLE p (e TEXT); CREATE TABLE c (x TEXT REFERENCES p (e), y REFERENCES nowhere)"
    found = judged("reference-probe", ddl, ENFORCED)
    assert {finding.subject: finding.message for finding in found.findings} == {
        "c.x": "FOREIGN KEY (x) REFERENCES p of c can be met by nothing: e of p is not unique; "
        "SQLite refuses every write that it should look at",
        "c.y": "FOREIGN KEY (y) REFERENCES nowhere of c can be met by nothing: there is no table nowhere; "
        "SQLite refuses every row that refers to something",
    }


def test_without_a_word_on_foreign_keys_nothing_is_proven_and_off_is_a_warning() -> None:
    silent = judged("reference-probe", SHOP)
    assert silent.gaps == {"orders.buyer_id": "not said whether the application's sessions enforce it: set `foreign_keys`"}
    off = judged("reference-probe", SHOP, Expectations(foreign_keys=False))
    assert (off.finding.subject, off.finding.severity, off.finding.count) == ("foreign_keys", Severity.WARNING, 1)
    assert (
        off.finding.message == "1 declared reference is enforced by nobody: the application's sessions run with foreign_keys off"
    )
    assert off.gaps == {"orders.buyer_id": "foreign_keys is off"}
    assert judged("reference-probe", USERS, Expectations(foreign_keys=False)).all == ()


# delete-rule ----------------------------------------------------------------------------------------------------------


def expecting(*references: str, foreign_keys: bool | None = True) -> Expectations:
    return Expectations(references=tuple(parse_reference(text, "") for text in references), foreign_keys=foreign_keys)


def test_a_rule_that_stands_is_proven_only_where_sessions_enforce_it() -> None:
    expect = expecting("ORDERS.Buyer_Id -> users.id on delete no action")
    assert judged("delete-rule", SHOP, expect).proven == ["orders.buyer_id -> users.id"]
    silent = judged("delete-rule", SHOP, replace(expect, foreign_keys=None))
    assert list(silent.gaps) == ["orders.buyer_id -> users.id"]
    off = judged("delete-rule", SHOP, replace(expect, foreign_keys=False)).finding
    assert off.message.endswith("stands and does nothing: the application's sessions run with foreign_keys off")


def test_another_rule_and_a_missing_key_are_said_in_sqlites_terms() -> None:
    wrong = judged("delete-rule", SHOP, expecting("orders.buyer_id -> users.id on delete cascade")).finding
    assert wrong.message == "orders.buyer_id -> users.id is ON DELETE NO ACTION, expected CASCADE"
    missing = judged("delete-rule", f"{SHOP} CREATE TABLE n (x INT)", expecting("n.x -> users.id")).finding
    assert missing.subject == "n.x -> users.id (missing)"
    for finding, clause in (
        (wrong, "(buyer_id) REFERENCES users (id) ON DELETE CASCADE"),
        (missing, "(x) REFERENCES users (id)"),
    ):
        assert clause in finding.remedy
        assert "ALTER TABLE" not in finding.remedy
        assert "batch_alter_table" in finding.remedy


# reference-type-mismatch ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parent", "child", "words"),
    [
        ("id INTEGER PRIMARY KEY", "BIGINT", None),
        ("id INTEGER PRIMARY KEY", "DECIMAL(10)", None),
        ("id TEXT UNIQUE", "VARCHAR(36)", None),
        ("id TEXT COLLATE binary UNIQUE", "VARCHAR(36)", None),
        ("id INTEGER PRIMARY KEY", "TEXT", "TEXT against INTEGER"),
        ("id INTEGER PRIMARY KEY", "CHAR(36)", "CHAR(36), which is TEXT, against INTEGER"),
        ("id UUID UNIQUE", "TEXT", "TEXT against UUID, which is NUMERIC,"),
        ("id INTEGER PRIMARY KEY", "", "no type, which is BLOB, against INTEGER"),
        ("id INTEGER PRIMARY KEY", "FLOAT", "FLOAT, which is REAL, against INTEGER"),
        ("id TEXT COLLATE nocase UNIQUE", "TEXT", "collation BINARY against NOCASE"),
    ],
)
def test_types_differ_by_affinity_not_by_name(parent: str, child: str, words: str | None) -> None:
    found = judged("reference-type-mismatch", f"CREATE TABLE p ({parent}); CREATE TABLE c (x {child} REFERENCES p (id))")
    if words is None:
        assert found.proven == ["c.x"]
        return
    assert (found.finding.severity, found.finding.message) == (
        Severity.WARNING,
        f"c.x and p.id differ in type (x to id: {words})",
    )
    assert "Make c anew" in found.finding.remedy


# orphaned-rows without a key ------------------------------------------------------------------------------------------


def test_an_undeclared_reference_is_counted_as_sqlite_compares() -> None:
    ddl = """
        CREATE TABLE customers (id INTEGER PRIMARY KEY, ref TEXT COLLATE NOCASE);
        CREATE TABLE events (id INTEGER PRIMARY KEY, Customer TEXT, ref TEXT);
        INSERT INTO customers VALUES (1, 'cus_a');
        INSERT INTO events VALUES (1, '1', 'CUS_A'), (2, '2', NULL), (3, NULL, 'cus_b');
    """
    lines = ("Events.customer -> CUSTOMERS.id undeclared", "events.ref -> customers.ref undeclared")
    found = judged("orphaned-rows", ddl, expecting(*lines)).findings
    assert [(finding.subject, finding.count, finding.values) for finding in found] == [
        ("events.Customer -> customers.id", 1, ("id=2, Customer=2",)),
        ("events.ref -> customers.ref", 1, ("id=3, ref=cus_b",)),
    ]
