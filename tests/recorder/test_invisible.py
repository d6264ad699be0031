from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from checks.interface import Engine
from checks.targets import Role
from recorder.project import Project, table
from runner.recorder.install import install, uninstall
from runner.servers.installations import installations
from runner.servers.interface import OURS, Address, Database, Server, Wanted
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision

NEWEST = max(installations(), key=lambda found: found.version)

SCHEMA = """
CREATE SCHEMA sales;
CREATE TYPE sales.mood AS ENUM ('good', 'bad');
CREATE TABLE buyers (id serial PRIMARY KEY, mood sales.mood NOT NULL DEFAULT 'good', name text UNIQUE CHECK (name <> ''));
CREATE TABLE sales.orders (id bigint GENERATED ALWAYS AS IDENTITY, at date, buyer int REFERENCES buyers ON DELETE CASCADE,
    PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE sales.orders_1 PARTITION OF sales.orders FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE INDEX ON sales.orders (buyer);
CREATE VIEW good AS SELECT id FROM buyers WHERE mood = 'good';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE UPDATE ON buyers FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE buyers ADD COLUMN size int DEFAULT 7, ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON buyers USING (size > 1);
ALTER TABLE buyers ALTER name TYPE varchar(20);
COMMENT ON TABLE buyers IS 'people';
GRANT SELECT ON buyers TO PUBLIC;
INSERT INTO buyers (name) VALUES ('a'), ('b');
DROP VIEW good;
"""


def dump(program: str, address: Address, *arguments: str) -> str:
    """What pg_dump writes, without what is another one each time: the key of the \\restrict lines, a column's version.

    PostgreSQL 15.20 keeps that one among the column's options, and a pg_dump that is older does not know to leave it out.
    """
    place = ["--host", address.host, "--port", str(address.port), "--username", address.user]
    command = [str(NEWEST.binaries / program), *arguments, *place]
    environment = {"PGPASSWORD": address.password}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=60)
    passing = re.compile(r"\\(?:un)?restrict |ALTER TABLE .* SET \(pg_attver=\d+\);$")
    return "\n".join(line for line in done.stdout.split("\n") if not passing.match(line))


@contextmanager
def bare(database: Database) -> Iterator[Database]:
    """A database of the same owner that the recorder was never in."""
    name = f"{database.name}_bare"
    with session(replace(database.private, database="postgres")) as admin:
        owner = sql.Identifier(f"{database.name}_owner")
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(sql.Identifier(name), owner))
        addresses = {role: replace(address, database=name) for role, address in database.addresses.items()}
        try:
            yield Database(name, addresses, replace(database.private, database=name))
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.mark.parametrize(("migrating", "dumping"), [(Role.ADMIN, Role.ADMIN), (Role.OWNER, Role.ADMIN), (Role.OWNER, Role.OWNER)])
def test_a_dump_is_the_same_with_and_without(project: Project, migrating: Role, dumping: Role) -> None:
    assert_dumps_are_equal(project.database, migrating, dumping)
    assert any(statement.made for statement in project.statements()), "the recorder was not there at all"


def assert_dumps_are_equal(database: Database, migrating: Role, dumping: Role) -> None:
    with bare(database) as without:
        texts = []
        for each in (database, without):
            with psycopg.connect(**each.addresses[migrating].keywords(), autocommit=True) as connection:
                connection.execute(SCHEMA)
            address = each.addresses[dumping]
            texts.append(dump("pg_dump", address, "--dbname", address.database))
    assert "CREATE TABLE public.buyers" in texts[0]
    assert texts[0] == texts[1]


@pytest.mark.docker
def test_a_dump_is_the_same_on_a_server_in_docker(docker_image: str) -> None:
    with provision(Wanted(Engine.POSTGRESQL, image=docker_image)) as running:
        assert_dumps_are_equal(running.create("dumped"), Role.OWNER, Role.ADMIN)


def test_a_dump_of_the_whole_server_is_the_same_with_and_without(server: Server) -> None:
    with server.fork() as fork:
        database = fork.create("dumped")
        with session(database.private) as ours:
            ours.execute(SCHEMA)
        private = replace(database.private, password="")
        whole = dump("pg_dumpall", private)
        for name in ("template1", "postgres", "dumped"):
            with session(replace(database.private, database=name)) as ours:
                uninstall(ours)
        assert "CREATE TABLE public.buyers" in whole
        assert whole == dump("pg_dumpall", private)


def test_installing_again_and_taking_out(database: Database) -> None:
    query = "SELECT (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_event_trigger), (SELECT count(*) FROM pg_depend)"
    with bare(database) as without, session(without.private) as ours:
        never = ours.execute(query).fetchone()
        install(ours)
        once = ours.execute(query).fetchone()
        install(ours)
        assert ours.execute(query).fetchone() == once != never
        uninstall(ours)
        assert ours.execute(query).fetchone() == never


def test_a_recorder_that_breaks_does_not_break_a_statement(project: Project) -> None:
    with session(project.database.private) as ours:
        for name in ("tell_made()", "tell_dropped()", "rewritten()"):
            body = ours.execute(f"SELECT pg_get_functiondef('pg_catalog.dbproof_{name}'::regprocedure)").fetchone()
            assert body is not None
            ours.execute(body[0].replace("BEGIN", "BEGIN PERFORM 1/0;", 1))
    connection = project.connect()
    connection.execute("CREATE VIEW v AS SELECT 1 AS x")
    connection.execute("DROP VIEW v")
    assert [statement.made + statement.dropped for statement in project.statements()] == [(), ()]
    records = [record for record in project.server.log(project.mark) if record.application != OURS]
    messages = [record.message for record in records if record.message.startswith("dbproof:{")]
    assert len(messages) == 2
    assert all('"failed"' in message and "22012" in message for message in messages)


@pytest.mark.parametrize("setting", ["client_min_messages = log", "client_min_messages = debug1", "log_min_messages = panic"])
def test_the_client_hears_nothing_and_the_log_everything(project: Project, setting: str) -> None:
    connection = project.connect()
    heard: list[str] = []
    connection.add_notice_handler(lambda said: heard.append(said.message_primary or ""))
    project.send(connection, f"SET {setting}")
    project.send(connection, "CREATE TABLE a (x int)")
    project.send(connection, "DROP TABLE a")
    messages = [record.message for record in project.server.log(project.mark) if record.message.startswith("dbproof:{")]
    assert len(messages) == 2
    assert not [message for message in heard if "dbproof" in message]


def test_settings_of_the_user_do_not_reach_the_recorder(project: Project) -> None:
    connection = project.run(
        "CREATE FUNCTION public.age(xid) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION public.json_agg(json) RETURNS json LANGUAGE sql AS 'SELECT NULL::json'",
        "SET search_path = public, pg_catalog",
        "CREATE TABLE a (x int)",
    )
    assert connection.execute("SHOW search_path").fetchone() == ("public, pg_catalog",)
    assert project.lines()[table("a")] == 4


def test_no_text_of_a_statement_stands_twice_in_the_log(project: Project) -> None:
    project.run("DO $$ BEGIN CREATE TABLE a (x int); END $$")
    sent = [record for record in project.server.log(project.mark) if record.sent]
    assert sent == []
