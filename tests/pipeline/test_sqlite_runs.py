"""Whole runs on SQLite: base and head, rows that a migration meets, a file that is given, and nothing left behind."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from proving import Ran, dbproof, project, started
from repositories import repository

SETTINGS = """\
[databases.app]
engine = "sqlite"
foreign_keys = true

[databases.app.migrations]
tool = "sql"
directory = "migrations"

[databases.app.data]
load = ["seeds.sql"]
"""
FIRST = """\
create table authors (id integer primary key, name text not null);
create table books (
  id integer primary key,
  author_id integer not null references authors on delete restrict
);
create index by_author on books (author_id);
"""
ROWS = "insert into authors values (1, 'Ursula'); insert into books values (10, 1);"
FILES = {"dbproof.toml": SETTINGS, "migrations/1_first.sql": FIRST, "seeds.sql": ROWS}


def run(root: Path, place: Path, *arguments: str) -> Ran:
    ran = dbproof("run", *arguments, root=root, more={"TMPDIR": str(place)})
    assert list(place.iterdir()) == [], "nothing is left of a run"
    return ran


def test_a_history_on_sqlite_is_proven_from_end_to_end(tmp_path: Path, place: Path) -> None:
    ran = run(project(tmp_path / "repo", FILES, None), place)
    assert ran.code == 0, ran.said
    assert (ran.database["engine"], ran.database["version"]) == ("sqlite", sqlite3.sqlite_version)
    proven = {check["id"]: check["proven"] for check in ran.database["checks"] if check["outcome"] == "passed"}
    assert (
        proven.items()
        >= {
            "migration-failed": 1,
            "load-refused": 1,
            "orphaned-rows": 1,
            "reference-probe": 1,
            "reference-type-mismatch": 1,
            "unindexed-foreign-key": 1,
        }.items()
    )
    assert ran.check("superuser-migration")["reason"] == "not for SQLite"


def test_what_base_has_is_known_and_what_head_adds_is_new(tmp_path: Path, place: Path) -> None:
    repo = repository(tmp_path / "repo", {**FILES, "migrations/1_first.sql": FIRST.replace("create index", "-- create index")})
    base = repo.git("rev-parse", "HEAD")
    second = "create table notes (\n  book_id text references books on delete cascade\n);"
    repo.commit({"migrations/2_notes.sql": second})
    ran = run(repo.root, place, "--compare", base)
    assert ran.code == 0, ran.said
    found = {
        (finding["subject"], finding["state"], finding["provenance"]["file"]) for finding in ran.findings("unindexed-foreign-key")
    }
    assert found == {
        ("books.author_id", "known", "migrations/1_first.sql"),
        ("notes.book_id", "new", "migrations/2_notes.sql"),
    }
    (new,) = [migration for migration in ran.database["migrations"] if migration["new"]]
    assert new["revision"] == "2_notes"
    assert len(new["statements"]) == 1


def test_a_migration_that_fails_on_rows_is_red_and_head_is_judged_without_them(tmp_path: Path, place: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    base = repo.git("rev-parse", "HEAD")
    refused = "create table anew (id integer primary key, isbn text not null);\ninsert into anew (id) select id from books;"
    repo.commit({"migrations/2_isbn.sql": refused})
    ran = run(repo.root, place, "--compare", base)
    assert ran.code == 1, ran.said
    (finding,) = ran.findings("migration-failed")
    assert "green on an empty table, red on these rows" in finding["message"]
    assert (finding["evidence"]["code"], finding["provenance"]["line"]) == ("SQLITE_CONSTRAINT_NOTNULL", 2)
    assert "SQLite SQLITE_CONSTRAINT_NOTNULL: NOT NULL constraint failed: anew.isbn" in ran.said
    assert ran.failing == [("migration-failed", "2_isbn")]


def test_rows_that_the_sessions_would_refuse_are_refused(tmp_path: Path, place: Path) -> None:
    files = {**FILES, "seeds.sql": f"{ROWS}\ninsert into books values (11, 9);"}
    ran = run(project(tmp_path / "repo", files, None), place)
    assert ("load-refused", "seeds.sql") in ran.failing
    without = {**files, "dbproof.toml": SETTINGS.replace("foreign_keys = true\n", "")}
    ran = run(project(tmp_path / "other", without, None), place)
    assert ran.failing == [("orphaned-rows", "books.author_id")]


def test_up_prints_a_url_of_a_file_that_can_be_worked_with(tmp_path: Path, place: Path) -> None:
    root = project(tmp_path / "repo", FILES, None)
    out = tmp_path / "out"
    with out.open("w") as printed, started("up", "--format", "json", root=root, place=place, out=printed) as process:
        for _ in range(600):
            if out.read_text().strip():
                break
            with pytest.raises(Exception, match="timed out"):
                process.wait(0.1)
        url = json.loads(out.read_text())["app"]["url"]
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as own:
            assert own.execute("select count(*) from books").fetchone() == (1,)
        process.terminate()
        assert process.wait(30) == 143
    assert list(place.iterdir()) == []


# A given file ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "app.db"
    with closing(sqlite3.connect(path)) as own:
        own.executescript(FIRST + ROWS + "insert into books values (11, 9);")
    return path


def check(tmp_path: Path, url: str, settings: str | None = None) -> Ran:
    return dbproof("check", "--url-env", "THEIRS", root=project(tmp_path / "repo", {}, settings), more={"THEIRS": url})


def test_looking_at_a_given_file_finds_what_is_broken_and_changes_nothing(tmp_path: Path, theirs: Path) -> None:
    before = {path.name: path.read_bytes() for path in theirs.parent.iterdir()}
    ran = check(tmp_path, f"sqlite:///{theirs}")
    assert ran.code == 1, ran.said
    assert ran.failing == [("orphaned-rows", "books.author_id")]
    assert ran.database["engine"] == "sqlite"
    assert {path.name: path.read_bytes() for path in theirs.parent.iterdir()} == before


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("sqlite:////nowhere/app.db", 4, "no such file"),
        ("sqlite:////etc/passwd", 4, "is not a SQLite database"),
        ("sqlite:///:memory:", 2, "in memory"),
        ("sqlite://host/app.db", 2, "cannot be read as one of a SQLite file"),
    ],
)
def test_what_is_no_database_is_said(tmp_path: Path, url: str, code: int, words: str) -> None:
    ran = check(tmp_path, url)
    assert ran.code == code, ran.said
    assert words in ran.said


def test_a_settings_file_may_name_the_given_file_and_declare(tmp_path: Path, theirs: Path) -> None:
    declared = '[databases.app.expect]\nreferences = ["books.author_id -> authors.id on delete cascade"]\n'
    ran = check(tmp_path, f"sqlite:///{theirs}", f'[databases.app]\nengine = "sqlite"\nurl_env = "THEIRS"\n{declared}')
    assert sorted(ran.failing) == [("delete-rule", "books.author_id -> authors.id"), ("orphaned-rows", "books.author_id")]
