"""SQL files and dumps with rows: psql's own forms, what is refused at its line, and files that are read bit by bit."""

from __future__ import annotations

import gzip
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mariadb_judging import made as made_on_mariadb

from checks.evidence import LoadedFile, MigrationFailure, Place
from checks.targets import Role
from runner.backends import mariadb, postgresql, sqlite
from runner.data.own import pieces as cutting
from runner.data.own.pieces import Copy, Piece, pieces
from runner.errors import ToolFailed, UsageError
from runner.migrations import mariadb_files, sqlite_statements
from runner.migrations.statements import MetaCommand, Statement, split
from runner.servers.installations import installations
from runner.servers.interface import Address, Database
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import rows as rows_of_mariadb
from runner.servers.mariadb.sessions import session as mariadb_session
from runner.servers.postgresql.sessions import session
from runner.servers.sqlite.server import sqlite_server
from runner.servers.sqlite.sessions import session as sqlite_session

TABLES = """
CREATE TABLE parents (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE children (id int PRIMARY KEY, parent_id int NOT NULL REFERENCES parents, note text);
"""


@pytest.fixture
def shop(database: Database) -> Database:
    with session(database.private) as connection:
        connection.execute(TABLES.encode())
        connection.execute(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{database.name}_owner"'.encode())
    return database


def asked(address: Address, query: str) -> list[tuple[object, ...]]:
    with session(address) as connection:
        return connection.execute(query.encode()).fetchall()


def load(root: Path, shop: Database, *names: str) -> tuple[LoadedFile, ...]:
    return postgresql.load(root, names, shop, Role.OWNER)


def refused(root: Path, shop: Database, text: str, name: str = "a.sql") -> MigrationFailure:
    (root / name).write_text(text)
    (loaded,) = load(root, shop, name)
    assert loaded.refused is not None
    assert asked(shop.private, "SELECT count(*) FROM parents") == [(0,)]
    return loaded.refused


DUMP = r"""--
SET statement_timeout = 0;
SET transaction_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
COPY public.parents (id, name) FROM stdin;
1	tab\there
2	\\N
\.

INSERT INTO public.children VALUES (1, 1, 'a;b'); -- ;
COPY public.children
  (id, parent_id, note) FROM stdin;
2	2	\N
\.
"""


def test_a_plain_dump_as_psql_reads_it(tmp_path: Path, shop: Database) -> None:
    (tmp_path / "dump.sql.gz").write_bytes(gzip.compress(DUMP.encode()))
    assert load(tmp_path, shop, "dump.sql.gz") == (LoadedFile("dump.sql.gz"),)
    assert asked(shop.private, "SELECT name FROM parents ORDER BY id") == [("tab\there",), ("\\N",)]
    assert asked(shop.private, "SELECT id, note FROM children ORDER BY id") == [(1, "a;b"), (2, None)]


@pytest.mark.parametrize(
    ("was", "now", "line", "code", "said"),
    [
        ("1\ttab", "x\ttab", 6, "22P02", 'invalid input syntax for type integer: "x" (column id)'),
        ("2\t\\\\N", "2", 7, "22P04", 'missing data for column "name"'),
        ("2\t\\\\N", "1\tB", 7, "23505", "duplicate key value violates unique constraint"),
        ("2\t2\t\\N", "2\t2\t\\N\n3\t\\N\t", 14, "23502", "null value in column"),
        ("(1, 1, 'a;b')", "(1, 1,\n 'a;b' x)", 11, "42601", "syntax error"),
        ("(1, 1, 'a;b')", "(1, 3, 'a;b')", 10, "23503", "violates foreign key constraint"),
    ],
)
def test_a_refused_row_of_a_dump_is_told_by_its_line(
    tmp_path: Path, shop: Database, was: str, now: str, line: int, code: str, said: str
) -> None:
    failure = refused(tmp_path, shop, DUMP.replace(was, now))
    assert (failure.place, failure.code) == (Place("a.sql", line), code)
    assert said in failure.said


def test_psqls_own_commands_that_bring_rows(tmp_path: Path, shop: Database) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "parents.csv").write_text("id;name\n1;A\n")
    (tmp_path / "db" / "more.sql").write_text("\\echo more\nINSERT INTO parents VALUES (2, 'B');\n")
    (tmp_path / "db" / "seed.sql").write_text(
        "\\set ON_ERROR_STOP on\n\\copy parents (id, name) from 'parents.csv' with (format csv, header, delimiter ';')\n"
        "\\ir more.sql\n\\i db/more.sql\n"
    )
    failure = load(tmp_path, shop, "db/seed.sql")[0].refused
    assert failure is not None
    assert (failure.place, failure.code) == (Place("db/more.sql", 2), "23505")
    (tmp_path / "db" / "seed.sql").write_text("\\copy parents from db/parents.csv csv header delimiter ';'\n\\ir more.sql\n")
    assert load(tmp_path, shop, "db/seed.sql")[0].refused is None
    assert asked(shop.private, "SELECT name FROM parents ORDER BY id") == [("A",), ("B",)]
    (tmp_path / "db" / "seed.sql").write_text("\\copy parents from 'db/parents.csv' csv delimiter ';'\n")
    failure = load(tmp_path, shop, "db/seed.sql")[0].refused
    assert failure is not None
    assert failure.place == Place("db/parents.csv", 1)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("\\copy parents from program 'cat x'\n", "needs psql"),
        ("SELECT 1 \\gexec\n", "needs psql"),
        ("\\connect other\n", "needs psql"),
        ("\\i none.sql\n", "there is no file none.sql"),
        ("\\i a.sql\n", "files include each other"),
    ],
)
def test_what_only_psql_can_do_changes_nothing(tmp_path: Path, shop: Database, text: str, error: str) -> None:
    (tmp_path / "a.sql").write_text(f"INSERT INTO parents VALUES (1, 'A') ON CONFLICT DO NOTHING;\n{text}")
    with pytest.raises((ToolFailed, UsageError), match=error):
        load(tmp_path, shop, "a.sql")
    assert asked(shop.private, "SELECT count(*) FROM parents") == [(0,)]


def program(name: str) -> str:
    newest = max(installations(), key=lambda each: each.version)
    return str(newest.binaries / name)


def dumped(shop: Database, *arguments: str) -> None:
    address = shop.addresses[Role.ADMIN].url()
    subprocess.run((program("pg_dump"), *arguments, f"--dbname={address}"), check=True, capture_output=True)


@pytest.mark.parametrize(
    ("format", "name"), [("custom", "all.dump"), ("tar", "all.tar"), ("directory", "all"), ("custom", "c.sql")]
)
def test_dumps_in_pg_dumps_own_formats(tmp_path: Path, shop: Database, format: str, name: str) -> None:  # noqa: A002 - its name
    with session(shop.private) as connection:
        connection.execute("ALTER TABLE children RENAME TO a_children")
        connection.execute("INSERT INTO parents VALUES (1, E'A\\n\\\\.'), (2, 'B')")
        connection.execute("INSERT INTO a_children VALUES (1, 2, NULL), (2, 1, 'x')")
        connection.execute("CREATE SEQUENCE counted START 5")
        connection.execute("SELECT nextval('counted')")
        connection.execute(f'GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO "{shop.name}_owner"'.encode())
        dumped(shop, f"--format={format}", f"--file={tmp_path / name}")
        connection.execute("TRUNCATE parents, a_children")
        connection.execute("ALTER SEQUENCE counted RESTART")
    assert load(tmp_path, shop, name) == (LoadedFile(name),)
    assert asked(shop.private, "SELECT p.name, c.note FROM a_children c JOIN parents p ON p.id = parent_id ORDER BY c.id") == [
        ("B", None),
        ("A\n\\.", "x"),
    ]
    assert asked(shop.private, "SELECT nextval('counted')") == [(6,)]
    with session(shop.private) as connection:
        connection.execute("DELETE FROM a_children WHERE id = 1")
    (again,) = load(tmp_path, shop, name)
    assert again.refused is not None
    assert (again.refused.place, again.refused.code) == (Place(name), "23505")
    assert "(row 1 of COPY public.parents)" in again.refused.said


def test_a_dump_that_is_none(tmp_path: Path, shop: Database) -> None:
    (tmp_path / "a.dump").write_bytes(b"PGDMP\x01\x0f\x00broken")
    with pytest.raises(ToolFailed, match=r"a\.dump: pg_restore cannot read it"):
        load(tmp_path, shop, "a.dump")


def told(found: Iterator[Piece]) -> list[tuple[object, ...]]:
    def one(piece: Piece) -> tuple[object, ...]:
        if isinstance(piece, Copy):
            return piece.statement.line, piece.statement.text, b"".join(piece.rows).decode()
        if isinstance(piece, MetaCommand):
            return piece.line, piece.text
        return piece.line, piece.text, piece.data

    return [one(piece) for piece in found]


STATEMENTS = st.lists(
    st.sampled_from([
        "SELECT 1;\n", "SELECT ';';\n", "SELECT 'a\n;\nb';", "-- ;\n", "/* ;\n */", "COPY t FROM stdin;\n1\ta;\n\\.\n",
        "COPY t\nFROM stdin WITH (format csv);\n;\n\\.\n", "SELECT 'stdin;\n';\n", "\\echo x;\n", "  \n", "SELECT $$;\n$$;\n",
    ]),
    max_size=12,
).map("".join)  # fmt: skip


@given(STATEMENTS, st.integers(0, 40))
def test_a_file_that_is_read_bit_by_bit_has_the_same_pieces(text: str, enough: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cutting, "_ENOUGH", enough)
        assert told(pieces(io.StringIO(text, newline="\n"), split)) == told(iter(split(text)))


@given(
    st.lists(st.sampled_from(["SELECT 1;\n", "SELECT ';\n';\n", "# ;\n", "DELIMITER //\nSELECT 1;\n//\n", "`;\n`;"]), max_size=9)
)
def test_the_same_of_mariadb(parts: list[str]) -> None:
    text = "".join(parts)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cutting, "_ENOUGH", 5)
        assert told(pieces(io.StringIO(text, newline="\n"), mariadb_files.split)) == told(mariadb_files.split(text))


SEED = "CREATE TABLE t (id int PRIMARY KEY, v text);\nINSERT INTO t VALUES (1, 'a;\nb');\nINSERT INTO t\n VALUES (1, 'c');\n"


def test_the_line_of_a_statement_on_sqlite(tmp_path: Path) -> None:
    (tmp_path / "a.sql.gz").write_bytes(gzip.compress(SEED.encode()))
    with sqlite_server() as server:
        database = server.create("app")
        (loaded,) = sqlite.load(tmp_path, ["a.sql.gz"], database, Role.OWNER)
        assert loaded.refused is not None
        assert (loaded.refused.place, loaded.refused.code) == (Place("a.sql.gz", 4), "SQLITE_CONSTRAINT_PRIMARYKEY")
        with sqlite_session(database.private) as connection:
            assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
        assert [piece.line for piece in sqlite_statements.split(SEED) if isinstance(piece, Statement)] == [1, 2, 4]


OF_THE_SHELL = """PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
INSERT INTO children VALUES(1,1);
INSERT INTO parents VALUES(1);
COMMIT;
"""


def test_a_dump_of_sqlites_shell(tmp_path: Path) -> None:
    with sqlite_server(foreign_keys=True) as server:
        database = server.create("app")
        with sqlite_session(database.private) as connection:
            connection.execute("CREATE TABLE parents (id integer PRIMARY KEY)")
            connection.execute("CREATE TABLE children (id integer PRIMARY KEY, parent_id integer REFERENCES parents)")
            (tmp_path / "wrong.sql").write_text(OF_THE_SHELL.replace("parents VALUES(1)", "parents VALUES(2)"))
            failure = sqlite.load(tmp_path, ["wrong.sql"], database, Role.OWNER)[0].refused
            assert failure is not None
            assert failure.code == "SQLITE_CONSTRAINT_FOREIGNKEY"
            (tmp_path / "a.sql").write_text(OF_THE_SHELL)
            assert sqlite.load(tmp_path, ["a.sql"], database, Role.OWNER) == (LoadedFile("a.sql"),)
            assert connection.execute("SELECT count(*) FROM children").fetchall() == [(1,)]


OF_MYSQLDUMP = """/*!40014 SET @OLD_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
LOCK TABLES `t` WRITE;
/*!40000 ALTER TABLE `t` DISABLE KEYS */;
INSERT INTO `t` VALUES (1,'a'),(2,'it\\'s;');
/*!40000 ALTER TABLE `t` ENABLE KEYS */;
UNLOCK TABLES;
INSERT INTO `t` VALUES (2,'b');
"""


def test_a_refused_dump_of_mysqldump_leaves_no_row(tmp_path: Path, mariadb_server: MariadbServer) -> None:
    (tmp_path / "a.sql").write_text(OF_MYSQLDUMP)
    with made_on_mariadb(mariadb_server, "CREATE TABLE t (id int PRIMARY KEY, v text);") as database:
        (loaded,) = mariadb.load(tmp_path, ["a.sql"], database, Role.OWNER)
        assert loaded.refused is not None
        assert (loaded.refused.place, loaded.refused.code) == (Place("a.sql", 7), "1062")
        with mariadb_session(database.private) as driver:
            assert rows_of_mariadb(driver, "SELECT count(*) FROM t") == [(0,)]
            (tmp_path / "a.sql").write_text(OF_MYSQLDUMP.replace("(2,'b')", "(3,'b')"))
            assert mariadb.load(tmp_path, ["a.sql"], database, Role.OWNER) == (LoadedFile("a.sql"),)
            rows_of_mariadb(driver, "COMMIT")
            assert rows_of_mariadb(driver, "SELECT v FROM t ORDER BY id") == [("a",), ("it's;",), ("b",)]


def test_the_line_of_a_statement_on_mariadb(tmp_path: Path, mariadb_server: MariadbServer) -> None:
    (tmp_path / "a.sql").write_text(SEED)
    with made_on_mariadb(mariadb_server, "") as database:
        (loaded,) = mariadb.load(tmp_path, ["a.sql"], database, Role.OWNER)
        assert loaded.refused is not None
        assert (loaded.refused.place, loaded.refused.code) == (Place("a.sql", 4), "1062")
        with mariadb_session(database.private) as driver:
            assert rows_of_mariadb(driver, "SELECT count(*) FROM t") == [(0,)]
