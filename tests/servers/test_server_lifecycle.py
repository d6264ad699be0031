"""One story for every server there is: local in each version installed here, and Docker."""

from __future__ import annotations

import secrets
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from checks.interface import Engine
from checks.targets import Role
from runner.errors import ServerFailed
from runner.servers.containers import engine
from runner.servers.installations import installations
from runner.servers.interface import OURS, Address, Database, Server, Wanted
from runner.servers.postgresql.docker import docker_server
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision

Connect = Callable[[Address], psycopg.Connection[Any]]

VERSIONS = sorted({str(each.major) for each in installations()})
SERVERS = [*VERSIONS, pytest.param("docker", marks=pytest.mark.docker)]

#: What a database is, apart from its content: compared between a golden and its clone.
ABOUT = """
SELECT pg_get_userbyid(datdba), datacl::text, datconnlimit, pg_encoding_to_char(encoding), datcollate, datctype,
       (SELECT array_agg((setrole, setconfig)::text ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid),
       (SELECT array_agg((refobjid, deptype)::text ORDER BY refobjid, deptype) FROM pg_shdepend s
        WHERE s.dbid = 0 AND s.classid = 'pg_database'::regclass AND s.objid = d.oid)
FROM pg_database d WHERE datname = %s
"""


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if request.param == "docker":
        image = request.getfixturevalue("docker_image")
        with docker_server(engine(), image) as running:
            yield running
    else:
        with provision(Wanted(Engine.POSTGRESQL, version=request.param)) as running:
            assert running.version.startswith(f"{request.param}.")
            yield running


@contextmanager
def admin(server: Server) -> Iterator[psycopg.Connection[Any]]:
    with session(server.database("postgres").private) as connection:
        yield connection


def named() -> str:
    return f"life_{secrets.token_hex(4)}"


def refused(address: Address) -> str:
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect(**address.keywords())
    return str(caught.value)


def test_the_owner_owns_the_database_and_is_no_superuser(database: Database, connect: Connect) -> None:
    owner = connect(database.addresses[Role.OWNER])
    user, name, encoding, superuser = owner.execute(
        "SELECT current_user, current_database(), current_setting('server_encoding'), current_setting('is_superuser')"
    ).fetchone() or ("", "", "", "")
    assert (user, name, encoding, superuser) == (f"{database.name}_owner", database.name, "UTF8", "off")
    owner.execute("CREATE SCHEMA own; CREATE TABLE own.made (id int); CREATE TABLE made (id int)")
    assert connect(database.addresses[Role.ADMIN]).execute("SELECT current_setting('is_superuser')").fetchone() == ("on",)


def test_a_database_has_the_recorder_and_our_sessions_are_named(database: Database, connect: Connect) -> None:
    ours = connect(database.private)
    triggers = ours.execute("SELECT count(*) FROM pg_event_trigger WHERE evtname LIKE 'dbproof%'").fetchone()
    assert triggers is not None
    assert triggers[0] > 0
    assert ours.execute("SELECT current_setting('application_name')").fetchone() == (OURS,)


def test_a_wrong_password_is_refused(database: Database) -> None:
    said = refused(replace(database.addresses[Role.OWNER], password="not-it"))
    assert "password authentication failed" in said


def test_a_name_is_honoured_whatever_it_is_and_made_once(server: Server, connect: Connect) -> None:
    for name in (f'Say "hi" {named()}', f"ünïcødé-{'x' * 30}-{named()}", named()):
        made = server.create(name)
        assert connect(made.addresses[Role.OWNER]).execute("SELECT current_database()").fetchone() == (name,)
        assert server.database(name).addresses == made.addresses
        with pytest.raises(ServerFailed, match="exists already"):
            server.create(name)
    with pytest.raises(ServerFailed, match="63 bytes"):
        server.create("ü" * 32)


def test_a_database_that_is_not_there_is_an_error(server: Server) -> None:
    with pytest.raises(ServerFailed, match="no database nowhere"):
        server.database("nowhere")


def test_a_seal_ends_sessions_and_refuses_new_ones_until_it_is_taken_off(server: Server, connect: Connect) -> None:
    database = server.create(named())
    guest = connect(database.addresses[Role.OWNER])
    guest.execute("CREATE TABLE t AS SELECT generate_series(1, 5000) AS id")
    golden = server.seal(database)
    with pytest.raises(psycopg.OperationalError):
        guest.execute("SELECT 1")
    assert "not currently accepting connections" in refused(database.addresses[Role.OWNER])
    assert "not currently accepting connections" in refused(database.private)
    opened = server.open(golden)
    assert opened == database
    assert connect(opened.private).execute("SELECT reltuples FROM pg_class WHERE relname = 't'").fetchone() == (5000,)


def test_a_clone_keeps_owner_privileges_and_settings(server: Server, connect: Connect) -> None:
    database = server.create(named())
    role = f"{database.name}_app"
    with admin(server) as connection:
        _decorate(connection, database.name, role)
        connect(database.private).execute("CREATE TABLE t AS SELECT 1 AS id")
        golden = server.seal(database)
        with server.clone(golden) as clone:
            about = [connection.execute(ABOUT, [name]).fetchone() for name in (database.name, clone.name)]
            assert about[0] == about[1]
            mine = connect(clone.addresses[Role.OWNER])
            assert mine.execute("SHOW search_path").fetchone() == ('"a b", "$user", public',)
            assert mine.execute("SELECT count(*) FROM pg_event_trigger").fetchone() != (0,)
            with pytest.raises(psycopg.errors.DependentObjectsStillExist, match=clone.name):
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def _decorate(connection: psycopg.Connection[Any], name: str, role: str) -> None:
    parts = {"name": sql.Identifier(name), "role": sql.Identifier(role), "owner": sql.Identifier(f"{name}_owner")}
    for statement in (
        sql.SQL("CREATE ROLE {role}"),
        sql.SQL("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"),
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {role} WITH GRANT OPTION"),
        sql.SQL("ALTER DATABASE {name} CONNECTION LIMIT 7"),
        sql.SQL("ALTER DATABASE {name} SET search_path = 'a b', '$user', public"),
        sql.SQL("ALTER DATABASE {name} SET statement_timeout = '9s'"),
        sql.SQL("ALTER ROLE {role} IN DATABASE {name} SET work_mem = '9MB'"),
    ):
        connection.execute(statement.format(**parts))


def test_clones_are_apart_and_go_though_somebody_is_connected(server: Server, connect: Connect) -> None:
    database = server.create(named())
    connect(database.private).execute("CREATE TABLE t (id int)")
    golden = server.seal(database)
    with server.clone(golden) as one, server.clone(golden) as two:
        connect(one.private).execute("INSERT INTO t VALUES (1)")
        assert connect(two.private).execute("SELECT count(*) FROM t").fetchone() == (0,)
    with admin(server) as connection:
        left = connection.execute("SELECT count(*) FROM pg_database WHERE datname IN (%s, %s)", [one.name, two.name]).fetchone()
    assert left == (0,)


def test_a_fork_has_everything_and_is_apart(server: Server, connect: Connect) -> None:
    database = server.create(named())
    role = f"{database.name}_role"
    with admin(server) as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        connect(database.addresses[Role.OWNER]).execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS id")
        golden = server.seal(database)
        with server.fork() as fork:
            assert fork.version == server.version
            there = fork.open(golden)
            owner = connect(there.addresses[Role.OWNER])
            owner.execute("INSERT INTO t VALUES (0)")
            assert owner.execute("SELECT count(*) FROM t").fetchone() == (1001,)
            with admin(fork) as other, pytest.raises(psycopg.errors.DuplicateObject):
                other.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
            with admin(fork) as other:
                other.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
            assert any(record.database == database.name and "INSERT" in record.message for record in fork.log())
        assert connection.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [role]).fetchone() == (1,)
        with server.clone(golden) as clone:
            assert connect(clone.private).execute("SELECT count(*) FROM t").fetchone() == (1000,)


def test_a_fork_under_writes_holds_every_committed_row(server: Server, database: Database, connect: Connect) -> None:
    connect(database.private).execute("CREATE TABLE t (id int PRIMARY KEY)")
    first, done = threading.Event(), threading.Event()

    def write() -> None:
        with session(database.private) as connection:
            number = 0
            while not done.is_set():
                number += 1
                connection.execute("INSERT INTO t VALUES (%s)", [number])
                first.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert first.wait(30)
        before = connect(database.private).execute("SELECT max(id) FROM t").fetchone()
        with server.fork() as fork:
            there = connect(fork.database(database.name).private)
            count, highest = there.execute("SELECT count(*), max(id) FROM t").fetchone() or (0, 0)
            assert before is not None
            assert count == highest >= before[0]
            there.execute("SET enable_seqscan = off")
            assert there.execute("SELECT count(*) FROM t WHERE id > 0").fetchone() == (count,)
    finally:
        done.set()
        writer.join(30)


def test_the_log_is_complete_from_a_mark_on(server: Server, database: Database, connect: Connect) -> None:
    owner = connect(database.addresses[Role.OWNER])
    owner.execute("SELECT 'before the mark'")
    mark = server.mark()
    others = [connect(database.addresses[Role.OWNER]) for _ in range(3)]
    for number in range(90):
        others[number % 3].execute(f"SELECT {number}\n  -- \"quoted\", 'too'\n")
    with pytest.raises(psycopg.errors.UndefinedTable):
        owner.execute("SELECT * FROM missing -- here")
    found = [record for record in server.log(mark) if record.database == database.name and record.application != OURS]
    said = [record.message.partition("statement: ")[2] for record in found if record.message.startswith("duration: ")]
    assert sorted(said) == sorted(f"SELECT {number}\n  -- \"quoted\", 'too'\n" for number in range(90))
    (error,) = [record for record in found if record.severity == "ERROR"]
    assert (error.code, error.sent, error.user) == ("42P01", "SELECT * FROM missing -- here", f"{database.name}_owner")
    assert len({record.session for record in found if record.message.startswith("duration: ")}) == 3


def test_our_own_statements_are_not_logged(server: Server, database: Database, connect: Connect) -> None:
    mark = server.mark()
    connect(database.private).execute("SELECT 'ours'")
    assert not [record for record in server.log(mark) if "ours" in record.message and "SELECT" in record.message]


def test_the_log_reads_on_over_bytes_that_are_not_utf8(server: Server, connect: Connect) -> None:
    name = named()
    with admin(server) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0").format(sql.Identifier(name))
        )
    mark = server.mark()
    there = connect(replace(server.database(name).addresses[Role.ADMIN], extra={"client_encoding": "SQL_ASCII"}))
    there.execute(b"SELECT 'bad \xff\xfe bytes'")
    there.execute("SELECT 'after'")
    said = [record.message for record in server.log(mark) if record.database == name and "statement: " in record.message]
    assert [text.partition("statement: ")[2] for text in said] == ["SELECT 'bad �� bytes'", "SELECT 'after'"]


def test_reading_a_long_log_takes_little_memory(server: Server, database: Database, connect: Connect) -> None:
    mark = server.mark()
    owner = connect(database.addresses[Role.OWNER])
    for _ in range(40):
        owner.execute(f"SELECT 1 /* {'x' * 1_000_000} */")
    tracemalloc.start()
    try:
        read = sum(len(record.message) for record in server.log(mark))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read > 40_000_000
    assert peak < 20_000_000


def test_two_servers_at_once_do_not_meet(server: Server, connect: Connect) -> None:
    with provision(Wanted(Engine.POSTGRESQL)) as other:
        mine, theirs = server.create(name := named()), other.create(name)
        connect(mine.private).execute("CREATE TABLE only_here (id int)")
        assert connect(theirs.private).execute("SELECT to_regclass('only_here')").fetchone() == (None,)
        address = theirs.addresses[Role.OWNER]
    with socket.socket() as probe:
        assert probe.connect_ex((address.host, address.port)) != 0
