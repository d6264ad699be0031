"""States of a real PostgreSQL: every kind of object, each changed by hand, and compared with what the server's own dump says."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest
from psycopg import sql

from checks.reversals import Difference
from checks.schema.names import ObjectReference
from runner.servers.installations import installations
from runner.servers.interface import Database, Server
from runner.servers.postgresql.sessions import session
from runner.undoing import postgresql
from runner.undoing.postgresql_sessions import looking
from runner.undoing.relational import State

#: One of each kind, with names that want quoting.
SCHEMA = r"""
CREATE SCHEMA sales;
CREATE TYPE sales.mood AS ENUM ('good', 'it''s bad');
CREATE TYPE sales.size AS ENUM ('S', 'M');
CREATE DOMAIN positive AS integer DEFAULT 1 CONSTRAINT is_positive CHECK (VALUE > 0);
CREATE TYPE pair AS (a integer, b text);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE SEQUENCE tickets INCREMENT 2 CACHE 3;
CREATE TABLE buyers (id serial PRIMARY KEY, mood sales.mood NOT NULL DEFAULT 'good', name text UNIQUE CHECK (name <> ''),
    age positive, email varchar(20) COLLATE "C", full_name text GENERATED ALWAYS AS (name || '!') STORED);
ALTER TABLE buyers ADD kind varchar(9), ADD CONSTRAINT is_known CHECK (kind IN ('a', '(b)'));
CREATE TABLE "odd ""name%s" ("a ""b" int PRIMARY KEY, "ü
n" text);
CREATE TABLE sales.orders (id bigint GENERATED ALWAYS AS IDENTITY (START 5), at date, buyer int, total numeric(10, 2) DEFAULT 0,
    PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE sales.orders_1 PARTITION OF sales.orders FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE sales.orders_2 PARTITION OF sales.orders FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE parents (id int); CREATE TABLE children (more int) INHERITS (parents);
ALTER TABLE sales.orders ADD CONSTRAINT orders_buyer FOREIGN KEY (buyer) REFERENCES buyers ON DELETE CASCADE;
CREATE INDEX orders_by_buyer ON sales.orders (buyer) INCLUDE (total);
CREATE UNIQUE INDEX buyers_lower ON buyers (lower(email)) WHERE mood = 'good';
CREATE STATISTICS sales.together ON mood, name FROM buyers;
CREATE VIEW good AS SELECT id, name FROM buyers WHERE mood = 'good';
CREATE MATERIALIZED VIEW counted AS SELECT mood, count(*) AS n FROM buyers GROUP BY mood;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
CREATE PROCEDURE nothing() LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE total_of(integer) (sfunc = int4pl, stype = integer, initcond = '0');
CREATE OPERATOR === (leftarg = integer, rightarg = integer, function = int4eq);
CREATE CAST (pair AS text) WITH INOUT;
CREATE COLLATION german FROM "C";
CREATE TEXT SEARCH CONFIGURATION plain_words (parser = default);
CREATE TRIGGER touched BEFORE UPDATE ON buyers FOR EACH ROW EXECUTE FUNCTION touch();
CREATE RULE no_delete AS ON DELETE TO parents DO INSTEAD NOTHING;
ALTER TABLE buyers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON buyers FOR SELECT USING (age > 1);
CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER watched ON ddl_command_end WHEN TAG IN ('CREATE CONVERSION') EXECUTE FUNCTION seen();
CREATE PUBLICATION changes FOR TABLE buyers;
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER far FOREIGN DATA WRAPPER nowhere OPTIONS (host 'a');
CREATE FOREIGN TABLE elsewhere (id int) SERVER far;
CREATE TABLE alembic_version (version_num varchar(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
CREATE TABLE own_versions (version_num varchar(32) NOT NULL, CONSTRAINT own_versions_pkc PRIMARY KEY (version_num));
COMMENT ON TABLE buyers IS 'people'; COMMENT ON COLUMN good.name IS 'theirs';
GRANT SELECT ON buyers TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA sales GRANT SELECT ON TABLES TO PUBLIC;
INSERT INTO buyers (name, mood) SELECT 'n' || n, 'good' FROM generate_series(1, 20) AS n;
INSERT INTO sales.orders (at, buyer) SELECT '2020-02-01', 1 FROM generate_series(1, 3);
INSERT INTO "odd ""name%s" VALUES (1, 'x');
INSERT INTO parents VALUES (1), (1), (2); INSERT INTO children VALUES (3, 3);
"""

#: Each change of one thing, and what is said of it: kind, name, kind of the difference, words.
CHANGES = [
    ("CREATE SCHEMA more; CREATE TABLE more.a (id int PRIMARY KEY)", "schema more", "extra", ""),
    ("ALTER SCHEMA sales OWNER TO pg_monitor", "schema sales", "changed", "has owner pg_monitor, expected postgres"),
    ("GRANT CREATE ON SCHEMA sales TO PUBLIC", "schema sales", "changed", "has privileges PUBLIC CREATE, expected none"),
    ("DROP TABLE \"odd \"\"name%s\"", 'table odd "name%s', "missing", "1"),
    ("CREATE TABLE more (id serial PRIMARY KEY, n int CHECK (n > 0))", "table more", "extra", ""),
    ("ALTER TABLE buyers OWNER TO pg_monitor", "table buyers", "changed", "has owner pg_monitor, expected postgres"),
    ("COMMENT ON TABLE buyers IS NULL", "table buyers", "changed", "has no comment, expected people"),
    ("REVOKE SELECT ON buyers FROM PUBLIC", "table buyers", "changed", "has no privileges"),
    ("GRANT INSERT ON \"odd \"\"name%s\" TO PUBLIC", 'table odd "name%s', "changed", "has privileges PUBLIC INSERT"),
    ("ALTER TABLE buyers SET (fillfactor = 70)", "table buyers", "changed", "has options fillfactor=70, expected none"),
    ("ALTER TABLE buyers SET (toast.autovacuum_enabled = off)", "table buyers", "changed", "has options of long values"),
    ("ALTER TABLE parents SET UNLOGGED", "table parents", "changed", "has persistence unlogged, expected none"),
    ("ALTER TABLE buyers DISABLE ROW LEVEL SECURITY", "table buyers", "changed", "has no row security, expected on"),
    ("ALTER TABLE buyers FORCE ROW LEVEL SECURITY", "table buyers", "changed", "has row security on, forced, expected on"),
    ("ALTER TABLE buyers REPLICA IDENTITY FULL", "table buyers", "changed", "has replica identity full, expected none"),
    ("ALTER TABLE buyers CLUSTER ON buyers_pkey", "table buyers", "changed", "has clustering buyers_pkey, expected none"),
    ("ALTER TABLE children NO INHERIT parents", "table children", "changed", "has no parents, expected public.parents"),
    ("ALTER TABLE sales.orders DETACH PARTITION sales.orders_2", "table sales.orders_2", "changed", "has no parents"),
    ("ALTER TABLE sales.orders_1 ALTER total SET DEFAULT 7", "table sales.orders_1", "changed", "default of column total"),
    ("ALTER TABLE buyers ADD more int", "column buyers.more", "extra", ""),
    ("ALTER TABLE buyers DROP full_name", "column buyers.full_name", "missing", ""),
    ("ALTER TABLE buyers ALTER mood DROP DEFAULT", "column buyers.mood", "changed", "has no default"),
    ("ALTER TABLE buyers ALTER mood DROP NOT NULL", "column buyers.mood", "changed", "has no rule on NULL, expected NOT NULL"),
    ("ALTER TABLE buyers ALTER email TYPE varchar(30)", "column buyers.email", "changed", "has type character varying(30)"),
    ("ALTER TABLE buyers ALTER email TYPE varchar(20) COLLATE \"POSIX\"", "column buyers.email", "changed", "has collation"),
    ("ALTER TABLE buyers ALTER full_name DROP EXPRESSION", "column buyers.full_name", "changed", "has no generated value"),
    ("ALTER TABLE buyers ALTER name SET STORAGE EXTERNAL", "column buyers.name", "changed", "has storage e, expected none"),
    ("ALTER TABLE buyers ALTER name SET STATISTICS 7", "column buyers.name", "changed", "has statistics target 7, expected none"),
    ("ALTER TABLE buyers ALTER name SET (n_distinct = 5)", "column buyers.name", "changed", "has options n_distinct=5"),
    ("COMMENT ON COLUMN buyers.name IS 'it'", "column buyers.name", "changed", "has comment it, expected none"),
    ("GRANT UPDATE (name) ON buyers TO PUBLIC", "column buyers.name", "changed", "has privileges PUBLIC UPDATE, expected none"),
    ("ALTER TABLE sales.orders ALTER id SET GENERATED BY DEFAULT",
     "column sales.orders.id", "changed", "has identity by default"),
    ("ALTER TABLE sales.orders ALTER id SET INCREMENT 4", "column sales.orders.id", "changed", "increment 4"),
    ("ALTER TABLE sales.orders ALTER id DROP IDENTITY", "column sales.orders.id", "changed", "has no identity"),
    ("ALTER TABLE buyers DROP CONSTRAINT buyers_name_check", "constraint buyers.buyers_name_check", "missing", ""),
    ("ALTER TABLE buyers RENAME CONSTRAINT buyers_name_check TO c",
     "constraint buyers.buyers_name_check", "changed", "is called c"),
    ("ALTER TABLE buyers ADD CHECK (age < 200) NOT VALID", "constraint buyers.buyers_age_check", "extra", ""),
    ("ALTER TABLE buyers DISABLE TRIGGER ALL; ALTER TABLE buyers ENABLE TRIGGER touched",
     "constraint sales.orders.orders_buyer", "changed", "has triggers not all enabled, expected none"),
    ("ALTER TABLE sales.orders DROP CONSTRAINT orders_buyer, ADD CONSTRAINT orders_buyer FOREIGN KEY (buyer) REFERENCES buyers",
     "constraint sales.orders.orders_buyer",
     "changed", "REFERENCES public.buyers(id) ON DELETE CASCADE"),
    ("ALTER INDEX buyers_pkey SET (fillfactor = 80)", "constraint buyers.buyers_pkey", "changed", "index options fillfactor=80"),
    ("ALTER TABLE buyers DROP CONSTRAINT is_known; ALTER TABLE buyers ADD CONSTRAINT is_known CHECK (kind IN ('a', 'b'))",
     "constraint buyers.is_known", "changed", "is CHECK (((kind)::text = ANY"),
    ("DROP INDEX sales.orders_by_buyer", "index sales.orders.orders_by_buyer", "missing", ""),
    ("ALTER INDEX buyers_lower RENAME TO other", "index buyers.buyers_lower", "changed", "is called other"),
    ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'buyers_lower'::regclass",
     "index buyers.buyers_lower", "changed", "has valid not, expected none"),
    ("ALTER INDEX buyers_lower SET (fillfactor = 60)", "index buyers.buyers_lower", "changed", ""),
    ("ALTER TABLE buyers DISABLE TRIGGER touched", "trigger buyers.touched", "changed", "has state disabled, expected none"),
    ("DROP TRIGGER touched ON buyers", "trigger buyers.touched", "missing", ""),
    ("ALTER POLICY own ON buyers TO pg_monitor", "policy buyers.own", "changed", "has roles pg_monitor, expected PUBLIC"),
    ("ALTER POLICY own ON buyers USING (age > 2)", "policy buyers.own", "changed", "condition"),
    ("ALTER TABLE parents DISABLE RULE no_delete",
     "other parents.rule no_delete", "changed", "has state disabled, expected none"),
    ("ALTER SEQUENCE tickets INCREMENT 3", "sequence tickets", "changed", "increment 3"),
    ("ALTER SEQUENCE buyers_id_seq OWNED BY NONE", "sequence buyers_id_seq", "changed", "has no column, expected id"),
    ("GRANT USAGE ON SEQUENCE tickets TO PUBLIC", "sequence tickets", "changed", "has privileges PUBLIC USAGE, expected none"),
    ("ALTER TYPE sales.mood ADD VALUE 'new' BEFORE 'good'",
     "type sales.mood", "changed", "has labels 'new', 'good', 'it''s bad'"),
    ("ALTER TYPE sales.size RENAME VALUE 'S' TO 's'", "type sales.size", "changed", "has labels 's', 'M', expected 'S', 'M'"),
    ("ALTER DOMAIN positive SET NOT NULL", "type positive", "changed", "has rule on NULL NOT NULL, expected none"),
    ("ALTER DOMAIN positive DROP CONSTRAINT is_positive", "constraint positive.is_positive", "missing", ""),
    ("ALTER TYPE pair ADD ATTRIBUTE c date", "type pair", "changed", "has attributes a integer, b text, c date"),
    ("DROP TYPE span", "type span", "missing", ""),
    ("CREATE OR REPLACE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT n + n'",
     "function twice(n integer)", "changed", "has another definition"),
    ("ALTER FUNCTION twice(integer) STRICT", "function twice(n integer)", "changed", "has another definition"),
    ("REVOKE EXECUTE ON FUNCTION twice FROM PUBLIC", "function twice(n integer)", "changed", "privileges"),
    ("DROP PROCEDURE nothing()", "function nothing()", "missing", ""),
    ("CREATE OR REPLACE AGGREGATE total_of(integer) (sfunc = int4pl, stype = integer, initcond = '1')",
     "function total_of(integer)", "changed", "has another definition"),
    ("CREATE OR REPLACE VIEW good AS SELECT id, name FROM buyers", "view good", "changed", "has another definition"),
    ("ALTER VIEW good SET (security_barrier)", "view good", "changed", "has options security_barrier=true, expected none"),
    ("COMMENT ON COLUMN good.name IS 'mine'", "view good", "changed", "has comment on column name mine, expected theirs"),
    ("ALTER VIEW good ALTER name SET DEFAULT 'x'", "view good", "changed", "has default of column name 'x'::text, expected none"),
    ("REFRESH MATERIALIZED VIEW counted WITH NO DATA", "view counted", "changed", "has rows none yet, expected none"),
    ("DROP STATISTICS sales.together", "other sales.buyers.statistics together", "missing", ""),
    ("CREATE EXTENSION {extension}", "extension {extension}", "extra", ""),
    ("ALTER EVENT TRIGGER watched DISABLE", "other event trigger watched", "changed", "has state disabled, expected none"),
    ("ALTER PUBLICATION changes ADD TABLE parents", "other publication changes", "changed", "has tables"),
    ("ALTER DEFAULT PRIVILEGES IN SCHEMA sales GRANT INSERT ON TABLES TO PUBLIC",
     "other sales.default privileges of postgres on tables", "changed", "has privileges"),
    ("ALTER DATABASE {database} SET work_mem TO '5MB'", "other settings of the database for everybody", "extra", ""),
    ("DROP OPERATOR === (integer, integer)", "other operator public.===(integer,integer)", "missing", ""),
    ("DROP CAST (pair AS text)", "other cast (public.pair AS pg_catalog.text)", "missing", ""),
    ("DROP COLLATION german", "other collation public.german", "missing", ""),
    ("DROP TEXT SEARCH CONFIGURATION plain_words", "other text search configuration public.plain_words", "missing", ""),
    ("ALTER SERVER far OPTIONS (SET host 'b')", "other server far", "changed", "has options host=b, expected host=a"),
    ("ALTER FOREIGN TABLE elsewhere OPTIONS (ADD x 'y')", "table elsewhere", "changed", "has server options x=y, expected none"),
    ("UPDATE buyers SET age = 3 WHERE id < 5", "table buyers", "rows changed", ""),
    ("DELETE FROM buyers WHERE id = 20", "table buyers", "rows missing", "1"),
    ("INSERT INTO sales.orders (at, buyer) VALUES ('2020-03-01', 1)", "table sales.orders", "rows extra", "1"),
]  # fmt: skip

#: What changes nothing that counts.
SAME = [
    'ALTER TABLE buyers ADD email_2 varchar(20) COLLATE "C"; UPDATE buyers SET email_2 = email;'
    " DROP INDEX buyers_lower; ALTER TABLE buyers DROP email; ALTER TABLE buyers RENAME email_2 TO email;"
    " CREATE UNIQUE INDEX buyers_lower ON buyers (lower(email)) WHERE mood = 'good'",
    "UPDATE buyers SET age = age",
    "GRANT UPDATE ON buyers TO postgres; REVOKE EXECUTE ON FUNCTION twice FROM PUBLIC; GRANT EXECUTE ON FUNCTION twice TO PUBLIC",
    "SELECT nextval('tickets'), setval('buyers_id_seq', 900)",
    "INSERT INTO alembic_version VALUES ('a'); INSERT INTO own_versions VALUES ('b'); CREATE TABLE django_migrations (id serial)",
    "ALTER TABLE buyers ALTER name SET NOT NULL; ALTER TABLE buyers ALTER name DROP NOT NULL",
    "CREATE TEMPORARY TABLE passing (id serial)",
    "ALTER TABLE buyers DROP CONSTRAINT is_known; ALTER TABLE buyers ADD CONSTRAINT is_known CHECK "
    "(((kind)::text = ANY (ARRAY[('a'::character varying)::text, ('(b)'::character varying)::text])))",
]


@pytest.fixture(scope="module")
def torture(server: Server) -> Iterator[Database]:
    """A database with one of each kind."""
    made = server.create("states_of_each_kind")
    with session(made.private) as connection:
        connection.execute(SCHEMA)
    yield made
    with session(replace(made.private, database="postgres")) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(made.name)))
        admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(f"{made.name}_owner")))


@pytest.fixture(scope="module")
def before(torture: Database) -> State:
    return postgresql.read(torture)


@pytest.fixture(scope="module")
def extension(torture: Database) -> str:
    """One that can be made here."""
    with session(torture.private) as connection:
        query = "SELECT name FROM pg_available_extensions WHERE name IN ('citext', 'vector') ORDER BY 1"
        found = connection.execute(query).fetchone()
    assert found
    return str(found[0])


def label(of: ObjectReference) -> str:
    name = ".".join(part for part in ("" if of.schema == "public" else of.schema, of.relation, of.name) if part)
    return f"{of.kind.value} {name or of.schema}"


def after(database: Database, change: str, before: State) -> tuple[Difference, ...]:
    """What a change makes different, which is undone."""
    with looking(database) as connection, connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL search_path TO public")
        connection.execute(change)
        connection.execute("SET LOCAL search_path TO ''")
        return postgresql.differences(before, postgresql.state_of(connection))


@pytest.mark.parametrize(("change", "of", "kind", "words"), CHANGES, ids=range(len(CHANGES)))
def test_each_change_is_one_difference(
    change: str, of: str, kind: str, words: str, torture: Database, before: State, extension: str
) -> None:
    change, of = (one.replace("{database}", torture.name).replace("{extension}", extension) for one in (change, of))
    found = after(torture, change, before)
    assert [(label(one.of), one.kind.value) for one in found] == [(of, kind)]
    assert words in (found[0].words or str(found[0].rows))


@pytest.mark.parametrize("change", SAME, ids=range(len(SAME)))
def test_what_is_as_it_was_is_no_difference(change: str, torture: Database, before: State) -> None:
    assert after(torture, change, before) == ()


NEWEST = max(installations(), key=lambda found: found.version)


def dumped(database: Database) -> str:
    """What pg_dump writes of a database, as one message for the server."""
    address = database.private
    command = [
        str(NEWEST.binaries / "pg_dump"),
        "--inserts",
        "--host",
        address.host,
        "--port",
        str(address.port),
        "--username",
        address.user,
    ]
    done = subprocess.run([*command, database.name], capture_output=True, text=True, check=True, timeout=60)
    return "\n".join(line for line in done.stdout.split("\n") if not line.startswith("\\"))


def test_what_a_dump_restores_is_the_same_state(torture: Database, database: Database) -> None:
    with session(database.private) as connection:
        connection.execute(dumped(torture))
    restored = postgresql.read(database)
    assert postgresql.differences(postgresql.read(torture), restored) == ()
    assert len(restored.objects) > 60


def rows_after(database: Database, server: Server, change: str) -> list[tuple[str, str, int, str]]:
    before = postgresql.read(database)
    with postgresql.copied(database, server) as copy:
        with session(database.private) as connection:
            connection.execute(change)
        found = postgresql.differences(before, postgresql.read(database), live=(copy, database))
    return [(label(one.of), one.kind.value, one.rows, one.words) for one in found]


ROWS = """
CREATE TABLE keyed (a int, b text, c float8, d json, PRIMARY KEY (a, b)); CREATE TABLE plain (v int);
INSERT INTO keyed SELECT n, 'x' || n, n / 3.0, '{"n": 1}' FROM generate_series(1, 100) AS n;
INSERT INTO plain SELECT n % 3 FROM generate_series(1, 90) AS n;
"""


def test_rows_are_told_apart_one_by_one(database: Database, server: Server) -> None:
    with session(database.private) as connection:
        connection.execute(ROWS)
    change = """
    DELETE FROM keyed WHERE a <= 3; UPDATE keyed SET c = c + 1e-12 WHERE a = 10; UPDATE keyed SET d = '{}' WHERE a = 11;
    INSERT INTO keyed VALUES (500, 'y', 1, NULL); UPDATE keyed SET b = b WHERE a > 50;
    DELETE FROM plain WHERE v = 0; UPDATE plain SET v = 7 WHERE v = 1; INSERT INTO plain VALUES (2)
    """
    assert rows_after(database, server, change) == [
        ("table keyed", "rows missing", 3, ""),
        ("table keyed", "rows extra", 1, ""),
        ("table keyed", "rows changed", 2, "c, d"),
        ("table plain", "rows missing", 29, ""),
        ("table plain", "rows changed", 31, ""),
    ]
    change = "ALTER TABLE keyed DROP d, ALTER c TYPE numeric(6, 2); DROP TABLE plain"
    assert [(of, kind, rows) for of, kind, rows, _ in rows_after(database, server, change)] == [
        ("column keyed.c", "changed", 0),
        ("column keyed.d", "missing", 97),
        ("table plain", "missing", 61),
    ]


def test_of_a_large_table_only_the_parts_that_differ_come_here(
    database: Database, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.undoing.postgresql_rows._SMALL", 50)
    with session(database.private) as connection:
        connection.execute(ROWS)
    found = rows_after(database, server, "UPDATE keyed SET c = 0 WHERE a < 5; DELETE FROM keyed WHERE a = 6")
    assert found == [("table keyed", "rows missing", 1, ""), ("table keyed", "rows changed", 4, "c")]


def test_a_copy_is_made_while_programs_are_connected(database: Database, server: Server) -> None:
    with session(database.private) as connection:
        connection.execute("CREATE TABLE a (v int); INSERT INTO a VALUES (1)")
        with postgresql.copied(database, server) as copy:
            connection.execute("INSERT INTO a VALUES (2)")
            assert [one.rows for one in postgresql.read(copy).contents.values()] == [1]
            assert [one.rows for one in postgresql.read(database, numbers=True).contents.values()] == [2]
