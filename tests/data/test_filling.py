"""Rows made by the settings: which tables get how many, whose rows are whose, and what is said of tables and columns amiss."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from checks.declared.expectations import Expectations
from checks.declared.references import parse_reference
from checks.interface import Engine
from checks.schema.names import TableName
from runner import git
from runner.backends.registry import backend_of
from runner.errors import UsageError
from runner.filling import Rows, filled_on_base, filled_on_head, reasons
from runner.plan import Plan
from runner.progress import Silent
from runner.servers.interface import Database, Server
from runner.servers.postgresql.sessions import session
from runner.settings.data import DataSettings
from runner.settings.model import DatabaseSettings

DDL = """
    CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL, half integer GENERATED ALWAYS AS (id / 2) STORED);
    CREATE TABLE orders (id integer PRIMARY KEY, buyer_id integer NOT NULL REFERENCES users, status text CHECK (status <> ''));
    CREATE TABLE plans (id integer PRIMARY KEY); INSERT INTO plans VALUES (1);
"""


def table(name: str) -> TableName:
    return TableName("public", name)


def plan(server: Server, *references: str, **data: Any) -> Plan:
    return Plan(
        name="app",
        settings=DatabaseSettings(data=DataSettings(**data)),
        root=Path(),
        base=git.NoBase("not compared"),
        adapter=None,
        backend=backend_of(Engine.POSTGRESQL),
        provision=lambda: pytest.fail(f"{server} is there"),
        hide=lambda _: None,
        progress=Silent(),
        settings_file=Path("dbproof.toml"),
        expect=Expectations(tuple(map(parse_reference, references))),
    )


def run(database: Database, sql: str) -> list[tuple[Any, ...]]:
    with session(database.private) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def made(rows: Rows) -> Mapping[str, int]:
    return {one.table.label(): one.rows for one in rows.filled}


def test_whose_rows_are_whose(server: Server, database: Database) -> None:
    run(database, DDL)
    wanted = plan(server, rows=20, tables={"orders": 5, "tags": 7})
    base = filled_on_base(wanted, server, database)
    assert made(base) == {"users": 20, "orders": 5}
    assert base.own == {table("plans")}
    assert base.invented == {table("users"), table("orders")}
    run(database, "CREATE TABLE tags (id integer PRIMARY KEY); CREATE TABLE buyers AS SELECT buyer_id FROM orders")
    head = filled_on_head(wanted, server, database, base)
    assert made(head) == {"users": 20, "orders": 5, "tags": 7}
    assert head.invented == {table(name) for name in ("users", "orders", "tags")}
    assert head.derived == {table("buyers")}


def test_without_made_rows_a_table_that_migrations_fill_is_the_repositorys_own(server: Server, database: Database) -> None:
    run(database, DDL)
    head = filled_on_head(plan(server, tables={"users": 3}), server, database)
    assert made(head) == {"users": 3}
    assert head.invented == {table("users")}


def test_nothing_is_made_where_nobody_asks(server: Server, database: Database) -> None:
    run(database, DDL)
    assert filled_on_head(plan(server, tables={"users": 0}), server, database) == Rows()
    assert run(database, "SELECT count(*) FROM users") == [(0,)]


def test_references_that_only_the_settings_declare_are_heeded(server: Server, database: Database) -> None:
    run(
        database,
        DDL + "CREATE TABLE notes (id integer PRIMARY KEY, order_id integer NOT NULL, plan text NOT NULL, half integer NOT NULL);"
        "CREATE TABLE links (note_id integer NOT NULL, order_id integer NOT NULL)",
    )
    wanted = plan(
        server,
        *("notes.order_id -> orders.id undeclared", "notes.plan -> plans.id undeclared", "notes.half -> users.half undeclared"),
        *("links.(note_id, order_id) -> notes.(id, order_id) undeclared", "gone.id -> users.id undeclared"),
        rows=40,
    )
    assert made(filled_on_head(wanted, server, database)) == dict.fromkeys(("users", "orders", "notes", "links"), 40)
    pairs = "SELECT (note_id, order_id) IN (SELECT id, order_id FROM notes) FROM links"
    assert run(database, f"SELECT bool_and(held) FROM ({pairs}) AS pairs (held)") == [(True,)]
    assert run(database, "SELECT bool_and(order_id IN (SELECT id FROM orders)) FROM notes") == [(True,)]


def test_columns_by_expressions(server: Server, database: Database) -> None:
    run(database, DDL)
    columns = {
        "users.name": "'50 % of ' || id -- the rest",
        "orders.status": "CASE id % 2 WHEN 0 THEN 'a''b' ELSE 'n' || dbproof_n END",
    }
    filled_on_head(plan(server, rows=10, columns=columns), server, database)
    assert run(database, "SELECT bool_and(name = '50 % of ' || id) FROM users") == [(True,)]
    assert run(database, "SELECT count(*) FROM orders WHERE status IN ('a''b', 'n1', 'n3', 'n5', 'n7', 'n9')") == [(10,)]


def test_names_may_be_anything(server: Server, database: Database) -> None:
    run(database, 'CREATE SCHEMA "s %"; CREATE TABLE "s %"."50 % ""all""" ("a.b%" text NOT NULL, "é" text)')
    name = 's %.50 % "all"'
    columns = {f"{name}.a.b%": "'%s %(x)s ' || coalesce(\"é\", '')"}
    filled = filled_on_head(plan(server, tables={name: 4}, columns=columns), server, database)
    assert [(one.table, one.rows) for one in filled.filled] == [(TableName("s %", '50 % "all"'), 4)]


def test_an_expression_that_the_schema_refuses_leaves_its_table_empty(server: Server, database: Database) -> None:
    run(database, DDL)
    columns = {"users.name": "NULL", "orders.status": "''"}
    filled = filled_on_head(plan(server, rows=10, columns=columns), server, database)
    users, orders = reasons(filled.filled)
    assert users.startswith("users: 0 of 10 rows, ")
    assert "name" in users
    assert orders == "orders: 0 of 10 rows, users is empty, and orders.buyer_id must refer to it"
    assert filled.invented == frozenset()


@pytest.mark.parametrize(
    ("column", "expression", "words"),
    [
        ("users.name", "upper(nme)", 'column "nme" does not exist'),
        ("users.name", "'a", "unterminated quoted string"),
        ("users.name", "1); DROP TABLE users; SELECT (1", ""),
        ("users.id", "'five'", "invalid input syntax for type integer"),
        ("users.half", "1", "the column is generated, and takes no value"),
    ],
)
def test_an_expression_that_the_server_cannot_read(
    column: str, expression: str, words: str, server: Server, database: Database
) -> None:
    run(database, DDL)
    with pytest.raises(UsageError) as caught:
        filled_on_base(plan(server, rows=5, columns={column: expression}), server, database)
    assert caught.value.message.startswith(f'dbproof.toml: databases.app.data.columns."{column}": ')
    assert words in caught.value.message
    assert caught.value.remedy == f"Correct the expression of {column}."
    assert run(database, "SELECT count(*) FROM users") == [(0,)]


def test_what_is_not_there_after_all_migrations_is_told_at_once(server: Server, database: Database) -> None:
    run(database, DDL)
    data = {"tables": {"order": 5}, "scale": 0.5, "production_rows": {"usres": 10}, "columns": {"users.nam": "'x'"}}
    filled_on_base(plan(server, **data), server, database)
    with pytest.raises(UsageError) as caught:
        filled_on_head(plan(server, **data), server, database)
    assert caught.value.message.splitlines() == [
        "dbproof.toml: databases.app.data.tables.order: there is no such table; did you mean 'orders'?",
        "dbproof.toml: databases.app.data.production_rows.usres: there is no such table; did you mean 'users'?",
        "dbproof.toml: databases.app.data.columns.\"users.nam\": there is no such column; did you mean 'users.name'?",
    ]
    filled_on_head(plan(server, **data), server, database, complete=False)
    with pytest.raises(UsageError, match=r"production_rows\.usres: there is no such table; did you mean 'users'\?"):
        filled_on_head(plan(server, production_rows={"usres": 10, "orders": 9}), server, database)
