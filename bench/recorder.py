"""What the recorder costs: a history of 120 revisions, a published history, and a long script of DDL, with it and without it.

Run as ``python -m bench.recorder [--python INTERPRETER]``, with an interpreter that has arize-phoenix; without one, a virtual
environment with it is made once in the cache. Prints the median ratios of interleaved pairs with their bounds, of wall time and,
on Linux, of the processors' time that the client and the server took together, which others on a busy machine move less.

The 120 revisions (those of bench.replay) are applied by the command ``alembic upgrade head``, from its start to its end. Of the
published history the migrations alone are timed, in a child that has imported everything already: as base has it, and as new
migrations are watched, with locks and the counters after every message. Exits 1 where a median by wall time is above its limit,
1.05 of the command and 1.10 of the published history as base has it.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql

from bench.ratios import Ratio, bounded, environment
from bench.replay import repository
from checks.interface import Engine
from checks.targets import Role
from runner.backends import postgresql
from runner.servers.interface import Address, Server, Wanted
from runner.servers.postgresql.server import PostgresServer
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision

LIMIT = 1.10
OWN_LIMIT = 1.05
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
    began, busy = time.perf_counter(), time.process_time()
    command.upgrade(config, "head")
    print(time.perf_counter() - began, time.process_time() - busy, file=answers, flush=True)
"""


#: How many revisions the history has that the command itself applies.
REVISIONS = 120


class Took(NamedTuple):
    """Seconds by the clock, and of the processors' time."""

    wall: float
    busy: float


Timed = Callable[[Address], Took]


class Manner(StrEnum):
    """How a database is observed."""

    BARE = "without"
    RECORDED = "with"
    WATCHED = "watched"


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
        with tempfile.TemporaryDirectory() as folder:
            repository(Path(folder), REVISIONS)
            own, _ = compare(f"{REVISIONS} revisions, the command", server, partial(run_command, Path(folder)), wanted.pairs)
        wall, _ = compare("arize-phoenix, upgrade head", server, upgrade, wanted.pairs)
        compare("arize-phoenix, as new migrations", server, upgrade, max(3, wanted.pairs // 3), Manner.WATCHED)
        compare(f"{len(script())} statements of DDL, one transaction", server, run_script, max(3, wanted.pairs // 3))
    print(f"limits: {OWN_LIMIT:.2f} for {REVISIONS} revisions, {LIMIT:.2f} for the published history")
    return int(wall.median > LIMIT or own.median > OWN_LIMIT)


def compare(name: str, server: Server, run: Timed, pairs: int, manner: Manner = Manner.RECORDED) -> tuple[Ratio, Ratio | None]:
    """The ratios of interleaved pairs, after one pair that does not count: of wall time, and of the processors' time."""
    timings = [both(server, run, number, manner) for number in range(pairs + 1)][1:]
    wall = bounded([observed.wall / bare.wall for observed, bare in timings])
    medians = [statistics.median(one.wall for one in column) for column in zip(*timings, strict=True)]
    print(f"  {name}: {wall} in {pairs} pairs, medians {medians[0]:.3f} s {manner}, {medians[1]:.3f} s without", flush=True)
    if not all(bare.busy for _, bare in timings):
        return wall, None
    busy = bounded([observed.busy / bare.busy for observed, bare in timings])
    print(f"    processors' time: {busy}", flush=True)
    return wall, busy


def both(server: Server, run: Timed, number: int, manner: Manner) -> tuple[Took, Took]:
    """One pair: observed and without, the order changing from pair to pair."""
    took = {}
    for each in (manner, Manner.BARE) if number % 2 else (Manner.BARE, manner):
        with fresh(server, f"bench_{number}_{each}", each) as address:
            before = spent(server)
            ran = run(address)
            took[each] = Took(ran.wall, ran.busy + spent(server) - before if before else 0.0)
    return took[manner], took[Manner.BARE]


def spent(server: Server) -> float:
    """The processors' time of the server's processes so far, those of ended sessions too; 0 where the system does not say."""
    if not isinstance(server, PostgresServer) or not Path("/proc/self/stat").exists():
        return 0.0
    with session(server.private) as admin:
        (postmaster,) = admin.execute("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int").fetchone() or (0,)
        while admin.execute(OTHERS).fetchone() != (0,):  # a session that has ended counts when it has been cleared away
            time.sleep(0.01)
    ticks = _ticks(postmaster, with_ended=True) + sum(_ticks(child, with_ended=False) for child in _children(postmaster))
    return ticks / os.sysconf("SC_CLK_TCK")


OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname LIKE 'bench%'"


def _children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children")
    return [int(child) for child in listed.read_text().split()]


def _ticks(process: int, *, with_ended: bool) -> int:
    """The clock ticks of a process (fields 14 and 15 of its ``stat``), and of its children that have ended (16 and 17)."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(field) for field in fields[11 : 15 if with_ended else 13])


@contextmanager
def fresh(server: Server, name: str, manner: Manner) -> Iterator[Address]:
    """An empty database with the recorder in it or not; all else is equal, the server's log too."""
    database = server.create(name)
    with session(replace(database.private, database="postgres")) as admin, ExitStack() as until:
        if manner is Manner.BARE:
            named, owner = sql.Identifier(name), sql.Identifier(database.addresses[Role.OWNER].user)
            admin.execute(sql.SQL("DROP DATABASE {}").format(named))
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(named, owner))
        try:
            if manner is Manner.WATCHED:
                postgresql.heed(database)
                database = until.enter_context(postgresql.watched(database))
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

    def upgrade(address: Address) -> Took:
        print(address.url(), file=stdin, flush=True)
        said = stdout.readline()
        if not said:
            raise SystemExit("the migrations failed; what they said stands above")
        wall, busy = map(float, said.split())
        return Took(wall, busy)

    try:
        yield upgrade
    finally:
        child.kill()
        child.wait()


def run_command(folder: Path, address: Address) -> Took:
    """``alembic upgrade head`` as people run it, from the start of Python to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    subprocess.run(command, cwd=folder, env={**os.environ, "DATABASE_URL": address.url()}, capture_output=True, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def run_script(address: Address) -> Took:
    """The script over one session, in one transaction."""
    with psycopg.connect(**address.keywords()) as connection:
        began, busy = time.perf_counter(), time.process_time()
        for statement in script():
            connection.execute(statement)
        connection.commit()
        return Took(time.perf_counter() - began, time.process_time() - busy)


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
