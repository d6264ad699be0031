"""A database of each relational engine with a folder of files, for tests of the repository's own rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mariadb_judging import made as made_on_mariadb

from checks.evidence import LoadedFile, MigrationFailure
from checks.interface import Engine
from checks.targets import Role
from runner.backends.registry import backend_of
from runner.data.own.sources import Entry
from runner.servers.interface import Address, Database
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
