"""Programs that use a driver of MariaDB's are kept from any other database, and what they are told is told without values."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runner.migrations import command
from runner.migrations.environment import environment
from runner.migrations.inside.connections import Guard
from runner.migrations.inside.refusals import without_values
from runner.migrations.interface import Elsewhere, Project
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

HERE = Address("127.0.0.1", 3399, "me", "it's me", "shop", scheme="mysql")
PROGRAM = """
import pymysql
pymysql.connect(host="db.invalid", port=3306, user="me", password="hidden", database="theirs")
"""


def project(root: Path) -> Project:
    (root / "migrate.py").write_text(PROGRAM)
    said = "python migrate.py"
    return Project(root, root, MigrationSettings(tool="command", command=said, current=said, python=sys.executable), root)


def test_a_driver_is_stopped_before_it_connects(tmp_path: Path) -> None:
    events = command.current(project(tmp_path), HERE)
    assert events is not None
    (elsewhere,) = (event for event in events if isinstance(event, Elsewhere))
    assert elsewhere.address == "mysql://db.invalid:3306/theirs"


def test_programs_get_the_address_and_its_parts(tmp_path: Path) -> None:
    told = environment(project(tmp_path), HERE)
    assert told["DATABASE_URL"] == "mysql://me:it%27s%20me@127.0.0.1:3399/shop"
    assert (told["MYSQL_HOST"], told["MYSQL_PORT"], told["MYSQL_PASSWORD"]) == ("127.0.0.1", "3399", "it's me")
    assert not [name for name in told if name.startswith("PG")]


class Stopped(Exception):
    pass


@pytest.mark.parametrize(
    ("given", "passes"),
    [
        ({"host": "127.0.0.1", "port": 3399}, True),
        ({"host": "localhost", "port": "3399", "db": "shop"}, True),
        ({"host": "127.0.0.1"}, False),
        ({}, False),
        ({"host": "127.0.0.1", "port": 3399, "unix_socket": "/run/mysqld.sock"}, False),
    ],
)
def test_every_way_to_name_an_address_is_looked_at(
    given: dict[str, object], passes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> None:
        raise Stopped

    monkeypatch.setattr("runner.migrations.inside.connections.refuse", refuse)
    guard = Guard(HERE.host, HERE.port)
    try:
        guard.check_mysql(given, "mysql+pymysql")
    except Stopped:
        assert not passes
    else:
        assert passes


@pytest.mark.parametrize(
    ("number", "said", "plain", "values"),
    [
        (1062, "Duplicate entry 'a' for key 'k' for key 'by_email'", "Duplicate entry for key 'by_email'", "'a' for key 'k'"),
        (1366, "Incorrect integer value: 'x' for column `s`.`t`.`a` at row 1", None, "'x'"),
        (1048, "Column 'a' cannot be null", "Column 'a' cannot be null", ""),
    ],
)
def test_values_of_rows_are_told_apart(number: int, said: str, plain: str | None, values: str) -> None:
    words, quoted = without_values(number, said)
    assert quoted == values
    assert words == plain or (plain is None and values not in words)
