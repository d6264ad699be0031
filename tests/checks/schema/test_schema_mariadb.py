"""What the reader makes of MariaDB's catalogue."""

from __future__ import annotations

from mariadb_judging import catalogue

from checks.schema.model import Action
from checks.schema.names import TableName
from runner.servers.mariadb.server import MariadbServer

DDL = """
    CREATE TABLE users (
        id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT, email VARCHAR(99) NOT NULL, kind ENUM('it''s', 'b') DEFAULT 'b',
        note TEXT COLLATE utf8mb4_bin, twice INT AS (length(email) * 2) STORED, data JSON,
        made TIMESTAMP NOT NULL DEFAULT current_timestamp(),
        UNIQUE KEY by_email (email), KEY by_note (note(10) DESC, kind) IGNORED
    );
    CREATE TABLE orders (
        id BIGINT, buyer_id INT UNSIGNED, total INT CHECK (total > 0), CONSTRAINT `ck` CHECK (total < id), PRIMARY KEY (id),
        CONSTRAINT buyer FOREIGN KEY (buyer_id) REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE
    );
    CREATE TABLE old (id INT, up INT, FOREIGN KEY (up) REFERENCES users (id)) ENGINE = MyISAM;
    CREATE TABLE parts (id INT) PARTITION BY HASH (id) PARTITIONS 2;
    CREATE TABLE versions (id INT) WITH SYSTEM VERSIONING;
    CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
    CREATE VIEW v AS SELECT * FROM orders;
    CREATE SEQUENCE s;
    CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW SET NEW.total = 1;
"""


def test_tables_columns_keys_checks_indexes_and_triggers(mariadb_server: MariadbServer) -> None:
    found = catalogue(mariadb_server, DDL)
    assert found.default_schema == ""
    assert [table.name.name for table in found.tables] == ["old", "orders", "parts", "users", "versions"]
    users, orders = found.table[TableName("", "users")], found.table[TableName("", "orders")]
    assert [(one.name, one.type, one.nullable, one.default) for one in users.columns] == [
        ("id", "int(10) unsigned", False, None),
        ("email", "varchar(99)", False, None),
        ("kind", "enum('it''s','b')", True, "'b'"),
        ("note", "text", True, None),
        ("twice", "int(11)", True, "octet_length(`email`) * 2"),
        ("data", "longtext", True, None),
        ("made", "timestamp", False, "current_timestamp()"),
    ]
    assert users.column["kind"].enum_labels == ("it's", "b")
    assert (users.column["id"].identity, users.column["twice"].generated) == (True, True)
    assert (users.column["note"].collation, users.column["email"].collation) == ("utf8mb4_bin", None)
    assert [(one.name, one.unique, one.constraint, one.keys, one.traits) for one in users.indexes] == [
        ("PRIMARY", True, "p", ("`id` asc",), ()),
        ("by_email", True, "u", ("`email` asc",), ()),
        ("by_note", False, None, ("`note`(10) desc", "`kind` asc"), ("ignored",)),
    ]
    assert (users.primary_key, orders.primary_key) == (("id",), ("id",))
    (key,) = orders.foreign_keys
    assert (key.name, key.columns, key.parent, key.parent_columns) == ("buyer", ("buyer_id",), users.name, ("id",))
    assert (key.on_delete, key.on_update, key.mismatch) == (Action.SET_NULL, Action.CASCADE, "")
    assert {one.name: one.expression for one in orders.checks} == {"ck": "`total` < `id`", "total": "`total` > 0"}
    assert [trigger.name for trigger in orders.triggers] == ["t"]
    assert [index.name for index in orders.indexes] == ["PRIMARY", "buyer"]
    assert found.table[TableName("", "old")].foreign_keys == ()


def test_a_parent_in_another_database_and_one_that_is_gone(mariadb_server: MariadbServer) -> None:
    beside = mariadb_server.create("beside_it")
    ddl = f"""
        CREATE TABLE {beside.name}.p (id INT PRIMARY KEY);
        CREATE TABLE c (a INT, b INT, CONSTRAINT far FOREIGN KEY (a) REFERENCES {beside.name}.p (id));
        SET foreign_key_checks = 0;
        ALTER TABLE c ADD CONSTRAINT gone FOREIGN KEY (b) REFERENCES nowhere (id);
    """
    keys = {key.name: key for key in catalogue(mariadb_server, ddl).foreign_keys}
    assert keys["far"].parent == TableName("beside_it", "p")
    assert (keys["far"].mismatch, keys["gone"].mismatch) == ("", "there is no table nowhere")
