"""Rows that a rule of several columns would turn down are mended, not left out: no key is missing between."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from checks.rows.sets.wishes import Wishes
from runner.data.generated.postgresql import catalogue_of, generate
from runner.servers.interface import Database
from runner.servers.postgresql.sessions import session

ROWS = 3_000
#: Some of what is computed would be negative; a name needs quotes and holds a percent sign.
SCHEMA = """
CREATE TABLE bills (id integer PRIMARY KEY, net numeric(8, 2) NOT NULL CHECK (net >= 0),
    "off %s x" numeric(8, 2) NOT NULL CHECK ("off %s x" >= 0), tax numeric(8, 2) NOT NULL CHECK (tax >= 0),
    total numeric(8, 2) NOT NULL CHECK (total > 0), CHECK (round(net + tax - "off %s x" - total, 2) = 0))
"""
#: The same on SQLite, filled by a process of its own, which prints the rows.
PROGRAM = """
from checks.rows.sets.wishes import Wishes
from runner.data.generated.sqlite import catalogue_of, generate
from runner.servers.sqlite.server import sqlite_server
from runner.servers.sqlite.sessions import session

with sqlite_server() as server:
    address = server.create("app").private
    with session(address) as connection:
        connection.executescript(SCHEMA)
        catalogue = catalogue_of(address)
        generate(address, catalogue, {table.name: 200 for table in catalogue.tables}, 3, Wishes(), lambda _: None)
        print(connection.execute("SELECT * FROM bills ORDER BY id").fetchall())
"""


def printed(seed_of_sets: int) -> str:
    """The rows that a process makes in which Python puts what is in a set in one of its orders."""
    program = PROGRAM.replace("SCHEMA", repr(SCHEMA))
    variables = {**os.environ, "PYTHONHASHSEED": str(seed_of_sets), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_no_key_is_missing_and_values_differ(database: Database) -> None:
    with session(database.private) as connection:
        connection.execute(SCHEMA.encode())
        catalogue = catalogue_of(database.private)
        wanted = {table.name: ROWS for table in catalogue.tables}
        (done,) = generate(database.private, catalogue, wanted, 3, Wishes(), lambda _: None)
        found = connection.execute(b"SELECT count(*), min(id), max(id), count(DISTINCT total) > 100 FROM bills").fetchone()
    assert (done.rows, done.reason) == (ROWS, "")
    assert found == (ROWS, 1, ROWS, True)


def test_every_process_makes_the_same() -> None:
    assert printed(1) == printed(2) != ""
