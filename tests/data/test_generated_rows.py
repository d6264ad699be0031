"""Rows compiled from the schema: a schema with every feature is filled, nothing in it is broken, and what cannot be is said."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sound import violations

from checks.rows.sets.wishes import Wishes
from checks.schema.names import TableName
from runner.data.generated.dump import written
from runner.data.generated.filled import FilledTable
from runner.data.generated.postgresql import catalogue_of, generate, orphans, reading
from runner.servers.installations import installations
from runner.servers.interface import Address, Database, Server
from runner.servers.postgresql.sessions import session

TORTURE = (Path(__file__).parent / "torture.sql").read_text(encoding="utf-8")
ROWS = 300
NO_WISHES = Wishes()

Filled = dict[str, FilledTable]


def filled(database: Database, ddl: str, rows: int = ROWS, seed: int = 1, wishes: Wishes = NO_WISHES) -> Filled:
    with session(database.private) as connection:
        connection.execute(ddl.encode())
    catalogue = catalogue_of(database.private)
    wanted = {table.name: rows for table in catalogue.tables}
    made = generate(database.private, catalogue, wanted, seed, wishes, lambda _: None)
    return {one.table.label(): one for one in made}


def asked(address: Address, query: str) -> list[tuple[object, ...]]:
    with session(address) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.fixture
def fresh(server: Server) -> Iterator[Callable[[], Database]]:
    """Further databases on the same server, gone at the end."""
    made: list[Database] = []

    def create() -> Database:
        made.append(server.create(f"test_{secrets.token_hex(4)}"))
        return made[-1]

    yield create
    for database in made:
        with session(replace(database.private, database="postgres")) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)'.encode())
            admin.execute(f'DROP ROLE IF EXISTS "{database.name}_owner"'.encode())


@contextmanager
def no_orphans(database: Database) -> Iterator[None]:
    yield
    with reading(database.private) as read:
        assert orphans(catalogue_of(database.private), read) == {}


def test_a_schema_with_every_feature_is_filled_and_what_cannot_be_is_said(server: Server, database: Database) -> None:
    with no_orphans(database):
        made = filled(database, TORTURE)
    short = {name: (one.rows, one.reason) for name, one in made.items() if one.rows < ROWS}
    assert short == {
        "impossible": (0, "no value of a (integer) was found that impossible_a_check allows"),
        "of_impossible": (0, "impossible is empty, and of_impossible.of must refer to it"),
    }
    for name, one in made.items():
        ((count,),) = asked(database.private, f"SELECT count(*) FROM {'ONLY ' * (name == 'rooms')}{_quoted(one.table)}")
        assert count == one.rows, name
    assert violations(server, database) == []


def _quoted(table: TableName) -> str:
    return f'"{table.schema}"."{table.name}"'


def test_rows_are_worth_testing_with(database: Database) -> None:
    filled(database, TORTURE)
    ((tenants,),) = asked(database.private, "SELECT count(DISTINCT tenant_id) FROM orders")
    assert isinstance(tenants, int)
    assert tenants > 1
    most = asked(database.private, "SELECT count(*) FROM people GROUP BY tenant_id ORDER BY 1 DESC LIMIT 1")[0][0]
    assert isinstance(most, int)
    assert most > 5, "few parents have many children"
    ((nulls, texts, moods, bosses),) = asked(
        database.private,
        "SELECT count(*) FILTER (WHERE born IS NULL), count(*) FILTER (WHERE ascii(value) > 127), "
        "count(DISTINCT mood), count(boss_id) FROM people JOIN secrets USING (id)",
    )
    assert nulls
    assert texts
    assert moods == 3
    assert bosses
    methods = (
        "SELECT method, count(DISTINCT oauth_id), count(DISTINCT ldap_id), count(DISTINCT secret) > 1 FROM accounts GROUP BY 1"
    )
    assert {method for method, *_ in asked(database.private, methods)} == {"local", "oauth", "ldap"}
    varied = asked(
        database.private, "SELECT count(DISTINCT low) > 5, count(DISTINCT high - low) > 5, count(DISTINCT net) > 5 FROM measured"
    )
    assert varied == [(True, True, True)]
    assert asked(database.private, "SELECT count(DISTINCT body), count(body ->> 'kind') FROM documents") == [(ROWS, ROWS)]
    (kinds,) = asked(database.private, "SELECT count(DISTINCT at), max(at) - min(at) FROM events")
    assert all(kinds)


def test_sequences_go_on_behind_what_was_made(database: Database) -> None:
    filled(database, TORTURE)
    ((new,),) = asked(database.private, "INSERT INTO chicken (label) VALUES ('next') RETURNING id")
    assert new == ROWS + 1
    ((new,),) = asked(
        database.private,
        "INSERT INTO orders (tenant_id, buyer_id, number, subtotal, tax, total, status, starts, ends) "
        "SELECT tenant_id, buyer_id, 'next', 1, 1, 2, 'new', now(), now() + '1 day' FROM orders LIMIT 1 RETURNING id",
    )
    assert isinstance(new, int)


def test_tables_that_hold_rows_are_left_alone_and_referred_to(database: Database) -> None:
    ddl = """
        CREATE TABLE kinds (code text PRIMARY KEY); INSERT INTO kinds VALUES ('a'), ('b');
        CREATE TABLE things (id integer PRIMARY KEY, kind text NOT NULL REFERENCES kinds);
        CREATE TABLE none (id integer PRIMARY KEY, kind text UNIQUE NOT NULL REFERENCES kinds);
    """
    with no_orphans(database):
        made = filled(database, ddl, 50)
    assert set(made) == {"things", "none"}
    assert made["none"].rows == 2
    assert made["none"].reason == "each has a parent of its own, and there are no more"
    assert asked(database.private, "SELECT count(*), count(DISTINCT kind) FROM things") == [(50, 2)]


def test_children_are_of_their_parents_tenant(database: Database) -> None:
    ddl = """
        CREATE TABLE accounts (id integer PRIMARY KEY);
        CREATE TABLE flows (id integer PRIMARY KEY, account_id integer NOT NULL REFERENCES accounts);
        CREATE TABLE assets (id integer PRIMARY KEY, account_id integer NOT NULL REFERENCES accounts,
            flow_id integer NOT NULL REFERENCES flows);
        CREATE TABLE notes (id integer PRIMARY KEY, account_id integer NOT NULL, asset_id integer NOT NULL REFERENCES assets);
    """
    made = filled(database, ddl, 100, wishes=Wishes(("account_id",)))
    crossed = """
        SELECT (SELECT count(*) FROM assets a JOIN flows f ON f.id = flow_id WHERE f.account_id <> a.account_id),
               (SELECT count(*) FROM notes n JOIN assets a ON a.id = asset_id WHERE n.account_id <> a.account_id)
    """
    assert asked(database.private, crossed) == [(0, 0)]
    assert made["notes"].rows == 100
    assert made["assets"].rows > 50


def test_the_same_seed_gives_the_same_rows_and_another_seed_gives_others(fresh: Callable[[], Database], tmp_path: Path) -> None:
    dumps = []
    for number, seed in enumerate((7, 7, 8)):
        database = fresh()
        filled(database, TORTURE, 40, seed)
        written(database.private, catalogue_of(database.private), tmp_path / str(number))
        dumps.append((tmp_path / str(number)).read_bytes())
    assert dumps[0] == dumps[1]
    assert dumps[0] != dumps[2]


def test_the_file_is_loaded_by_psql_into_the_same_schema(fresh: Callable[[], Database], tmp_path: Path) -> None:
    source, target = fresh(), fresh()
    ddl = TORTURE.replace("CREATE TRIGGER never", "-- CREATE TRIGGER never")
    filled(source, ddl, 60)
    with session(target.private) as connection:
        connection.execute(ddl.encode())
    size = written(source.private, catalogue_of(source.private), tmp_path / "rows.sql")
    assert size == (tmp_path / "rows.sql").stat().st_size
    psql = max(installations(), key=lambda one: one.version).binaries / "psql"
    told: list[str | Path] = [
        psql,
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--set",
        "ON_ERROR_STOP=1",
        "-f",
        tmp_path / "rows.sql",
    ]
    at = target.private
    told += ["--host", at.host, "--port", str(at.port), "--username", at.user, "--dbname", at.database]
    done = subprocess.run(
        told, capture_output=True, text=True, timeout=60, env={**os.environ, "PGPASSWORD": at.password}, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    count = "SELECT (SELECT count(*) FROM people), (SELECT count(*) FROM events), (SELECT count(*) FROM chicken)"
    assert asked(target.private, count) == asked(source.private, count) == [(60, 60, 60)]
    assert not list(tmp_path.glob(".*"))
