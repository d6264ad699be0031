"""A history that starts from a dump: only what is newer is applied, at base from base's own dump."""

from __future__ import annotations

from pathlib import Path

import pytest
from building_pairs import Said, pair
from proving import SQL, project
from repositories import Repository, repository

from checks.schema.names import TableName, column_reference, table_reference
from runner.errors import UsageError
from runner.plan import Built

DBMATE = (
    '[databases.app]\nstart_from = "db/structure.sql"\n[databases.app.migrations]\ntool = "dbmate"\ndirectory = "db/migrations"\n'
)
SQLITE = f'[databases.app]\nengine = "sqlite"\nstart_from = "db/structure.sql"\n{SQL}'
#: As pg_dump writes it, with what only a superuser may do and the rows of the tool's own table.
DUMP = r"""
SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
COMMENT ON EXTENSION plpgsql IS 'PL/pgSQL procedural language';
CREATE TABLE public.authors (
    id integer NOT NULL
);
CREATE TABLE public.schema_migrations (version character varying(128) NOT NULL);
COPY public.schema_migrations (version) FROM stdin;
1
\.
ALTER TABLE ONLY public.authors ADD CONSTRAINT authors_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.schema_migrations ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
"""
FIRST = "-- migrate:up\ncreate table authors (id int primary key);\n-- migrate:down\n"
SECOND = "-- migrate:up\ncreate table books (id int primary key);\n-- migrate:down\n"


def repo(tmp_path: Path, files: dict[str, str], settings: str) -> Repository:
    made = repository(project(tmp_path / "repo", files, settings), {})
    made.branch("change")
    return made


def made_in(one: Built, table: str) -> tuple[str, int | None]:
    place = one.evidence.provenance[table_reference(TableName("public", table))].place
    return place.file, place.line


def test_only_what_is_newer_than_the_dump_is_applied(tmp_path: Path) -> None:
    migrations = {"db/migrations/1_first.sql": FIRST, "db/migrations/2_second.sql": SECOND}
    change = repo(tmp_path, {"db/structure.sql": DUMP, **migrations}, DBMATE)
    change.write({"db/migrations/3_third.sql": "-- migrate:up\nalter table books add column isbn text;\n-- migrate:down\n"})
    change.write({"db/structure.sql": "this is head's, which base does not read"})
    with pair(change.root) as (both, said):
        assert both.base is not None, both.notes
        assert both.base.evidence.failure is None
        assert both.head.evidence.failure is None
        assert said.stages["base"] == "2 revisions"
        assert made_in(both.base, "authors") == ("db/structure.sql", 5)
        assert made_in(both.head, "books") == ("db/migrations/2_second.sql", 2)
        assert column_reference(TableName("public", "books"), "isbn") in both.head.evidence.provenance
        assert [one.new for one in both.head.evidence.migrations] == [False, False, True]
        needed = both.head.evidence.superuser_needed
        assert needed is not None
        assert str(needed.place) == "db/structure.sql:4"


def test_base_without_the_dump_starts_from_nothing(tmp_path: Path) -> None:
    change = repo(tmp_path, {"migrations/001_first.sql": "create table authors (id integer primary key);"}, SQLITE)
    change.write({"db/structure.sql": "create table never (id integer primary key);"})
    with pair(change.root) as (both, said):
        assert both.base is not None, both.notes
        assert said.stages["base"] == "1 revision"
        assert both.head.evidence.failure is None


def test_a_dump_that_neither_has_is_no_run_without_one(tmp_path: Path) -> None:
    change = repo(tmp_path, {"migrations/001_first.sql": "create table authors (id integer primary key);"}, SQLITE)
    change.commit({"migrations/002_more.sql": "create table books (id integer primary key);"})
    with pytest.raises(UsageError, match=r"databases\.app\.start_from: there is no file db/structure\.sql"), pair(change.root):
        pass


def stood(change: Repository) -> Said:
    with pair(change.root, "nothing") as (_, said):
        return said


def test_a_dump_that_is_not_there_or_does_not_load_is_said_with_its_place(tmp_path: Path) -> None:
    first = {"migrations/001_first.sql": "create table authors (id integer primary key);"}
    change = repository(project(tmp_path / "repo", first, SQLITE.replace("structure", "other")), {})
    with pytest.raises(UsageError, match=r"databases\.app\.start_from: there is no file db/other\.sql"):
        stood(change)
    change.write({"db/other.sql": "create table a (id integer primary key);\ncreate table a (id integer);"})
    with pytest.raises(UsageError, match=r"databases\.app\.start_from: db/other\.sql:2: table a already exists") as wrong:
        stood(change)
    assert "pg_dump --no-owner" in wrong.value.remedy
