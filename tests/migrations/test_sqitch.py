"""Sqitch's plan: its order, reworked changes by their tags, a session for each script, verify after each change."""

from __future__ import annotations

from pathlib import Path

import pytest
from sql_tools import applied, project, rows, write

from checks.evidence import Place
from runner.errors import ToolFailed, UsageError
from runner.migrations import sqitch as adapter
from runner.servers.interface import Database

BY = "2026-01-01T00:00:00Z a <a@example.org> # a word"
PLAN = f"%syntax-version=1.0.0\n%project=shop\n\nusers {BY}\nflips [users !other] {BY}\n@v1 {BY}\nusers [users@v1] {BY}\n"
FILES = {
    "sqitch.plan": PLAN,
    "sqitch.conf": '[core]\n\tengine = pg\n\t# top_dir = x\n[engine "pg"]\n\ttarget = db:pg:\n',
    "deploy/users@v1.sql": "BEGIN;\nSET search_path = '';\nCREATE TABLE public.users (id int);\nCOMMIT;",
    "deploy/flips.sql": "CREATE INDEX CONCURRENTLY i ON users (id);",
    "deploy/users.sql": "ALTER TABLE users ADD COLUMN more int;",
    "verify/users@v1.sql": "BEGIN; SELECT id FROM public.users WHERE false; ROLLBACK;",
    "revert/flips.sql": "DROP INDEX i;",
}


def test_changes_go_by_the_plan_and_the_tags_of_reworked_ones(tmp_path: Path, database: Database) -> None:
    write(tmp_path, FILES)
    here = project(adapter, tmp_path)
    assert [one.place.file for one in adapter.revisions(here)] == ["deploy/users@v1.sql", "deploy/flips.sql", "deploy/users.sql"]
    assert applied(adapter, here, database) == (["users", "flips", "users (2)"], None)
    assert rows(database, "select more from users") == []
    later = project(adapter, tmp_path, applied=frozenset({"users", "flips", "users (2)"}))
    assert applied(adapter, later, database) == ([], None)


def test_a_verify_that_fails_is_the_end(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {**FILES, "verify/flips.sql": "-- Verify\nSELECT 1 / count(*) FROM pg_indexes WHERE indexname = 'j';"})
    done, broke = applied(adapter, project(adapter, tmp_path), database)
    assert (done, broke and (broke.revision, broke.place, broke.code)) == (
        ["users"],
        ("flips", Place("verify/flips.sql", 2), "22012"),
    )


def test_a_change_that_is_required_stands_before(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {**FILES, "sqitch.plan": f"%project=shop\nflips [users] {BY}\nusers {BY}\n"})
    done, broke = applied(adapter, project(adapter, tmp_path), database)
    assert (done, broke and (broke.place, broke.said)) == (
        [],
        (Place("sqitch.plan", 2), "Sqitch: missing required change: users"),
    )


def test_what_cannot_be_followed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no sqitch\.plan"):
        adapter.revisions(project(adapter, tmp_path))
    write(tmp_path, {**FILES, "sqitch.plan": f"{PLAN}lost {BY}\n"})
    with pytest.raises(UsageError, match=r"sqitch\.plan: 'lost' has no file deploy/lost\.sql"):
        adapter.revisions(project(adapter, tmp_path))
    write(tmp_path, {"sqitch.conf": '[deploy "variables"]\n\tx = 1\n'})
    with pytest.raises(ToolFailed, match=r"sqitch\.conf: 'variables' is not understood here"):
        adapter.revisions(project(adapter, tmp_path))
    write(tmp_path, {**FILES, "deploy/flips.sql": "\\i other.sql\n"})
    with pytest.raises(ToolFailed, match=r"deploy/flips\.sql:1: '\\i other\.sql' needs psql"):
        adapter.revisions(project(adapter, tmp_path))
