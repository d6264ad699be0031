"""Signals end a run soon, whatever it is doing; nothing is left, and what was found is reported."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from proving import ALEMBIC, ENV_PY, FIRST, SQL, alembic, cancel, left, processes, project, started, until

from checks.targets import Role
from runner.servers.interface import Database

#: Seconds within which a signal ends a run (twice what is promised: other work may be going on here).
SOON = 10
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
SLEEPS = "select pg_sleep(600)"
ASLEEP = "SELECT 1 FROM pg_stat_activity WHERE query ~ 'pg_sleep' AND state = 'active' AND pid <> pg_backend_pid()"
DECLARED = '[databases.app.expect]\nreferences = ["books.author_id -> authors.id on delete cascade"]\n'
SLOW_QUERY = f'[databases.app.expect.no_rows]\n"nothing" = "{SLEEPS}"\n"nothing more" = "{SLEEPS}"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project(tmp_path / "repo", {"migrations/001_first.sql": FIRST})


@pytest.fixture
def run(root: Path, place: Path) -> Iterator[Running]:
    with ExitStack() as stack:
        yield Running(root, place, stack)


def sleeping(socket: Path) -> bool:
    """Whether a session of the server behind a socket executes ``pg_sleep``."""
    with suppress(psycopg.OperationalError):  # it is starting, or ending
        port = int(socket.suffix[1:])
        with psycopg.connect(
            host=str(socket.parent), port=port, user="postgres", dbname="postgres", connect_timeout=5
        ) as session:
            return bool(session.execute(ASLEEP).fetchone())
    return False


class Running:
    """A run that is ended by a signal once it has come to some point."""

    def __init__(self, root: Path, place: Path, stack: ExitStack) -> None:
        self.root, self.place, self._stack = root, place, stack

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        process = started(*(arguments or ("run",)), root=self.root, place=self.place, more=more)
        return self._stack.enter_context(process)

    def works_on(self, words: str) -> None:
        """Wait until a process here has these words in its command line."""
        until(lambda: any(words in line for line in processes(self.place)), lambda: (processes(self.place), self.said))

    def sleeps(self) -> None:
        """Wait until one of this run's servers executes ``pg_sleep``."""
        until(lambda: any(map(sleeping, self.place.glob("*/socket/.s.PGSQL.*[0-9]"))), lambda: (left(self.place), self.said))

    def reaches(self) -> None:
        """Wait until the project's own code has written ``reached``."""
        until((self.root / "reached").exists, lambda: self.said)

    @property
    def said(self) -> str:
        return (self.root.parent / "said").read_text()

    @property
    def report(self) -> dict[str, Any]:
        found = json.loads((self.root.parent / "reports" / "report.json").read_text())
        assert isinstance(found, dict)
        return found

    def ended_with(self, process: subprocess.Popen[str], number: signal.Signals, code: int) -> None:
        assert cancel(process, number, SOON) == code, self.said
        assert left(self.place) == []
        assert "Traceback" not in self.said
        assert f"cancelled by {number.name}" in self.said
        assert (self.report["verdict"], self.report["exit_code"]) == ("cancelled", code)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_while_a_server_is_made(run: Running, tmp_path: Path, number: signal.Signals, code: int) -> None:
    process = run.start(DBPROOF_CACHE=str(tmp_path / "cache"))
    run.works_on("initdb")
    run.ended_with(process, number, code)
    assert [path for path in (tmp_path / "cache").iterdir() if ".new-" in path.name] == []


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_while_a_migration_runs(run: Running, number: signal.Signals, code: int) -> None:
    project(run.root, {"migrations/002_slow.sql": SLEEPS})
    process = run.start()
    run.sleeps()
    run.ended_with(process, number, code)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_while_the_projects_own_program_runs_and_ignores_us(run: Running, number: signal.Signals, code: int) -> None:
    ignores = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    files = alembic(one=f"{ignores}op.execute('select 1')\nopen('reached', 'w').close()\ntime.sleep(600)")
    project(run.root, files, ALEMBIC)
    process = run.start()
    run.reaches()
    run.ended_with(process, number, code)


def test_while_the_address_is_proven(run: Running) -> None:
    env = f"import time\nopen('reached', 'w').close()\ntime.sleep(600)\n{ENV_PY}"
    project(run.root, alembic(env, one="pass"), ALEMBIC)
    process = run.start()
    run.reaches()
    run.ended_with(process, signal.SIGINT, 130)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_while_a_check_reads_and_what_was_found_is_kept(run: Running, number: signal.Signals, code: int) -> None:
    slow = (SQL + SLOW_QUERY).replace("databases.app", "databases.slow")
    project(run.root, {}, SQL + DECLARED + slow)
    process = run.start()
    run.sleeps()
    run.ended_with(process, number, code)
    first, second = ({check["id"]: check for check in database["checks"]} for database in run.report["databases"])
    assert first["delete-rule"]["findings"][0]["subject"] == "books.author_id -> authors.id"
    assert (second["no-rows"]["outcome"], second["no-rows"]["reason"]) == ("skipped", "not reached, the run was stopped")
    assert second["migration-failed"]["outcome"] == "passed"
    assert "delete-rule" in run.said
    assert (run.root.parent / "reports" / "junit.xml").is_file()
    assert (run.root.parent / "reports" / "summary.md").is_file()


def test_while_a_query_is_measured(run: Running) -> None:
    project(run.root, {}, f'{SQL}[databases.app.queries.slow]\nsql = "{SLEEPS}"\nlimit = "500s"\n')
    process = run.start()
    run.sleeps()
    run.ended_with(process, signal.SIGTERM, 143)
    assert run.report["databases"][0]["migrations"][0]["state"] == "applied"


def test_while_a_given_database_is_read(run: Running, database: Database) -> None:
    """The server is not ours to stop: the session must let go by itself, and the server's work must end."""
    url = database.addresses[Role.OWNER].url()
    project(run.root, {}, f'[databases.app]\nurl_env = "URL"\n{SLOW_QUERY}')

    socket = Path(database.private.host) / f".s.PGSQL.{database.private.port}"
    process = run.start("check", "--url-env", "URL", URL=url)
    until(lambda: sleeping(socket), lambda: run.said)
    run.ended_with(process, signal.SIGINT, 130)
    until(lambda: not sleeping(socket), lambda: "the query goes on", SOON)


def test_a_second_signal_does_not_tear_the_cleaning_up_apart(run: Running) -> None:
    project(run.root, {"migrations/002_slow.sql": SLEEPS})
    process = run.start()
    run.sleeps()
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
        process.send_signal(number)
    assert process.wait(SOON) == 130
    assert left(run.place) == []


def test_what_a_killed_run_left_is_cleaned_up_by_the_next(run: Running) -> None:
    project(run.root, {"migrations/002_slow.sql": SLEEPS})
    process = run.start()
    run.sleeps()
    process.kill()
    process.wait(SOON)
    assert left(run.place) != []
    (run.root / "migrations" / "002_slow.sql").unlink()
    assert run.start().wait(60) == 0, run.said
    assert left(run.place) == []


def test_what_a_killed_run_left_of_the_projects_programs_is_cleaned_up_too(run: Running) -> None:
    files = alembic(one="import time\nopen('reached', 'w').close()\ntime.sleep(600)")
    project(run.root, files, ALEMBIC)
    process = run.start()
    run.reaches()
    process.kill()
    process.wait(SOON)
    project(run.root, alembic(one="op.execute('create table a (id int primary key)')"))
    assert run.start().wait(60) == 0, run.said
    assert left(run.place) == []


def test_two_runs_at_once_do_not_meet(run: Running, tmp_path: Path) -> None:
    project(run.root, {"migrations/002_slow.sql": SLEEPS})
    slow = run.start()
    run.sleeps()
    other = project(tmp_path / "other" / "repo", {"migrations/001_first.sql": FIRST})
    with started("run", root=other, place=run.place) as quick:
        assert quick.wait(60) == 0, (other.parent / "said").read_text()
    assert slow.poll() is None
    run.sleeps()
    run.ended_with(slow, signal.SIGTERM, 143)
