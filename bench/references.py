"""What looking for orphans costs, against dbt and against the same SQL in psql; and what a large catalogue costs.

    python -m bench.references [few] [many] [catalogue] [--pairs N] [--rows N]

- few: 50 references of tables with 100 000 rows. ``dbproof check`` against ``dbt test`` with a relationships test for each,
  process against process: at most 0.3x. The check against the same statements in psql, one after the other: at most 1.0x.
- many: 10 million children of a million parents, against the plain ``NOT EXISTS`` in psql: at most 0.6x where the child is
  indexed and vacuumed, and nowhere above 1.05x: not vacuumed, without an index.
- catalogue: 1 000 empty tables with 3 000 foreign keys: all that needs no more than the catalogue within 5 s, and at most 13x
  that for ten times the tables.

Needs psql beside the server and installs dbt once into the cache. Exits 1 above a limit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from bench.ratios import compared, environment, seconds
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.interface import Engine, Finding, Need
from checks.references import orphaned_rows
from checks.registries.relational import RELATIONAL
from checks.sql.orphans import counted
from checks.sql.statements import copyable
from checks.targets import Role
from runner.scheduler import run_checks, with_severities
from runner.servers.interface import Address, Database, Server, Wanted
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision
from runner.targets.postgresql import PostgresTarget

OF_DBT, OF_PSQL = 0.3, 1.0
INDEXED, NEVER_ABOVE = 0.6, 1.05
CATALOGUE_SECONDS, TEN_TIMES = 5.0, 13.0

CHILDREN, KEYS = 10, 5
NOTHING = Expectations()

SOURCE = """
version: 2
sources:
  - name: bench
    schema: public
    tables:
"""
PROJECT = "name: bench\nversion: '1.0'\nprofile: bench\nmodel-paths: [models]\n"


@dataclass(frozen=True)
class Limit:
    """What was measured against what it may be at most."""

    name: str
    value: float
    most: float

    def say(self, figures: str) -> bool:
        """Print it; whether it holds."""
        held = self.value <= self.most
        print(f"  {'held  ' if held else 'BROKEN'} {self.name}: {figures}, limit {self.most:g}", flush=True)
        return held


def few(server: Server, pairs: int, rows: int) -> Iterator[bool]:
    """50 references, each of 100 000 rows."""
    database = server.create("few")
    with session(_owner(database)) as connection:
        for statement in _few_tables(rows):
            connection.execute(statement.encode())
    with _folder() as folder:
        test = _dbt(folder, database)
        ratio, mine, theirs = compared(lambda: _check(database), test, max(2, pairs // 3))
        yield Limit("of dbt", ratio.median, OF_DBT).say(f"{ratio}, {mine:.2f} s against {theirs:.2f} s")
    yield _against_psql("50 references", server, database, pairs, OF_PSQL)


def _owner(database: Database) -> Address:
    return database.addresses[Role.OWNER]


def _few_tables(rows: int) -> Iterator[str]:
    for number in range(KEYS):
        yield f"CREATE TABLE p{number} (id bigint PRIMARY KEY, padding text)"
        yield f"INSERT INTO p{number} SELECT n, repeat('x', 40) FROM generate_series(1, {rows // 10}) n"
    columns = ", ".join(f"p{number} bigint" for number in range(KEYS))
    values = ", ".join(f"n * {7919 + number}::bigint % {rows // 10} + 1" for number in range(KEYS))
    for number in range(CHILDREN):
        yield f"CREATE TABLE c{number} (id bigint PRIMARY KEY, padding text, {columns})"
        yield f"INSERT INTO c{number} SELECT n, repeat('x', 60), {values} FROM generate_series(1, {rows}) n"
        for key in range(KEYS):
            yield f"ALTER TABLE c{number} ADD FOREIGN KEY (p{key}) REFERENCES p{key}"
    yield "VACUUM ANALYZE"


def _dbt(folder: Path, database: Database) -> Callable[[], object]:
    """A project with a relationships test for each reference, and the program that runs them."""
    at = _owner(database)
    profile = {"type": "postgres", "host": at.host, "port": at.port, "user": at.user, "pass": at.password, "dbname": at.database}
    outputs = {"bench": {"target": "b", "outputs": {"b": {**profile, "schema": "public", "threads": 4}}}}
    (folder / "models").mkdir()
    (folder / "dbt_project.yml").write_text(PROJECT)
    (folder / "profiles.yml").write_text(json.dumps(outputs))
    (folder / "models" / "sources.yml").write_text(SOURCE + "".join(_sources()))
    program = environment("dbt", "dbt-core==1.10.*", "dbt-postgres==1.9.*") / "dbt"
    command = [str(program), "--quiet", "test", "--project-dir", str(folder), "--profiles-dir", str(folder)]
    alone = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "0"}
    return lambda: _run(command, env=alone)


def _run(command: Sequence[str], **keywords: Any) -> None:  # noqa: ANN401 - of subprocess.run
    """Run a program; raises SystemExit with what it said where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, **keywords)
    if done.returncode:
        raise SystemExit(f"{command[0]}: {done.stdout}{done.stderr}")


def _sources() -> Iterator[str]:
    for number in range(KEYS):
        yield f"      - name: p{number}\n"
    for number in range(CHILDREN):
        yield f"      - name: c{number}\n        columns:\n"
        for key in range(KEYS):
            to = f"to: \"source('bench', 'p{key}')\", field: id"
            yield f"          - {{name: p{key}, data_tests: [{{relationships: {{{to}}}}}]}}\n"


def _check(database: Database) -> None:
    """The whole command, which judges more than references."""
    program = Path(sys.executable).with_name("dbproof")
    with _folder() as folder:
        command = [str(program), "check", "--url-env", "BENCH_URL", "--quiet", "--report-dir", str(folder)]
        _run(command, env={**os.environ, "BENCH_URL": _owner(database).url()}, cwd=folder)


def many(server: Server, pairs: int, rows: int) -> Iterator[bool]:
    """10 million children of a million parents: spread over the table, or in the parents' order."""
    for name, order in (("spread", f"n * 7919::bigint % {rows // 10} + 1"), ("in order", f"n / 10 % {rows // 10} + 1")):
        database = server.create(name.replace(" ", "_"))
        with session(database.private) as connection:
            connection.execute(f"CREATE TABLE p AS SELECT n::bigint AS id FROM generate_series(1, {rows // 10}) n".encode())
            connection.execute(b"ALTER TABLE p ADD PRIMARY KEY (id)")
            source = f"SELECT n::bigint AS id, {order} AS p, repeat('x', 40) AS padding FROM generate_series(1, {rows}) n"
            connection.execute(f"CREATE TABLE c WITH (autovacuum_enabled = off) AS {source}".encode())
            connection.execute(b"ALTER TABLE c ADD PRIMARY KEY (id), ADD FOREIGN KEY (p) REFERENCES p NOT VALID")
            connection.execute(b"ANALYZE")
            yield _against_psql(f"{name}, no index", server, database, pairs, NEVER_ABOVE)
            connection.execute(b"CREATE INDEX ON c (p)")
            yield _against_psql(f"{name}, indexed, not vacuumed", server, database, pairs, NEVER_ABOVE)
            connection.execute(b"VACUUM ANALYZE")
            yield _against_psql(f"{name}, indexed and vacuumed", server, database, pairs, INDEXED)


def _against_psql(name: str, server: Server, database: Database, pairs: int, most: float) -> bool:
    """The check, with the reading of the catalogue, against the statement of each reference in psql."""
    target = PostgresTarget(server, None, database, NOTHING, Evidence())
    with target:
        keys = target.catalogue.foreign_keys
        statements = [copyable(counted(key, target.catalogue, Engine.POSTGRESQL), Engine.POSTGRESQL) for key in keys]
    typed = _psql(database, statements)
    ratio, mine, theirs = compared(lambda: _orphans(server, database), typed, pairs)
    return Limit(f"of psql, {name}", ratio.median, most).say(f"{ratio}, {mine:.2f} s against {theirs:.2f} s")


def _psql(database: Database, statements: Sequence[str]) -> Callable[[], object]:
    command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--file", "-", make_conninfo(**database.private.keywords())]
    return lambda: _run(command, input=";\n".join([*statements, ""]))


def _orphans(server: Server, database: Database) -> None:
    with PostgresTarget(server, None, database, NOTHING, Evidence()) as target:
        said = list(orphaned_rows.run(target))
    if not said or any(isinstance(one, Finding) for one in said):
        raise AssertionError(said)


def catalogue(server: Server, tables: int = 1000) -> Iterator[bool]:
    """Empty tables, each with three references, and ten times as many."""
    once = _catalogue_seconds(server, tables)
    yield Limit(f"seconds for {tables} tables", once, CATALOGUE_SECONDS).say(f"{once:.2f} s")
    ten = _catalogue_seconds(server, 10 * tables)
    yield Limit("of that for ten times the tables", ten / once, TEN_TIMES).say(f"{ten / once:.1f}, {ten:.2f} s")


def _catalogue_seconds(server: Server, tables: int) -> float:
    database = server.create(f"catalogue_{tables}")
    with session(database.private) as connection:
        for statement in _empty_tables(tables):
            connection.execute(statement.encode())
        connection.execute(b"VACUUM ANALYZE")
    reading = {name: one for name, one in with_severities(RELATIONAL, {}).items() if not one.NEEDS & {Need.SANDBOX, Need.QUIET}}

    def judge() -> None:
        with PostgresTarget(server, None, database, NOTHING, Evidence()) as target:
            run_checks(target, reading, {})

    return min(seconds(judge) for _ in range(3))


def _empty_tables(tables: int) -> Iterator[str]:
    """500 statements at a time: one transaction for all would run out of locks."""
    made = [
        f"CREATE TABLE t{number} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,"
        + ", ".join(f"r{key} bigint REFERENCES t{max(number - key - 1, 0) // 2}" for key in range(3) if number)
        + (", " if number else "")
        + "total numeric CHECK (total > 0), UNIQUE (name, id));"
        for number in range(tables)
    ]
    for start in range(0, tables, 200):
        yield "".join(made[start : start + 200])


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def main() -> int:
    """Measure, print, and give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["few", "many", "catalogue"], metavar="few, many, catalogue")
    parser.add_argument("--pairs", type=int, default=9, help="interleaved pairs to measure (9)")
    parser.add_argument("--rows", type=int, help="rows of a child table, instead of 100 000 and 10 000 000")
    parser.add_argument("--version", help="the PostgreSQL to measure on; the newest one here if left out")
    wanted = parser.parse_args()
    held: list[bool] = []
    with provision(Wanted(Engine.POSTGRESQL, version=wanted.version)) as server:
        print(f"PostgreSQL {server.version}")
        if "few" in wanted.parts:
            held += few(server, wanted.pairs, wanted.rows or 100_000)
        if "many" in wanted.parts:
            held += many(server, wanted.pairs, wanted.rows or 10_000_000)
        if "catalogue" in wanted.parts:
            held += catalogue(server)
    return int(not all(held))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except psycopg.Error as refused:
        sys.exit(str(refused))
