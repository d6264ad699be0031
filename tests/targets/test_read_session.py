"""Reading: the repository's own SQL as it is, whatever values come, and no write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from judging import Query
from sqlalchemy import column, func, literal_column, select, table, text

from checks.targets import StatementFailed
from runner.servers.interface import Database
from runner.targets.sessions import Manner, PostgresReadSession, sessions


@contextmanager
def reading(database: Database, timeout: float = 60.0) -> Iterator[PostgresReadSession]:
    manner = Manner(read_only=True, ours=True, statement_timeout=timeout)
    with sessions(database.private, manner).connect() as connection:
        yield PostgresReadSession(connection)


@pytest.fixture
def session(database: Database) -> Iterator[PostgresReadSession]:
    with reading(database) as opened:
        yield opened


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT '%s %(a)s %%', ':x', 1 % 2", [("%s %(a)s %%", ":x", 1)]),
        ("SELECT '{\"a\": 1}'::jsonb ? 'a' -- why not", [(True,)]),
        ("/* first */ WITH one AS (VALUES (1)) TABLE one;", [(1,)]),
        ("SELECT $$a;b$$", [("a;b",)]),
        ("SHOW transaction_read_only", [("on",)]),
        ("SELECT WHERE false", []),
    ],
)
def test_raw_sql_is_sent_as_it_is(session: PostgresReadSession, sql: str, rows: list[tuple[object, ...]]) -> None:
    assert session.raw(sql, 10) == rows


def test_raw_takes_no_more_than_the_limit_of_an_endless_answer(session: PostgresReadSession) -> None:
    endless = "SELECT generate_series(1, 1000000000), repeat('x', 1000)"
    assert [row[0] for row in session.raw(endless, 3)] == [1, 2, 3]
    assert session.raw("SELECT 1", 1) == [(1,)]


def test_a_stream_gives_rows_as_they_are_asked_for_and_leaves_nothing_open(session: PostgresReadSession) -> None:
    stream = session.stream(select(func.generate_series(1, 1_000_000_000)))  # in FROM the server would make them all first
    assert [next(stream) for _ in range(3)] == [(1,), (2,), (3,)]
    stream.close()
    assert session.rows(select(literal_column("1"))) == [(1,)]
    with pytest.raises(StatementFailed, match="division by zero") as failed:
        list(session.stream(select(1 / (3 - func.generate_series(1, 9)))))
    assert failed.value.code == "22012"
    assert list(session.stream(select(literal_column("1")))) == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO kept VALUES (1)",
        "WITH w AS (DELETE FROM kept RETURNING 1) SELECT * FROM w",
        "CREATE TABLE made (id int)",
        "SELECT 1; INSERT INTO kept VALUES (1)",
        "SELECT nextval('counter')",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SET TRANSACTION READ WRITE",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "COMMIT",
        "COPY kept FROM STDIN",
        "",
        "-- nothing",
        "SELECT 1\0",
        "SELECT '\ud800'",
    ],
)
def test_raw_refuses_what_is_no_query(session: PostgresReadSession, query: Query, sql: str) -> None:
    query("CREATE TABLE kept (id int); INSERT INTO kept VALUES (7); CREATE SEQUENCE counter")
    with pytest.raises(StatementFailed):
        session.raw(sql, 10)
    with pytest.raises(StatementFailed):
        session.raw("INSERT INTO kept VALUES (1) RETURNING id", 10)
    assert session.raw("SELECT id FROM kept", 10) == [(7,)]


def test_what_copies_out_is_refused_and_the_session_goes_on(session: PostgresReadSession) -> None:
    with pytest.raises(StatementFailed):
        session.raw("COPY (SELECT 1) TO STDOUT", 10)
    assert session.raw("SELECT 1", 1) == [(1,)]


def test_the_servers_words_and_code(session: PostgresReadSession) -> None:
    with pytest.raises(StatementFailed) as failure:
        session.raw("SELECT * FROM nowhere", 1)
    assert (failure.value.code, failure.value.said) == ("42P01", 'relation "nowhere" does not exist')
    with pytest.raises(StatementFailed) as failure:
        session.rows(select(column("a")).select_from(table("nowhere")))
    assert (failure.value.code, failure.value.said) == ("42P01", 'relation "nowhere" does not exist')
    with pytest.raises(StatementFailed) as failure:
        session.raw("SELECT 1 / (n - 5) FROM generate_series(1, 10) n", 100)
    assert failure.value.code == "22012"


def test_values_that_python_cannot_hold_come_as_text(session: PostgresReadSession) -> None:
    rows = session.raw(
        "SELECT 'infinity'::timestamptz, '4713-01-01 BC'::date, '24:00'::time, '100000 years'::interval,"
        " ARRAY['infinity'::date], '{\"a\": 1}'::jsonb, daterange('infinity', NULL)::text",
        1,
    )
    assert rows[0][:3] == ("infinity", "4713-01-01 BC", "24:00:00")
    assert rows[0][4:] == (["infinity"], '{"a": 1}', "[infinity,)")


def test_a_statement_that_takes_too_long_is_ended(database: Database) -> None:
    with reading(database, timeout=0.05) as session, pytest.raises(StatementFailed) as failure:
        session.raw("SELECT pg_sleep(60)", 1)
    assert failure.value.code == "57014"


def test_a_lost_session_is_said(session: PostgresReadSession, query: Query) -> None:
    (pid,) = session.raw("SELECT pg_backend_pid()", 1)[0]
    query(f"SELECT pg_terminate_backend({pid})")
    with pytest.raises(StatementFailed):
        session.rows(text("SELECT 1"))


def test_bytes_of_a_database_without_encoding(database: Database, query: Query) -> None:
    name = f"{database.name}_ascii"
    query(f"CREATE DATABASE \"{name}\" ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        address = replace(database.private, database=name)
        with sessions(address, Manner(read_only=True, ours=True)).connect() as connection:
            assert PostgresReadSession(connection).raw("SELECT convert_from('\\xff41', 'SQL_ASCII')", 1) == [("\\xffA",)]
    finally:
        query(f'DROP DATABASE "{name}"')
