"""Rows compiled from the schema of a MariaDB database: every feature is filled, nothing is broken, triggers stay as they are."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
import pytest
from judging import NO_EVIDENCE, NOTHING_EXPECTED
from mariadb_judging import made

from checks.interface import Engine, Finding
from checks.registries.relational import RELATIONAL
from checks.rows.sets.wishes import Wishes
from runner.data.generated.filled import FilledTable
from runner.data.generated.mariadb import catalogue_of, generate, reading
from runner.data.generated.mariadb_dump import written
from runner.data.generated.running import orphans
from runner.servers.interface import Address, Database
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import quoted, rows, session
from runner.targets.mariadb import MariadbTarget

TORTURE = (Path(__file__).parent / "torture_mariadb.sql").read_text(encoding="utf-8")
ROWS = 300
NO_WISHES = Wishes()
TRIGGERS = """
    SELECT trigger_name, event_object_table, action_order, action_statement, definer, sql_mode, character_set_client,
        collation_connection, database_collation
    FROM information_schema.triggers WHERE trigger_schema = database() ORDER BY 1
"""


def filled(database: Database, rows: int = ROWS, seed: int = 1, wishes: Wishes = NO_WISHES) -> dict[str, FilledTable]:
    catalogue = catalogue_of(database.private)
    wanted = {table.name: rows for table in catalogue.tables}
    return {one.table.name: one for one in generate(database.private, catalogue, wanted, seed, wishes, lambda _: None)}


def asked(database: Database, query: str) -> list[tuple[object, ...]]:
    with session(database.private) as driver:
        return rows(driver, query)


@pytest.fixture(scope="module")
def torture(mariadb_server: MariadbServer) -> Iterator[tuple[Database, dict[str, FilledTable]]]:
    """The schema with every feature, filled."""
    with made(mariadb_server, TORTURE) as database:
        before = asked(database, TRIGGERS)
        done = filled(database)
        assert asked(database, TRIGGERS) == before, "triggers are as they were"
        yield database, done


def test_a_schema_with_every_feature_is_filled_and_what_cannot_be_is_said(
    torture: tuple[Database, dict[str, FilledTable]],
) -> None:
    database, done = torture
    short = {name: (one.rows, one.reason) for name, one in done.items() if one.rows < ROWS}
    assert short == {
        "impossible": (0, "no value of a (int(11)) was found that a allows"),
        "of_impossible": (0, "impossible is empty, and of_impossible.of must refer to it"),
        "places": (0, "no value of spot is known: its type is point"),
        "sequenced": (256, "small has no more keys"),
    }
    for name, one in done.items():
        assert asked(database, f"SELECT count(*) FROM {quoted(name)}") == [(one.rows,)], name
    assert asked(database, "SELECT count(*) FROM said WHERE what LIKE 'tenant %'") == [(0,)], "a trigger fired"
    with pytest.raises(pymysql.err.OperationalError, match="no row may come in"):
        asked(database, "INSERT INTO secrets VALUES (1000, 1, 'x')")


def test_no_reference_and_no_rule_is_broken(torture: tuple[Database, dict[str, FilledTable]]) -> None:
    """By counting, by making every constraint anew, and by dbproof's own checks."""
    database, _ = torture
    catalogue = catalogue_of(database.private)
    with reading(database.private) as read:
        assert orphans(catalogue, read, Engine.MARIADB) == {}
    with session(database.private) as driver:
        for key in catalogue.foreign_keys:
            mine, theirs = (", ".join(map(quoted, names)) for names in (key.columns, key.parent_columns))
            again = f"ALTER TABLE {quoted(key.table.name)} ADD CONSTRAINT again FOREIGN KEY ({mine}) REFERENCES "
            rows(driver, f"{again}{quoted(key.parent.name)} ({theirs})")
            rows(driver, f"ALTER TABLE {quoted(key.table.name)} DROP FOREIGN KEY again")
        for table in catalogue.tables:
            *_, said = rows(driver, f"CHECK TABLE {quoted(table.name.name)} EXTENDED")[-1]
            assert said == "OK" or "doesn't support check" in said, table.name
    target = MariadbTarget(None, None, database, NOTHING_EXPECTED, NO_EVIDENCE)  # type: ignore[arg-type]
    with target as judged:
        for check in ("orphaned-rows", "constraint-violation"):
            assert [one for one in RELATIONAL[check].run(judged) if isinstance(one, Finding)] == [], check


def test_rows_are_worth_testing_with(torture: tuple[Database, dict[str, FilledTable]]) -> None:
    database, _ = torture
    each = "SELECT count(*) AS n FROM people GROUP BY tenant_id"
    ((tenants, most),) = asked(database, f"SELECT count(*), max(n) FROM ({each}) AS each_tenant")
    assert isinstance(tenants, int)
    assert isinstance(most, int)
    assert tenants > 1
    assert most > 5, "few parents have many children"
    ((moods, nulls, bosses, flags),) = asked(
        database, "SELECT count(DISTINCT mood), sum(born IS NULL), count(boss_id), count(DISTINCT active) FROM people"
    )
    assert (moods, flags) == (3, 2)
    assert nulls
    assert bosses
    assert asked(database, "SELECT count(*) > 0 FROM secrets WHERE length(value) > char_length(value)") == [(1,)]
    assert asked(database, "SELECT count(DISTINCT region) FROM regions") == [(3,)]
    assert asked(database, "SELECT count(DISTINCT year(at)) > 1 FROM events") == [(1,)]
    assert asked(database, "SELECT count(egg_id) > 100, count(DISTINCT changed) > 50 FROM chicken") == [(1, 1)]
    ((following,),) = asked(database, "SELECT nextval(numbers)")
    assert following == 257


def test_rows_have_the_characters_of_a_database_and_children_their_parents_tenant(mariadb_server: MariadbServer) -> None:
    ddl = """
        SET @made = concat('ALTER DATABASE `', database(), '` COLLATE latin1_general_cs');
        EXECUTE IMMEDIATE @made;
        CREATE TABLE accounts (id INT PRIMARY KEY, name VARCHAR(60) NOT NULL, CHECK (binary name REGEXP '^[A-Z]'));
        CREATE TABLE flows (id INT PRIMARY KEY, account_id INT NOT NULL, FOREIGN KEY (account_id) REFERENCES accounts (id));
        CREATE TABLE assets (id INT PRIMARY KEY, account_id INT NOT NULL, flow_id INT NOT NULL, kind VARCHAR(20) NOT NULL,
            FOREIGN KEY (account_id) REFERENCES accounts (id), FOREIGN KEY (flow_id) REFERENCES flows (id));
        CREATE TABLE one_each (account_id INT PRIMARY KEY, FOREIGN KEY (account_id) REFERENCES accounts (id));
        INSERT INTO accounts VALUES (7, 'A'), (9, 'B');
    """
    with made(mariadb_server, ddl) as database:
        wishes = Wishes(("account_id",), {"assets.kind": "concat('kind ', id % 3)"})
        done = filled(database, 100, wishes=wishes)
        crossed = "SELECT count(*) FROM assets a JOIN flows f ON f.id = flow_id WHERE f.account_id <> a.account_id"
        assert asked(database, crossed) == [(0,)]
        assert asked(database, "SELECT DISTINCT kind FROM assets ORDER BY 1") == [("kind 0",), ("kind 1",), ("kind 2",)]
    assert {name: one.rows for name, one in done.items()} == {"flows": 100, "assets": 100, "one_each": 2}


HOSTILE = """
    CREATE TABLE `hostile ``%s` (id INT PRIMARY KEY, `a?b` TEXT, bytes BLOB, number DOUBLE, small FLOAT, bits BIT(9));
    INSERT INTO `hostile ``%s` VALUES (1, concat('a''b"', char(13, 10, 0, 26), '\\\\; quit'), x'00ff', 0.1, 0.1, b'110000001'),
        (2, NULL, '', 1e300, 16777216, NULL), (3, 'ü🙂', NULL, -1e-300, -3.4e38, 0);
"""


def loaded(at: Address, script: Path) -> subprocess.CompletedProcess[str]:
    """The file, read by MariaDB's own client."""
    program = shutil.which("mariadb")
    assert program is not None
    seat = ["--socket", at.host] if at.host.startswith("/") else ["--host", at.host, "--port", str(at.port)]
    told = [program, "--no-defaults", *seat, "--user", at.user, f"--password={at.password}", at.database]
    with script.open("rb") as given:
        return subprocess.run(told, stdin=given, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def two(server: MariadbServer, ddl: str, rows_too: str = "") -> Iterator[tuple[Database, Database]]:
    with made(server, ddl + rows_too) as source, made(server, ddl) as copy:
        yield source, copy


def test_the_file_is_loaded_by_the_client_into_the_same_schema(mariadb_server: MariadbServer, tmp_path: Path) -> None:
    script, again = tmp_path / "rows.sql", tmp_path / "again.sql"
    table, rows_of_it = HOSTILE.split(";\n", 1)
    ddl = "".join(line for line in TORTURE.splitlines(keepends=True) if not line.startswith("CREATE TRIGGER")) + f"{table};\n"
    with two(mariadb_server, ddl, rows_of_it) as (source, copy):
        filled(source, 60)
        catalogue = catalogue_of(source.private)
        assert written(source.private, catalogue, script) == script.stat().st_size
        done = loaded(copy.private, script)
        assert (done.returncode, done.stderr) == (0, "")
        written(copy.private, catalogue_of(copy.private), again)
        for one in catalogue.tables:
            query = f"SELECT count(*) FROM {quoted(one.name.name)}"
            assert asked(source, query) == asked(copy, query), one.name
        query = "SELECT * FROM `hostile ``%s`"
        assert asked(source, query) == asked(copy, query)
    assert script.read_bytes() == again.read_bytes()


def test_a_file_whose_references_do_not_hold_leaves_nothing(mariadb_server: MariadbServer, tmp_path: Path) -> None:
    ddl = """
        CREATE TABLE up (id INT PRIMARY KEY);
        CREATE TABLE down (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES up (id));
    """
    wrong = "SET foreign_key_checks = 0;\nINSERT INTO down VALUES (1, 2);\n"
    with two(mariadb_server, ddl, wrong) as (source, copy):
        written(source.private, catalogue_of(source.private), tmp_path / "rows.sql")
        done = loaded(copy.private, tmp_path / "rows.sql")
        assert done.returncode != 0
        assert "dbproof_checked" in done.stderr
        assert asked(copy, "SELECT count(*) FROM down") == [(0,)]


def test_the_same_seed_gives_the_same_rows_and_another_seed_gives_others(mariadb_server: MariadbServer, tmp_path: Path) -> None:
    dumps = []
    for number, seed in enumerate((7, 7, 8)):
        with made(mariadb_server, TORTURE) as database:
            filled(database, 40, seed)
            written(database.private, catalogue_of(database.private), tmp_path / str(number))
        dumps.append((tmp_path / str(number)).read_bytes())
    assert dumps[0] == dumps[1]
    assert dumps[0] != dumps[2]
