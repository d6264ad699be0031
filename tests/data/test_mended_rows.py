"""Rows that a rule of several columns would turn down are mended, not left out: no key is missing between."""

from __future__ import annotations

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


def test_no_key_is_missing_and_values_differ(database: Database) -> None:
    with session(database.private) as connection:
        connection.execute(SCHEMA.encode())
        catalogue = catalogue_of(database.private)
        wanted = {table.name: ROWS for table in catalogue.tables}
        (done,) = generate(database.private, catalogue, wanted, 3, Wishes(), lambda _: None)
        found = connection.execute(b"SELECT count(*), min(id), max(id), count(DISTINCT total) > 100 FROM bills").fetchone()
    assert (done.rows, done.reason) == (ROWS, "")
    assert found == (ROWS, 1, ROWS, True)
