"""States of a real MariaDB: each kind of object changed by hand and changed back, and rows told apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runner.servers.interface import Database
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import rows, session
from runner.undoing import mariadb

SCHEMA = (
    """CREATE TABLE buyers (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL DEFAULT 'x' COMMENT 'theirs', age INT,
       mood ENUM('good', 'it''s bad'), twice INT AS (age * 2) STORED, seen TIMESTAMP(3) NULL ON UPDATE current_timestamp(3),
       `odd ``%s` TEXT, f FLOAT, CONSTRAINT ck_age CHECK (age > 0), UNIQUE KEY uq_name (name)) COMMENT = 'people'""",
    """CREATE TABLE orders (id INT PRIMARY KEY, buyer INT, KEY ix_buyer (buyer),
       CONSTRAINT fk_buyer FOREIGN KEY (buyer) REFERENCES buyers (id) ON DELETE CASCADE)""",
    "CREATE TABLE parts (at INT PRIMARY KEY) PARTITION BY RANGE (at) (PARTITION low VALUES LESS THAN (10))",
    "CREATE TABLE plain (v INT)",
    "CREATE SEQUENCE tickets INCREMENT 2",
    "CREATE VIEW grown AS SELECT id FROM buyers WHERE age > 17",
    "CREATE TRIGGER touched BEFORE UPDATE ON buyers FOR EACH ROW SET NEW.name = lower(NEW.name)",
    "CREATE FUNCTION more(n INT) RETURNS INT DETERMINISTIC RETURN n + 1",
    "CREATE PROCEDURE nothing() BEGIN END",
    "CREATE EVENT at_night ON SCHEDULE EVERY 1 DAY STARTS '2020-01-01' DISABLE DO DELETE FROM plain",
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, PRIMARY KEY (version_num))",
    "INSERT INTO buyers (id, name, age, f) VALUES (1, 'a', 2, 0.1), (2, 'b', 3, 0.2), (3, 'c', NULL, NULL)",
    "INSERT INTO orders VALUES (1, 1), (2, 1)",
    "INSERT INTO plain VALUES (1), (1), (2)",
)

#: Each change of one thing with its undoing, and what is said of it.
CHANGES = [
    ("CREATE TABLE more_of (id INT PRIMARY KEY)", "DROP TABLE more_of", "table more_of is extra"),
    ("ALTER TABLE plain ROW_FORMAT = COMPACT", "ALTER TABLE plain ROW_FORMAT = DEFAULT", "table plain has row format Compact"),
    ("ALTER TABLE plain COMMENT = 'c'", "ALTER TABLE plain COMMENT = ''", "table plain has comment c, expected none"),
    ("ALTER TABLE plain COLLATE utf8mb4_bin", "ALTER TABLE plain COLLATE utf8mb4_general_ci",
     "table plain has collation utf8mb4_bin"),
    ("ALTER TABLE parts ADD PARTITION (PARTITION high VALUES LESS THAN (20))", "ALTER TABLE parts DROP PARTITION high",
     "table parts has partitions"),
    ("ALTER TABLE plain ADD more INT", "ALTER TABLE plain DROP more", "column plain.more is extra"),
    ("ALTER TABLE plain MODIFY v BIGINT", "ALTER TABLE plain MODIFY v INT", "column plain.v has type bigint, expected int"),
    ("ALTER TABLE plain MODIFY v INT NOT NULL", "ALTER TABLE plain MODIFY v INT", "column plain.v has rule on NULL NOT NULL"),
    ("ALTER TABLE plain MODIFY v INT DEFAULT 3", "ALTER TABLE plain MODIFY v INT", "column plain.v has default 3, expected none"),
    ("ALTER TABLE plain MODIFY v INT COMMENT 'c'", "ALTER TABLE plain MODIFY v INT",
     "column plain.v has comment c, expected none"),
    ("ALTER TABLE orders MODIFY buyer INT INVISIBLE", "ALTER TABLE orders MODIFY buyer INT",
     "column orders.buyer has options INVISIBLE"),
    ("ALTER TABLE buyers DROP CONSTRAINT ck_age", "ALTER TABLE buyers ADD CONSTRAINT ck_age CHECK (age > 0)",
     "constraint buyers.ck_age is missing"),
    ("ALTER TABLE buyers DROP INDEX uq_name", "ALTER TABLE buyers ADD UNIQUE KEY uq_name (name)",
     "index buyers.uq_name is missing"),
    ("ALTER TABLE buyers RENAME INDEX uq_name TO uq", "ALTER TABLE buyers RENAME INDEX uq TO uq_name",
     "index buyers.uq_name is called uq"),
    ("ALTER TABLE buyers ALTER INDEX uq_name IGNORED", "ALTER TABLE buyers ALTER INDEX uq_name NOT IGNORED",
     "index buyers.uq_name is"),
    ("ALTER TABLE orders DROP FOREIGN KEY fk_buyer",
     "ALTER TABLE orders ADD CONSTRAINT fk_buyer FOREIGN KEY (buyer) REFERENCES buyers (id) ON DELETE CASCADE",
     "constraint orders.fk_buyer is missing"),
    ("CREATE OR REPLACE VIEW grown AS SELECT id FROM buyers", "CREATE OR REPLACE " + SCHEMA[5][7:], "view grown"),
    ("DROP TRIGGER touched", SCHEMA[6], "trigger buyers.touched is missing"),
    ("DROP FUNCTION more", SCHEMA[7], "function more is missing"),
    ("CREATE OR REPLACE FUNCTION more(n INT) RETURNS INT DETERMINISTIC RETURN n + 2", "CREATE OR REPLACE " + SCHEMA[7][7:],
     "function more is"),
    ("DROP PROCEDURE nothing", SCHEMA[8], "function nothing is missing"),
    ("ALTER EVENT at_night COMMENT 'c'", "ALTER EVENT at_night COMMENT ''", "other event at_night has comment c"),
    ("ALTER SEQUENCE tickets INCREMENT 3", "ALTER SEQUENCE tickets INCREMENT 2", "sequence tickets has counting"),
    ("GRANT SELECT (v) ON plain TO {owner}", "REVOKE SELECT (v) ON plain FROM {owner}", "column plain.v has privileges"),
    ("GRANT SELECT ON plain TO {owner}", "REVOKE SELECT ON plain FROM {owner}", "table plain has privileges"),
    ("ALTER DATABASE {database} COLLATE utf8mb4_bin", "ALTER DATABASE {database} COLLATE utf8mb4_general_ci",
     "other settings of the database has collation"),
    ("UPDATE orders SET buyer = 2 WHERE id = 1", "UPDATE orders SET buyer = 1 WHERE id = 1", "table orders is rows changed"),
    ("INSERT INTO plain VALUES (2)", "DELETE FROM plain WHERE v = 2; INSERT INTO plain VALUES (2)",
     "table plain is rows extra, 1"),
]  # fmt: skip


@pytest.fixture
def database(mariadb_server: MariadbServer, request: pytest.FixtureRequest) -> Iterator[Database]:
    made = mariadb_server.create(f"states_{abs(hash(request.node.nodeid)) % 10**8}")
    with session(made.private) as driver:
        for statement in SCHEMA:
            rows(driver, statement)
        yield made
        rows(driver, f"DROP DATABASE `{made.name}`")


def test_each_change_is_one_difference_and_its_undoing_none(database: Database) -> None:
    before = mariadb.read(database)
    wrong = []
    with session(database.private) as driver:
        for change, undoing, expected in CHANGES:
            named = {"{database}": f"`{database.name}`", "{owner}": f"`{database.name}_owner`@`%`"}
            for name, value in named.items():
                change, undoing = change.replace(name, value), undoing.replace(name, value)
            rows(driver, change)
            found = mariadb.differences(before, mariadb.read(database))
            said = [f"{label(one.of)} {one.words or f'is {one.kind.value}, {one.rows}'}" for one in found]
            for statement in undoing.split("; "):
                rows(driver, statement)
            left = mariadb.differences(before, mariadb.read(database))
            if len(said) != 1 or not said[0].startswith(expected) or left:
                wrong.append((change, said, left))
    assert wrong == []


def label(of: object) -> str:
    return f"{of.kind.value} {'.'.join(part for part in (of.relation, of.name) if part)}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("small", [0, 50_000])
def test_rows_are_told_apart_one_by_one(
    small: int, mariadb_server: MariadbServer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.undoing.mariadb_rows._SMALL", small)
    before = mariadb.read(database)
    with mariadb.copied(database, mariadb_server) as copy:
        with session(database.private) as driver:
            rows(driver, "UPDATE buyers SET age = 9, f = 0.1000001 WHERE id = 1")
            rows(driver, "DELETE FROM buyers WHERE id = 3")
            rows(driver, "INSERT INTO buyers (id, name) VALUES (9, 'n')")
            rows(driver, "UPDATE plain SET v = 3 WHERE v = 2")
            rows(driver, "INSERT INTO alembic_version VALUES ('a')")
            rows(driver, "ALTER TABLE orders DROP FOREIGN KEY fk_buyer, DROP buyer")
        found = mariadb.differences(before, mariadb.read(database), live=(copy, database))
    assert [(label(one.of), one.kind.value, one.rows, one.words) for one in found] == [
        ("table buyers", "rows missing", 1, ""),
        ("table buyers", "rows extra", 1, ""),
        ("table buyers", "rows changed", 1, "age, f, seen"),
        ("column orders.buyer", "missing", 2, ""),
        ("constraint orders.fk_buyer", "missing", 0, ""),
        ("index orders.ix_buyer", "missing", 0, ""),
        ("table plain", "rows changed", 1, ""),
    ]
