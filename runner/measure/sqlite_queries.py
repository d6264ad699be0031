"""Measures the declared queries on SQLite, with values from real rows."""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
import threading
import time
from collections import ChainMap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from checks.declared.placeholders import Placeholder, placeholders, replaced
from checks.declared.queries import DeclaredQuery
from checks.measured import QueryTiming
from runner.measure.runs import HOPELESS, PATIENCE, RUNS, SAMPLING, WARM_UPS
from runner.servers.interface import Database
from runner.servers.sqlite.sessions import code_of, quoted, session

_CHUNK = 1000
_INTERRUPTED = "SQLITE_INTERRUPT"

Values = dict[Placeholder, object]


def measure(database: Database, queries: Sequence[DeclaredQuery]) -> tuple[QueryTiming, ...]:
    """One timing a query, in their order; call it while nothing else runs.

    A query that fails does not end the others: its timing carries SQLite's words and the name of its code. Raises
    :class:`ServerFailed` where the database cannot be opened.
    """
    if not queries:
        return ()
    with session(database.private, read_only=True) as connection:
        connection.create_function("dbproof_scattered", -1, _scattered, deterministic=True)
        return tuple(_timing(connection, query) for query in queries)


def _timing(connection: sqlite3.Connection, query: DeclaredQuery) -> QueryTiming:
    timeout = max(PATIENCE, HOPELESS * query.limit)
    try:
        seconds, rows = _runs(connection, query, timeout)
    except (sqlite3.Error, sqlite3.Warning) as failure:
        code = code_of(failure)
        said = f"stopped after {timeout:g} s" if code == _INTERRUPTED else str(failure)
        return QueryTiming(query.name, query.category, query.limit, (), 0, said, code)
    return QueryTiming(query.name, query.category, query.limit, seconds, rows)


def _runs(connection: sqlite3.Connection, query: DeclaredQuery, timeout: float) -> tuple[tuple[float, ...], int]:
    """The seconds of each counted run and the rows of the last; nothing where a placeholder has no value to take."""
    wanted = tuple(dict.fromkeys(placeholders(query.sql, "")))
    with _stopped_after(connection, SAMPLING):
        sampled = _sampled(connection, wanted)
    if not sampled:
        return (), 0
    numbers = {placeholder: number for number, placeholder in enumerate(wanted, 1)}
    statement = replaced(query.sql, lambda found: f"?{numbers[found]}", "")
    turns = itertools.islice(itertools.cycle(sampled), WARM_UPS + RUNS)
    runs: list[tuple[float, int]] = []
    for values in turns:
        with _stopped_after(connection, timeout):
            runs.append(_run(connection, statement, [values[placeholder] for placeholder in wanted]))
    return tuple(seconds for seconds, _ in runs[WARM_UPS:]), runs[-1][1]


def _run(connection: sqlite3.Connection, statement: str, values: Sequence[object]) -> tuple[float, int]:
    """Wall time in seconds from sending the statement to its last row, and how many rows came; none is kept."""
    began = time.perf_counter()
    cursor = connection.execute(statement, values)
    rows = 0
    while chunk := cursor.fetchmany(_CHUNK):
        rows += len(chunk)
    return time.perf_counter() - began, rows


def _sampled(connection: sqlite3.Connection, wanted: Sequence[Placeholder]) -> list[Values]:
    """Values for as many runs as there are rows, at most for each its own; those of one table come from one row."""
    tables = dict.fromkeys(placeholder.table for placeholder in wanted)
    by_table = [_rows(connection, [found for found in wanted if found.table == table]) for table in tables]
    if not all(by_table):
        return []
    longest = max((len(rows) for rows in by_table), default=1)
    return [dict(ChainMap(*(rows[turn % len(rows)] for rows in by_table))) for turn in range(longest)]


def _rows(connection: sqlite3.Connection, columns: Sequence[Placeholder]) -> list[Values]:
    """Rows that have all these columns, scattered over the table but the same in each run of dbproof."""
    names = [f"sampled.{quoted(placeholder.column)}" for placeholder in columns]
    listed, given = ", ".join(names), " AND ".join(f"{name} IS NOT NULL" for name in names)
    table = columns[0].table
    source = quoted(table.name) if not table.schema else f"{quoted(table.schema)}.{quoted(table.name)}"
    query = (
        f"SELECT {listed} FROM {source} AS sampled WHERE {given}"  # noqa: S608 - every name is quoted
        f" ORDER BY dbproof_scattered({listed}) LIMIT {WARM_UPS + RUNS}"
    )
    return [dict(zip(columns, row, strict=True)) for row in connection.execute(query)]


def _scattered(*values: object) -> bytes:
    return hashlib.blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=8).digest()


@contextmanager
def _stopped_after(connection: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """Interrupt what is still under way then; a timer, so that the query is not slowed down by looking at the clock."""
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
