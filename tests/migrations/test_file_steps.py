"""SQL folders and Sqitch's changes one file there and one back, on each engine, and what offers no way back."""

from __future__ import annotations

from pathlib import Path

from mariadb_judging import made
from sql_tools import project, rows, there_and_back, write

from checks.evidence import Place
from checks.targets import Role
from runner.migrations import sqitch, sql_folder
from runner.migrations.interface import Broke, Came, Direction, Paused, Project, Ran, Step
from runner.servers.interface import Database
from runner.servers.mariadb.server import MariadbServer
from runner.servers.sqlite.server import sqlite_server

FOLDER = {
    "1_a.up.sql": "create table a (id int);",
    "1_a.down.sql": "drop table a;",
    "2_b.up.sql": "create table b (id int);\n-- undone by nothing\n",
}
BY = "2026-01-01T00:00:00Z a <a@example.org>"
SQITCH = {
    "sqitch.plan": f"%syntax-version=1.0.0\n%project=shop\n\na {BY}\n@v1 {BY}\na [a@v1] {BY}\nb {BY}\n",
    "sqitch.conf": "[core]\n\tengine = pg\n",
    "deploy/a@v1.sql": "BEGIN; CREATE TABLE a (id int); COMMIT;",
    "revert/a@v1.sql": "BEGIN;\nDROP TABLE a;\nCOMMIT;",
    "deploy/a.sql": "CREATE INDEX i ON a (id);",
    "revert/a.sql": "DROP INDEX i;",
    "deploy/b.sql": "CREATE TABLE b (id int);",
    "revert/b.sql": "-- Revert shop:b from pg\nBEGIN;\n-- XXX Add DDLs here.\nCOMMIT;\n",
}


def _steps(*names: str) -> list[Step]:
    return [Step(way, name) for name in names for way in (Direction.UP, Direction.DOWN, Direction.UP)]


def test_a_folder_s_files_undo_each_other(tmp_path: Path, database: Database) -> None:
    write(tmp_path, FOLDER)
    here = project(sql_folder, tmp_path)
    seen = there_and_back(sql_folder, here, database, "1_a", "2_b")
    assert [one[:-1] for one in seen] == [[("a",)], [], [("a",)], *[[("a",), ("b",)]] * 3]
    assert [one[-1] for one in seen[1::3]] == [("1_a.down.sql:1", ""), ("2_b.up.sql:1", "there is no 2_b.down.sql")]
    write(tmp_path / "plain", {"1_a.sql": "", "2_b.sql": ""})
    assert not sql_folder.reversible(project(sql_folder, tmp_path, "plain"))


def test_sqitch_reverts_a_change(tmp_path: Path, database: Database) -> None:
    write(tmp_path, SQITCH)
    seen = there_and_back(sqitch, project(sqitch, tmp_path), database, "a", "a (2)", "b")
    tables = [[name for (name, *_) in one[:-1]] for one in seen]
    assert tables == [["a"], [], ["a"], ["a", "i"], ["a"], ["a", "i"], *[["a", "b", "i"]] * 3]
    assert [one[-1] for one in seen[1::3]] == [
        ("revert/a@v1.sql:1", ""),
        ("revert/a.sql:1", ""),
        ("revert/b.sql:1", "revert/b.sql has no statement"),
    ]


def test_what_breaks_is_the_end(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {**FOLDER, "1_a.down.sql": "\ndrop table x;"})
    events = list(sql_folder.rehearse(project(sql_folder, tmp_path), database.addresses[Role.OWNER], _steps("1_a")))
    broke = events[-1]
    assert isinstance(broke, Broke)
    assert (broke.revision, broke.place, broke.code) == ("1_a", Place("1_a.down.sql", 2), "42P01")
    assert rows(database, "select count(*) from a") == [(0,)]


def test_a_folder_on_sqlite(tmp_path: Path) -> None:
    write(tmp_path, FOLDER)
    with sqlite_server() as server:
        events = _walked(project(sql_folder, tmp_path), server.create("app"))
    ran = [[one.name for one in event.there] + [name for _, name in event.gone] for event in events if isinstance(event, Ran)]
    assert ran == [["a"], ["a"], ["a"], ["b"]]


def test_a_folder_on_mariadb(tmp_path: Path, mariadb_server: MariadbServer) -> None:
    write(tmp_path, FOLDER)
    with made(mariadb_server, "") as database:
        assert Came() in _walked(project(sql_folder, tmp_path), database)


def _walked(here: Project, database: Database) -> list[object]:
    events = list[object](sql_folder.rehearse(here, database.addresses[Role.OWNER], _steps("1_a", "2_b")))
    paused = [event for event in events if isinstance(event, Paused)]
    assert [one.number for one in paused] == list(range(6)), events
    return events
