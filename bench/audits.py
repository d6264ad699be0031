"""How fast candidates are counted: 20 on a million rows in one scan, at most 0.5 of the same counts sent one by one; and how
much memory the keys of two databases take that are compared: at most 150 MB for a million on either side.

The two ways of counting take turns, so that a noisy machine hits both, and the median of the rounds' ratios counts. Exits 1
above a limit, 4 where it cannot be measured.

    python -m bench.audits [ROWS] [ROUNDS]
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median

from checks.declared.across import parse_cross_reference
from checks.declared.candidates import parse_candidate
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.interface import Engine
from checks.rulebook.audited import rule_of
from checks.rulebook.violations import RowRule, counting
from runner.across.gathering import Across, Revision
from runner.across.keys import Keys
from runner.errors import ServerFailed
from runner.servers.interface import Database, Server, Wanted
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision
from runner.targets.postgresql import PostgresTarget

ROWS, ROUNDS = 1_000_000, 5
COLUMNS = 10
OF_SINGLE, MEGABYTES = 0.5, 150

CANDIDATES = [f"orders: check (a{n} > {n})" for n in range(COLUMNS)] + [f"orders.a{n}: not null" for n in range(COLUMNS)]
REFERENCE = parse_cross_reference("till:orders.id -> app:orders.a0", {"till": Engine.POSTGRESQL, "app": Engine.POSTGRESQL})


def filled(server: Server, rows: int) -> Database:
    """A table of numbers, a few of which are missing."""
    database = server.create("bench")
    columns = ", ".join(f"a{n} int" for n in range(COLUMNS))
    values = ", ".join(f"CASE WHEN i % {1000 + n} > 0 THEN i + {n} END" for n in range(COLUMNS))
    with session(database.private) as connection:
        connection.execute(f"CREATE TABLE orders (id int PRIMARY KEY, {columns})".encode())
        connection.execute(f"INSERT INTO orders SELECT i, {values} FROM generate_series(1, {rows}) AS i".encode())
    return database


def counted(target: PostgresTarget) -> float:
    """The time of one scan as a share of that of single statements, which must count the same."""
    rules = [rule for line in CANDIDATES if isinstance(rule := rule_of(parse_candidate(line)), RowRule)]
    with target.rows() as reading:
        began = time.perf_counter()
        together = reading.rows(counting(rules, rules[0].table, target.catalogue))[0]
        between = time.perf_counter()
        singly = tuple(reading.rows(counting([rule], rule.table, target.catalogue))[0][0] for rule in rules)
        ended = time.perf_counter()
    if together != singly:
        raise AssertionError(f"{together} in one scan, {singly} one by one")
    return (between - began) / (ended - between)


def compared(target: PostgresTarget) -> tuple[float, float]:
    """Seconds and megabytes that it takes to keep the keys of two sides and to compare them."""
    before, began = _megabytes(), time.perf_counter()
    with tempfile.TemporaryDirectory() as place, closing(Keys(Path(place) / "keys.db")) as file:
        across = Across([REFERENCE], file)
        across.see("till", Revision.HEAD, target)
        across.see("app", Revision.HEAD, target)
        found = across.compared(REFERENCE, Revision.HEAD)
    if not found.missing:
        raise AssertionError("every key was found, though every thousandth is missing")
    return time.perf_counter() - began, _megabytes() - before


def _megabytes() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(rows: int = ROWS, rounds: int = ROUNDS) -> int:
    """Measure, say the figures, and give the exit code."""
    with provision(Wanted(Engine.POSTGRESQL)) as server:
        database = filled(server, rows)
        with PostgresTarget(server, server.seal(database), database, Expectations(), Evidence()) as target:
            share = median(counted(target) for _ in range(rounds))
            seconds, megabytes = compared(target)
    print(f"{len(CANDIDATES)} candidates in one scan: {share:.2f} of single statements, at most {OF_SINGLE}")
    print(f"{rows} keys on either side: {seconds:.1f} s, {megabytes:.0f} MB, at most {MEGABYTES} MB")
    return int(share > OF_SINGLE or megabytes > MEGABYTES)


if __name__ == "__main__":
    try:
        sys.exit(main(*map(int, sys.argv[1:3])))
    except ServerFailed as error:
        print(error, file=sys.stderr)
        sys.exit(4)
