"""States of real SQLite files: each kind of object changed by hand, and rows told apart."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from checks.reversals import Difference
from runner.servers.interface import Database
from runner.servers.sqlite.server import SqliteServer, sqlite_server
from runner.undoing import sqlite

SCHEMA = """
CREATE TABLE buyers (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL DEFAULT 'x' COLLATE NOCASE, email TEXT UNIQUE,
    age INT CONSTRAINT ck_age CHECK (age > 0), full_name TEXT GENERATED ALWAYS AS (name || '!') STORED, "odd "" %s" TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, buyer INT CONSTRAINT fk_buyer REFERENCES buyers (id) ON DELETE CASCADE);
CREATE TABLE pairs (a INT, b TEXT, v REAL, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE plain (v);
CREATE INDEX ix_name ON buyers (name, age DESC) WHERE age > 1;
CREATE VIEW grown AS SELECT id FROM buyers WHERE age > 17;
CREATE TRIGGER touched AFTER UPDATE ON buyers BEGIN UPDATE plain SET v = v; END;
CREATE TRIGGER through INSTEAD OF DELETE ON grown BEGIN DELETE FROM buyers WHERE id = OLD.id; END;
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
INSERT INTO buyers (id, name, age) VALUES (1, 'a', 2), (2, 'b', 3), (3, 'c', NULL);
INSERT INTO orders VALUES (1, 1), (2, 1); INSERT INTO pairs VALUES (1, 'x', 1.5), (1, 'y', 2.5), (2, 'x', NULL);
INSERT INTO plain VALUES (1), (1), ('1'), (x'31'), (NULL);
"""
ANEW = """
CREATE TABLE anew (id INTEGER PRIMARY KEY, {});
DROP TABLE orders; ALTER TABLE anew RENAME TO orders; INSERT INTO orders VALUES (2, 1), (1, 1);
"""
CHANGES = [
    ("CREATE TABLE more (id INTEGER PRIMARY KEY, n INT CHECK (n > 0)); CREATE INDEX ix_n ON more (n)", "table more is extra"),
    ("DROP TABLE pairs", "table pairs is missing, 3"),
    ("ALTER TABLE buyers ADD COLUMN more INT", "column buyers.more is extra"),
    ("ALTER TABLE orders DROP COLUMN buyer", "column orders.buyer is missing, 2; constraint orders.fk_buyer is missing"),
    (
        ANEW.format("buyer INT CONSTRAINT fk_buyer REFERENCES buyers (id) ON DELETE RESTRICT"),
        "constraint orders.fk_buyer is FOREIGN KEY",
    ),
    (
        ANEW.format("buyer BIGINT CONSTRAINT fk_buyer REFERENCES buyers (id) ON DELETE CASCADE"),
        "column orders.buyer has type BIGINT",
    ),
    (
        ANEW.format("buyer INT NOT NULL CONSTRAINT fk_buyer REFERENCES buyers (id) ON DELETE CASCADE"),
        "column orders.buyer has rule",
    ),
    (
        ANEW.format("buyer INT DEFAULT 4 CONSTRAINT fk_buyer REFERENCES buyers (id) ON DELETE CASCADE"),
        "column orders.buyer has def",
    ),
    ("DROP INDEX ix_name", "index buyers.ix_name is missing"),
    ("DROP INDEX ix_name; CREATE INDEX ix_name ON buyers (name, age) WHERE age > 1", "index buyers.ix_name is INDEX"),
    (
        "DROP INDEX ix_name; CREATE INDEX ix_other ON buyers (name, age DESC) WHERE age > 1",
        "index buyers.ix_name is called ix_other",
    ),
    ("DROP TRIGGER touched", "trigger buyers.touched is missing"),
    ("DROP TRIGGER through", "trigger grown.through is missing"),
    ("DROP VIEW grown; CREATE VIEW grown AS SELECT id FROM buyers", "trigger grown.through is missing; view grown is"),
    ("UPDATE buyers SET age = 9 WHERE id < 3", "table buyers rows changed 2 age"),
    ("INSERT INTO pairs VALUES (9, 'z', 1)", "table pairs rows extra 1"),
    ("DELETE FROM orders WHERE id = 1", "table orders rows missing 1"),
    ("UPDATE plain SET v = 1 WHERE typeof(v) = 'text'", "table plain rows changed 1"),
    ("DELETE FROM plain WHERE v = 1; INSERT INTO plain VALUES (5)", "table plain rows missing 1; table plain rows changed 1"),
]
SAME = [
    ANEW.format('buyer INT\n  CONSTRAINT "fk_buyer" REFERENCES "buyers"   (id) ON DELETE CASCADE'),
    "UPDATE buyers SET age = age; DELETE FROM plain WHERE v IS NULL; INSERT INTO plain VALUES (NULL)",
    "INSERT INTO alembic_version VALUES ('a'); CREATE TABLE other_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
    "ALTER TABLE buyers ADD COLUMN more INT; ALTER TABLE buyers DROP COLUMN more",
]


@pytest.fixture
def files() -> Iterator[SqliteServer]:
    with sqlite_server() as server:
        yield server


def compared(files: SqliteServer, change: str) -> tuple[Difference, ...]:
    database = files.create("app")
    run(database, SCHEMA)
    before = sqlite.read(database)
    with sqlite.copied(database, files) as copy:
        run(database, change)
        return sqlite.differences(before, sqlite.read(database), live=(copy, database))


def run(database: Database, script: str) -> None:
    connection = sqlite3.connect(database.private.database)
    connection.executescript(script)
    connection.close()


def said(one: Difference) -> str:
    rows = f" {one.rows}" if one.kind.value.startswith("rows") else f", {one.rows}" if one.rows else ""
    verb = "" if one.words and not one.kind.value.startswith("rows") else one.kind.value
    of = ".".join(part for part in (one.of.relation, one.of.name) if part)
    kind = verb if verb.startswith("rows") else f"is {verb}" if verb else ""
    return " ".join(f"{one.of.kind.value} {of} {kind}{rows} {one.words}".split())


@pytest.mark.parametrize(("change", "expected"), CHANGES, ids=range(len(CHANGES)))
def test_each_change_is_said(change: str, expected: str, files: SqliteServer) -> None:
    differences = compared(files, change)
    assert [one.renamed for one in differences] == [one.words.startswith("is called ") for one in differences]
    found = [said(one) for one in differences]
    wanted = expected.split("; ")
    assert [one[: len(start)] for one, start in zip(found, wanted, strict=True)] == wanted


@pytest.mark.parametrize("change", SAME, ids=range(len(SAME)))
def test_what_is_as_it_was_is_no_difference(change: str, files: SqliteServer) -> None:
    assert compared(files, change) == ()
