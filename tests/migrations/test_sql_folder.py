"""A folder of SQL files, applied to a real server in each transaction mode, and what the recorder saw of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sql_folders import MODES, Connect, Mode, apply, broken, project, tables, write

from checks.evidence import Place
from checks.targets import Role
from runner.errors import UsageError
from runner.migrations import sql_folder
from runner.migrations.interface import Began, Ended, Project, Said
from runner.migrations.simple_query import APPLICATION
from runner.recorder.reading import read
from runner.servers.interface import Database, Server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "db").mkdir()
    return tmp_path / "db"


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


def test_psql_settings_that_reach_no_server_are_passed_over(folder: Path, database: Database) -> None:
    write(folder, _1="\\restrict abc\n\\set ON_ERROR_STOP on\n\\echo hi; there\ncreate table a ();\n\\unrestrict abc\n")
    assert isinstance(apply(project(folder), database)[-1], Ended)


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
