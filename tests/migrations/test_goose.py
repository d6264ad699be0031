"""goose's files: where a statement ends, which transaction it is in, what goose refuses to read."""

from __future__ import annotations

from pathlib import Path

import pytest
from sql_tools import applied, project, rows, write

from checks.evidence import Place
from runner.errors import ToolFailed
from runner.migrations import goose as adapter
from runner.servers.interface import Database

USERS = """-- a word before
-- +goose Up
create table users (id bigint primary key, -- not here;
  email text);
insert into users values (1, 'a;'); insert into users values (2, 'b'); -- done
-- +goose StatementBegin
create function f() returns int language plpgsql as $$
begin
  return 1;
end $$;
-- +goose StatementEnd

-- +goose Down
drop table users
"""
INDEXES = """-- +goose NO TRANSACTION
-- +goose up
create index concurrently i on users (email);
create index concurrently j on users (id, email);
"""


def test_statements_end_where_goose_ends_them(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {"00001_users.sql": USERS, "20240101_indexes.sql": INDEXES, "00000_no.sql": "", "notes.sql": "none"})
    here = project(adapter, tmp_path)
    assert applied(adapter, here, database) == (["00001_users", "20240101_indexes"], None)
    assert rows(database, "select f(), count(*) from users") == [(1, 2)]
    books = "select id, version_id, is_applied, tstamp is null from goose_db_version order by id"
    assert rows(database, books) == [(1, 0, True, False), (2, 1, True, False), (3, 20240101, True, False)]
    assert applied(adapter, here, database) == ([], None)


def test_a_file_is_one_transaction(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {"1_a.sql": "-- +goose Up\ncreate table a ();\n\nselect 1 / 0;\n"})
    done, broke = applied(adapter, project(adapter, tmp_path), database)
    assert (done, broke and (broke.revision, broke.place, broke.code)) == ([], ("1_a", Place("1_a.sql", 4), "22012"))
    assert rows(database, "select to_regclass('a') is null, count(*) from goose_db_version") == [(True, 1)]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("create table a ();", 1, "unexpected state 0 on line 'create table a ();'"),
        ("", 1, "must start with '-- +goose Up' annotation"),
        ("-- +goose Up\nselect 1;\nselect 2", 3, "unexpected unfinished SQL query: missing semicolon?"),
        ("-- +goose Up\nselect 1\n-- +goose Down\n", 3, "unexpected unfinished SQL query: missing semicolon?"),
        ("-- +goose Up\n-- +goose StatementBegin\nselect 1;", 3, "missing '-- +goose StatementEnd' annotation"),
        ("-- +goose Up\n-- +goose Up\n", 2, "duplicate '-- +goose Up' annotations"),
        ("-- +goose Down\n", 1, "must start with '-- +goose Up' annotation"),
        ("-- +goose Up\n-- +goose Upp", 2, "'-- +goose Upp': invalid annotation"),
    ],
)
def test_what_goose_cannot_read(text: str, line: int, said: str, tmp_path: Path, database: Database) -> None:
    write(tmp_path, {"1_a.sql": text})
    _, broke = applied(adapter, project(adapter, tmp_path), database)
    assert broke is not None
    assert (broke.place, broke.said) == (Place("1_a.sql", line), f"failed to parse migration: {said}")


def test_what_is_older_than_the_newest_is_refused(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {"2_b.sql": "-- +goose Up\n"})
    here = project(adapter, tmp_path)
    applied(adapter, here, database)
    write(tmp_path, {"1_a.sql": "-- +goose Up\n"})
    _, broke = applied(adapter, here, database)
    assert broke is not None
    assert (broke.revision, broke.said) == ("1_a", "found a missing migration before the database's version 2")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("2_b.go", "package migrations", "2_b.go: a migration in Go"),
        ("2_b.sql", "-- +goose Up\n-- +goose ENVSUB ON\nselect '$A';", "2_b.sql:2: goose puts variables"),
    ],
)
def test_what_cannot_run_here_is_said_before_anything_is_done(name: str, text: str, said: str, tmp_path: Path) -> None:
    write(tmp_path, {"1_a.sql": USERS, name: text})
    with pytest.raises(ToolFailed) as wrong:
        adapter.revisions(project(adapter, tmp_path))
    assert wrong.value.message.startswith(said)
    assert wrong.value.message.endswith("cannot run here") or "Go" in said
