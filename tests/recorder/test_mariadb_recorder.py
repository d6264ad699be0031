"""What statements of MariaDB make and drop, by their own words, and who made what exists in the end."""

from __future__ import annotations

import pytest
from mariadb_judging import made, statements

from checks.evidence import Place
from checks.schema.mariadb import read as read_catalogue
from checks.schema.names import ObjectKind, ObjectReference
from checks.targets import Role
from runner.recorder.mariadb import read, resolve
from runner.recorder.mariadb_text import changes
from runner.recorder.recording import Recording
from runner.recorder.stamps import comment
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import rows, session

CASES = {
    "CREATE TABLE t (a INT PRIMARY KEY, `b``c` DECIMAL(9, 2) UNIQUE, KEY k (a), CONSTRAINT f FOREIGN KEY (a) REFERENCES p (x))": [
        "+table t",
        "+column t a",
        "+index t PRIMARY",
        "+column t b`c",
        "+index t b`c",
        "+index t k",
        "+constraint t f",
    ],
    "create or replace table s.t (a enum('x,(', 'y') comment ', unique (', check (a <> ')'), foreign key (a) references p (a))": [
        "-table t",
        "+table t",
        "+column t a",
        "+constraint t CHECK",
        "+constraint t FOREIGN KEY (a)",
    ],
    "CREATE TEMPORARY TABLE t (a INT)": [],
    "CREATE TABLE IF NOT EXISTS t LIKE other": ["+table t"],
    "CREATE TABLE t (a INT REFERENCES p (x)) SELECT 1": ["+table t", "+column t a", "+constraint t FOREIGN KEY (a)"],
    "/* a */ -- b\nALTER TABLE t ADD COLUMN IF NOT EXISTS a INT, ADD (b INT, KEY k (b)), DROP COLUMN c, MODIFY d INT": [
        "+column t a",
        "+column t b",
        "+index t k",
        "-column t c",
        "~column t d",
    ],
    "ALTER TABLE t CHANGE a b INT, RENAME COLUMN c TO d, RENAME KEY i TO j, DROP FOREIGN KEY f, DROP PRIMARY KEY, DROP INDEX k": [
        "column t b < a",
        "~column t b",
        "column t d < c",
        "index t j < i",
        "-constraint t f",
        "-index t PRIMARY",
        "-index t k",
    ],
    "alter table t add constraint `u` unique (a), drop constraint c, rename to `new`": [
        "+index t u",
        "-constraint t c",
        "-index t c",
        "table new < t",
    ],
    "CREATE UNIQUE INDEX IF NOT EXISTS i USING BTREE ON s.t (a)": ["+index t i"],
    "DROP INDEX i ON t": ["-index t i"],
    "DROP TABLE IF EXISTS a, s.b CASCADE": ["-table a", "-table b"],
    "RENAME TABLE a TO b, c TO d": ["table b < a", "table d < c"],
    "CREATE DEFINER = `me`@`%` TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1": ["+trigger t tr"],
    "CREATE OR REPLACE ALGORITHM = MERGE SQL SECURITY INVOKER VIEW v AS SELECT 1": ["~view  v"],
    "INSERT INTO t VALUES ('create table x (a int)')": [],
    "SELECT 1": [],
    "alter": [],
    "create table": ["+table  "],
    "ALTER TABLE t ENGINE = InnoDB, ADD PARTITION (PARTITION p VALUES LESS THAN (1))": [],
}


def shown(one: ObjectReference) -> str:
    return f"{one.kind} {one.relation}{f' {one.name}' if one.kind is not ObjectKind.TABLE else ''}"


@pytest.mark.parametrize("statement", CASES)
def test_a_statement_is_read_by_its_form(statement: str) -> None:
    said = []
    for change in changes(statement):
        if change.made and change.older:
            said.append(f"{shown(change.made)} < {change.older.name or change.older.relation}")
        elif change.made:
            said.append(f"{'~' if change.again else '+'}{shown(change.made)}")
        elif change.dropped:
            said.append(f"-{shown(change.dropped)}")
    assert [one.rstrip() for one in said] == [one.rstrip() for one in CASES[statement]]


DDL = """
    CREATE TABLE users (id INT PRIMARY KEY, email VARCHAR(9), UNIQUE KEY by_email (email));
    CREATE TABLE orders (id INT PRIMARY KEY, buyer_id INT, total INT, FOREIGN KEY (buyer_id) REFERENCES users (id));
    CREATE TABLE IF NOT EXISTS orders (id INT);
    ALTER TABLE orders MODIFY total BIGINT;
    CREATE TABLE gone (id INT);
    DROP TABLE gone;
    CREATE TABLE gone (id INT PRIMARY KEY);
    RENAME TABLE gone TO `back 100%`;
    ALTER TABLE users CHANGE email mail VARCHAR(99), ADD INDEX by_both (mail, id);
"""


def test_what_exists_has_the_line_that_made_it(mariadb_server: MariadbServer) -> None:
    mark = mariadb_server.mark()
    with made(mariadb_server, "") as database:
        with session(database.addresses[Role.OWNER]) as driver:
            for line, statement in enumerate(statements(DDL), 1):
                rows(driver, comment(Place("db/a%20.sql", line)) + statement)
        with session(database.private) as driver:
            catalogue = read_catalogue(lambda query: rows(driver, query))
        recording = read(mariadb_server.log(mark), database.name, f"{database.name}_owner")
        elsewhere = read(mariadb_server.log(mark), "another", "another_owner")
    found = {(one.kind.value, one.relation, one.name): by.place.line for one, by in resolve([recording], catalogue, {}).items()}
    assert found == {
        ("table", "users", ""): 1,
        ("column", "users", "id"): 1,
        ("column", "users", "mail"): 9,
        ("index", "users", "PRIMARY"): 1,
        ("constraint", "users", "PRIMARY"): 1,
        ("index", "users", "by_email"): 1,
        ("constraint", "users", "by_email"): 1,
        ("index", "users", "by_both"): 9,
        ("table", "orders", ""): 2,
        ("column", "orders", "id"): 2,
        ("column", "orders", "buyer_id"): 2,
        ("column", "orders", "total"): 4,
        ("constraint", "orders", "orders_ibfk_1"): 2,
        ("index", "orders", "PRIMARY"): 2,
        ("constraint", "orders", "PRIMARY"): 2,
        ("table", "back 100%", ""): 7,
        ("column", "back 100%", "id"): 7,
        ("index", "back 100%", "PRIMARY"): 7,
        ("constraint", "back 100%", "PRIMARY"): 7,
    }
    assert len(recording.sessions) == 1
    assert elsewhere == Recording()
