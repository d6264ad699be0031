"""Whatever the schema: no row is made that the server refuses, what is left empty has a reason, and the checks find nothing."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from random import Random

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_schemas import quoted, schema
from sound import violations

from checks.rows.sets.wishes import Wishes
from runner.data.generated import indexes
from runner.data.generated.postgresql import catalogue_of, generate
from runner.data.generated.postgresql_table import REFUSED
from runner.servers.interface import Database, Server
from runner.servers.postgresql.sessions import session

ROWS = 40
#: A few in every run; by hand as many as one likes.
EXAMPLES = int(os.environ.get("DBPROOF_RANDOM_SCHEMAS", "12"))


@given(st.integers(0, 2**32))
@settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=[*HealthCheck])
def test_no_row_is_refused_and_nothing_is_violated(server: Server, seed: int) -> None:
    filled(server, seed)


def filled(server: Server, seed: int) -> list[str]:
    """Fill a random schema and judge it; gives why tables got fewer rows."""
    random = Random(seed)
    database = server.create(f"random_{secrets.token_hex(4)}")
    try:
        made_of(database, schema(random))
        return _judged(server, database, seed)
    finally:
        with session(replace(database.private, database="postgres")) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)'.encode())
            admin.execute(f'DROP ROLE IF EXISTS "{database.name}_owner"'.encode())


def made_of(database: Database, statements: list[str]) -> None:
    refused = []
    with session(database.private) as connection:
        for statement in statements:
            try:
                connection.execute(statement.encode())
            except psycopg.Error as reason:
                refused.append((statement, str(reason).splitlines()[0]))
    assert len(refused) < len(statements) - 4, refused


def _judged(server: Server, database: Database, seed: int) -> list[str]:
    catalogue = catalogue_of(database.private)
    wanted = {table.name: ROWS for table in catalogue.tables}
    made = generate(database.private, catalogue, wanted, seed, Wishes(), lambda _: None)
    assert {one.table for one in made} == {table.name for table in catalogue.tables if table.partition_of is None}
    with session(database.private) as connection:
        for one in made:
            count = connection.execute(f"SELECT count(*) FROM ONLY {quoted(one.table.name)}".encode()).fetchone()
            whole = connection.execute(f"SELECT count(*) FROM {quoted(one.table.name)}".encode()).fetchone()
            assert one.rows in ((count or (0,))[0], (whole or (0,))[0]), one
            assert bool(one.reason) == (one.rows < ROWS), one
            assert REFUSED not in one.reason, one
    found = violations(server, database)
    assert not found, found
    return [one.reason for one in made if one.reason]


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows go the way of many."""
    monkeypatch.setattr(indexes, "WORTH", 1)
