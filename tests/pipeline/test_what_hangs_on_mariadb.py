"""What MariaDB tells of migrations before they meet their deadline, when their program is gone."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pymysql
import pytest

from checks.evidence import Place
from checks.targets import Role
from runner.hanging import Hanging
from runner.hanging_mariadb import looking
from runner.recorder import stamps
from runner.servers.interface import Database
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import quoted, rows, session

PLACE = Place("migrations/2 it's.py", 14)


@pytest.fixture
def database(mariadb_server: MariadbServer) -> Iterator[Database]:
    fresh = mariadb_server.create(f"test_{secrets.token_hex(4)}")
    with session(fresh.addresses[Role.OWNER]) as owner:
        rows(owner, "CREATE TABLE `odd 100% name` (id INT PRIMARY KEY, n INT)")
        rows(owner, "INSERT INTO `odd 100% name` VALUES (1, 1)")
    yield fresh
    with session(mariadb_server.private) as driver:
        rows(driver, f"DROP DATABASE {quoted(fresh.name)}")


@contextmanager
def under_way(database: Database, statement: str) -> Iterator[None]:
    """A statement that does not end by itself, in a session of its own."""
    with session(database.addresses[Role.OWNER]) as one, ThreadPoolExecutor(1) as aside:
        ((number,),) = rows(one, "SELECT connection_id()")
        sent = aside.submit(rows, one, stamps.comment(PLACE) + statement)
        try:
            yield
        finally:
            with session(database.private) as ours:
                rows(ours, f"KILL QUERY {int(number)}")
            with suppress(pymysql.err.Error):
                sent.result(timeout=30)


def seen(server: MariadbServer, database: Database, mark: int, enough: Callable[[Hanging], bool]) -> Hanging:
    """What is told in the end, once it is ``enough``: the deadline is now, so that looking begins at once."""
    with looking(database, 0.0) as looks:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            found = looks.told(server, mark)
            if found is not None and enough(found):
                return found
    raise AssertionError("it was not told")


def test_the_statement_that_runs_is_told_with_its_place(mariadb_server: MariadbServer, database: Database) -> None:
    mark = mariadb_server.mark()
    with under_way(database, "DO SLEEP(3600)"):
        assert seen(mariadb_server, database, mark, lambda _: True) == Hanging("DO SLEEP(3600)", PLACE)


@pytest.mark.parametrize(
    ("statement", "waited"),
    [
        ("ALTER TABLE `odd 100% name` ADD z INT", "a metadata lock on odd 100% name"),
        ("UPDATE `odd 100% name` SET n = 3", "a row lock (X)"),
    ],
)
def test_a_wait_for_a_lock_is_told_with_who_holds_it(
    mariadb_server: MariadbServer, database: Database, statement: str, waited: str
) -> None:
    """A migration that opens a second session waits for itself."""
    mark = mariadb_server.mark()
    with session(database.addresses[Role.OWNER]) as holder:
        rows(holder, "BEGIN")
        rows(holder, "UPDATE `odd 100% name` SET n = 2 WHERE id = 1")
        with under_way(database, statement):
            found = seen(mariadb_server, database, mark, lambda one: one.waited.startswith(waited))
    assert (found.statement, found.place) == (statement, PLACE)
    assert found.waited.endswith(
        "behind another session of its own, whose last statement was: UPDATE `odd 100% name` SET n = 2 WHERE id = 1"
    )
