"""Alembic and programs of the project's own on a SQLite file: they come to it and to no other, and tell what they do to it."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic_projects import ASYNC_ENV, FIRST, SYNC_ENV, lay, own_env, project, revision

from checks.targets import Role
from runner.backends import sqlite as backend
from runner.errors import WrongAddress
from runner.migrations import alembic, command
from runner.migrations.address import never_applied, prove, went_elsewhere
from runner.migrations.interface import Adapter, Began, Broke, Came, Elsewhere, Ended, Event, Project
from runner.servers.interface import Database
from runner.servers.sqlite.server import SqliteServer, sqlite_server
from runner.servers.sqlite.sessions import session
from runner.settings.model import MigrationSettings


@pytest.fixture
def server() -> Iterator[SqliteServer]:
    with sqlite_server() as running:
        yield running


@pytest.fixture
def database(server: SqliteServer) -> Database:
    return server.create("app")


def apply(adapter: Adapter, given: Project, database: Database) -> list[Event]:
    return list(adapter.apply(given, database.addresses[Role.OWNER]))


def tables(database: Database) -> set[str]:
    with session(database.private) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def places(server: SqliteServer, database: Database, events: list[Event]) -> dict[tuple[str, str], str]:
    recording = backend.recording(server, database, 0, events, ())
    return {(one.relation, one.name): str(made.place) for one, made in backend.provenance(database, [recording], {}).items()}


URLS = {
    "its own file": ("sqlalchemy.url = sqlite:///dev.db", SYNC_ENV),
    "with options": ("sqlalchemy.url = sqlite:///dev.db?timeout=3", SYNC_ENV),
    "another engine's": ("sqlalchemy.url = postgresql://localhost/app", SYNC_ENV),
    "asynchronous": ("sqlalchemy.url = sqlite+aiosqlite:///dev.db", ASYNC_ENV),
    "asynchronous, another engine's": ("sqlalchemy.url = postgresql+asyncpg://localhost/app", ASYNC_ENV),
    "from the environment": (None, own_env('url = os.environ["DATABASE_URL"]')),
    "a path": (None, own_env('url = "sqlite:///" + os.environ["OWN_PATH"]')),
    "a file URI": (None, own_env('url = "sqlite:///file:" + os.environ["OWN_PATH"] + "?uri=true"')),
}


@pytest.mark.parametrize("case", URLS)
def test_it_is_led_to_our_file_and_tells_every_table_with_its_line(
    case: str, tmp_path: Path, server: SqliteServer, database: Database
) -> None:
    url, env = URLS[case]
    given = project(lay(tmp_path, url=url, env=env), env={"OWN_PATH": "{database}"})
    said = prove(alembic, given, server, database, backend.arrived)
    assert "came" in said
    events = apply(alembic, given, database)
    assert [event.revision for event in events if isinstance(event, (Began, Ended))] == ["one", "one", "two", "two"]
    assert tables(database) == {"alembic_version", "customers", "orders"}
    found = places(server, database, events)
    assert found["customers", ""] == found["customers", "id"] == "migrations/versions/one.py:10"
    assert found["orders", ""] == "migrations/versions/two.py:10"
    assert not (tmp_path / "dev.db").exists()


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ('url = "sqlite:///dev.db"', "sqlite+pysqlite:///"),
        ('url = "postgresql+psycopg://somebody:secret@elsewhere.invalid/app"', "postgresql+psycopg://elsewhere.invalid:5432/app"),
        ('import sqlite3; sqlite3.connect("cache.db"); url = os.environ["DATABASE_URL"]', "sqlite:///cache.db"),
        ('import sqlite3; sqlite3.connect(b"cache.db"); url = os.environ["DATABASE_URL"]', "sqlite:///cache.db"),
    ],
)
def test_another_database_is_refused_before_it_is_made(lines: str, address: str, tmp_path: Path, database: Database) -> None:
    events = apply(alembic, project(lay(tmp_path, url=None, env=own_env(lines))), database)
    (elsewhere,) = [event for event in events if isinstance(event, Elsewhere)]
    assert elsewhere.address.startswith(address)
    assert "secret" not in elsewhere.address
    assert list(tmp_path.rglob("*.db")) == []
    assert 'env = { DATABASE_URL = "{url}" }' in went_elsewhere(elsewhere, database).remedy


def test_databases_in_memory_and_links_to_our_file_are_let_through(
    tmp_path: Path, server: SqliteServer, database: Database
) -> None:
    (tmp_path / "linked.db").symlink_to(database.private.database)
    lines = 'import sqlite3; sqlite3.connect(":memory:").execute("create table x (y)"); url = "sqlite:///linked.db"'
    events = apply(alembic, project(lay(tmp_path, url=None, env=own_env(lines))), database)
    assert isinstance(events[-1], Ended)
    assert ("x", "") not in places(server, database, events)


BATCH = revision(
    "two",
    "one",
    """
    with op.batch_alter_table("customers") as batch:
        batch.add_column(sa.Column("parent_id", sa.Integer))
        batch.create_foreign_key("parent", "customers", ["parent_id"], ["id"], ondelete="CASCADE")
    op.create_index("by_parent", "customers", ["parent_id"])
    with op.batch_alter_table("customers") as batch:
        batch.alter_column("parent_id", nullable=False)
    """,
)


def test_batch_mode_is_traced_to_the_block_that_changed_something(
    tmp_path: Path, server: SqliteServer, database: Database
) -> None:
    given = project(lay(tmp_path, {"one.py": FIRST, "two.py": BATCH}))
    found = places(server, database, apply(alembic, given, database))
    assert {name: place for name, place in found.items() if name[0] == "customers"} == {
        ("customers", ""): "migrations/versions/one.py:10",
        ("customers", "id"): "migrations/versions/one.py:10",
        ("customers", "parent"): "migrations/versions/two.py:10",
        ("customers", "parent_id"): "migrations/versions/two.py:14",
        ("customers", "by_parent"): "migrations/versions/two.py:13",
    }


REFUSED = revision(
    "two", "one", 'op.execute("insert into customers values (1)")\nop.execute(\n    "insert into customers values (1)")'
)


def test_a_refused_statement_has_sqlites_words_code_and_line(tmp_path: Path, database: Database) -> None:
    broke = apply(alembic, project(lay(tmp_path, {"one.py": FIRST, "two.py": REFUSED})), database)[-1]
    assert isinstance(broke, Broke)
    assert (broke.revision, broke.said) == ("two", "UNIQUE constraint failed: customers.id")
    assert str(broke.place) == "migrations/versions/two.py:11"
    assert (broke.code, broke.statement) == ("SQLITE_CONSTRAINT_PRIMARYKEY", "insert into customers values (1)")


# Programs -------------------------------------------------------------------------------------------------------------

PROGRAM = """\
import sqlite3, sys

class Rows(sqlite3.Cursor):
    pass

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.row_factory = sqlite3.Row
connection.text_factory = bytes
connection.execute("create table one (id integer primary key)")
connection.cursor(Rows).execute(
    "create table two (id integer primary key)")
connection.executescript("-- two at once" + chr(10) + "insert into one values (1); create table three (id);")
connection.executemany("insert into one values (?)", [(2,), (3,)])
assert type(connection.execute("select * from one").fetchone()["id"]) is int
assert isinstance(connection, sqlite3.Connection)
"""


def programs(root: Path, line: str, **settings: object) -> Project:
    described = MigrationSettings.model_validate({"command": line, **settings})
    return Project(root, root, described, root)


def test_a_python_program_is_heard_through_its_own_cursors(tmp_path: Path, server: SqliteServer, database: Database) -> None:
    (tmp_path / "migrate.py").write_text(PROGRAM)
    server.mark()
    events = apply(command, programs(tmp_path, f"{sys.executable} migrate.py {{database}}"), database)
    assert not [event for event in events if isinstance(event, Broke)], events
    assert any(isinstance(event, Came) for event in events)
    found = places(server, database, events)
    assert {name: place for (name, part), place in found.items() if not part} == {
        "one": "migrate.py:9",
        "two": "migrate.py:10",
        "three": "migrate.py:12",
    }


def test_a_program_that_tells_nothing_is_seen_by_the_file(tmp_path: Path, server: SqliteServer, database: Database) -> None:
    code = "import os, sqlite3; sqlite3.connect(os.environ['OWN']).execute('create table t (x)')"
    (tmp_path / "migrate.sh").write_text(f'exec $PYTHON -I -S -c "{code}"')
    given = programs(tmp_path, "sh migrate.sh", env={"OWN": "{database}", "PYTHON": sys.executable})
    server.mark()
    events = apply(command, given, database)
    assert not any(isinstance(event, Came) for event in events)
    assert backend.arrived(server, database, 0, events)
    assert tables(database) == {"t"}


def test_a_program_that_does_nothing_has_not_come(tmp_path: Path, server: SqliteServer, database: Database) -> None:
    server.mark()
    events = apply(command, programs(tmp_path, "true"), database)
    backend.recording(server, database, 0, events, ())
    assert not backend.arrived(server, database, 0, events)
    assert isinstance(never_applied(database), WrongAddress)


def test_a_file_of_the_projects_own_stays_as_it_is(tmp_path: Path, database: Database) -> None:
    with closing(sqlite3.connect(tmp_path / "dev.db")) as own:
        own.execute("create table theirs (x)")
    before = (tmp_path / "dev.db").read_bytes()
    (tmp_path / "migrate.py").write_text("import sqlite3\nsqlite3.connect('./dev.db').execute('drop table theirs')\n")
    events = apply(command, programs(tmp_path, f"{sys.executable} migrate.py"), database)
    assert isinstance(events[-1], Elsewhere)
    assert (tmp_path / "dev.db").read_bytes() == before
