"""What the owner of a database may not do: migrations run again as superuser, and what runs as one from the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import FIRST, SQL, dbproof, project

from runner.servers.installations import installations


def test_what_only_a_superuser_may_is_done_again_as_one(tmp_path: Path) -> None:
    root = project(tmp_path / "repo", {"migrations/001_first.sql": f"{FIRST}\ncreate role reader_of_books;"})
    ran = dbproof("run", root=root)
    assert ran.code == 0, ran.said
    (notice,) = ran.findings("superuser-migration")
    assert notice["provenance"] == {
        "file": "migrations/001_first.sql",
        "line": 5,
        "statement": "create role reader_of_books",
        "revision": "001_first",
    }
    assert ran.check("migration-failed")["outcome"] == "passed"


@pytest.mark.skipif(not any("file_fdw" in one.extensions for one in installations()), reason="needs PostgreSQL's contrib")
def test_an_extension_that_is_not_trusted_is_made_by_a_superuser(tmp_path: Path) -> None:
    root = project(tmp_path / "repo", {"migrations/001_first.sql": f"create extension file_fdw;\n{FIRST}"})
    ran = dbproof("run", root=root)
    assert ran.code == 0, ran.said
    (notice,) = ran.findings("superuser-migration")
    assert notice["provenance"]["line"] == 1


def test_files_before_the_first_migration_run_as_superuser(tmp_path: Path) -> None:
    settings = f'[databases.app]\nbefore = ["roles.sql"]\n{SQL}'
    files = {
        "roles.sql": "create role reader_of_books;",
        "migrations/001_first.sql": f"{FIRST}grant select on books to reader_of_books;",
    }
    root = project(tmp_path / "repo", files, settings)
    ran = dbproof("run", root=root)
    assert ran.code == 0, ran.said
    assert ran.findings("superuser-migration") == []
    project(root, {"roles.sql": "select 1;\ncreate rolle x;"}, settings)
    ran = dbproof("run", root=root)
    assert ran.code == 2, ran.said
    assert "roles.sql:2" in ran.said


@pytest.mark.skipif(
    not any("pg_stat_statements" in one.libraries for one in installations()), reason="needs PostgreSQL's contrib"
)
def test_libraries_are_preloaded(tmp_path: Path) -> None:
    settings = f'[databases.app]\npreload = ["pg_stat_statements"]\n{SQL}'
    statement = "create extension pg_stat_statements;\nselect count(*) from pg_stat_statements;"
    ran = dbproof("run", root=project(tmp_path / "repo", {"migrations/001_first.sql": FIRST + statement}, settings))
    assert ran.code == 0, ran.said
