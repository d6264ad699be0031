"""SQL files as MariaDB's own client splits them, and what becomes of them on a server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mariadb_judging import made

from checks.evidence import Place
from checks.targets import Role
from runner.errors import ToolFailed
from runner.migrations.mariadb_files import apply_file, read, split
from runner.servers.interface import Database
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import rows, session

SPLIT = {
    "select 1; select 2": [(1, "select 1"), (1, "select 2")],
    'select \';\' , "a;\\";", `b``;` ;\nselect 2;': [(1, 'select \';\' , "a;\\";", `b``;`'), (2, "select 2")],
    "-- a; b\nselect 1 /* ; */ # ;\n, 2; -- c": [(2, "select 1 /* ; */ # ;\n, 2")],
    "select 1--2;": [(1, "select 1--2")],
    "/*! select 1; */ select 2;": [(1, "/*! select 1"), (1, "*/ select 2")],
    "delimiter //\ncreate trigger t begin a; b; end//\nDELIMITER ;\nselect 1;": [
        (2, "create trigger t begin a; b; end"),
        (4, "select 1"),
    ],
    "  DELIMITER $$\nselect 1$$select 2 $$": [(2, "select 1"), (2, "select 2")],
    "select 'open; select 2": [(1, "select 'open; select 2")],
    "\ufeffselect 1;;;\n;": [(1, "select 1")],
    "": [],
    "-- nothing": [],
}


@pytest.mark.parametrize("text", SPLIT)
def test_statements_end_where_the_client_ends_them(text: str) -> None:
    assert [(piece.line, piece.text) for piece in split(text)] == SPLIT[text]


@pytest.mark.parametrize("text", ["select 1;\nsource b.sql\n", "\\. b.sql\n", "select 1;\n\\! ls\n", "system ls\n"])
def test_what_only_the_client_can_do_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.sql").write_text(text)
    with pytest.raises(ToolFailed, match="needs the mariadb client"):
        read(tmp_path / "a.sql", "a.sql")


@pytest.fixture
def mariadb_database(mariadb_server: MariadbServer) -> Iterator[Database]:
    with made(mariadb_server, "") as database:
        yield database


def apply(text: str, tmp_path: Path, on: Database, seconds: float = 30, transaction: str = "statement") -> object:
    (tmp_path / "a.sql").write_text(text)
    file = read(tmp_path / "a.sql", "db/a.sql")
    assert transaction in ("statement", "file")
    mode = "file" if transaction == "file" else "statement"
    return apply_file(on.addresses[Role.OWNER], file, mode, time.monotonic() + seconds)  # type: ignore[arg-type]


def test_a_file_is_applied_and_a_refused_statement_has_its_line(tmp_path: Path, mariadb_database: Database) -> None:
    good = "create table t (id int primary key, a varchar(9) default '100%');\ninsert into t (id) values (1);\n"
    assert apply(good, tmp_path, mariadb_database) is None
    broke = apply(
        "insert into t values (2, 'ok');\n\ninsert into t values (3, 'secret'),\n (1, 'x');", tmp_path, mariadb_database
    )
    assert (getattr(broke, "place", None), getattr(broke, "code", "")) == (Place("db/a.sql", 3), "1062")
    assert (getattr(broke, "said", ""), getattr(broke, "detail", "")) == ("Duplicate entry for key 'PRIMARY'", "'1'")
    with session(mariadb_database.private) as driver:
        assert rows(driver, "select id, a from t order by id") == [(1, "100%"), (2, "ok")]


def test_a_transaction_holds_rows_together_and_no_ddl(tmp_path: Path, mariadb_database: Database) -> None:
    text = "create table t (id int primary key);\ninsert into t values (1);\ninsert into t values (1);"
    assert apply(text, tmp_path, mariadb_database, transaction="file") is not None
    with session(mariadb_database.private) as driver:
        assert rows(driver, "select count(*) from t") == [(0,)]


def test_a_statement_that_takes_too_long_is_given_up(tmp_path: Path, mariadb_database: Database) -> None:
    broke = apply("select 1;\nselect sleep(60);", tmp_path, mariadb_database, seconds=0.5)
    assert getattr(broke, "timed_out", False) is True
    assert getattr(broke, "place", None) == Place("db/a.sql", 2)
