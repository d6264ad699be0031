"""Databases to plant faults on, small and with names that are hard to write, and the self-proof of what was made of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.faults.interface import scene_of
from checks.registries.relational import RELATIONAL
from runner.backends.registry import backend_of
from runner.plan import Built
from runner.scheduler import Checks, run_checks
from runner.selftest.planting import Ground
from runner.selftest.proving import FULL, Extent, SelfTest
from runner.servers.interface import Database, Server

ON_POSTGRESQL = """
CREATE SCHEMA "Sales ""x"" y";
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE TABLE "Sales ""x"" y"."50%_select" (
  id serial PRIMARY KEY, "user" bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  "n'ame
line" varchar(9) UNIQUE, total int NOT NULL CONSTRAINT "it's %s" CHECK (total >= 0));
CREATE INDEX "in dex" ON "Sales ""x"" y"."50%_select" ("user");
CREATE TABLE "Tree" (id int PRIMARY KEY, up int REFERENCES "Tree");
CREATE INDEX ON "Tree" (up);
CREATE TABLE events (id int, user_id bigint REFERENCES users, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE events_new PARTITION OF events FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE INDEX ON events (user_id);
CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER "tell it" BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION told();
CREATE TABLE notes (id int PRIMARY KEY, kind text, target int);
INSERT INTO notes VALUES (1, 'Tree', 2);
ALTER TABLE users ADD deleted_at timestamptz;
INSERT INTO users (name) VALUES ('a'), ('b');
INSERT INTO "Sales ""x"" y"."50%_select" ("user", total) VALUES (1, 1), (2, 2);
UPDATE "Sales ""x"" y"."50%_select" SET "n'ame
line" = 'number ' || id;
INSERT INTO "Tree" VALUES (1, NULL), (2, 1), (3, 3);
INSERT INTO events VALUES (1, 1, '2025-05-05'), (2, 2, '2026-05-05');
"""
EXPECT = '"Sales ""x"" y"."50%_select"."user" -> users.id on delete cascade'

ON_SQLITE = """
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE "50%_select" (
  id INTEGER PRIMARY KEY, "user" INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  "n'ame
line" VARCHAR(9) UNIQUE, total INT NOT NULL CONSTRAINT "it's %s" CHECK (total >= 0), -- REFERENCES nothing
  other INTEGER DEFERRABLE,
  FOREIGN KEY (other) REFERENCES "Tree" ON UPDATE CASCADE);
CREATE INDEX "in dex" ON "50%_select" ("user");
CREATE INDEX others ON "50%_select" (other);
CREATE TABLE "Tree" (id INTEGER PRIMARY KEY, up INTEGER REFERENCES "Tree" (id) NOT NULL);
CREATE INDEX ups ON "Tree" (up);
INSERT INTO users VALUES (1, 'a'), (2, 'b');
INSERT INTO "Tree" VALUES (1, 1), (2, 1);
INSERT INTO "50%_select" ("user", total, other) VALUES (1, 1, 1), (2, 2, 2);
"""


@contextmanager
def self_test(
    server: Server, database: Database, expect: Expectations, checks: Checks = RELATIONAL, extent: Extent = FULL
) -> Iterator[SelfTest]:
    """A self-proof that has not begun, of a database that is sealed for it; every check is on."""
    backend, golden = backend_of(server.engine), server.seal(database)
    built = Built(server, golden, Evidence())
    try:
        with backend.target(server, golden, database, expect, built.evidence) as target:
            outcomes, scene = run_checks(target, checks, {}), scene_of(target)
        evidence = replace(built.evidence, base=scene.catalogue)
        yield SelfTest(Ground(backend, built, expect, evidence), scene, checks, outcomes, extent)
    finally:
        server.open(golden)
