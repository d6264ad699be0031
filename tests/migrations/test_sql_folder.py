"""A folder of SQL files, applied to a real server in each transaction mode, and what the recorder saw of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest

from checks.evidence import Place
from checks.targets import Role
from runner.errors import ServerFailed, ToolFailed, UsageError
from runner.migrations import sql_folder
from runner.migrations.interface import Began, Broke, Ended, Event, Project, Said
from runner.migrations.simple_query import APPLICATION
from runner.recorder.reading import read
from runner.servers.interface import Address, Database, Server
from runner.settings.model import MigrationSettings

Connect = Callable[[Address], psycopg.Connection[Any]]
Mode = Literal["statement", "file", "whole"]
MODES: tuple[Mode, ...] = ("statement", "file", "whole")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "db").mkdir()
    return tmp_path / "db"


def project(folder: Path, mode: Mode | None = None, **settings: Any) -> Project:
    root = folder.parent
    return Project(root, folder, MigrationSettings(tool="sql", directory="db", transaction=mode, **settings), root)


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name.removeprefix('_')}.sql").write_bytes(text.encode())


def apply(given: Project, database: Database) -> list[Event]:
    return list(sql_folder.apply(given, database.addresses[Role.OWNER]))


def broken(events: list[Event]) -> Broke:
    assert isinstance(events[-1], Broke), events
    return events[-1]


def tables(connect: Connect, database: Database) -> set[str]:
    rows = connect(database.private).execute(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    )
    return {name for (name,) in rows}


@pytest.mark.parametrize("mode", MODES)
def test_files_are_applied_in_the_order_of_their_numbers(mode: Mode, folder: Path, database: Database, connect: Connect) -> None:
    write(
        folder, _1_one="create table a (id int);", _10_ten="drop table b;", _9_nine="alter table a rename to b; create table c ()"
    )
    write(folder, **{"1_one.down": "drop table a", "U1__one": "drop table a"})
    events = apply(project(folder, mode), database)
    assert [(type(event), getattr(event, "revision", "")) for event in events] == [
        (kind, name) for name in ("1_one", "9_nine", "10_ten") for kind in (Began, Ended)
    ]
    assert tables(connect, database) == {"c"}


@pytest.mark.parametrize(
    "names",
    [
        ["V1__a.sql", "V1.2__b.sql", "V1_10__c.sql", "x/V2__d.sql", "V10__e.sql", "R__z.sql"],
        ["2024/1_a.sql", "2024/2_b.sql", "2024/10_c.sql", "2025/1_d.sql"],
        ["001_a.sql", "2_b.sql", "0010_c.sql", "init.sql"],
    ],
)
def test_versions_are_ordered_as_numbers(names: list[str]) -> None:
    assert sorted(names, key=sql_folder.order) == names


def test_revisions_say_where_they_stand(folder: Path) -> None:
    write(folder, **{"001_create_users": "select 1", "V2__add_orders": "", "3_x.up": "", "3_x.down": "", "down": ""})
    found = sql_folder.revisions(project(folder))
    assert [(one.id, one.title) for one in found] == [
        ("001_create_users", "create users"),
        ("V2__add_orders", "add orders"),
        ("3_x", "x"),
    ]
    assert found[0].place == Place("db/001_create_users.sql", 1)
    assert found[0].digest == "822ae07d4783158bc1912bb623e5107cc9002d519e1143a9c200ed6ee18b6d0f"


def test_what_the_database_holds_is_not_applied_again(folder: Path, database: Database, connect: Connect) -> None:
    write(folder, _1_a="create table a ()", _2_b="create table b ()")
    given = project(folder)
    events = apply(Project(given.root, folder, given.settings, given.root, applied=frozenset({"1_a"})), database)
    assert [type(event) for event in events] == [Began, Ended]
    assert tables(connect, database) == {"b"}


def test_other_files_can_be_named(folder: Path) -> None:
    (folder / "sub").mkdir()
    write(folder / "sub", _1_a="", _2_b="")
    write(folder, _0_z="")
    assert [one.id for one in sql_folder.revisions(project(folder, files="**/*.sql"))] == ["0_z", "sub/1_a", "sub/2_b"]
    with pytest.raises(UsageError, match="leaves the folder"):
        sql_folder.revisions(project(folder, files="../*.sql"))


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


def test_rows_after_copy_arrive(folder: Path, database: Database, connect: Connect) -> None:
    rows = "".join(f"{number}\tit's;\n" for number in range(50_000))
    write(
        folder,
        _1=f"create table a (id int, x text);\ncopy a from stdin;\n{rows}\\.\ncreate table b ();\ncopy a from stdin;\n\\.\n",
    )
    assert isinstance(apply(project(folder), database)[-1], Ended)
    assert connect(database.private).execute("select count(*) from a").fetchone() == (50_000,)
    write(folder, _2="create table c ();\ncopy a from stdin;\n1\tx\nb\ty\n\\.\n")
    said = broken(apply(project(folder, files="2.sql"), database))
    assert (said.place, said.code) == (Place("db/2.sql", 2), "22P02")


def test_large_answers_and_large_files_do_not_block(folder: Path, database: Database) -> None:
    select = "select repeat('x', 100000) from generate_series(1, 20);\n"
    write(folder, _1=select * 5, _2=(f"select '{'y' * 1000}';\n") * 5000)
    assert isinstance(apply(project(folder, "whole"), database)[-1], Ended)


@pytest.mark.parametrize("mode", ["statement", "file"])
@pytest.mark.parametrize("command", [r"\copy a from 'x.csv'", r"\i other.sql", r"\connect other", r"select 1 \gexec"])
def test_what_only_psql_can_do_is_said_before_anything_is_done(
    command: str, mode: Mode, folder: Path, database: Database, connect: Connect
) -> None:
    write(folder, _1="create table a ();", _2=f"-- one\n{command}\n")
    with pytest.raises(ToolFailed, match=r"db/2\.sql:2: '\\.*' needs psql: cannot run here"):
        apply(project(folder, mode), database)
    assert tables(connect, database) == set()


def test_psql_settings_that_reach_no_server_are_passed_over(folder: Path, database: Database) -> None:
    write(folder, _1="\\restrict abc\n\\set ON_ERROR_STOP on\n\\echo hi; there\ncreate table a ();\n\\unrestrict abc\n")
    assert isinstance(apply(project(folder), database)[-1], Ended)


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


def test_each_file_has_its_own_session(folder: Path, database: Database) -> None:
    write(folder, _1="select set_config('search_path', '', false); begin; create table public.a ();", _2="create table b ()")
    events = apply(project(folder), database)
    assert isinstance(events[-1], Ended)


def test_notices_are_passed_on(folder: Path, database: Database) -> None:
    write(folder, _1="drop table if exists nothing")
    said = [event.text for event in apply(project(folder), database) if isinstance(event, Said)]
    assert said == ['db/1.sql: NOTICE: table "nothing" does not exist, skipping']


@pytest.mark.parametrize("mode", MODES)
def test_the_recorder_sees_each_object_at_its_line(mode: Mode, folder: Path, server: Server, database: Database) -> None:
    mark = server.mark()
    write(
        folder,
        **{"1 é:=*": "create table a (\n id int);\n\ncreate index i\n on a (id);\ndo $$ begin\n create table b (); end $$;"},
    )
    write(folder, _2="\n\nalter table a add column x int;")
    assert isinstance(apply(project(folder, mode), database)[-1], Ended)
    places = {}
    for statement in read(server.log(mark), database.name).statements:
        places.update({(made.relation, made.name): statement.place for made in statement.made})
    first = "db/1 é:=*.sql"
    assert places[("a", "")] == Place(first, 1)
    assert places[("a", "i")] == Place(first, 4)
    assert places[("b", "")] == Place(first, 6)
    assert places[("a", "x")] == Place("db/2.sql", 3)


def test_current_comes_to_our_server(folder: Path, server: Server, database: Database) -> None:
    mark = server.mark()
    events = sql_folder.current(project(folder), database.addresses[Role.OWNER])
    assert events is not None
    assert list(events) == []
    assert any(record.application == APPLICATION for record in server.log(mark) if record.database == database.name)


def test_a_server_that_is_not_there_is_an_error(folder: Path) -> None:
    write(folder, _1="select 1")
    nowhere = Address(str(folder), 1, "nobody", "s3cret", "nothing")
    with pytest.raises(ServerFailed, match="no connection to database 'nothing'") as failed:
        list(sql_folder.apply(project(folder), nowhere))
    assert "s3cret" not in str(failed.value)


@pytest.mark.parametrize("at", ["migrations", "db/migrations"])
@pytest.mark.parametrize(
    "names", [["001_a.sql", "002_b.sql", "README.md"], ["V1__a.sql", "V1.1__b.sql"], ["20240101120000_a.sql"]]
)
def test_a_numbered_folder_is_unmistakable(at: str, names: list[str], tmp_path: Path) -> None:
    (tmp_path / at).mkdir(parents=True)
    for name in names:
        (tmp_path / at / name).write_text("select 1;")
    found = sql_folder.detect(tmp_path)
    assert found is not None
    assert (found.sure, found.settings.directory, found.because) == (True, at, Place(f"{at}/{names[0]}"))


@pytest.mark.parametrize(
    "files",
    [
        {"001_a.sql": "-- +goose Up\nselect 1"},
        {"001_a.sql": "-- migrate:up\nselect 1"},
        {"0001_a.sql": "select 1;--> statement-breakpoint\nselect 2", "meta/_journal.json": "{}"},
        {"001_a.sql": "select 1", "env.py": ""},
        {"001_a.up.sql": "select 1", "001_a.down.sql": "select 1"},
        {"001_a.sql": "select 1", "schema.sql": "select 1"},
        {"atlas.sum": "", "001_a.sql": "select 1"},
        {"README.md": ""},
        {},
    ],
)
def test_nothing_is_applied_on_a_guess(files: dict[str, str], tmp_path: Path) -> None:
    for name, text in files.items():
        path = tmp_path / "migrations" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert sql_folder.detect(tmp_path) is None


def test_two_such_folders_are_a_question(tmp_path: Path) -> None:
    for at in ("migrations", "db/migrations"):
        (tmp_path / at).mkdir(parents=True)
        (tmp_path / at / "001_a.sql").write_text("select 1")
    assert sql_folder.detect(tmp_path) is None
