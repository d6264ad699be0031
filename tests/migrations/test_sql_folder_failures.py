"""What stops a folder of SQL files on a real server, in each transaction mode, and where that is said to be."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg
import pytest
from sql_folders import MODES, Connect, Mode, apply, broken, project, tables, write

from checks.evidence import Place
from checks.targets import Role
from runner.errors import ServerFailed, ToolFailed
from runner.migrations import sql_folder
from runner.migrations.interface import Broke, Ended
from runner.migrations.simple_query import APPLICATION
from runner.servers.interface import Address, Database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "db").mkdir()
    return tmp_path / "db"


@pytest.mark.parametrize(
    ("mode", "left"),
    [("statement", {"a", "b"}), ("file", {"a"}), ("whole", {"a"})],
)
def test_a_failure_names_file_line_and_statement(
    mode: Mode, left: set[str], folder: Path, database: Database, connect: Connect
) -> None:
    write(folder, _1_a="create table a (id int primary key);\n", _3_never="create table d ()")
    write(folder, _2_b="-- b\ncreate table b ();\n\n/* two */\ninsert into a\n  values (1), (1);\ncreate table c ();")
    said = broken(apply(project(folder, mode), database))
    assert (said.revision, said.place, said.code) == ("2_b", Place("db/2_b.sql", 5), "23505")
    assert said.statement == "insert into a\n  values (1), (1)"
    assert said.said == 'duplicate key value violates unique constraint "a_pkey"'
    assert said.detail == "Key (id)=(1) already exists."
    assert tables(connect, database) == left


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rest", ["", ";\nselect 2"])
def test_a_syntax_error_is_placed_at_its_line(mode: Mode, rest: str, folder: Path, database: Database) -> None:
    write(folder, _1="-- é\n" + ("select 'é';\n" if rest else "") + "create table a (\n  id int,\n  from int\n)" + rest)
    said = broken(apply(project(folder, mode), database))
    assert (said.place, said.code) == (Place("db/1.sql", 5 if rest else 4), "42601")
    assert said.statement.startswith("create table a")


@pytest.mark.parametrize("mode", MODES)
def test_a_quote_that_never_ends_is_placed_where_it_opens(mode: Mode, folder: Path, database: Database) -> None:
    write(folder, _1="select 1;\nselect 2,\n  'three;\n")
    said = broken(apply(project(folder, mode), database))
    assert (said.place, said.code) == (Place("db/1.sql", 3), "42601")
    assert said.said.startswith("unterminated quoted string")


@pytest.mark.parametrize(("mode", "code"), [("statement", None), ("file", "25001"), ("whole", "25001")])
def test_concurrently_works_where_it_works_for_the_tool(mode: Mode, code: str | None, folder: Path, database: Database) -> None:
    write(
        folder, _1="create table a (id int); create table b ();", _2="create table c ();\ncreate index concurrently i on a (id)"
    )
    events = apply(project(folder, mode), database)
    assert (events[-1].code if isinstance(events[-1], Broke) else None) == code
    if code:
        assert broken(events).place == Place("db/2.sql", 2)


def test_concurrently_alone_in_a_whole_file_works(folder: Path, database: Database) -> None:
    write(folder, _1="create table a (id int)", _2="-- alone\ncreate index concurrently i on a (id);\n-- done")
    assert isinstance(apply(project(folder, "whole"), database)[-1], Ended)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("begin; set transaction isolation level serializable; create table a (); commit; vacuum;", "25001"),
        ("set transaction isolation level serializable; create table a ()", None),
        ("begin; create table a (); commit; create table b (); rollback; create table c ()", None),
        ("create type t as enum ('a'); alter type t add value 'b'; create table a (x t default 'b')", None),
        ("create table a (x int); alter type nothing add value 'b'", "42704"),
        ("create table a (x int unique deferrable initially deferred); insert into a values (1), (1); select 1", "23505"),
        ("begin; create table a (); rollback; insert into a default values", "42P01"),
        ("set role none; reset all; set search_path = ''; create table public.a (); select 1 from a", "42P01"),
        ("create table a (x int); copy a from stdin; select 1", "57014"),
        ("create table a (x int); copy a to stdout; select 1/0", "22012"),
        ("savepoint x; select 1", "25P01"),
        ("select 1; prepare transaction 'x'", "55000"),
    ],
)
def test_stamps_change_nothing_of_what_a_message_comes_to(sql: str, code: str | None, folder: Path, database: Database) -> None:
    """The same text as one bare message is the measure."""
    write(folder, _1=sql)
    bare = bare_code(database, sql)
    events = apply(project(folder, "whole"), database)
    assert bare == code
    assert (events[-1].code if isinstance(events[-1], Broke) else None) == bare


def bare_code(database: Database, sql: str) -> str | None:
    """What libpq gets for the text alone; all that it made is taken away again."""
    from runner.migrations.simple_query import session

    with session(database.addresses[Role.OWNER], time.monotonic() + 60) as opened:
        refusal = opened.send(sql).refusal
    with psycopg.connect(**database.addresses[Role.OWNER].keywords(), autocommit=True) as connection:
        connection.execute("drop table if exists a, b, c cascade; drop type if exists t")
    return refusal.code if refusal else None


@pytest.mark.parametrize("mode", ["statement", "file"])
@pytest.mark.parametrize("command", [r"\copy a from 'x.csv'", r"\i other.sql", r"\connect other", r"select 1 \gexec"])
def test_what_only_psql_can_do_is_said_before_anything_is_done(
    command: str, mode: Mode, folder: Path, database: Database, connect: Connect
) -> None:
    write(folder, _1="create table a ();", _2=f"-- one\n{command}\n")
    with pytest.raises(ToolFailed, match=r"db/2\.sql:2: '\\.*' needs psql: cannot run here"):
        apply(project(folder, mode), database)
    assert tables(connect, database) == set()


def test_byte_order_marks_and_bytes_of_other_encodings(folder: Path, database: Database) -> None:
    (folder / "1.sql").write_bytes(b"\xef\xbb\xbfcreate table a ();\r\ncreate table b ();\r\n")
    assert isinstance(apply(project(folder), database)[-1], Ended)
    assert broken(apply(project(folder, "whole"), database)).place == Place("db/1.sql", 1)
    (folder / "1.sql").write_bytes(b"select 1;\nselect 'caf\xe9'")
    assert (broken(apply(project(folder), database)).code, broken(apply(project(folder), database)).place) == (
        "22021",
        Place("db/1.sql", 2),
    )
    (folder / "1.sql").write_bytes(b"select 1;\nselect '\0'")
    with pytest.raises(ToolFailed, match=r"db/1\.sql:2: there is a NUL byte"):
        apply(project(folder), database)
    (folder / "1.sql").write_bytes("select 1".encode("utf-16"))
    with pytest.raises(ToolFailed, match="UTF-16"):
        apply(project(folder), database)


@pytest.mark.parametrize("mode", MODES)
def test_the_deadline_ends_the_statement_on_the_server_too(
    mode: Mode, folder: Path, database: Database, connect: Connect
) -> None:
    write(folder, _1="select 1;\nselect pg_sleep(600);\nselect 3")
    said = broken(apply(project(folder, mode, timeout="1s"), database))
    assert (said.timed_out, said.place) == (True, Place("db/1.sql", None if mode == "whole" else 2))
    watching = connect(database.private)
    until = time.monotonic() + 20
    query = "select count(*) from pg_stat_activity where application_name = %s and datname = current_database()"
    while watching.execute(query, [APPLICATION]).fetchone() != (0,):
        assert time.monotonic() < until, "the session is still there"


def test_an_abandoned_run_is_cancelled(database: Database, connect: Connect) -> None:
    """Whatever leaves the session (SIGINT, an error of ours) ends the statement that is under way."""
    from runner.migrations.simple_query import session

    watching = connect(database.private)
    with session(database.addresses[Role.OWNER], time.monotonic() + 60) as opened:
        opened.connection.pgconn.send_query(b"select pg_sleep(600)")
        opened.connection.pgconn.flush()
        query = "select count(*) from pg_stat_activity where query like 'select pg_sleep%%' and state = 'active' and pid <> %s"
        pid = watching.info.backend_pid
        until = time.monotonic() + 20
        while watching.execute(query, [pid]).fetchone() != (1,):
            assert time.monotonic() < until, "the statement did not begin"
    until = time.monotonic() + 20
    while watching.execute(query, [pid]).fetchone() != (0,):
        assert time.monotonic() < until, "the statement is still running"


def test_a_lost_connection_is_the_end_of_the_migration(folder: Path, database: Database) -> None:
    write(folder, _1="select 1;\nselect pg_terminate_backend(pg_backend_pid());\nselect 3")
    said = broken(apply(project(folder), database))
    assert (said.place, said.code) == (Place("db/1.sql", 2), "57P01")


def test_a_server_that_is_not_there_is_an_error(folder: Path) -> None:
    write(folder, _1="select 1")
    nowhere = Address(str(folder), 1, "nobody", "s3cret", "nothing")
    with pytest.raises(ServerFailed, match="no connection to database 'nothing'") as failed:
        list(sql_folder.apply(project(folder), nowhere))
    assert "s3cret" not in str(failed.value)
