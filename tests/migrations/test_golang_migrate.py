"""golang-migrate's files: their order, one message each, the version that is dirty while a file runs."""

from __future__ import annotations

from pathlib import Path

from sql_tools import applied, project, rows, write

from checks.evidence import Place
from runner.migrations import golang_migrate as adapter
from runner.servers.interface import Database

FILES = {
    "10_index.up.sql": "create index concurrently i on public.b (id);",
    "0009_b.up.sql": "select set_config('search_path', '', false); create table public.b (id int);",
    "1_users.up.sql": "create table users (id int);",
    "1_users.down.sql": "drop table users;",
    "notes.sql": "no sql at all",
}


def test_files_go_by_their_numbers_and_the_version_is_kept(tmp_path: Path, database: Database) -> None:
    write(tmp_path, FILES)
    here = project(adapter, tmp_path)
    assert [(one.id, one.title) for one in adapter.revisions(here)] == [
        ("1_users", "users"),
        ("0009_b", "b"),
        ("10_index", "index"),
    ]
    assert applied(adapter, here, database) == (["1_users", "0009_b", "10_index"], None)
    assert rows(database, "select * from schema_migrations") == [(10, False)]
    assert applied(adapter, here, database) == ([], None)
    write(tmp_path, {"11_x.up.sql": ""})
    assert applied(adapter, here, database) == (["11_x"], None)


def test_a_file_is_one_message_and_a_failure_leaves_the_version_dirty(tmp_path: Path, database: Database) -> None:
    write(
        tmp_path,
        {"1_a.up.sql": "create table a (id int);", "2_i.up.sql": "create table b ();\ncreate index concurrently i on a (id);"},
    )
    here = project(adapter, tmp_path)
    done, broke = applied(adapter, here, database)
    assert (done, broke and (broke.revision, broke.place, broke.code)) == (["1_a"], ("2_i", Place("2_i.up.sql", 2), "25001"))
    assert rows(database, "select version, dirty, to_regclass('b') is null from schema_migrations") == [(2, True, True)]
    _, broke = applied(adapter, here, database)
    assert broke is not None
    assert broke.said == "Dirty database version 2. Fix and force version."


def test_a_new_file_that_is_older_than_the_database_is_never_applied(tmp_path: Path, database: Database) -> None:
    write(tmp_path, FILES)
    applied(adapter, project(adapter, tmp_path), database)
    write(tmp_path, {"2_late.up.sql": "create table late ();"})
    base = frozenset({"1_users", "0009_b", "10_index"})
    done, broke = applied(adapter, project(adapter, tmp_path, applied=base), database)
    assert (done, broke and (broke.revision, broke.place)) == ([], ("2_late", Place("2_late.up.sql")))
    assert broke is not None
    assert broke.said == "golang-migrate passes this file over: a database at version 10 never applies it"


def test_two_files_of_one_version(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {"1_a.up.sql": "", "01_b.up.sql": ""})
    done, broke = applied(adapter, project(adapter, tmp_path), database)
    assert (done, broke and broke.said) == ([], "duplicate migration file: 01_b.up.sql has the same version")


def test_it_is_sure_where_the_module_is_required(tmp_path: Path) -> None:
    write(tmp_path, {"db/migrations/1_a.up.sql": ""})
    found = adapter.detect(tmp_path)
    assert found is not None
    assert (found.sure, found.settings.directory) == (False, "db/migrations")
    write(tmp_path, {"go.mod": "require github.com/golang-migrate/migrate/v4 v4.17.0"})
    found = adapter.detect(tmp_path)
    assert found is not None
    assert found.sure
