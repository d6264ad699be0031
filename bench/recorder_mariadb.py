"""What watching new migrations of MariaDB costs: statements as new migrations, with it and without it.

Run as ``python -m bench.recorder_mariadb``. Prints the median ratios of interleaved pairs with their bounds, of wall time over
one session: of DDL (tables, columns, keys, indexes), of rows written one by one, and of ten statements on 100 000 rows. Base's
migrations are not watched, so nothing is measured of them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext

from bench.ratios import bounded
from checks.interface import Engine
from checks.targets import Role
from runner.backends import mariadb
from runner.servers.interface import Database, Server, Wanted
from runner.servers.mariadb.sessions import rows, session
from runner.servers.registry import provision

ROWS = 100_000


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=9, help="interleaved pairs to measure (9)")
    wanted = parser.parse_args()
    with provision(Wanted(Engine.MARIADB)) as server:
        print(f"MariaDB {server.version}")
        for name, statements in (("DDL", schema()), ("rows one by one", one_by_one()), (f"{ROWS} rows", bulk())):
            timings = [pair(server, statements, number) for number in range(wanted.pairs + 1)][1:]
            ratio = bounded([seen / bare for seen, bare in timings])
            medians = [statistics.median(column) for column in zip(*timings, strict=True)]
            each = (medians[0] - medians[1]) / len(statements) * 1000
            print(
                f"  {len(statements)} statements, {name}: {ratio}, medians {medians[0]:.3f} s watched,"
                f" {medians[1]:.3f} s without, {each:.2f} ms for each",
                flush=True,
            )
    return 0


def pair(server: Server, statements: Sequence[str], number: int) -> tuple[float, float]:
    """Watched and without, the order changing from pair to pair."""
    order = (True, False) if number % 2 else (False, True)
    took = {watched: run(server.create(f"bench_{number}_{int(watched)}"), statements, watched) for watched in order}
    return took[True], took[False]


def run(database: Database, statements: Sequence[str], watched: bool) -> float:
    """The seconds that the statements take over one session, from its beginning to its end."""
    with mariadb.watched(database) if watched else nullcontext(database) as at:
        began = time.perf_counter()
        with session(at.addresses[Role.OWNER]) as driver:
            for statement in statements:
                rows(driver, statement)
        took = time.perf_counter() - began
    with session(database.private) as ours:
        rows(ours, f"DROP DATABASE {database.name}")
    return took


def schema() -> list[str]:
    """200 statements: tables, columns added, references, indexes."""
    made = []
    for number in range(50):
        made += [
            f"CREATE TABLE t{number} (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(99) NOT NULL UNIQUE, size INT)",
            f"ALTER TABLE t{number} ADD COLUMN parent INT",
            f"ALTER TABLE t{number} ADD CONSTRAINT fk_{number} FOREIGN KEY (parent) REFERENCES t{max(0, number - 1)} (id)",
            f"CREATE INDEX i{number} ON t{number} (parent, size)",
        ]
    return made


def one_by_one() -> list[str]:
    """A table, and 2000 rows."""
    return ["CREATE TABLE t (id INT PRIMARY KEY, x INT)", *(f"INSERT INTO t VALUES ({number}, 1)" for number in range(2000))]


def bulk() -> list[str]:
    """A table with many rows, changed in ten ways."""
    return [
        "CREATE TABLE t (id INT PRIMARY KEY, x INT, name VARCHAR(99))",
        f"INSERT INTO t SELECT seq, seq, 'some text' FROM seq_1_to_{ROWS}",
        "ALTER TABLE t ADD COLUMN y INT DEFAULT 7",
        "ALTER TABLE t MODIFY x BIGINT",
        "CREATE INDEX by_x ON t (x)",
        "UPDATE t SET y = x WHERE x % 2 = 0",
        "DELETE FROM t WHERE x % 10 = 0",
        "ALTER TABLE t FORCE",
        "CREATE TABLE copy AS SELECT * FROM t",
        "ALTER TABLE copy ADD PRIMARY KEY (id)",
    ]


if __name__ == "__main__":
    sys.exit(main())
