"""What trying CHECKs costs: a thousand of them on a hundred tables, on PostgreSQL and on SQLite, at most 20 ms each.

    python -m bench.probes [TABLES]

All of it counts: thinking of the rows, asking the server what conditions come to, and writing. Exits 1 above the limit.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from checks.constraints import check_probe
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.interface import Engine, Proven
from checks.targets import RelationalTarget
from runner.servers.interface import Wanted
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision
from runner.servers.sqlite.server import sqlite_server
from runner.servers.sqlite.sessions import session as sqlite_session
from runner.targets.postgresql import PostgresTarget
from runner.targets.sqlite import SqliteTarget

TABLES, LIMIT = 100, 0.020

#: Five CHECKs of the usual kinds; each table has them twice.
CHECKS = (
    "amount{0} numeric(12,2) NOT NULL CHECK (amount{0} >= 0)",
    "name{0} text NOT NULL CHECK (length(trim(name{0})) > 0)",
    "status{0} text NOT NULL CHECK (status{0} IN ('open', 'paid', 'sent'))",
    "level{0} int CHECK (level{0} BETWEEN 1 AND 5)",
    "email{0} varchar(255) CHECK (email{0} LIKE '%_@_%._%')",
)
NOTHING = Expectations()


def schema(tables: int) -> str:
    """Tables of which nine in ten refer to the one before."""
    columns = ", ".join(check.format(number) for number in range(2) for check in CHECKS)
    above = ("", ", above bigint NOT NULL REFERENCES t{}")
    return "".join(
        f"CREATE TABLE t{number} (id bigint PRIMARY KEY, {columns}{above[number % 10 > 0].format(number - 1)});"
        for number in range(tables)
    )


@contextmanager
def on_postgresql(ddl: str) -> Iterator[RelationalTarget]:
    """The newest PostgreSQL here."""
    with provision(Wanted(Engine.POSTGRESQL)) as server:
        database = server.create("bench")
        with session(database.private) as connection:
            connection.execute(ddl.encode())
        with PostgresTarget(server, server.seal(database), database, NOTHING, Evidence()) as target:
            yield target


@contextmanager
def on_sqlite(ddl: str) -> Iterator[RelationalTarget]:
    """The SQLite of this Python."""
    with sqlite_server() as server:
        database = server.create("bench")
        with sqlite_session(database.private) as connection:
            connection.executescript(ddl)
        with SqliteTarget(server, server.seal(database), database, NOTHING, Evidence()) as target:
            yield target


def main() -> int:
    """Try all CHECKs once on each engine."""
    ddl = schema(int(sys.argv[1]) if len(sys.argv) > 1 else TABLES)
    held = True
    for name, opened in (("PostgreSQL", on_postgresql), ("SQLite", on_sqlite)):
        with opened(ddl) as target:
            expected = sum(len(table.checks) for table in target.catalogue.tables)
            began = time.perf_counter()
            said = list(check_probe.run(target))
            seconds = time.perf_counter() - began
        proven = sum(isinstance(one, Proven) for one in said)
        each = seconds / expected
        held = held and proven == expected and each <= LIMIT
        print(f"{name}: {proven} of {expected} CHECKs proven in {seconds:.1f} s, {each * 1000:.1f} ms each")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
