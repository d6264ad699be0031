"""Rows without a partner: by two indexes where that is less work, by the planner's own way where it is not."""

from __future__ import annotations

from typing import Any

import pytest
from judging import Query, target
from sqlalchemy import text

from checks.interface import Engine
from checks.sql.orphans import counted
from runner.servers.interface import Database, Server
from runner.targets.joins import prefer_merge
from runner.targets.sessions import Manner, sessions

ROWS = """
    CREATE TABLE "Par %s;ent" AS SELECT n AS id FROM generate_series(1, 20000) n;
    ALTER TABLE "Par %s;ent" ADD PRIMARY KEY (id);
    CREATE TABLE child WITH (autovacuum_enabled = off) AS SELECT n * 7919::bigint % 20000 + 1 AS p, repeat('x', 40) AS padding
        FROM generate_series(1, 200000) n;
    ALTER TABLE child ALTER COLUMN p TYPE int;
    ALTER TABLE child ADD FOREIGN KEY (p) REFERENCES "Par %s;ent" NOT VALID;
"""


def _settings(server: Server, database: Database) -> list[Any]:
    """Which joins the planner may use for the one reference there is, before, for and after the statement that counts."""
    with target(server, database) as made:
        (key,) = made.catalogue.foreign_keys
        statement = counted(key, made.catalogue, Engine.POSTGRESQL)
    with sessions(database.private, Manner(read_only=True, ours=True)).connect() as connection:
        show = text("SELECT current_setting('enable_hashjoin'), current_setting('enable_nestloop')")
        before = tuple(connection.execute(show).one())
        prefer_merge(connection, statement)
        found = tuple(connection.execute(show).one())
        assert connection.execute(statement).scalar_one() == 0
        connection.rollback()
        return [before, found, tuple(connection.execute(show).one())]


USUAL, MERGE = ("on", "on"), ("off", "off")


def test_two_indexes_are_merged_once_they_know_what_is_visible(server: Server, database: Database, query: Query) -> None:
    query(ROWS + "CREATE INDEX ON child (p); ANALYZE")
    assert _settings(server, database) == [USUAL, USUAL, USUAL], "each row would have to be looked up in its table"
    query("VACUUM ANALYZE")
    assert _settings(server, database) == [USUAL, MERGE, USUAL]


@pytest.mark.parametrize("ddl", [ROWS, f"{ROWS} DELETE FROM child WHERE ctid > '(1,1)'; CREATE INDEX ON child (p)"])
def test_without_an_index_or_many_rows_the_planner_decides(server: Server, database: Database, query: Query, ddl: str) -> None:
    query(ddl)
    query("VACUUM ANALYZE")
    assert _settings(server, database) == [USUAL, USUAL, USUAL]
