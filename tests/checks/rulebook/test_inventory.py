"""The inventory counts what holds rows to a rule, once, on every engine."""

from __future__ import annotations

import sqlite_judging
from judging import target

from checks.rulebook.inventory import Inventory, inventory, rules
from runner.servers.interface import Database, Server
from runner.servers.postgresql.sessions import session

TABLES = """
    CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL UNIQUE, nick text);
    CREATE UNIQUE INDEX one_nick ON users (nick) WHERE nick IS NOT NULL;
    CREATE INDEX plain ON users (nick);
    CREATE TABLE orders (id int PRIMARY KEY, buyer_id int NOT NULL REFERENCES users, total int CHECK (total > 0));
"""
COUNTED = Inventory(foreign_keys=1, checks=1, primary_keys=2, uniques=1, partial_uniques=1, not_nulls=2, triggers=1)


def test_postgresql(server: Server, database: Database) -> None:
    ddl = f"""
        {TABLES}
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER touch BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch();
    """
    with session(database.private) as connection:
        connection.execute(ddl.encode())
    with target(server, database) as found:
        assert inventory(found.catalogue) == COUNTED
        names = {rule.subject for rule in rules(found.catalogue)}
    assert {"orders.orders_total_check", "orders.buyer_id NOT NULL", "orders.touch (trigger)", "users.one_nick"} <= names


def test_what_partitions_have_of_their_table_is_counted_once(server: Server, database: Database) -> None:
    ddl = """
        CREATE TABLE readings (id int, region int NOT NULL, value int NOT NULL CHECK (value > 0), PRIMARY KEY (id, region))
            PARTITION BY LIST (region);
        CREATE TABLE readings_1 PARTITION OF readings FOR VALUES IN (1);
        CREATE TABLE readings_2 PARTITION OF readings (EXCLUDE USING btree (id WITH =)) FOR VALUES IN (2);
    """
    with session(database.private) as connection:
        connection.execute(ddl.encode())
    with target(server, database) as found:
        assert inventory(found.catalogue) == Inventory(checks=1, primary_keys=1, not_nulls=1, exclusions=1)


def test_sqlite() -> None:
    ddl = f"{TABLES} CREATE TRIGGER touch AFTER INSERT ON orders BEGIN SELECT 1; END;"
    with sqlite_judging.target(ddl) as found:
        assert inventory(found.catalogue) == COUNTED
