"""Filling that is cancelled ends, and is not begun again in another way."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from checks.rows.sets.wishes import Wishes
from runner.data.generated.postgresql import catalogue_of, generate
from runner.servers.interface import Database
from runner.servers.postgresql.sessions import session

#: Far more than are made until the statement is cancelled, and seconds until which it must be seen.
ROWS, DEADLINE = 50_000_000, 30.0
#: The statement that makes all but the first rows, while it is at work.
_CANCEL = b"""SELECT pg_cancel_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'active' AND query LIKE 'INSERT %generate_series(501::%'"""


def test_a_statement_that_is_cancelled_is_not_tried_again(database: Database) -> None:
    with session(database.private) as connection:
        connection.execute(b"CREATE TABLE things (id integer PRIMARY KEY, name text NOT NULL)")
        catalogue = catalogue_of(database.private)
        wanted = {table.name: ROWS for table in catalogue.tables}
        with ThreadPoolExecutor(1) as pool:
            filling = pool.submit(generate, database.private, catalogue, wanted, 1, Wishes(), lambda _: None)
            until = time.monotonic() + DEADLINE
            while not connection.execute(_CANCEL).fetchall():
                assert time.monotonic() < until
                assert not filling.done()
            with pytest.raises(psycopg.errors.QueryCanceled):
                filling.result(DEADLINE)
        assert connection.execute(b"SELECT count(*) FROM things").fetchall() == [(0,)]
