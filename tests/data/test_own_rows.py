"""The repository's own rows in files of tables, on real servers: taken as they stand, refused at their line."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mariadb_judging import made as made_on_mariadb

from checks.evidence import LoadedFile, MigrationFailure, Place
from checks.interface import Engine
from checks.targets import Role
from runner.backends.registry import backend_of
from runner.data.own.sources import Entry
from runner.errors import ToolFailed, UsageError
from runner.servers.interface import Address, Database, Server
from runner.servers.mariadb.sessions import rows as rows_of_mariadb
from runner.servers.mariadb.sessions import session as mariadb_session
from runner.servers.postgresql.sessions import session as postgresql_session
from runner.servers.sqlite.server import sqlite_server
from runner.servers.sqlite.sessions import session as sqlite_session
from runner.settings.loading import LoadSettings

ENGINES = (Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB)


def listed(address: Address, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query on any of the engines."""
    if address.scheme == "sqlite":
        with sqlite_session(address) as connection:
            return list(connection.execute(query))
    if address.scheme == "mysql":
        with mariadb_session(address) as driver:
            return rows_of_mariadb(driver, query)
    with postgresql_session(address) as connection:
        return connection.execute(query.encode()).fetchall()


@dataclass(frozen=True)
class Given:
    """A database and a folder with files."""

    database: Database
    engine: Engine
    root: Path

    def write(self, **files: str | bytes) -> None:
        """Files by name, with ``__`` for a dot."""
        for name, content in files.items():
            path = self.root / name.replace("__", ".")
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def load(self, *entries: Entry | dict[str, object]) -> tuple[LoadedFile, ...]:
        asked = [LoadSettings.model_validate(one) if isinstance(one, dict) else one for one in entries]
        return backend_of(self.engine).load(self.root, asked, self.database, Role.OWNER)

    def refused(self, *entries: Entry | dict[str, object]) -> MigrationFailure:
        found = [one.refused for one in self.load(*entries) if one.refused]
        assert len(found) == 1
        return found[0]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return listed(self.database.private, query)

    def execute(self, *statements: str) -> None:
        for statement in statements:
            if self.engine is Engine.POSTGRESQL:
                with postgresql_session(self.database.private) as connection:
                    connection.execute(statement.encode())
            else:
                self.rows(statement)


@contextmanager
def database_on(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Database]:
    with ExitStack() as stack:
        if engine is Engine.POSTGRESQL:
            yield request.getfixturevalue("database")
        elif engine is Engine.SQLITE:
            yield stack.enter_context(sqlite_server(foreign_keys=True)).create("app")
        else:
            yield stack.enter_context(made_on_mariadb(request.getfixturevalue("mariadb_server"), ""))


Make = Callable[[Engine], Given]


@pytest.fixture
def on(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    with ExitStack() as stack:
        yield lambda engine: Given(stack.enter_context(database_on(engine, request)), engine, tmp_path)


SHOP = (
    "CREATE TABLE users (id integer PRIMARY KEY, name varchar(200) NOT NULL, note varchar(200) DEFAULT 'none')",
    "CREATE TABLE orders (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id), total numeric(12, 2))",
)
USERS = 'id,name,note\n1,"Ann ""A"", Zoë",\n2,"two\nlines",""\n3,Bob,NULL\n'


@pytest.mark.parametrize("engine", ENGINES)
def test_csv_is_taken_as_it_stands(on: Make, engine: Engine) -> None:
    shop = on(engine)
    shop.execute(*SHOP)
    shop.write(users__csv=USERS, orders__csv="id;user_id;total\r\n7;1;12.50\r\n")
    loaded = shop.load("users.csv", {"file": "orders.csv", "delimiter": ";"})
    assert loaded == (LoadedFile("users.csv"), LoadedFile("orders.csv"))
    assert shop.rows("SELECT id, name, note FROM users ORDER BY id") == [
        (1, 'Ann "A", Zoë', None),
        (2, "two\nlines", ""),
        (3, "Bob", "NULL"),
    ]
    assert [(number, float(total)) for number, total in shop.rows("SELECT user_id, total FROM orders")] == [(1, 12.5)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("id,name\n1,A\n2,\n3,C\n", 3, "name"),
        ('id,name\n1,"A\nB"\n2,"x\ny"\n2,"C\nD"\n', 6, ""),
        ("id,name\n1,A\nx,B\n", 3, ""),
        ("id,name\n1,A\n2\n", 3, "name"),
        ("id,name\n1,A\n2,B,C\n", 3, ""),
        ("id,nmae\n1,A\n", 1, "table users has no column nmae; did you mean 'name'?"),
        ("", 1, "is empty: expected a line with the names of the columns"),
        (b"id,name\n1,A\n2,\xff\n", 3, "UTF"),
    ],
)
def test_a_refused_record_is_told_by_its_line(on: Make, engine: Engine, text: str | bytes, line: int, said: str) -> None:
    shop = on(engine)
    shop.execute(*SHOP)
    shop.write(users__csv=text)
    failure = shop.refused("users.csv")
    assert failure.place == Place("users.csv", line)
    assert said in failure.said
    assert shop.rows("SELECT count(*) FROM users") == [(0,)]
