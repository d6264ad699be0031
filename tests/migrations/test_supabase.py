"""Supabase's files: one transaction each with its row, a fresh session for each, what is older refused."""

from __future__ import annotations

from pathlib import Path

from sql_tools import applied, project, rows, write

from checks.evidence import Place
from runner.migrations import supabase as adapter
from runner.servers.interface import Database

FILES = {
    "supabase/migrations/20240101000000_init.sql": "set search_path = '';\ncreate table public.a (id int); -- one\nselect ';'",
    "supabase/migrations/20240102000000_b.sql": "create table b ();",
    "supabase/migrations/notes.sql": "none",
}


def test_files_go_by_their_names_and_their_statements_are_kept(tmp_path: Path, database: Database) -> None:
    write(tmp_path, FILES)
    here = project(adapter, tmp_path)
    assert applied(adapter, here, database) == (["20240101000000_init", "20240102000000_b"], None)
    assert rows(database, "select version, name, statements from supabase_migrations.schema_migrations order by 1") == [
        ("20240101000000", "init", ["set search_path = ''", "create table public.a (id int)", "-- one\nselect ';'"]),
        ("20240102000000", "b", ["create table b ()"]),
    ]
    assert applied(adapter, here, database) == ([], None)
    write(tmp_path, {"supabase/migrations/20240101120000_late.sql": ""})
    done, broke = applied(adapter, here, database)
    assert (done, broke and broke.revision) == ([], "20240101120000_late")


def test_a_file_is_one_transaction(tmp_path: Path, database: Database) -> None:
    text = "create table b ();\ncreate index concurrently i on a (id);"
    write(tmp_path, {**FILES, "supabase/migrations/20240102000000_b.sql": text})
    done, broke = applied(adapter, project(adapter, tmp_path), database)
    assert (done, broke and (broke.place, broke.code)) == (
        ["20240101000000_init"],
        (Place("supabase/migrations/20240102000000_b.sql", 2), "25001"),
    )
    assert rows(database, "select to_regclass('b'), count(*) from supabase_migrations.schema_migrations") == [(None, 1)]
