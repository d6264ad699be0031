"""Every exit code of ``dbproof run``, and which one goes before which."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from proving import ALEMBIC, ENV_PY, FIRST, SQL, alembic, dbproof, project

from runner.servers.interface import Database
from runner.servers.postgresql.sessions import session

BROKEN_QUERY = """
[databases.app.expect.no_rows]
"a book has a shelf" = "select shelf from books where shelf is null"
"""
WITHOUT_INDEX = "create table sales (id int primary key, book_id int not null references books on delete cascade);"
#: Fails: a reference that is not what was declared.
DECLARED = '[databases.app.expect]\nreferences = ["books.author_id -> authors.id on delete cascade"]\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project(tmp_path / "repo", {"migrations/001_first.sql": FIRST})


def test_0_where_all_holds_and_the_repository_is_not_written_to(root: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (root, *root.rglob("*"))}
    ran = dbproof("run", root=root)
    assert ran.code == 0, ran.said
    assert {path: path.stat().st_mtime_ns for path in (root, *root.rglob("*"))} == before
    assert (ran.report["verdict"], ran.report["exit_code"]) == ("go", 0)
    assert [check["outcome"] for check in ran.database["checks"] if check["id"] == "migration-failed"] == ["passed"]
    assert "exit 0" in ran.out.splitlines()[-1]
    assert ran.failing == []


def test_1_for_a_finding(root: Path) -> None:
    project(root, {}, SQL + DECLARED)
    ran = dbproof("run", root=root)
    assert ran.code == 1, ran.said
    assert ran.failing == [("delete-rule", "books.author_id -> authors.id")]
    assert "NO GO" in ran.out


def test_from_which_severity_on_a_finding_fails_is_the_users(root: Path) -> None:
    project(root, {"migrations/002_sales.sql": WITHOUT_INDEX})
    assert dbproof("run", root=root).code == 0
    assert dbproof("run", "--fail-on", "warning", root=root).code == 1
    project(root, {}, SQL + DECLARED)
    assert dbproof("run", "--fail-on", "never", root=root).code == 0


def test_1_for_a_migration_that_fails(root: Path) -> None:
    project(
        root, {"migrations/002_wrong.sql": "select 1;\n\ncreate table more (id int, id int);", "migrations/003_late.sql": FIRST}
    )
    ran = dbproof("run", root=root)
    assert ran.code == 1, ran.said
    (finding,) = ran.findings("migration-failed")
    assert (finding["subject"], finding["provenance"]["file"], finding["provenance"]["line"]) == (
        "002_wrong",
        "migrations/002_wrong.sql",
        3,
    )
    assert "42701" in ran.out
    assert "specified more than once" in ran.out
    states = {one["revision"]: one["state"] for one in ran.database["migrations"]}
    assert states == {"001_first": "applied", "002_wrong": "failed", "003_late": "pending"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("[databases.app]\nengin = 'postgresql'\n", "engine"),
        ("fail_on = 'sometimes'\n" + SQL, "fail_on"),
        ("[databases.app\n", "dbproof.toml"),
        (SQL.replace('"sql"', '"sqll"'), "sql"),
        (SQL.replace('"migrations"\n', '"migrationz"\n'), "migrationz"),
        (SQL + '[databases.app.data]\nload = ["nowhere.sql"]\n', "nowhere.sql"),
        ('[databases.app]\nbefore = ["nowhere.sql"]\n' + SQL, "nowhere.sql"),
        ('[databases.app]\nurl_env = "NOT_SET_HERE"\n', "NOT_SET_HERE"),
    ],
)
def test_2_for_broken_settings(root: Path, settings: str, said: str) -> None:
    project(root, {}, settings)
    ran = dbproof("run", root=root)
    assert ran.code == 2, ran.said
    assert said in ran.said


def test_2_for_a_revision_that_is_not_there(root: Path) -> None:
    ran = dbproof("run", "--base", "nowhere", root=root)
    assert ran.code == 2, ran.said
    assert "--base nowhere" in ran.said


def test_3_where_there_is_nothing_to_check(tmp_path: Path) -> None:
    ran = dbproof("run", root=project(tmp_path / "repo", {}, None))
    assert ran.code == 3, ran.said
    assert ran.report["verdict"] == "nothing-checked"
    assert "dbproof init" in ran.said


def test_2_where_env_py_connects_to_another_server_and_nothing_there_is_touched(tmp_path: Path, database: Database) -> None:
    """The other server is real, answers, and lets the tool in: only the guard keeps it out."""
    url = next(iter(database.addresses.values())).url("postgresql+psycopg")
    env = ENV_PY.replace('os.environ["DATABASE_URL"]', repr(url))
    root = project(tmp_path / "repo", alembic(env, one="op.execute('create table a ()')"), ALEMBIC)
    with session(database.private) as connection:
        before = connection.execute("SELECT count(*), max(xmin::text) FROM pg_class").fetchone()
        ran = dbproof("run", root=root)
        after = connection.execute("SELECT count(*), max(xmin::text) FROM pg_class").fetchone()
    assert ran.code == 2, ran.said
    assert after == before
    assert "the project's tool wanted to connect to postgresql+psycopg://127.0.0.1" in ran.said
    assert "env = {" in ran.said
    assert next(iter(database.addresses.values())).password not in ran.said


def test_2_where_env_py_opens_a_sqlite_file_and_it_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "app.db"
    with sqlite3.connect(file) as made:
        made.execute("create table kept (id integer)")
    before = file.read_bytes(), file.stat().st_mtime_ns
    env = ENV_PY.replace('os.environ["DATABASE_URL"]', f"'sqlite:///{file}'")
    root = project(tmp_path / "repo", alembic(env, one="op.execute('create table a (id int)')"), ALEMBIC)
    ran = dbproof("run", root=root)
    assert ran.code == 2, ran.said
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


def test_4_for_a_server_that_is_not_to_be_had(root: Path, tmp_path: Path) -> None:
    project(root, {}, '[databases.app]\nversion = "9.6"\n' + SQL)
    ran = dbproof("run", root=root, more={"DOCKER_HOST": f"unix://{tmp_path}/no.sock"})
    assert ran.code == 4, ran.said
    assert "no server for what is wanted: PostgreSQL 9" in ran.said
    assert "Install it" in ran.said
    assert ran.report["verdict"] == "broken"
    assert ran.report["problems"][0]["exit_code"] == 4


def test_4_for_a_server_that_does_not_start(root: Path) -> None:
    project(root, {}, '[databases.app]\nversion = "15"\npreload = ["plpgsql", "dict_int", "pg_prewarm", "worker_spi"]\n' + SQL)
    ran = dbproof("run", root=root, more={"DOCKER_HOST": "tcp://127.0.0.1:9"})
    assert ran.code == 4, ran.said
    assert "worker_spi" in ran.said


def test_a_cache_that_cannot_be_written_is_done_without(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    ran = dbproof("run", root=root, more={"DBPROOF_CACHE": str(tmp_path / "file")})
    assert ran.code == 0, ran.said


def test_4_for_reports_that_cannot_be_written_and_what_was_found_is_shown(root: Path) -> None:
    project(root, {}, SQL + DECLARED)
    ran = dbproof("run", root=root, more={"DBPROOF_REPORT_DIR": "/dev/full/reports"})
    assert ran.code == 4, ran.said
    assert "/dev/full/reports: the report could not be written" in ran.out
    assert "delete-rule" in ran.out
    assert "Reports" not in ran.out


def test_4_for_a_check_whose_sql_fails_and_the_rest_is_kept(root: Path) -> None:
    project(root, {}, SQL + DECLARED + BROKEN_QUERY)
    ran = dbproof("run", root=root)
    assert ran.code == 4, ran.said
    broken = ran.check("no-rows")
    assert broken["outcome"] == "errored"
    assert "shelf" in broken["reason"]
    assert ran.failing == [("delete-rule", "books.author_id -> authors.id")]
    assert "delete-rule" in ran.out
    assert "shelf" in ran.out


def test_one_database_that_fails_does_not_keep_the_others_from_being_proven(root: Path) -> None:
    other = SQL.replace("databases.app", "databases.other")
    ill = SQL.replace("databases.app", "databases.ill").replace('"migrations"', '"nowhere"')
    project(root, {}, SQL + DECLARED + ill + other)
    ran = dbproof("run", root=root)
    assert ran.code == 2, ran.said
    assert [one["name"] for one in ran.report["databases"]] == ["app", "other"]
    assert ran.failing == [("delete-rule", "books.author_id -> authors.id")]
    assert len(ran.report["problems"]) == 1
