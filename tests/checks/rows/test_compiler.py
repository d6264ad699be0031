"""The row compiler: rows in the order in which they go in, on both engines, and what it says where there is none."""

from __future__ import annotations

import pytest
from judging import Query, target
from sqlite_judging import target as sqlite_target

from checks.declared.expectations import Expectations
from checks.rows import postgresql, sqlite
from checks.rows.compiler import Compiler
from checks.rows.conditions import of_check
from checks.rows.judging import Dialect
from checks.rows.missing import NoValue
from checks.schema.names import TableName
from checks.targets import Accepted, Insert, RelationalTarget
from runner.servers.interface import Database, Server

#: A table with parents, theirs, a reference to itself, and uniques, as both engines read it.
SHOP = """
    CREATE TABLE countries (code char(2) PRIMARY KEY CHECK (length(code) = 2), name text NOT NULL UNIQUE);
    CREATE TABLE users (id bigint PRIMARY KEY, country char(2) NOT NULL REFERENCES countries, email varchar(60) NOT NULL UNIQUE
        CHECK (email LIKE '%_@_%'), above bigint REFERENCES users);
    CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint NOT NULL REFERENCES users, seller bigint NOT NULL REFERENCES users,
        net numeric(10,2) NOT NULL, tax numeric(10,2) NOT NULL CHECK (tax >= 0), total numeric(10,2) NOT NULL CHECK (total > 0),
        placed date NOT NULL, sent date, CHECK (buyer <> seller), CHECK (total = net + tax), CHECK (sent >= placed));
"""
ORDER = ["countries", "users", "users", "orders"]


def made_and_inserted(made: RelationalTarget, dialect: Dialect, table: str) -> list[str]:
    """The tables of the rows that were compiled, each of which went in."""
    with made.sandbox() as sandbox:
        compiled = Compiler(made.catalogue, dialect, sandbox.rows).satisfying(TableName(made.catalogue.default_schema, table))
        assert (compiled.breaks, compiled.orphan) == ({}, "")
        with sandbox.trial() as trial:
            assert [trial.write(Insert(row.table, row.values)) for row in compiled.rows] == [Accepted(1)] * len(compiled.rows)
        return [row.table.name for row in compiled.rows]


def test_rows_go_in_on_postgresql(server: Server, database: Database, query: Query) -> None:
    query(SHOP)
    with target(server, database) as made:
        assert made_and_inserted(made, postgresql, "orders") == ORDER


def test_rows_go_in_on_sqlite() -> None:
    with sqlite_target(SHOP, Expectations(foreign_keys=True)) as made:
        assert made_and_inserted(made, sqlite, "orders") == ORDER


def test_parents_that_are_there_are_taken(server: Server, database: Database, query: Query) -> None:
    query(f"{SHOP} INSERT INTO countries VALUES ('de', 'x'); INSERT INTO users VALUES (1, 'de', 'a@b'), (2, 'de', 'b@b');")
    with target(server, database) as made:
        assert made_and_inserted(made, postgresql, "orders") == ["orders"]
        assert made_and_inserted(made, postgresql, "users") == ["users"]


def test_a_violating_row_breaks_one_rule_at_its_boundary(server: Server, database: Database, query: Query) -> None:
    query(SHOP)
    with target(server, database) as made, made.sandbox() as sandbox:
        compiler, name = Compiler(made.catalogue, postgresql, sandbox.rows), TableName("public", "orders")
        table = made.catalogue.table[name]
        found = {check.expression: compiler.violating(name, of_check(check, table, postgresql)) for check in table.checks}
    assert all(violation.others == () for violation in found.values())
    tax = found["(tax >= (0)::numeric)"]
    assert str(tax.row["tax"]) == "-0.01"
    spans = found["(sent >= placed)"]
    assert (spans.row["placed"], spans.row["sent"]) in {("2020-01-01", "2019-12-31"), ("2020-01-02", "2020-01-01")}


def test_tables_in_a_circle_have_no_parent(server: Server, database: Database, query: Query) -> None:
    query(
        "CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL); CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a);"
        "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b; CREATE TYPE pair AS (x int, y int); CREATE TABLE c (p pair NOT NULL);"
        "CREATE TABLE parted (id int) PARTITION BY LIST (id)"
    )
    with target(server, database) as made, made.sandbox() as sandbox:
        compiler = Compiler(made.catalogue, postgresql, sandbox.rows)
        circle = compiler.satisfying(TableName("public", "a"))
        assert circle.orphan == "no parent for a.b: no parent for b.a: the tables refer to each other in a circle"
        assert [column.type for column in compiler.satisfying(TableName("public", "c")).unknown] == ["public.pair"]
        with pytest.raises(NoValue, match="no partition"):
            compiler.satisfying(TableName("public", "parted"))
