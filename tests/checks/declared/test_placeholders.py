"""Placeholders of declared queries, and which tables a query reads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from checks.declared.placeholders import Placeholder, placeholders, replaced
from checks.interface import Engine
from checks.schema.model import Catalogue, Table
from checks.schema.names import ObjectKind, TableName
from checks.sql.reading import objects_read, tables_read

USERS_ID = Placeholder(TableName("public", "users"), "id")


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select {users.id}, {users.id}", [USERS_ID, USERS_ID]),
        ("select {sales.users.id}", [Placeholder(TableName("sales", "users"), "id")]),
        ('select {"My ""Table""."."{a}"}', [Placeholder(TableName("public", 'My "Table".'), "{a}")]),
        ("select '{users.id}', \"{users.id}\", $$ {users.id} $$, $a$ ' {users.id} $a$ -- {users.id}", []),
        ("select /* {users.id} \n */ '{}'::int[], '{\"a\": {\"b.c\": 1}}'::jsonb, 'it''s {users.id}'", []),
        ("select {id}, {a.b.c.d}, { users.id }, {users.}", []),
    ],
)
def test_placeholders_stand_outside_of_text(sql: str, found: list[Placeholder]) -> None:
    assert list(placeholders(sql)) == found


def test_a_replaced_query_keeps_all_else_as_it_is() -> None:
    assert replaced("a '{users.id}' {users.id} % %s {}", lambda _: "$1::int") == "a '{users.id}' $1::int % %s {}"


def test_names_are_read_as_the_engine_folds_them() -> None:
    tables = [
        TableName("public", "users"),
        TableName("public", "Users"),
        TableName("sales", "orders"),
        TableName("public", "other"),
    ]
    catalogue = Catalogue(tuple(Table(name, ()) for name in tables))
    assert tables_read("select * from USERS", Engine.POSTGRESQL, catalogue) == {tables[0]}
    assert tables_read('with x as (select 1 from "Users") table x', Engine.POSTGRESQL, catalogue) == {tables[1]}
    assert tables_read("select (select 1 from Sales.orders limit 1) from unknown", Engine.POSTGRESQL, catalogue) == {tables[2]}
    assert tables_read("((( from", Engine.POSTGRESQL, catalogue) == set()


def test_a_view_stands_before_the_tables_and_a_name_of_with_nowhere() -> None:
    catalogue = Catalogue((Table(TableName("public", "users"), ()), Table(TableName("public", "a"), ())))
    read = objects_read('with late as (table users) select from late, a, Sales."Late" as b', Engine.POSTGRESQL, catalogue)
    assert [(one.kind, one.schema, one.relation, one.name) for one in read] == [
        (ObjectKind.VIEW, "sales", "", "Late"),
        (ObjectKind.TABLE, "public", "a", ""),
        (ObjectKind.TABLE, "public", "users", ""),
    ]


def test_what_cannot_be_read_is_not_complained_about(capfd: pytest.CaptureFixture[str]) -> None:
    code = "from checks.sql.reading import *; print(tables_read('SHOW ALL', Engine.POSTGRESQL, Catalogue(())))"
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)
    assert capfd.readouterr() == ("set()\n", "")
