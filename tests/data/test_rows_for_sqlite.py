"""Rows compiled from the schema of a SQLite database: every feature is filled, nothing is broken, triggers stay what they are."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_judging import ENFORCED, made, target

from checks.interface import Finding
from checks.registries.relational import RELATIONAL
from checks.rows.sets.wishes import Wishes
from runner.data.generated import sqlite
from runner.data.generated.filled import FilledTable
from runner.data.generated.sqlite import catalogue_of, generate
from runner.data.generated.sqlite_dump import written
from runner.servers.interface import Database
from runner.servers.sqlite.sessions import quoted, session

TORTURE = (Path(__file__).parent / "torture_sqlite.sql").read_text(encoding="utf-8")
ROWS = 300
NO_WISHES = Wishes()
SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"

Rows = list[tuple[object, ...]]


def filled(database: Database, rows: int = ROWS, seed: int = 1, wishes: Wishes = NO_WISHES) -> dict[str, FilledTable]:
    catalogue = catalogue_of(database.private)
    wanted = {table.name: rows for table in catalogue.tables}
    return {one.table.name: one for one in generate(database.private, catalogue, wanted, seed, wishes, lambda _: None)}


def asked(database: Database, query: str) -> Rows:
    with session(database.private) as connection:
        return connection.execute(query).fetchall()


def test_a_schema_with_every_feature_is_filled_and_what_cannot_be_is_said() -> None:
    with made(TORTURE) as (_, database):
        before = asked(database, SCHEMA)
        done = filled(database)
        assert asked(database, SCHEMA) == before
        short = {name: (one.rows, one.reason) for name, one in done.items() if one.rows < ROWS}
        assert short == {
            "impossible": (0, "no value of a (INTEGER) was found that CHECK (a > 5 AND a < 5) allows"),
            "of_impossible": (0, "impossible is empty, and of_impossible.of must refer to it"),
            "replaced": (done["replaced"].rows, "keys met by chance"),
        }
        assert done["replaced"].rows > 20, "an index of a part of the text tells fewer rows apart"
        for name, one in done.items():
            assert asked(database, f"SELECT count(*) FROM {quoted(name)}") == [(one.rows,)], name
        assert asked(database, "PRAGMA foreign_key_check") == []
        assert asked(database, "PRAGMA integrity_check") == [("ok",)]
        assert asked(database, "SELECT count(*) FROM log WHERE said LIKE 'tenant %'") == [(0,)], "a trigger fired"
        with pytest.raises(sqlite3.IntegrityError, match="no row may come in"):
            asked(database, "INSERT INTO secrets VALUES (1000, 1, 'x')")


def test_the_checks_find_nothing_in_what_was_made() -> None:
    with made(TORTURE) as (_, database):
        filled(database)
        with closing(sqlite3.connect(database.private.database)) as source:
            dump = "\n".join(line for line in source.iterdump() if "sqlite_sequence" not in line)
    with target(dump, ENFORCED) as judged:
        for check in ("orphaned-rows", "constraint-violation"):
            assert [one for one in RELATIONAL[check].run(judged) if isinstance(one, Finding)] == [], check


def test_rows_are_worth_testing_with() -> None:
    with made(TORTURE) as (_, database):
        filled(database)
        ((tenants, most),) = asked(database, "SELECT count(*), max(n) FROM (SELECT count(*) AS n FROM people GROUP BY tenant_id)")
        assert isinstance(tenants, int)
        assert isinstance(most, int)
        assert tenants > 1
        assert most > 5, "few parents have many children"
        nulls = "SELECT count(*) - count(born), count(boss_id), count(DISTINCT active) = 2 FROM people"
        assert all(asked(database, nulls)[0])
        unicode = "SELECT count(*) FROM secrets WHERE value <> '' AND length(CAST(value AS BLOB)) > length(value)"
        assert asked(database, unicode)[0][0]
        assert all(asked(database, "SELECT count(egg_id) FROM chicken UNION ALL SELECT count(up) FROM tree")[0])
        assert asked(database, "SELECT seq FROM sqlite_sequence") == [(ROWS,)]


def test_tables_that_hold_rows_are_left_alone_and_children_are_of_their_parents_tenant() -> None:
    ddl = """
        CREATE TABLE accounts (id INTEGER PRIMARY KEY); INSERT INTO accounts VALUES (7), (9);
        CREATE TABLE flows (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL REFERENCES accounts);
        CREATE TABLE assets (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL REFERENCES accounts,
            flow_id INTEGER NOT NULL REFERENCES flows, kind TEXT NOT NULL);
        CREATE TABLE one_each (account_id INTEGER PRIMARY KEY REFERENCES accounts);
    """
    with made(ddl) as (_, database):
        done = filled(database, 100, wishes=Wishes(("account_id",), {"assets.kind": "'kind ' || (id % 3)"}))
        crossed = "SELECT count(*) FROM assets a JOIN flows f ON f.id = flow_id WHERE f.account_id <> a.account_id"
        assert asked(database, crossed) == [(0,)]
        assert asked(database, "SELECT DISTINCT kind FROM assets ORDER BY 1") == [("kind 0",), ("kind 1",), ("kind 2",)]
        assert asked(database, "SELECT id FROM accounts") == [(7,), (9,)]
    assert {name: one.rows for name, one in done.items()} == {"flows": 100, "assets": 100, "one_each": 2}
    assert done["one_each"].reason == "each has a parent of its own, and there are no more"


def test_the_same_seed_gives_the_same_rows_and_another_seed_gives_others(tmp_path: Path) -> None:
    dumps = []
    for number, seed in enumerate((7, 7, 8)):
        with made(TORTURE) as (_, database):
            filled(database, 40, seed)
            written(database.private, catalogue_of(database.private), tmp_path / str(number))
        dumps.append((tmp_path / str(number)).read_bytes())
    assert dumps[0] == dumps[1]
    assert dumps[0] != dumps[2]


def test_what_this_program_cannot_work_out_and_tables_of_many_columns_are_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A project's own functions and collations are its program's; SQLite's limit of values is heeded."""
    with closing(sqlite3.connect(":memory:")) as connection:
        monkeypatch.setattr(sqlite, "SPARED", connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) - 3_000)
    columns = ", ".join(f"c{number} TEXT NOT NULL" for number in range(350))
    with made("") as (_, database):
        with session(database.private) as connection:
            connection.create_function("mine", 1, lambda value: value, deterministic=True)
            connection.create_collation("odd", lambda a, b: (a > b) - (a < b))
            connection.executescript(f"""
                CREATE TABLE collated (id INTEGER PRIMARY KEY, x TEXT COLLATE odd UNIQUE);
                CREATE TABLE indexed (id INTEGER PRIMARY KEY, x TEXT); CREATE INDEX of_mine ON indexed (mine(x));
                CREATE TABLE computed (id INTEGER PRIMARY KEY, x TEXT, y AS (mine(x)));
                CREATE TABLE wide (id INTEGER PRIMARY KEY, {columns});
                CREATE TRIGGER nowhere AFTER INSERT ON wide BEGIN SELECT mine(id) FROM nowhere; END;
            """)
        done = filled(database, 100)
        assert 1 < int(str(asked(database, "SELECT count(DISTINCT c0) FROM wide")[0][0])) <= 3_000 // 350
    assert {name: (one.rows, one.reason) for name, one in done.items()} == {
        "collated": (0, "SQLite refuses its rows: no such collation sequence: ODD"),
        "indexed": (0, "SQLite refuses its rows: unknown function: mine()"),
        "computed": (0, "SQLite refuses its rows: no such function: mine"),
        "wide": (100, ""),
    }


HOSTILE = """
    CREATE TABLE "hostile ""%s" (id INTEGER PRIMARY KEY, "a?b" TEXT, bytes BLOB, number REAL);
    INSERT INTO "hostile ""%s" VALUES (1, 'a''b' || char(13, 10) || '.quit' || char(10, 0) || ';--\\', x'00ff', 0.1),
        (2, NULL, x'', 9e999), (3, 'ü🙂', NULL, -1e-300), (4, '', x'27', 123456789.123456789);
"""


def shell(file: Path, script: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("sqlite3")
    if program is None:
        pytest.skip("no sqlite3 here; Debian: apt install sqlite3")
    with script.open("rb") as told:
        return subprocess.run([program, str(file)], stdin=told, capture_output=True, text=True, timeout=60, check=False)


def test_the_file_is_loaded_by_sqlites_shell_into_the_same_schema(tmp_path: Path) -> None:
    script, copy = tmp_path / "rows.sql", tmp_path / "copy.db"
    ddl = HOSTILE.partition("INSERT")[0] + TORTURE
    with made(HOSTILE + TORTURE) as (_, database):
        filled(database, 60)
        catalogue = catalogue_of(database.private)
        assert written(database.private, catalogue, script) == script.stat().st_size
        with closing(sqlite3.connect(copy)) as connection:
            connection.executescript(ddl)
        done = shell(copy, script)
        assert (done.returncode, done.stderr) == (0, "")
        for table in catalogue.tables:
            query = f"SELECT * FROM {quoted(table.name.name)}"
            with closing(sqlite3.connect(copy)) as connection:
                assert connection.execute(query).fetchall() == asked(database, query)
    assert not list(tmp_path.glob(".*"))


def test_a_file_whose_references_do_not_hold_leaves_nothing(tmp_path: Path) -> None:
    script, copy = tmp_path / "rows.sql", tmp_path / "copy.db"
    ddl = "CREATE TABLE up (id INTEGER PRIMARY KEY); CREATE TABLE down (id INTEGER PRIMARY KEY, up INTEGER REFERENCES up);"
    with made(ddl + "INSERT INTO up VALUES (1); INSERT INTO down VALUES (1, 2);") as (_, database):
        written(database.private, catalogue_of(database.private), script)
    with closing(sqlite3.connect(copy)) as connection:
        connection.executescript(ddl)
    done = shell(copy, script)
    assert done.returncode != 0
    assert "CHECK constraint failed: orphans = 0" in done.stderr
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT count(*) FROM up").fetchall() == [(0,)]
