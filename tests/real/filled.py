"""Rows compiled for a published project's schema: as many as are wanted, and nothing in them is broken."""

from __future__ import annotations

import os

from sound import violations

from checks.rows.sets.wishes import Wishes
from runner.data.generated.postgresql import catalogue_of, generate
from runner.servers.interface import Database, Server

#: Rows a table; by hand 10 000.
ROWS = int(os.environ.get("DBPROOF_PUBLISHED_ROWS", "300"))


def short(server: Server, database: Database) -> dict[str, str]:
    """Fill a migrated database and judge it; gives the tables that got fewer rows (none got none), and why."""
    catalogue = catalogue_of(database.private)
    wanted = {table.name: ROWS for table in catalogue.tables}
    made = generate(database.private, catalogue, wanted, 1, Wishes(), lambda _: None)
    assert len(made) > 3
    found = violations(server, database)
    assert not found, found
    assert all(one.rows for one in made)
    return {one.table.name: one.reason for one in made if one.rows < one.wanted}
