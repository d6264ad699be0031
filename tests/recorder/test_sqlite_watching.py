"""What new migrations do on SQLite: rows that a statement changes, and tables that are made anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.evidence import Rewrite, Statement
from checks.targets import Role
from checks.work import TableWork, Work
from runner.backends import sqlite as backend
from runner.migrations import sql_folder
from runner.migrations.interface import Event, Project
from runner.migrations.sql_files import Transaction
from runner.recorder.recording import Recording
from runner.servers.interface import Database
from runner.servers.sqlite.server import SqliteServer, sqlite_server
from runner.settings.model import MigrationSettings

BASE = """\
create table "a b%" (id integer primary key, x);
create table kept (x);
create trigger t after update on "a b%" begin insert into kept values (new.x); end;
insert into "a b%" (x) values (1), (2), (3);
"""
HEAD = """\
update "a b%" set x = x + 1 where id < 3;
select count(*) from kept;
create table new_a (id integer primary key, x text);
insert into new_a select * from "a b%";
drop table "a b%";
alter table new_a rename to "a b%";
update kept set x = 0 where x = 99;
create table other (x);
drop table other;
create table another (x);
alter table another rename to other;
"""


def statements(folder: Path, transaction: Transaction) -> dict[int, Statement]:
    """By its line in the second file, what is seen of each."""
    with sqlite_server() as server:
        database = server.create("app")
        (folder / "1.sql").write_text(BASE)
        base = seen(server, database, folder, (), transaction)
        (folder / "2.sql").write_text(HEAD)
        head = seen(server, database, folder, (base,), transaction)
    return {said.place.line or 0: said for said in head.statements if said.place and not said.undone}


def seen(
    server: SqliteServer, database: Database, folder: Path, after: tuple[Recording, ...], transaction: Transaction
) -> Recording:
    settings = MigrationSettings(tool="sql", directory=folder.name, transaction=transaction)
    project = Project(folder.parent, folder, settings, folder.parent, frozenset({"1"} if after else ()))
    told: list[Event] = list(sql_folder.apply(project, database.addresses[Role.OWNER]))
    return backend.recording(server, database, 0, told, after)


@pytest.mark.parametrize("transaction", ["statement", "file"])
def test_rows_are_counted_and_a_table_made_anew_is_one_that_was_there(tmp_path: Path, transaction: Transaction) -> None:
    folder = tmp_path / "db"
    folder.mkdir()
    seen = statements(folder, transaction)
    assert {line: said.work for line, said in seen.items() if said.work} == {
        1: Work((TableWork("", changed=4),), None),  # two rows, and what the trigger wrote for them
        4: Work((TableWork("", changed=3),), None),
    }
    assert {line: said.rewrites for line, said in seen.items() if said.rewrites} == {
        6: (Rewrite("a b%", "made anew as new_a, and renamed"),)
    }
    assert {1, 3, 4, 5, 6, 8, 9, 10, 11} == seen.keys()
    assert all((said.seconds or 0) > 0 for said in seen.values())
