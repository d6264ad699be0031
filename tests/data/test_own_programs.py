"""Commands that make rows and fixtures of Django: the project's own programs, led to our database."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.evidence import LoadedFile, MigrationFailure, Place
from checks.targets import Role
from runner.backends import sqlite
from runner.data.own.programs import ProjectPrograms, unmigrated
from runner.data.own.sources import Entry
from runner.errors import ToolFailed, UsageError, WrongAddress
from runner.migrations.interface import Project
from runner.servers.interface import Database
from runner.servers.sqlite.server import SqliteServer, sqlite_server
from runner.servers.sqlite.sessions import session
from runner.settings.loading import LoadSettings
from runner.settings.model import MigrationSettings

TABLE = (
    "CREATE TABLE shop_book (id integer PRIMARY KEY, title text NOT NULL UNIQUE,"
    " author_id integer REFERENCES shop_book DEFERRABLE INITIALLY DEFERRED)"
)


@pytest.fixture
def server() -> Iterator[SqliteServer]:
    with sqlite_server(foreign_keys=True) as running:
        yield running


@pytest.fixture
def database(server: SqliteServer) -> Database:
    made = server.create("app")
    with session(made.private) as connection:
        connection.execute(TABLE)
    return made


def load(root: Path, server: SqliteServer, database: Database, *entries: Entry) -> tuple[LoadedFile, ...]:
    project = Project(root, root, MigrationSettings(tool="command", command="true", python=sys.executable), root)
    programs = ProjectPrograms(project, sqlite, server, database, database.private)
    return sqlite.load(root, entries, database, Role.OWNER, programs)


def titles(database: Database) -> list[str]:
    with session(database.private) as connection:
        return [title for (title,) in connection.execute("SELECT title FROM shop_book ORDER BY id")]


SEED = """
import os, sqlite3
path = os.environ["DATABASE_URL"].removeprefix("sqlite:///")
with sqlite3.connect(path) as connection:
    connection.execute("INSERT INTO shop_book (title) VALUES (?)", ("made",))
"""


def test_a_command_makes_rows_where_the_files_before_it_left_off(
    tmp_path: Path, server: SqliteServer, database: Database
) -> None:
    (tmp_path / "shop_book.csv").write_text("id,title\n5,first\n")
    (tmp_path / "seed.py").write_text(SEED)
    loaded = load(tmp_path, server, database, "shop_book.csv", LoadSettings(command="python seed.py"))
    assert loaded == (LoadedFile("shop_book.csv"), LoadedFile("python seed.py"))
    assert titles(database) == ["first", "made"]


def refused(root: Path, server: SqliteServer, database: Database, *entries: Entry) -> MigrationFailure:
    (failure,) = [one.refused for one in load(root, server, database, *entries) if one.refused]
    return failure


def test_what_a_command_was_refused(tmp_path: Path, server: SqliteServer, database: Database) -> None:
    (tmp_path / "seed.py").write_text(SEED)
    command = LoadSettings(command="python seed.py")
    failure = refused(tmp_path, server, database, command, command)
    assert "UNIQUE constraint failed: shop_book.title" in failure.said
    assert failure.place == Place("seed.py", 5)


@pytest.mark.parametrize(
    ("script", "error", "said"),
    [
        ("print('nothing')", ToolFailed, "came to an end without a session on our database"),
        ("import sqlite3\nsqlite3.connect('/tmp/dbproof-elsewhere.db')", WrongAddress, "dbproof-elsewhere"),
    ],
)
def test_a_command_that_makes_no_rows_here(
    tmp_path: Path, server: SqliteServer, database: Database, script: str, error: type[Exception], said: str
) -> None:
    (tmp_path / "seed.py").write_text(script)
    with pytest.raises(error, match=said):
        load(tmp_path, server, database, LoadSettings(command="python seed.py"))


MANAGE = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
SETTINGS = """
import os
SECRET_KEY = "x"
INSTALLED_APPS = ["shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE_URL"].removeprefix("sqlite:///")}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
"""
MODELS = """
from django.db import models
class Book(models.Model):
    title = models.TextField(unique=True)
    author = models.ForeignKey("self", models.CASCADE, null=True)
"""
FIXTURE = """[
  {"model": "shop.book", "pk": 1, "fields": {"title": "A", "author": 2}},
  {"model": "shop.book", "pk": 2, "fields": {"title": "B"}},
  {"model": "shop.book", "pk": 3, "fields": {"title": "C"}}
]
"""


@pytest.fixture
def django(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    for name, text in {
        "manage.py": MANAGE,
        "site_settings.py": SETTINGS,
        "shop/__init__.py": "",
        "shop/models.py": MODELS,
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_fixtures_go_through_the_project(django: Path, server: SqliteServer, database: Database) -> None:
    (django / "books.json").write_text(FIXTURE)
    assert load(django, server, database, "books.json") == (LoadedFile("books.json"),)
    assert titles(database) == ["A", "B", "C"]
    (django / "more.yaml").write_text(
        "- model: shop.book\n  pk: 7\n  fields: {title: D}\n- model: shop.book\n  pk: 8\n  fields:\n    title: A\n"
    )
    failure = refused(django, server, database, "more.yaml")
    assert failure.place == Place("more.yaml", 4)
    assert "UNIQUE constraint failed: shop_book.title" in failure.said


@pytest.mark.parametrize(
    ("was", "now", "line", "said"),
    [
        ('"title": "C"', '"title": "A"', 4, "UNIQUE constraint failed: shop_book.title"),
        ('"author": 2', '"author": 9', 2, "The row in table 'shop_book' with primary key '1' has an invalid foreign key"),
        ("shop.book", "shop.nothing", None, "Invalid model identifier"),
    ],
)
def test_the_object_of_a_fixture_that_was_refused(
    django: Path, server: SqliteServer, database: Database, was: str, now: str, line: int | None, said: str
) -> None:
    (django / "books.json").write_text(FIXTURE.replace(was, now))
    failure = refused(django, server, database, "books.json")
    assert failure.place == Place("books.json", line)
    assert said in failure.said
    assert titles(database) == []


def test_a_fixture_without_its_project(tmp_path: Path, server: SqliteServer, database: Database) -> None:
    (tmp_path / "books.json").write_text(FIXTURE)
    with pytest.raises(UsageError, match=r"books\.json: is a fixture of Django"):
        load(tmp_path, server, database, "books.json")
    assert unmigrated(tmp_path, tmp_path).settings.command == "true"
