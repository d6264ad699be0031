"""What the recorder costs: a published history with it and without it, and a long script of DDL.

Run as ``python -m bench.recorder [--python INTERPRETER]``, with an interpreter that has arize-phoenix; without one, a virtual
environment with it is made once in the cache. Prints the median ratios of interleaved pairs with their bounds. Exits 1 where the
median of the published history is above 1.10. A busy machine moves the median of a few pairs by some hundredths, as the bounds
show: measure more pairs there. Only the migrations are timed, in a child that has imported everything already.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
from psycopg import sql

from bench.ratios import Ratio, bounded, environment
from checks.interface import Engine
from checks.targets import Role
from runner.servers.interface import Address, Server, Wanted
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision

LIMIT = 1.10
PACKAGE = "arize-phoenix[pg]"

#: Reads addresses, upgrades each to head and answers with the seconds.
CHILD = """
import contextlib, logging, os, pathlib, sys, time
import phoenix.db, phoenix.db.models
from alembic import command
from alembic.config import Config
home = pathlib.Path(phoenix.db.__file__).parent
answers, sys.stdout = sys.stdout, sys.stderr
for address in sys.stdin:
    os.environ["PHOENIX_SQL_DATABASE_URL"] = address.strip()
    config = Config(str(home / "alembic.ini"))
    config.set_main_option("script_location", str(home / "migrations"))
    logging.disable(logging.CRITICAL)
    began = time.perf_counter()
    command.upgrade(config, "head")
    print(time.perf_counter() - began, file=answers, flush=True)
"""

Timed = Callable[[Address], float]


def main() -> int:
    """Measure, print, and give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", type=Path, help=f"an interpreter that has {PACKAGE}")
    parser.add_argument("--pairs", type=int, default=25, help="interleaved pairs to measure (25)")
    parser.add_argument("--version", help="the PostgreSQL to measure on; the newest one here if left out")
    wanted = parser.parse_args()
    with (
        provision(Wanted(Engine.POSTGRESQL, version=wanted.version)) as server,
        history(wanted.python or environment("arize-phoenix", PACKAGE) / "python") as upgrade,
    ):
        print(f"PostgreSQL {server.version}")
        published = compare("arize-phoenix, upgrade head", server, upgrade, wanted.pairs)
        compare(f"{len(script())} statements of DDL, one transaction", server, run_script, max(3, wanted.pairs // 3))
    print(f"limit for the published history: {LIMIT:.2f}")
    return int(published.median > LIMIT)


def compare(name: str, server: Server, run: Timed, pairs: int) -> Ratio:
    """The ratio of interleaved pairs, after one pair that does not count."""
    timings = [both(server, run, number) for number in range(pairs + 1)][1:]
    ratio = bounded([recorded / bare for recorded, bare in timings])
    recorded, bare = (statistics.median(column) for column in zip(*timings, strict=True))
    print(f"  {name}: {ratio} in {pairs} pairs, medians {recorded:.3f} s with, {bare:.3f} s without", flush=True)
    return ratio


def both(server: Server, run: Timed, number: int) -> tuple[float, float]:
    """One pair: seconds with and without, the order changing from pair to pair."""
    seconds = {}
    for recorded in (True, False) if number % 2 else (False, True):
        with fresh(server, f"bench_{number}_{recorded:d}", recorded) as address:
            seconds[recorded] = run(address)
    return seconds[True], seconds[False]


@contextmanager
def fresh(server: Server, name: str, recorded: bool) -> Iterator[Address]:
    """An empty database with the recorder in it or not; all else is equal, the server's log too."""
    database = server.create(name)
    with session(replace(database.private, database="postgres")) as admin:
        if not recorded:
            named, owner = sql.Identifier(name), sql.Identifier(database.addresses[Role.OWNER].user)
            admin.execute(sql.SQL("DROP DATABASE {}").format(named))
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(named, owner))
        try:
            yield database.addresses[Role.OWNER]
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def history(interpreter: Path) -> Iterator[Timed]:
    """A child that upgrades the databases it is told of."""
    child = subprocess.Popen([interpreter, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    stdin, stdout = child.stdin, child.stdout

    def upgrade(address: Address) -> float:
        print(address.url(), file=stdin, flush=True)
        said = stdout.readline()
        if not said:
            raise SystemExit("the migrations failed; what they said stands above")
        return float(said)

    try:
        yield upgrade
    finally:
        child.kill()
        child.wait()


def run_script(address: Address) -> float:
    """Seconds for the script over one session, in one transaction."""
    with psycopg.connect(**address.keywords()) as connection:
        began = time.perf_counter()
        for statement in script():
            connection.execute(statement)
        connection.commit()
        return time.perf_counter() - began


def script() -> list[bytes]:
    """1500 statements: tables with keys and checks, columns added, references, indexes."""
    statements = []
    for number in range(300):
        parent = f"t{max(0, number - 1)}"
        statements += [
            f"CREATE TABLE t{number} (id serial PRIMARY KEY, name text NOT NULL UNIQUE, size int CHECK (size > 0))",
            f"ALTER TABLE t{number} ADD COLUMN parent int",
            f"ALTER TABLE t{number} ADD CONSTRAINT fk_{number} FOREIGN KEY (parent) REFERENCES {parent}",
            f"CREATE INDEX i{number} ON t{number} (parent, size)",
            f"ALTER TABLE t{number} ALTER COLUMN size SET NOT NULL",
        ]
    return [statement.encode() for statement in statements]


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main())
