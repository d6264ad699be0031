"""Migrations that base has applied and that a change edits or deletes, on both engines of files and servers."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import ALEMBIC, FIRST, SQL, Ran, alembic, dbproof, project
from repositories import Repository, repository

SQLITE = f'[databases.app]\nengine = "sqlite"\n{SQL}'
CHECK = "edited-migration"


def repo(tmp_path: Path, files: dict[str, str], settings: str) -> Repository:
    made = repository(project(tmp_path / "repo", files, settings), {})
    made.branch("change")
    return made


def run(of: Repository) -> Ran:
    return dbproof("run", root=of.root)


@pytest.mark.parametrize("settings", [SQL, SQLITE], ids=["postgresql", "sqlite"])
def test_an_edit_with_another_result_is_an_error_and_one_without_is_none(tmp_path: Path, settings: str) -> None:
    other = "create table shelves (id int primary key, place text);"
    change = repo(
        tmp_path,
        {"migrations/001_first.sql": FIRST.replace("index on", "index by_author on"), "migrations/002_shelves.sql": other},
        settings,
    )
    first = (change.root / "migrations/001_first.sql").read_text()
    change.write(
        {
            "migrations/001_first.sql": f"-- who writes\n{first}",
            "migrations/003_more.sql": "create table more (id int primary key);",
        }
    )
    ran = run(change)
    assert ran.code == 0, ran.said
    assert (ran.check(CHECK)["outcome"], ran.check(CHECK)["proven"]) == ("passed", 2)
    assert {one["revision"]: one["new"] for one in ran.database["migrations"]}["003_more"]
    (note,) = ran.database["notes"]
    assert note == "Changed since base, though base has applied it: migrations/001_first.sql. It comes to the same schema."

    change.write({"migrations/002_shelves.sql": other.replace("place text", "place text, room int")})
    ran = run(change)
    assert ran.code == 1, ran.said
    assert ran.failing == [(CHECK, "002_shelves")]
    (finding,) = ran.findings(CHECK)
    assert "column shelves.room is missing there" in finding["message"]
    assert (finding["provenance"]["file"], finding["provenance"]["line"]) == ("migrations/002_shelves.sql", 1)
    assert ran.check(CHECK)["proven"] == 1, "the comment in the first is none of it"


def test_a_deleted_one_is_judged_by_what_it_leaves(tmp_path: Path) -> None:
    files = {f"migrations/00{number}.sql": f"create table t{number} (id int primary key);" for number in (1, 2)}
    change = repo(tmp_path, files, SQL)
    (change.root / "migrations/002.sql").unlink()
    ran = run(change)
    assert ran.failing == [(CHECK, "002")], ran.said
    (finding,) = ran.findings(CHECK)
    assert "was deleted (migrations/002.sql)" in finding["message"]
    assert "table t2 is there only" in finding["message"]

    change.write({"migrations/001.sql": f"{files['migrations/001.sql']}\n{files['migrations/002.sql']}"})  # a squash
    ran = run(change)
    assert ran.code == 0, ran.said
    assert ran.check(CHECK)["proven"] == 2


def test_a_revision_that_alembic_does_not_find_any_more_stops_it_in_production(tmp_path: Path) -> None:
    change = repo(tmp_path, alembic(a1='op.execute("create table a (id int primary key)")'), ALEMBIC)
    (change.root / "scripts/versions/a1.py").unlink()
    change.write(alembic(b1='op.execute("create table a (id int primary key)")'))
    ran = run(change)
    assert ran.failing == [(CHECK, "a1")], ran.said
    (finding,) = ran.findings(CHECK)
    assert "on a database that has applied it the migrations stop" in finding["message"]
    assert "a1" in finding["evidence"]["said"]
