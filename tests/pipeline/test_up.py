"""``dbproof up`` gives addresses that work, of databases that are migrated and filled, and takes all of it away again."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from proving import FIRST, SQL, cancel, dbproof, left, project, started, until

SOON = 10
SEEDS = "insert into authors values (1, 'Ursula');"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    settings = f'{SQL}[databases.app.data]\nload = ["seeds.sql"]\n'
    return project(tmp_path / "repo", {"migrations/001_first.sql": FIRST, "seeds.sql": SEEDS}, settings)


def rows(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, connect_timeout=10) as connection:
        return connection.execute("select name, current_user::text from authors").fetchall()


@pytest.mark.parametrize(("form", "number", "code"), [("env", signal.SIGINT, 130), ("json", signal.SIGTERM, 143)])
def test_addresses_work_until_it_is_ended(root: Path, place: Path, form: str, number: signal.Signals, code: int) -> None:
    said = root.parent / "out"
    with said.open("w") as out, started("up", "--format", form, root=root, place=place, out=out) as process:
        until(lambda: said.read_text().endswith("\n") or process.poll() is not None, said.read_text)
        text = said.read_text()
        url = text.removeprefix("DATABASE_URL=").strip() if form == "env" else json.loads(text)["app"]["url"]
        assert rows(url) == [("Ursula", "app_owner")]
        assert cancel(process, number, SOON) == code
    assert left(place) == []
    with pytest.raises(psycopg.OperationalError):
        rows(url)
    assert said.read_text() == text
    assert url.split(":")[2].split("@")[0] not in (root.parent / "said").read_text()


def test_several_databases_are_told_apart(root: Path, place: Path) -> None:
    project(root, {}, SQL + SQL.replace("databases.app", "databases.other"))
    said = root.parent / "out"
    with said.open("w") as out, started("up", "--format", "env", root=root, place=place, out=out) as process:
        until(lambda: said.read_text().count("\n") == 2 or process.poll() is not None, said.read_text)
        lines = dict(line.split("=", 1) for line in said.read_text().splitlines())
        assert list(lines) == ["APP_DATABASE_URL", "OTHER_DATABASE_URL"]
        assert [rows(url) for url in lines.values()] == [[], []]
        assert cancel(process, signal.SIGINT, SOON) == 130
    assert left(place) == []


def test_a_migration_that_fails_ends_it_at_once(root: Path) -> None:
    project(root, {"migrations/002_wrong.sql": "\ncreate table more (id int, id int);"})
    ran = dbproof("up", root=root)
    assert ran.code == 4, ran.said
    assert "migrations/002_wrong.sql:2" in ran.said
    assert ran.out == ""


def test_without_a_database_it_says_what_to_do(tmp_path: Path) -> None:
    ran = dbproof("up", root=project(tmp_path / "repo", {}, None))
    assert ran.code == 2, ran.said
    assert "dbproof init" in ran.said
