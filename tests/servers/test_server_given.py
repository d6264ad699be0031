"""A given server: looked at without writing, or disposable; and never a word of its URL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from checks.interface import Engine
from checks.targets import Role
from runner.errors import DbproofError, Exit, ServerFailed, UsageError
from runner.servers.interface import Address, Database, Golden, Server, Wanted
from runner.servers.registry import provision

Connect = Callable[[Address], psycopg.Connection[Any]]

SECRET = "Hunter2SecretTail"


def wanted(url: str, *, disposable: bool = False) -> Wanted:
    return Wanted(Engine.POSTGRESQL, url=url, disposable=disposable)


def test_it_is_looked_at_in_sessions_that_cannot_write_or_wait(database: Database, connect: Connect) -> None:
    connect(database.addresses[Role.OWNER]).execute("CREATE TABLE t AS SELECT 1 AS id")
    with provision(wanted(database.addresses[Role.OWNER].url("postgresql+psycopg"))) as given:
        assert (given.origin, given.disposable) == ("given", False)
        there = given.database("whatever")
        assert there.name == database.name
        session = connect(there.private)
        assert session.execute("SELECT id FROM t").fetchone() == (1,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            session.execute("INSERT INTO t VALUES (2)")
        limits = session.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')").fetchone()
        assert limits == ("1min", "2s")
        assert list(given.log(given.mark())) == []


def test_what_would_write_is_refused(database: Database) -> None:
    with provision(wanted(database.addresses[Role.OWNER].url())) as given:
        golden = Golden(database)
        attempts: list[Callable[[], object]] = [
            lambda: given.create("x"),
            lambda: given.seal(database),
            lambda: given.open(golden),
            lambda: given.clone(golden),
            given.fork,
        ]
        for attempt in attempts:
            with pytest.raises(ServerFailed, match="read-only") as caught:
                attempt()
            assert "disposable = true" in caught.value.remedy


def test_a_disposable_one_gets_databases_with_endings_that_go_at_the_end(server: Server, connect: Connect) -> None:
    admin = server.database("postgres").addresses[Role.ADMIN]
    with provision(wanted(admin.url(), disposable=True)) as given:
        made = given.create("shop")
        other = given.create("shop")
        assert made.name.startswith("shop_")
        assert made.name != other.name
        assert connect(made.private).execute("SELECT count(*) > 0 FROM pg_event_trigger").fetchone() == (True,)
        mark = given.mark()
        connect(made.addresses[Role.OWNER]).execute("CREATE TABLE seen (id int)")
        assert any("CREATE TABLE seen" in record.message for record in given.log(mark) if record.database == made.name)
        golden = given.seal(made)
        with given.clone(golden) as clone:
            assert connect(clone.addresses[Role.OWNER]).execute("SELECT count(*) FROM seen").fetchone() == (0,)
        with pytest.raises(ServerFailed, match="cannot be forked"):
            given.fork()
    names = [made.name, other.name, clone.name, f"{made.name}_owner", f"{other.name}_owner"]
    left = connect(admin).execute(
        "SELECT name FROM (SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles) AS all_of (name)"
        " WHERE name = ANY (%s)",
        [names],
    )
    assert left.fetchall() == []


def test_a_disposable_one_needs_a_superuser(database: Database) -> None:
    with (
        pytest.raises(ServerFailed, match="no superuser"),
        provision(wanted(database.addresses[Role.OWNER].url(), disposable=True)),
    ):
        pass


@pytest.mark.parametrize(
    ("url", "exit_code"),
    [
        (f"postgresql://user:p@ss/{SECRET}@nowhere.invalid:5432/db", Exit.USAGE),
        (f"postgresql://user:{SECRET}@nowhere.invalid:port/db", Exit.USAGE),
        (f"postgresql://user:100%{SECRET}@127.0.0.1:1/db", Exit.USAGE),
        (f"postgresql://user:x@{SECRET}.invalid@127.0.0.1:1/db", Exit.ENVIRONMENT),
        (f"postgresql://user:x#{SECRET}@127.0.0.1:1/db", Exit.ENVIRONMENT),
        (f"postgresql://user:{SECRET}@127.0.0.1:1/db", Exit.ENVIRONMENT),
        (f"postgresql://user:{SECRET}@nowhere.invalid/db", Exit.ENVIRONMENT),
        (f"{SECRET}", Exit.USAGE),
        (f"mysql://user:{SECRET}@127.0.0.1:1/db", Exit.USAGE),
        (f"postgresql://user@127.0.0.1:1/db?{SECRET}=1", Exit.USAGE),
    ],
)
def test_no_error_repeats_the_url(url: str, exit_code: Exit) -> None:
    with pytest.raises(DbproofError) as caught, provision(wanted(url)):
        pass
    assert caught.value.exit in (exit_code, Exit.ENVIRONMENT)
    _assert_silent(caught.value)


def test_a_refused_password_is_not_repeated(database: Database) -> None:
    url = replace(database.addresses[Role.OWNER], password=SECRET).url()
    with pytest.raises(ServerFailed, match="does not accept the user and password") as caught, provision(wanted(url)):
        pass
    _assert_silent(caught.value)
    assert SECRET not in repr(wanted(url))


def test_parameters_of_the_url_are_kept(database: Database, connect: Connect) -> None:
    url = f"{database.addresses[Role.OWNER].url()}?sslmode=disable&options=-c%20work_mem%3D7MB"
    with provision(wanted(url)) as given:
        session = connect(given.database("x").private)
        assert session.execute("SELECT current_setting('work_mem')").fetchone() == ("7MB",)
        assert session.info.get_parameters()["sslmode"] == "disable"


def _assert_silent(error: DbproofError) -> None:
    import traceback

    everything = "".join(traceback.format_exception(error)) + error.message + error.remedy + repr(error)
    assert isinstance(error, (UsageError, ServerFailed))
    assert SECRET not in everything
    assert "p@ss" not in everything
