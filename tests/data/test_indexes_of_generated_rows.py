"""Indexes rest while many rows go in: they are whole afterwards, the schema is what it was, and what they forbid is not there."""

from __future__ import annotations

import os
import subprocess

import pytest

from checks.rows.sets.wishes import Wishes
from runner.data.generated import indexes
from runner.data.generated.postgresql import catalogue_of, generate
from runner.servers.installations import installations
from runner.servers.interface import Database
from runner.servers.postgresql.sessions import session

#: All that hangs on indexes and constraints.
SCHEMA = """
CREATE EXTENSION IF NOT EXISTS plpgsql;
CREATE TABLE parents (id integer CONSTRAINT "the Key" PRIMARY KEY, code text NOT NULL, part integer NOT NULL,
    CONSTRAINT codes UNIQUE (code) DEFERRABLE INITIALLY DEFERRED, CONSTRAINT part_positive CHECK (part > 0));
COMMENT ON INDEX codes IS 'it''s a comment';
COMMENT ON CONSTRAINT "the Key" ON parents IS 'another';
CREATE INDEX parents_lower ON parents (lower(code), (part + 1));
ALTER INDEX parents_lower ALTER COLUMN 2 SET STATISTICS 900;
CLUSTER parents USING "the Key";
ALTER TABLE parents REPLICA IDENTITY USING INDEX "the Key";
CREATE TABLE children (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent_id integer NOT NULL REFERENCES parents,
    during int4range NOT NULL, EXCLUDE USING gist (during WITH &&) DEFERRABLE);
CREATE INDEX children_hash ON children USING hash (parent_id) WITH (fillfactor = 90);
CREATE INDEX children_brin ON children USING brin (id);
CREATE UNIQUE INDEX children_big ON children (parent_id, id) INCLUDE (during) NULLS NOT DISTINCT WHERE id > 5;
CREATE TABLE parts (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parts_early PARTITION OF parts FOR VALUES FROM (MINVALUE) TO ('2024-06-01');
CREATE TABLE parts_late PARTITION OF parts DEFAULT;
CREATE INDEX parts_at ON parts (at DESC NULLS LAST);
CREATE VIEW grouped AS SELECT id, code, part FROM parents GROUP BY id;
CREATE FUNCTION put(text) RETURNS void LANGUAGE sql AS
    $$ INSERT INTO parents VALUES (1, $1, 1) ON CONFLICT ON CONSTRAINT "the Key" DO NOTHING $$;
CREATE TABLE pairs (a boolean, b text CHECK (b IN ('x', 'y')), c integer CHECK (c IN (1, 2, 3)), UNIQUE (a, b, c));
CREATE INDEX pairs_c ON pairs (c);
"""
STATES = """
SELECT count(*), count(*) FILTER (WHERE indisready AND indisvalid AND indislive), count(*) FILTER (WHERE NOT indimmediate)
FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = 'public'::regnamespace
"""


def dumped(database: Database) -> str:
    at = database.private
    pg_dump = max(installations(), key=lambda one: one.version).binaries / "pg_dump"
    told = ["--schema-only", "--host", at.host, "--port", str(at.port), "--username", at.user, at.database]
    environment = {**os.environ, "PGPASSWORD": at.password}
    done = subprocess.run([str(pg_dump), *told], capture_output=True, text=True, timeout=60, env=environment, check=True)
    return "".join(line for line in done.stdout.splitlines(True) if not line.startswith(("\\restrict", "\\unrestrict")))


def test_the_schema_is_what_it_was_and_every_index_is_whole(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "WORTH", 1)
    with session(database.private) as connection:
        connection.execute(SCHEMA.encode())
        before, states = dumped(database), connection.execute(STATES.encode()).fetchall()
        catalogue = catalogue_of(database.private)
        wanted = {one.name: 400 for one in catalogue.tables}
        made = {one.table.name: one for one in generate(database.private, catalogue, wanted, 1, Wishes(), lambda _: None)}
        assert {name: one.reason for name, one in made.items() if one.reason} == {"pairs": "keys met by chance"}
        assert dumped(database) == before
        assert connection.execute(STATES.encode()).fetchall() == states
        pairs = connection.execute(b"SELECT count(DISTINCT (a, b, c)) FROM pairs WHERE num_nulls(a, b, c) = 0").fetchone()
        assert pairs == connection.execute(b"SELECT count(*) FROM pairs WHERE num_nulls(a, b, c) = 0").fetchone()
        connection.execute(b"SET enable_seqscan = off")
        for found in (b"children WHERE parent_id = 7", b"parents WHERE id = 400", b"parts WHERE id = 400"):
            assert connection.execute(b"SELECT count(*) FROM " + found).fetchone() != (0,)


def test_a_row_that_an_index_refuses_undoes_all_and_is_found_one_by_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index may refuse what no rule tells of: it speaks of a function."""
    monkeypatch.setattr(indexes, "WORTH", 1)
    with session(database.private) as connection:
        connection.execute(REFUSING.encode())
        before, states = dumped(database), connection.execute(STATES.encode()).fetchall()
        catalogue = catalogue_of(database.private)
        wanted = {one.name: 400 for one in catalogue.tables}
        (made,) = generate(database.private, catalogue, wanted, 1, Wishes(), lambda _: None)
        assert (made.rows, made.reason) == (0, "PostgreSQL refuses its rows: no such row")
        assert connection.execute(b"SELECT count(*) FROM refusing").fetchone() == (0,)
        assert dumped(database) == before
        assert connection.execute(STATES.encode()).fetchall() == states


REFUSING = """
CREATE FUNCTION refuse(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE 'no such row'; END $$;
CREATE TABLE refusing (id integer PRIMARY KEY, a integer NOT NULL);
CREATE INDEX refusing_a ON refusing (refuse(a));
"""
