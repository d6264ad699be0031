"""Measuring declared queries: values from rows, read-only, stopped in time, failures kept apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judging import Query

from checks.declared.queries import Category, DeclaredQuery
from checks.measured import QueryTiming
from runner.errors import ServerFailed
from runner.measure.queries import measure
from runner.measure.runs import RUNS, WARM_UPS
from runner.servers.interface import Database

TABLES = """
    CREATE TABLE users (id int PRIMARY KEY, code char(3), "Odd %s" uuid, twin int);
    INSERT INTO users SELECT n, 'abc', gen_random_uuid(), 1000 + n FROM generate_series(1, 50) n;
    CREATE TABLE nobody (id int);
"""


def _measured(database: Database, sql: str, limit: float = 30.0) -> QueryTiming:
    (timing,) = measure(database, [DeclaredQuery("it", sql, Category.JOIN, limit)])
    return timing


def test_every_counted_run_is_timed(database: Database, query: Query) -> None:
    query(TABLES)
    timing = _measured(database, "select * from users")
    assert (timing.name, timing.category, timing.limit, timing.rows) == ("it", Category.JOIN, 30.0, 50)
    assert len(timing.seconds) == RUNS
    assert all(seconds > 0 for seconds in timing.seconds)
    assert (timing.failure, timing.code) == ("", "")


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select * from users where id = {users.id}", 1),
        ("select * from users where code = {users.code}", 50),
        ("select * from users where \"Odd %s\" = {users.\"Odd %s\"} and '%s' <> '{users.id}'", 1),
        ("select * from users where id = {public.users.id} and twin = {users.twin}", 1),
        ("select 1 where {users.id} + 1000 = {users.twin} and {users.id} % 100 = {users.id}", 1),
    ],
)
def test_placeholders_take_values_of_real_rows_and_of_one_row(database: Database, query: Query, sql: str, rows: int) -> None:
    query(TABLES)
    timing = _measured(database, sql)
    assert (timing.rows, timing.failure, len(timing.seconds)) == (rows, "", RUNS)


def test_each_run_takes_another_row(database: Database, query: Query) -> None:
    """What each run was given is seen by a function that refuses a value it is given twice."""
    query(TABLES)
    query(
        """
        CREATE FUNCTION once(id int) RETURNS int LANGUAGE plpgsql AS $$
        BEGIN
            IF current_setting('test.seen', true) LIKE '%,' || id || ',%' THEN RAISE 'twice: %', id; END IF;
            PERFORM set_config('test.seen', coalesce(current_setting('test.seen', true), '') || ',' || id || ',', false);
            RETURN id;
        END $$
        """
    )
    assert _measured(database, "select once({users.id})").failure == ""
    query(f"DELETE FROM users WHERE id > {WARM_UPS + RUNS - 1}")
    assert _measured(database, "select once({users.id})").failure.startswith("twice: ")


@pytest.mark.parametrize("sql", ["select {nobody.id}", "select {users.id}, {nobody.id}"])
def test_without_a_value_there_is_neither_time_nor_failure(database: Database, query: Query, sql: str) -> None:
    query(TABLES)
    timing = _measured(database, sql)
    assert (timing.seconds, timing.failure) == ((), "")


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("selec", "42601"),
        ("select * from missing", "42P01"),
        ("select {users.missing}", "42703"),
        ("select {missing.id}", "42P01"),
        ("delete from users returning id", "25006"),
        ("select 1; commit; delete from users", "42601"),
        ("set search_path = public", ""),
    ],
)
def test_a_failure_has_the_servers_words_and_ends_no_other(database: Database, query: Query, sql: str, code: str) -> None:
    query(TABLES)
    queries = [DeclaredQuery("broken", sql, Category.SIMPLE, 30.0), DeclaredQuery("sound", "select 1", Category.SIMPLE, 30.0)]
    broken, sound = measure(database, queries)
    assert (broken.seconds, broken.code) == ((), code)
    assert broken.failure
    assert (sound.rows, len(sound.seconds)) == (1, RUNS)
    assert query("SELECT count(*) FROM users") == [(50,)]


def test_a_hopeless_query_is_stopped(database: Database) -> None:
    timing = _measured(database, "select pg_sleep(600)", limit=0.01)
    assert (timing.seconds, timing.code, timing.failure) == ((), "57014", "stopped after 2 s")


def test_values_that_python_cannot_hold_do_not_matter(database: Database) -> None:
    timing = _measured(database, "select 'infinity'::date, '0044-03-15 BC'::date, '{1,2}'::int[], '24:00'::time")
    assert (timing.rows, timing.failure) == (1, "")


def test_a_database_that_cannot_be_reached_is_an_error_without_its_password(database: Database) -> None:
    nowhere = replace(database, private=replace(database.private, port=1, password="hunter2"))
    with pytest.raises(ServerFailed) as failure:
        measure(nowhere, [DeclaredQuery("it", "select 1", Category.SIMPLE, 1.0)])
    assert "hunter2" not in f"{failure.value.message} {failure.value.remedy} {failure.value.__cause__}"


def test_nothing_declared_needs_no_session(database: Database) -> None:
    assert measure(replace(database, private=replace(database.private, port=1)), []) == ()
