"""``dbproof service`` is what the official image would be, and ``dbproof check`` judges what a job made of it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from proving import Ran, dbproof, left, project
from services import Serve
from services import ask as ask
from services import serve as serve

from runner.servers.installations import installations

Ask = Callable[..., list[tuple[Any, ...]]]

PASSWORD = "p@ss/w:rd #kT3z9"
QUOTED = "p%40ss%2Fw%3Ard%20%23kT3z9"
VARIABLES = {"POSTGRES_PASSWORD": PASSWORD, "POSTGRES_USER": "job", "POSTGRES_DB": "shop"}
FIRST = "create table authors (id int primary key, name text not null);\n"
SECOND = """\
create table books (
  id int generated always as identity primary key,
  author_id int not null references authors
);
create index on books (author_id);
"""
ROWS = "insert into authors values (1, 'Ursula'); insert into books (author_id) values (1), (1);"
FILES = {"db/1_authors.sql": FIRST, "db/2_books.sql": SECOND}


def migrate(url: str, root: Path) -> subprocess.CompletedProcess[str]:
    """As a job does: every file by psql, which goes on after an error and ends well."""
    files = [part for file in sorted((root / "db").glob("*.sql")) for part in ("--file", str(file))]
    return subprocess.run([program("psql"), "--no-psqlrc", url, *files], capture_output=True, text=True, check=True, timeout=60)


def program(name: str) -> str:
    """A client of the newest server here, which is the one that serves."""
    newest = max((each for each in installations() if (each.binaries / name).is_file()), key=lambda each: each.version)
    return str(newest.binaries / name)


def judged(root: Path, url: str) -> Ran:
    return dbproof("check", "--url-env", "DATABASE_URL", root=root, more={"DATABASE_URL": url})


def dumped(url: str) -> str:
    said = subprocess.run([program("pg_dump"), url], capture_output=True, text=True, check=True, timeout=60).stdout
    return re.sub(r"(?m)^\\(un)?restrict .*$", "", said)  # a random word each time, since CVE-2025-8714


@pytest.fixture
def url(serve: Serve) -> str:
    return serve(VARIABLES).url("job", QUOTED, "shop")


def test_the_variables_of_the_official_image(serve: Serve, ask: Ask) -> None:
    running = serve(VARIABLES)
    url = running.url("job", QUOTED, "shop")
    assert ask(url, "select current_user, usesuper, current_database() from pg_user where usename = current_user") == [
        ("job", True, "shop")
    ]
    assert ask(url, "select rolname from pg_roles where rolsuper") == [("job",)]
    assert PASSWORD not in running.words.read_text()


def test_without_names_it_is_postgres(serve: Serve, ask: Ask) -> None:
    running = serve({"POSTGRES_PASSWORD": "secret"})
    assert ask(running.url("postgres", "secret", "postgres"), "select current_database()") == [("postgres",)]


def test_the_password_may_stand_in_a_file(serve: Serve, ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from-a-file\n")
    running = serve({"POSTGRES_PASSWORD_FILE": str(tmp_path / "password")})
    assert ask(running.url("postgres", "from-a-file", "postgres"), "select 1") == [(1,)]


def test_settings_and_options_of_initdb(serve: Serve, ask: Ask) -> None:
    variables = {"POSTGRES_HOST_AUTH_METHOD": "trust", "POSTGRES_INITDB_ARGS": "--encoding=LATIN1 --locale=C"}
    running = serve(variables, "-c", "max_connections=33", "-c", "work_mem=7MB")
    url = running.url("postgres", "", "postgres")
    asked = ask(url, "select current_setting('max_connections'), current_setting('work_mem'), current_setting('server_encoding')")
    assert asked == [("33", "7MB", "LATIN1")]


@pytest.mark.parametrize(
    ("variables", "arguments", "words"),
    [
        ({}, (), "POSTGRES_PASSWORD"),
        ({"POSTGRES_PASSWORD": ""}, (), "POSTGRES_HOST_AUTH_METHOD=trust"),
        ({"POSTGRES_PASSWORD": "kT3z9", "POSTGRES_PASSWORD_FILE": "/nowhere"}, (), "both POSTGRES_PASSWORD and"),
        ({"POSTGRES_PASSWORD_FILE": "/nowhere"}, (), "No such file"),
        ({"POSTGRES_PASSWORD": "kT3z9", "POSTGRES_USER": "pg_mine"}, (), "POSTGRES_USER"),
        ({"POSTGRES_PASSWORD": "kT3z9", "POSTGRES_HOST_AUTH_METHOD": "peer"}, (), "'peer'"),
        ({"POSTGRES_PASSWORD": "kT3z9", "POSTGRES_INITDB_ARGS": "--pgdata=/x"}, (), "--pgdata"),
        ({"POSTGRES_PASSWORD": "kT3z9"}, ("-c", "log_destination=stderr"), "log_destination"),
        ({"POSTGRES_PASSWORD": "kT3z9"}, ("-c", "work_mem"), "max_connections=200"),
        ({"POSTGRES_PASSWORD": "kT3z9"}, ("--port", "70000"), "no such port"),
    ],
)
def test_what_cannot_be_served_is_said(tmp_path: Path, variables: dict[str, str], arguments: tuple[str, ...], words: str) -> None:
    ran = dbproof("service", *arguments, root=tmp_path, more=variables)
    assert ran.code == 2, ran.said
    assert words in ran.said
    assert "kT3z9" not in ran.said


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = dbproof("service", "--listen", "127.0.0.1", "--port", port, root=tmp_path, more={"POSTGRES_PASSWORD": "x"})
    assert ran.code == 4, ran.said
    assert f"port {port} is taken" in ran.said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_and_leaves_nothing(serve: Serve, place: Path, number: signal.Signals) -> None:
    running = serve(VARIABLES)
    with closing(psycopg.connect(running.url("job", QUOTED, "shop"))) as session:  # somebody is in a transaction
        session.execute("create table t (id int)")
        running.process.send_signal(number)
        assert running.process.wait(8) == 0
    assert left(place) == []


def test_ready_only_when_it_takes_connections(serve: Serve, tmp_path: Path) -> None:
    running = serve(VARIABLES)
    assert dbproof("service", "--ready", "--port", str(running.port), root=tmp_path).code == 0
    running.process.terminate()
    running.process.wait(8)
    assert dbproof("service", "--ready", "--port", str(running.port), root=tmp_path).code == 4


def test_what_a_job_made_is_judged_with_its_files_and_left_as_it_was(tmp_path: Path, url: str, ask: Ask) -> None:
    root = project(tmp_path / "repo", FILES, None)
    migrate(url, root)
    ask(url, ROWS)
    before = dumped(url)
    ran = judged(root, url)
    assert ran.code == 0, ran.said
    assert ran.check("reference-probe")["proven"] == 1
    assert ran.check("orphaned-rows")["proven"] == 1
    assert ran.check("migration-failed")["proven"] == 1
    assert dumped(url) == before
    assert ask(url, "select count(*) from pg_database where not datistemplate") == [(2,)]


def test_the_database_that_every_server_has_is_recorded_too(tmp_path: Path, serve: Serve) -> None:
    url = serve({"POSTGRES_PASSWORD": "secret"}).url("postgres", "secret", "postgres")
    root = project(tmp_path / "repo", FILES, None)
    migrate(url, root)
    ran = judged(root, url)
    assert ran.check("reference-probe")["proven"] == 1
    assert ran.database["notes"] == []


def test_a_finding_names_the_line_that_made_it(tmp_path: Path, url: str) -> None:
    root = project(
        tmp_path / "repo", {**FILES, "db/3.sql": "alter table books add review_of int,\n add check (id > 0) not valid;"}, None
    )
    migrate(url, root)
    ran = judged(root, url)
    (found,) = ran.findings("unvalidated-constraint")
    assert (found["provenance"]["file"], found["provenance"]["line"]) == ("db/3.sql", 1)


def test_a_statement_that_was_refused_fails_though_the_jobs_step_did_not(tmp_path: Path, url: str) -> None:
    root = project(tmp_path / "repo", {**FILES, "db/3.sql": "select 1;\nalter table bookz add x int;"}, None)
    migrate(url, root)
    ran = judged(root, url)
    assert ran.code == 1, ran.said
    (found,) = ran.findings("migration-failed")
    assert (found["provenance"]["file"], found["provenance"]["line"], found["evidence"]["code"]) == ("db/3.sql", 2, "42P01")


def test_a_refusal_that_went_through_later_or_stands_elsewhere_is_none(tmp_path: Path, url: str, ask: Ask) -> None:
    wrong = "insert into authors values (1, 'a second one')"
    root = project(tmp_path / "repo", {**FILES, "tests/unique.sql": f"{wrong};"}, None)
    with pytest.raises(psycopg.errors.UndefinedTable):
        ask(url, SECOND.partition(";")[0])
    migrate(url, root)
    ask(url, ROWS)
    with pytest.raises(psycopg.errors.UniqueViolation):
        ask(url, wrong)
    ran = judged(root, url)
    assert ran.code == 0, ran.said


def test_what_no_file_holds_is_said(tmp_path: Path, url: str, ask: Ask) -> None:
    root = project(tmp_path / "repo", {}, None)
    ask(url, FIRST, SECOND.partition(";")[0])
    ran = judged(root, url)
    assert ran.code == 0, ran.said
    assert "2 statements of 2 that made something stand in no SQL file here" in " ".join(ran.database["notes"])


def test_a_database_that_nobody_came_to_is_said(tmp_path: Path, url: str) -> None:
    ran = judged(project(tmp_path / "repo", {}, None), url)
    assert ran.code == 3, ran.said
    assert "has it been migrated?" in ran.said


def test_with_somebody_in_the_database_it_is_judged_all_the_same(tmp_path: Path, url: str, ask: Ask) -> None:
    root = project(tmp_path / "repo", FILES, None)
    migrate(url, root)
    ask(url, ROWS)
    with psycopg.connect(url) as working:
        working.execute("select 1")  # a transaction is open
        ran = judged(root, url)
        assert working.execute("select 2").fetchone() == (2,)
    assert ran.code == 0, ran.said
    assert "somebody works in the database" in ran.check("reference-probe")["reason"]
    assert ran.check("orphaned-rows")["proven"] == 1


def test_idle_sessions_do_not_keep_it_from_the_probes(tmp_path: Path, url: str) -> None:
    root = project(tmp_path / "repo", FILES, None)
    migrate(url, root)
    with psycopg.connect(url, autocommit=True) as idle:
        idle.execute("select 1")
        assert judged(root, url).check("reference-probe")["proven"] == 1


def test_who_is_no_superuser_gets_a_look(tmp_path: Path, serve: Serve, ask: Ask) -> None:
    running = serve(VARIABLES)
    url = running.url("job", QUOTED, "shop")
    root = project(tmp_path / "repo", FILES, None)
    migrate(url, root)
    ask(url, ROWS, "create role app login password 'app'", "grant select on all tables in schema public to app")
    ran = judged(root, running.url("app", "app", "shop"))
    assert ran.code == 0, ran.said
    assert ran.database["origin"] == "a dbproof service, whose log only its superuser may read"
    assert ran.check("reference-probe")["outcome"] == "skipped"


def test_who_only_says_to_be_a_service_is_none(tmp_path: Path, database: Any, query: Any) -> None:
    query(FIRST + SECOND + ROWS)
    said = f"{database.addresses['admin'].url()}?options=-c%20dbproof.service%3D1"
    ran = judged(project(tmp_path / "repo", {}, None), said)
    assert ran.code == 0, ran.said
    assert ran.check("reference-probe")["outcome"] == "skipped"


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    folder = tmp_path / "scripts"
    folder.mkdir()
    return folder


def test_scripts_run_before_anybody_comes_in(serve: Serve, ask: Ask, scripts: Path) -> None:
    (scripts / "1_table.sql").write_text("create table made_by_sql (id int);")
    (scripts / "2_more.sh").write_text(
        'psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" -c "create table made_by_sh (id int)"'
    )
    (scripts / "readme.txt").write_text("ignored")
    running = serve(VARIABLES, "--scripts", str(scripts))
    asked = ask(running.url("job", QUOTED, "shop"), "select relname::text from pg_class where relname like 'made%' order by 1")
    assert asked == [("made_by_sh",), ("made_by_sql",)]


def test_a_script_that_fails_ends_the_service(tmp_path: Path, scripts: Path, place: Path) -> None:
    (scripts / "1.sql").write_text("select 1;\nselect * from nowhere;")
    more = {**VARIABLES, "TMPDIR": str(place)}
    ran = dbproof("service", "--listen", "127.0.0.1", "--port", "0", "--scripts", str(scripts), root=tmp_path, more=more)
    assert ran.code == 4, ran.said
    assert 'relation "nowhere" does not exist' in ran.said
    assert left(place) == []
