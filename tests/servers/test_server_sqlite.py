"""SQLite's files: made, sealed, copied, forked and gone; a given file is read and stays as it was."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from checks.interface import Engine
from checks.targets import Role
from runner.errors import DbproofError, ServerFailed, UsageError
from runner.servers.interface import Address, Database, Wanted
from runner.servers.registry import provision
from runner.servers.sqlite.given import given_file, located
from runner.servers.sqlite.server import SqliteServer, sqlite_server
from runner.servers.sqlite.sessions import session


@pytest.fixture
def server() -> Iterator[SqliteServer]:
    with sqlite_server() as running:
        yield running


def run(database: Database, *statements: str) -> list[tuple[object, ...]]:
    with session(database.private) as connection:
        return [row for statement in statements for row in connection.execute(statement).fetchall()]


def test_an_address_is_a_url_that_sqlalchemy_opens(server: SqliteServer) -> None:
    from sqlalchemy import create_engine, text

    database = server.create("app")
    assert set(database.addresses) == {Role.ADMIN, Role.OWNER}
    url = database.addresses[Role.OWNER].url()
    assert url.startswith("sqlite:////")
    assert database.addresses[Role.OWNER].url("sqlite+aiosqlite") == url.replace("sqlite:", "sqlite+aiosqlite:", 1)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t AS SELECT 1 AS id"))
    engine.dispose()
    assert run(database, "SELECT id FROM t") == [(1,)]
    assert (server.version, server.engine) == (sqlite3.sqlite_version, Engine.SQLITE)


def test_a_name_is_made_once_and_one_that_is_not_there_is_an_error(server: SqliteServer) -> None:
    made = server.create("app")
    assert server.database("app") == made
    for golden in (None, server.seal(made)):
        del golden
        with pytest.raises(ServerFailed, match="exists already"):
            server.create("app")
    with pytest.raises(ServerFailed, match="no database nowhere"):
        server.database("nowhere")


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_seal_takes_the_file_away_until_it_is_taken_off(server: SqliteServer, mode: str) -> None:
    database = server.create("app")
    run(database, f"PRAGMA journal_mode = {mode}", "CREATE TABLE t (id)", "INSERT INTO t VALUES (1)")
    golden = server.seal(database)
    assert [path.name for path in server.directory.glob("app*")] == ["app.sealed"]
    with pytest.raises(ServerFailed, match="unable to open"), session(database.private):
        pass
    assert run(server.open(golden), "SELECT * FROM t", "PRAGMA journal_mode") == [(1,), (mode,)]


def test_what_is_in_use_is_not_sealed(server: SqliteServer) -> None:
    database = server.create("app")
    run(database, "PRAGMA journal_mode = wal", "CREATE TABLE t (id)", "INSERT INTO t VALUES (1)")
    with session(database.private) as reading:
        reading.execute("BEGIN")
        reading.execute("SELECT * FROM t").fetchall()
        run(database, "INSERT INTO t VALUES (2)")
        with pytest.raises(ServerFailed, match="cannot be sealed"):
            server.seal(database)
    with session(database.private) as writing:
        writing.execute("BEGIN IMMEDIATE")
        with pytest.raises(ServerFailed, match="locked"):
            server.seal(database)


def test_clones_are_apart_and_go(server: SqliteServer) -> None:
    database = server.create("app")
    run(database, "PRAGMA journal_mode = wal", "CREATE TABLE t (id)")
    golden = server.seal(database)
    with server.clone(golden) as one, server.clone(golden) as two:
        run(one, "INSERT INTO t VALUES (1)")
        assert (run(one, "SELECT count(*) FROM t"), run(two, "SELECT count(*) FROM t")) == ([(1,)], [(0,)])
        with session(one.private) as guest:
            guest.execute("SELECT * FROM t").fetchall()
    assert [path.name for path in server.directory.glob("app*")] == ["app.sealed"]


def test_a_fork_has_everything_even_what_stands_in_a_log_and_is_apart(server: SqliteServer) -> None:
    sealed, written = server.create("sealed"), server.create("written")
    run(sealed, "CREATE TABLE t (id)")
    golden = server.seal(sealed)
    with session(written.private) as writing:
        writing.execute("PRAGMA journal_mode = wal")
        writing.execute("CREATE TABLE t AS SELECT 1 AS id")
        with server.fork() as fork:
            there = fork.open(golden)
            run(there, "INSERT INTO t VALUES (7)")
            assert run(fork.database("written"), "SELECT * FROM t") == [(1,)]
            assert run(there, "SELECT * FROM t") == [(7,)]
        assert not fork.directory.exists()
    with server.clone(golden) as clone:
        assert run(clone, "SELECT * FROM t") == []


def test_our_sessions_do_with_foreign_keys_as_the_applications_do() -> None:
    for said, switched in ((None, 0), (True, 1), (False, 0)):
        with sqlite_server(said) as server:
            database = server.create("app")
            assert run(database, "PRAGMA foreign_keys") == [(switched,)]
            assert "foreign_keys" not in database.private.url()


def test_whether_a_file_was_read_or_written_shows(server: SqliteServer) -> None:
    database = server.create("app")
    assert (server.mark(), list(server.log())) == (0, [])
    assert not server.touched(database)
    with server.unseen(database):
        run(database, "SELECT * FROM sqlite_master")
    assert not server.touched(database)
    run(database, "SELECT * FROM sqlite_master")
    assert server.touched(database)
    server.mark()
    run(database, "CREATE TABLE t (id)")
    assert server.touched(database)


# What is left ---------------------------------------------------------------------------------------------------------

CHILD = """
import sys, time
from runner.servers.sqlite.server import sqlite_server
from runner.servers.sqlite.sessions import session
with sqlite_server() as server, server.fork() as fork:
    database = server.create("left")
    with session(database.private) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE t (id)")
        print("ready", flush=True)
        time.sleep(0 if sys.argv[1] == "end" else 600)
"""


def child(place: Path, ending: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "TMPDIR": str(place)}
    process = subprocess.Popen([sys.executable, "-c", CHILD, ending], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_the_next_server_sweeps_up_after_sigkill(place: Path) -> None:
    killed, living = child(place, "wait"), child(place, "wait")
    killed.send_signal(signal.SIGKILL)
    killed.wait(30)
    assert len(list(place.iterdir())) == 4
    assert child(place, "end").wait(30) == 0
    assert len(list(place.iterdir())) == 2, "what a living owner has is not swept"
    living.send_signal(signal.SIGKILL)
    living.wait(30)
    assert child(place, "end").wait(30) == 0
    assert list(place.iterdir()) == []


# Given ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    path = tmp_path / "their app.db"
    with closing(sqlite3.connect(path)) as own:
        own.executescript("CREATE TABLE t (id); INSERT INTO t VALUES (1)")
    return path


@pytest.mark.parametrize(
    "form", ["sqlite:///{}", "sqlite+aiosqlite:///{}", "sqlite:///{}?timeout=5", "sqlite:///file:{}?uri=true"]
)
def test_a_url_leads_to_its_file(theirs: Path, form: str) -> None:
    assert located(form.format(theirs)) == theirs
    assert located(form.format(str(theirs).replace(" ", "%20"))) == theirs


def test_a_url_may_start_here(theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(theirs.parent)
    assert located(f"sqlite:///{theirs.name}") == theirs


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite://host/app.db", "sqlite:///file:x?mode=memory", "nothing"]
)
def test_a_url_that_names_no_file_is_a_wrong_address(url: str) -> None:
    with pytest.raises(UsageError):
        located(url)


def look(path: Path) -> list[tuple[object, ...]]:
    with provision(Wanted(Engine.SQLITE, url=f"sqlite:///{path}", standing=True, statement_timeout=9.0)) as server:
        database = server.database("whatever")
        assert (database.name, database.statement_timeout, server.disposable) == (path.name, 9.0, False)
        with session(database.private, read_only=True) as connection:
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                connection.execute("DELETE FROM t")
            with pytest.raises(sqlite3.DatabaseError, match="authoriz"):
                connection.execute("VACUUM INTO 'copy.db'")
            return connection.execute("SELECT * FROM t").fetchall()


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_looking_leaves_the_file_and_what_is_beside_it_as_it_was(theirs: Path, mode: str) -> None:
    with closing(sqlite3.connect(theirs)) as own:
        own.execute(f"PRAGMA journal_mode = {mode}")
    before = {path.name: path.read_bytes() for path in theirs.parent.iterdir()}
    assert look(theirs) == [(1,)]
    assert {path.name: path.read_bytes() for path in theirs.parent.iterdir()} == before


def test_what_stands_in_the_log_of_somebody_at_work_is_seen_and_kept(theirs: Path) -> None:
    with closing(sqlite3.connect(theirs, isolation_level=None)) as own:
        own.execute("PRAGMA journal_mode = wal")
        own.execute("INSERT INTO t VALUES (2)")
        assert look(theirs) == [(1,), (2,)]
        assert {path.name.removeprefix(theirs.name) for path in theirs.parent.iterdir()} == {"", "-wal", "-shm"}
        own.execute("INSERT INTO t VALUES (3)")
        assert own.execute("SELECT count(*) FROM t").fetchone() == (3,)


READER = """
import os, sys
from runner.errors import DbproofError
from runner.servers.sqlite.given import given_file
from runner.servers.sqlite.sessions import session
os.setgid(65534); os.setuid(65534)
try:
    with given_file(f"sqlite:///{sys.argv[1]}") as server:
        with session(server.database("").private, read_only=True) as connection:
            print(connection.execute("SELECT * FROM t").fetchall())
except DbproofError as error:
    print(error.message)
"""


def test_a_directory_that_is_read_only_is_read_where_nothing_is_missed(place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    path = place / "app.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as own:
        own.executescript("PRAGMA journal_mode = wal; CREATE TABLE t (id); INSERT INTO t VALUES (1)")
    place.chmod(0o755)

    def read() -> str:
        done = subprocess.run([sys.executable, "-c", READER, str(path)], check=True, capture_output=True, text=True, timeout=60)
        return done.stdout

    assert read() == "[(1,)]\n"
    with closing(sqlite3.connect(path, isolation_level=None)) as own:
        own.execute("INSERT INTO t VALUES (2)")
        (place / "app.db-shm").chmod(0o600)
        assert "changes in app.db-wal that cannot be read" in read()


def test_what_cannot_be_read_is_said(tmp_path: Path, theirs: Path) -> None:
    (tmp_path / "text.db").write_text("no database, " * 20)
    (tmp_path / "empty.db").touch()
    whole = theirs.read_bytes()
    (tmp_path / "torn.db").write_bytes(whole[:90] + b"\xff" * 600 + whole[700:])
    words = {
        "gone.db": "no such file",
        "text.db": "is not a SQLite database",
        "empty.db": "is empty",
        ".": "is a directory",
        "torn.db": "cannot be read",
    }
    for name, said in words.items():
        with pytest.raises(DbproofError, match=said), given_file(f"sqlite:///{tmp_path / name}"):
            pass


def test_a_locked_file_is_said_to_be_locked(theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.servers.sqlite.sessions.LOCK_TIMEOUT", 0.1)
    with closing(sqlite3.connect(theirs, isolation_level=None)) as own:
        own.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ServerFailed, match="is locked"), given_file(f"sqlite:///{theirs}"):
            pass


def test_what_would_write_to_a_given_file_is_refused(theirs: Path) -> None:
    with given_file(f"sqlite:///{theirs}") as server:
        database = server.database("app")
        for refused in (lambda: server.create("x"), lambda: server.seal(database), server.fork):
            with pytest.raises(ServerFailed, match="only read"):
                refused()


def test_an_address_of_a_server_keeps_its_form() -> None:
    address = Address("db", 5432, "me", "p w", "shop")
    assert address.url() == "postgresql://me:p%20w@db:5432/shop"
