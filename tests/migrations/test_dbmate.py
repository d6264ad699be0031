"""dbmate's files: what stands before ``-- migrate:down`` as one message, in a transaction or without."""

from __future__ import annotations

from pathlib import Path

import pytest
from sql_tools import applied, project, rows, write

from checks.evidence import Place
from runner.migrations import dbmate as adapter
from runner.servers.interface import Database

USERS = """-- a word

-- migrate:up
create table users (id int);
insert into users values (1);

-- migrate:down
drop table users;
"""
INDEX = "-- migrate:up transaction:false\ncreate index concurrently i on users (id);\n\n-- migrate:down\n"


def test_names_are_the_order_and_what_is_older_is_applied_too(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {"20240102_index.sql": INDEX, "20240101_users.sql": USERS, "schema.sql": "none of it"})
    here = project(adapter, tmp_path)
    assert applied(adapter, here, database) == (["20240101_users", "20240102_index"], None)
    write(tmp_path, {"20230101_late.sql": "-- migrate:up\n-- migrate:down\n"})
    assert applied(adapter, here, database) == (["20230101_late"], None)
    assert rows(database, "select version from schema_migrations order by 1") == [("20230101",), ("20240101",), ("20240102",)]


def test_its_row_goes_where_new_tables_go_by_then(tmp_path: Path, database: Database) -> None:
    """As with dbmate 2.36, which asks for the schema again."""
    write(tmp_path, {"1_a.sql": "-- migrate:up\ncreate schema other;\nset search_path = other;\n-- migrate:down\n"})
    done, broke = applied(adapter, project(adapter, tmp_path), database)
    assert (done, broke and (broke.revision, broke.code)) == ([], ("1_a", "42P01"))
    assert broke is not None
    assert 'relation "other.schema_migrations" does not exist' in broke.said


@pytest.mark.parametrize(("options", "code"), [("", "25001"), (" transaction:false", None), (" transaction:true", "25001")])
def test_the_mark_decides_the_transaction(options: str, code: str | None, tmp_path: Path, database: Database) -> None:
    write(tmp_path, {"1_a.sql": USERS, "2_i.sql": INDEX.replace(" transaction:false", options)})
    done, broke = applied(adapter, project(adapter, tmp_path), database)
    assert (done, broke and broke.code) == (["1_a"] if code else ["1_a", "2_i"], code)
    assert broke is None or broke.place == Place("2_i.sql", 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("create table a ();", "dbmate requires each migration to define an up block with '-- migrate:up'"),
        ("-- migrate:up\n", "dbmate requires each migration to define a down block with '-- migrate:down'"),
        ("-- migrate:down\n-- migrate:up\n", "dbmate requires '-- migrate:up' to appear before '-- migrate:down'"),
        ("select 1;\n-- migrate:up\n-- migrate:down\n", "dbmate does not support statements preceding the '-- migrate:up' block"),
    ],
)
def test_what_dbmate_cannot_read(text: str, said: str, tmp_path: Path, database: Database) -> None:
    write(tmp_path, {"1_a.sql": text})
    _, broke = applied(adapter, project(adapter, tmp_path), database)
    assert broke is not None
    assert (broke.place, broke.said) == (Place("1_a.sql", 1), said)
