"""What the server tells of migrations that met their deadline, when their program is gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from checks.evidence import Place
from checks.targets import Role
from runner.hanging import Hanging, hanging
from runner.recorder import stamps
from runner.servers.interface import Database, Server

PLACE = Place("migrations/2 it's.py", 14)


@contextmanager
def under_way(database: Database, statement: str) -> Iterator[None]:
    """A statement that does not end by itself, in a session of its own."""
    with (
        psycopg.connect(**database.addresses[Role.OWNER].keywords(), autocommit=True) as one,
        ThreadPoolExecutor(1) as aside,
    ):
        sent = aside.submit(one.execute, (stamps.comment(PLACE) + statement).encode())
        try:
            yield
        finally:
            one.cancel()
            with pytest.raises(psycopg.errors.QueryCanceled):
                sent.result(timeout=30)


def until_told(server: Server, database: Database, mark: int, waited: str) -> Hanging:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = hanging(server, database, mark)
        if found is not None and waited in found.waited:
            return found
    raise AssertionError("it was not told")


def test_the_statement_that_runs_is_told_with_its_place(server: Server, database: Database) -> None:
    mark = server.mark()
    assert hanging(server, database, mark) is None
    with under_way(database, "select pg_sleep(3600)"):
        assert until_told(server, database, mark, "") == Hanging("select pg_sleep(3600)", PLACE)


def test_a_wait_for_a_lock_is_told_with_who_holds_it(server: Server, database: Database) -> None:
    """A migration that opens a second session waits for itself."""
    mark = server.mark()
    with psycopg.connect(**database.addresses[Role.OWNER].keywords()) as holder:
        holder.execute('create table "Odd ""100%"" name" (id int)')
        holder.commit()
        holder.execute('lock table "Odd ""100%"" name"')
        with under_way(database, 'alter table "Odd ""100%"" name" add column z int'):
            found = until_told(server, database, mark, "AccessExclusiveLock")
    assert (found.statement, found.place) == ('alter table "Odd ""100%"" name" add column z int', PLACE)
    assert found.waited.startswith('AccessExclusiveLock on "Odd ""100%"" name" behind another session of its own')
    assert found.waited.endswith('lock table "Odd ""100%"" name"')
