"""``dbproof check --url-env`` looks and touches nothing; a disposable server may be used like one of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from judging import Query
from proving import FIRST, SQL, Ran, dbproof, project

from checks.targets import Role
from runner.servers.interface import Address, Database, Server

Connect = Callable[[Address], psycopg.Connection[Any]]

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


def test_the_first_look_says_what_it_is_and_what_to_do_next(tmp_path: Path, database: Database, query: Query) -> None:
    query(FIRST + ROWS + LET_READ + "insert into authors select n, 'x' from generate_series(10, 20008) n; analyze;")
    healthy = check(tmp_path / "repo", database.addresses[Role.OWNER].url())
    assert "2 tables, 1 reference, about 20 k rows, " in healthy.err
    assert "only reads, no statement for longer than 60 s" in healthy.err
    assert healthy.out.count(" more: nothing is declared of it") == 1
    assert {healthy.check(name)["reason"] for name in ("delete-rule", "no-rows", "query-limit")} == {"nothing is declared of it"}
    assert "`dbproof init` writes down what must hold here" in healthy.out
    assert "\nSOUND  all that was checked holds · " in healthy.out
    query(ORPHAN + "drop index books_author_id_idx; alter table authors add check (id > 0) not valid;")
    broken = check(tmp_path / "repo", database.addresses[Role.OWNER].url())
    assert "`--show-values` shows the keys of rows" in broken.out
    assert "(authors: about 20 k rows)" in broken.findings("unvalidated-constraint")[0]["message"]
    assert "\nNOT SOUND  1 error, 1 warning · " in broken.out
    assert broken.report["verdict"] == "no-go"
    assert [part for part in (database.name, "127.0.0.1") if part in broken.said] == []


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


def test_a_table_that_may_not_be_read_is_not_proven_and_the_others_are(tmp_path: Path, database: Database, query: Query) -> None:
    query(FIRST + ROWS + LET_READ)
    query("create table letters (id int primary key, author_id int references authors); insert into letters values (1, 1)")
    settings = """
        [databases.app]\nurl_env = "THEIRS"
        [databases.app.expect.no_rows]\n"a letter is addressed" = "select id from letters where author_id is null"
        [databases.app.queries.letters]\nsql = "select * from letters"
    """
    ran = check(tmp_path / "repo", database.addresses[Role.OWNER].url(), settings)
    assert ran.code == 0, ran.said
    denied = {"reason": "permission denied"}
    assert ran.check("orphaned-rows")["not_proven"] == [{"subject": "letters.author_id", **denied}]
    assert ran.check("orphaned-rows")["proven"] == 1
    assert ran.check("no-rows")["not_proven"] == [{"subject": "a letter is addressed", **denied}]
    assert ran.check("query-limit")["not_proven"] == [{"subject": "letters", **denied}]


def test_rows_that_row_security_hides_are_not_taken_for_missing(tmp_path: Path, database: Database, query: Query) -> None:
    query(FIRST + ROWS + LET_READ + "alter table authors enable row level security;")
    ran = check(tmp_path / "repo", database.addresses[Role.OWNER].url())
    assert ran.check("orphaned-rows")["not_proven"] == [
        {"subject": "books.author_id", "reason": "row security hides rows from this role"}
    ]
    assert ran.failing == []


def test_a_statement_that_takes_too_long_ends_its_subject_only(tmp_path: Path, database: Database, query: Query) -> None:
    query(FIRST + ROWS + LET_READ)
    slow = "select 1 from authors, generate_series(1, 1000000000) as endless"
    settings = f"""
        [databases.app]\nurl_env = "THEIRS"
        [databases.app.expect.no_rows]\n"endless" = "{slow} where endless = 0"
    """
    ran = check(tmp_path / "repo", database.addresses[Role.OWNER].url(), settings, "--statement-timeout", "300ms")
    assert ran.code == 0, ran.said
    assert ran.check("no-rows")["not_proven"] == [{"subject": "endless", "reason": "stopped after 0.3 s"}]
    assert ran.check("orphaned-rows")["proven"] == 1


def test_a_table_that_somebody_locked_is_not_waited_for(
    tmp_path: Path, database: Database, query: Query, connect: Connect
) -> None:
    query(FIRST + ROWS + LET_READ)
    with connect(database.private).transaction() as held:
        held.connection.execute("lock table authors in access exclusive mode")
        ran = check(tmp_path / "repo", database.addresses[Role.OWNER].url())
    assert ran.code == 4, ran.said
    assert "locked by another session for more than 2 s" in ran.said
    assert ran.said.count("locked by another session") == 1


def test_the_settings_may_name_the_address(tmp_path: Path, database: Database, query: Query) -> None:
    query(FIRST + ROWS + LET_READ)
    root = project(tmp_path / "repo", {}, '[databases.app]\nurl_env = "THEIRS"\n')
    ran = dbproof("check", root=root, more={"THEIRS": database.addresses[Role.OWNER].url()})
    assert ran.code == 0, ran.said
    assert ran.check("orphaned-rows")["proven"] == 1


@pytest.mark.parametrize("role", [Role.ADMIN, Role.OWNER])
def test_where_it_is_disposable_the_probes_are_tried_and_undone(
    tmp_path: Path, database: Database, query: Query, role: Role
) -> None:
    as_owner = f'set role "{database.name}_owner";'
    query(as_owner + FIRST + ROWS)
    before = query("select (select array_agg(b::text) from books b), (select count(*) from pg_class)")
    settings = '[databases.app]\nurl_env = "THEIRS"\ndisposable = true\n'
    ran = check(tmp_path / "repo", database.addresses[role].url(), settings)
    assert ran.code == 0, ran.said
    assert ran.check("reference-probe")["proven"] == 1
    assert query("select (select array_agg(b::text) from books b), (select count(*) from pg_class)") == before


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("mysql+pymysql://someone:kT3z9@127.0.0.1", "names no database"),
        ("oracle://someone:kT3z9@127.0.0.1/app", "of no engine that dbproof knows"),
        ("kT3z9@127.0.0.1/app", "names no engine"),
    ],
)
def test_2_for_what_is_no_address_of_an_engine_here(tmp_path: Path, address: str, words: str) -> None:
    ran = check(tmp_path / "repo", address)
    assert ran.code == 2, ran.said
    assert words in ran.said
    assert not [part for part in ("kT3z9", "someone", "127.0.0.1", "pymysql") if part in ran.said]


def test_2_where_the_settings_say_another_engine(tmp_path: Path) -> None:
    ran = check(tmp_path / "repo", "mongodb://a:kT3z9@127.0.0.1:1/app", '[databases.app]\nurl_env = "THEIRS"\n')
    assert ran.code == 2, ran.said


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
