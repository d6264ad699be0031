"""Measures the declared queries on MariaDB, with values from real rows."""

from __future__ import annotations

import itertools
import time
from collections import ChainMap
from collections.abc import Sequence
from typing import Any

import pymysql
from pymysql.cursors import SSCursor

from checks.declared.placeholders import Placeholder, placeholders, replaced
from checks.declared.queries import DeclaredQuery
from checks.measured import QueryTiming
from runner.measure.runs import HOPELESS, PATIENCE, RUNS, SAMPLING, WARM_UPS
from runner.servers.interface import Database
from runner.servers.mariadb.sessions import code_of, quoted, words_of
from runner.targets.mariadb_sessions import Limit, Session, opened

_CHUNK = 1000
#: What the server says to a statement that takes longer than it may.
_STOPPED = "1969"

Values = dict[Placeholder, Any]


def measure(database: Database, queries: Sequence[DeclaredQuery]) -> tuple[QueryTiming, ...]:
    """One timing a query, in their order; call it while nothing else runs on the server.

    A query that fails does not end the others: its timing carries the server's words and number. Raises ServerFailed where the
    database cannot be reached.
    """
    if not queries:
        return ()
    limit = Limit(SAMPLING, given=database.statement_timeout is not None)
    with opened(database.private, read_only=True, limit=limit) as session:
        return tuple(_timing(session, query) for query in queries)


def _timing(session: Session, query: DeclaredQuery) -> QueryTiming:
    timeout = max(PATIENCE, HOPELESS * query.limit)
    try:
        seconds, rows = _runs(session, query, timeout)
    except (pymysql.err.Error, OSError) as failure:
        code = code_of(failure)
        said = f"stopped after {timeout:g} s" if code == _STOPPED else words_of(failure)
        return QueryTiming(query.name, query.category, query.limit, (), 0, said, code)
    return QueryTiming(query.name, query.category, query.limit, seconds, rows)


def _runs(session: Session, query: DeclaredQuery, timeout: float) -> tuple[tuple[float, ...], int]:
    """The seconds of each counted run and the rows of the last; nothing where a placeholder has no value to take."""
    session.execute(f"SET SESSION max_statement_time = {SAMPLING:f}")
    wanted = tuple(dict.fromkeys(placeholders(query.sql, "")))
    sampled = _sampled(session, wanted)
    if not sampled:
        return (), 0
    order = tuple(placeholders(query.sql, ""))
    statement = replaced(query.sql.replace("%", "%%") if order else query.sql, lambda _: "%s", "")
    session.execute(f"SET SESSION max_statement_time = {timeout:f}")
    turns = itertools.islice(itertools.cycle(sampled), WARM_UPS + RUNS)
    runs = [_run(session, statement, [values[placeholder] for placeholder in order]) for values in turns]
    return tuple(seconds for seconds, _ in runs[WARM_UPS:]), runs[-1][1]


def _run(session: Session, statement: str, values: Sequence[Any]) -> tuple[float, int]:
    """Wall time in seconds from sending the statement to its last row, and how many rows came; none is kept."""
    with session.driver.cursor(SSCursor) as cursor:
        began = time.perf_counter()
        cursor.execute(statement, tuple(values) or None)
        rows = 0
        while chunk := cursor.fetchmany(_CHUNK):
            rows += len(chunk)
        return time.perf_counter() - began, rows


def _sampled(session: Session, wanted: Sequence[Placeholder]) -> list[Values]:
    """Values for as many runs as there are rows, at most for each its own; those of one table come from one row."""
    tables = dict.fromkeys(placeholder.table for placeholder in wanted)
    by_table = [_rows(session, [found for found in wanted if found.table == table]) for table in tables]
    if not all(by_table):
        return []
    longest = max((len(rows) for rows in by_table), default=1)
    return [dict(ChainMap(*(rows[turn % len(rows)] for rows in by_table))) for turn in range(longest)]


def _rows(session: Session, columns: Sequence[Placeholder]) -> list[Values]:
    """Rows that have all these columns, scattered over the table but the same in each run of dbproof."""
    names = [quoted(placeholder.column) for placeholder in columns]
    listed, given = ", ".join(names), " AND ".join(f"{name} IS NOT NULL" for name in names)
    table = columns[0].table
    source = quoted(table.name) if not table.schema else f"{quoted(table.schema)}.{quoted(table.name)}"
    query = f"SELECT {listed} FROM {source} WHERE {given} ORDER BY md5(concat_ws(',', {listed})) LIMIT {WARM_UPS + RUNS}"  # noqa: S608 - quoted
    return [dict(zip(columns, row, strict=True)) for row in session.all(query)]
