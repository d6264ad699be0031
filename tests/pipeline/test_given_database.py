"""``dbproof check --url-env`` looks and touches nothing; a disposable server may be used like one of ours."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from judging import Query
from proving import FIRST, SQL, Ran, dbproof, project

from checks.targets import Role
from runner.servers.interface import Database, Server

ROWS = "insert into authors values (1, 'Ursula'); insert into books values (10, 1);"
LET_READ = "grant select on all tables in schema public to public;"
ORPHAN = "set session_replication_role = replica; insert into books values (11, 9); set session_replication_role = origin;"
STATE = """
    select (select count(*) from pg_class), (select max(xmin::text::bigint) from pg_class), (select count(*) from pg_authid),
           (select count(*) from pg_database), (select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables),
           pg_current_xact_id_if_assigned(), (select array_agg(b::text) from books b)
"""


def check(root: Path, url: str, settings: str | None = None, *arguments: str) -> Ran:
    project(root, {}, settings)
    return dbproof("check", "--url-env", "THEIRS", *arguments, root=root, more={"THEIRS": url})


@pytest.mark.parametrize("role", [Role.ADMIN, Role.OWNER])
def test_looking_changes_nothing(tmp_path: Path, database: Database, query: Query, role: Role) -> None:
    query(FIRST + ROWS + LET_READ)
    before = query(STATE)
    ran = check(tmp_path / "repo", database.addresses[role].url())
    assert ran.code == 0, ran.said
    assert query(STATE) == before
    assert ran.check("orphaned-rows")["proven"] == 1
    assert (ran.check("reference-probe")["outcome"], ran.check("reference-probe")["reason"]) == (
        "skipped",
        "the database was given to be read only",
    )


def test_what_is_broken_is_found_and_expectations_count(tmp_path: Path, database: Database, query: Query) -> None:
    query(FIRST + ROWS + ORPHAN + LET_READ)
    declared = '[databases.app.expect]\nreferences = ["books.author_id -> authors.id on delete cascade"]\n'
    settings = f'[databases.app]\nurl_env = "THEIRS"\n{declared}'
    ran = check(tmp_path / "repo", database.addresses[Role.OWNER].url(), settings)
    assert ran.code == 1, ran.said
    assert sorted(ran.failing) == [
        ("delete-rule", "books.author_id -> authors.id"),
        ("orphaned-rows", "books.author_id"),
    ]
    assert ran.findings("orphaned-rows")[0]["evidence"]["count"] == 1


def test_what_is_to_be_judged_but_cannot_be_read_is_no_pass(tmp_path: Path, database: Database) -> None:
    settings = '[databases.app]\nurl_env = "THEIRS"\n[databases.app.expect.no_rows]\n"x" = "select nothing from nowhere"\n'
    ran = check(tmp_path / "repo", database.addresses[Role.OWNER].url(), settings)
    assert ran.code == 4, ran.said
    assert ran.check("no-rows")["outcome"] == "errored"


def test_an_empty_database_is_nothing_checked(tmp_path: Path, database: Database) -> None:
    ran = check(tmp_path / "repo", database.addresses[Role.OWNER].url())
    assert ran.code == 3, ran.said


def test_a_query_of_the_settings_cannot_write(tmp_path: Path, database: Database, query: Query) -> None:
    query(FIRST + ROWS)
    writes = '"x" = "with gone as (delete from books returning *) select * from gone"\n'
    settings = f'[databases.app]\nurl_env = "THEIRS"\n[databases.app.expect.no_rows]\n{writes}'
    ran = check(tmp_path / "repo", database.addresses[Role.ADMIN].url(), settings)
    assert ran.code == 4, ran.said
    assert "read-only" in ran.check("no-rows")["reason"]
    assert query("select count(*) from books") == [(1,)]


PASSWORD = "p@ss/w:rd#kT3z9 %41"
FRAGMENTS = ["p@ss", "w:rd", "kT3z9", quote(PASSWORD, safe=""), PASSWORD]


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://someone:{quote(PASSWORD, safe='')}@127.0.0.1:1/app",
        f"postgresql://someone:{PASSWORD}@127.0.0.1:1/app",
        f"postgresql+asyncpg://someone:{PASSWORD}@no-such-host.invalid/app",
        f"host=127.0.0.1 port=1 user=someone password='{PASSWORD}' dbname=app",
    ],
)
def test_a_server_that_cannot_be_reached_is_said_without_its_password(tmp_path: Path, url: str) -> None:
    ran = check(tmp_path / "repo", url)
    assert ran.code in (2, 4), ran.said
    everything = ran.said + "".join(path.read_text() for path in ran.reports.iterdir()) if ran.reports.is_dir() else ran.said
    assert not [fragment for fragment in FRAGMENTS if fragment in everything]


def test_4_where_nothing_listens(tmp_path: Path) -> None:
    ran = check(tmp_path / "repo", "postgresql://someone:secret-of-mine@127.0.0.1:1/app")
    assert ran.code == 4, ran.said
    assert "nothing listens" in ran.said
    assert ran.report["problems"][0]["exit_code"] == 4


def test_2_without_the_variable(tmp_path: Path) -> None:
    root = project(tmp_path / "repo", {}, None)
    assert dbproof("check", "--url-env", "NOT_SET_HERE", root=root).code == 2
    assert dbproof("check", root=root).code == 2
    assert dbproof("check", "--url-env", "postgresql://a:kT3z9@b/c", root=root).code == 2


def test_a_disposable_server_takes_the_whole_run_and_keeps_nothing(
    tmp_path: Path, server: Server, database: Database, query: Query
) -> None:
    query("create table kept (id int)")
    before = query("select (select count(*) from pg_database), (select count(*) from pg_roles)")
    settings = f'[databases.given_app]\nurl_env = "THEIRS"\ndisposable = true\n{SQL.replace("app.", "given_app.")}'
    root = project(tmp_path / "repo", {"migrations/001_first.sql": FIRST}, settings)
    ran = dbproof("run", root=root, more={"THEIRS": database.addresses[Role.ADMIN].url()})
    assert ran.code == 0, ran.said
    assert ran.database["version"] == server.version
    assert ran.check("reference-probe")["proven"] == 1
    assert query("select (select count(*) from pg_database), (select count(*) from pg_roles)") == before
    assert query("select count(*) from kept") == [(0,)]


def test_a_given_server_that_is_not_disposable_is_only_read_by_run(tmp_path: Path, database: Database, query: Query) -> None:
    query(FIRST + ROWS)
    before = query(STATE)
    settings = f'[databases.app]\nurl_env = "THEIRS"\n{SQL}'
    root = project(tmp_path / "repo", {"migrations/001_first.sql": "drop table books;"}, settings)
    ran = dbproof("run", root=root, more={"THEIRS": database.addresses[Role.ADMIN].url()})
    assert ran.code == 0, ran.said
    assert query(STATE) == before
