"""Measures declared queries: warmed, several runs, alone, read-only, with values sampled from real rows."""

from __future__ import annotations

import itertools
import time
from collections import ChainMap
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.adapt import AdaptersMap
from psycopg.types.string import StrDumperUnknown, TextLoader

from checks.declared.placeholders import Placeholder, placeholders, replaced
from checks.declared.queries import DeclaredQuery
from checks.measured import QueryTiming
from runner.errors import ServerFailed
from runner.measure.runs import HOPELESS, PATIENCE, RUNS, SAMPLING, WARM_UPS
from runner.servers.interface import OURS, Database

_CHUNK = 1000 if psycopg.capabilities.has_stream_chunked() else 1

Values = dict[Placeholder, str]


def measure(database: Database, queries: Sequence[DeclaredQuery]) -> tuple[QueryTiming, ...]:
    """One timing a query, in their order; call it while nothing else runs on the server.

    A query that fails does not end the others: its timing carries the server's words and code. Raises :class:`ServerFailed` where
    the database cannot be reached.
    """
    if not queries:
        return ()
    with _connect(database) as connection:
        return tuple(_timing(connection, query) for query in queries)


def _timing(connection: psycopg.Connection, query: DeclaredQuery) -> QueryTiming:
    timeout = max(PATIENCE, HOPELESS * query.limit)
    try:
        with connection.transaction():
            seconds, rows = _runs(connection, query, timeout)
    except psycopg.errors.QueryCanceled as stopped:
        return _failed(query, f"stopped after {timeout:g} s", stopped.sqlstate or "")
    except psycopg.Error as failure:
        return _failed(query, failure.diag.message_primary or str(failure), failure.sqlstate or "")
    return QueryTiming(query.name, query.category, query.limit, seconds, rows)


def _failed(query: DeclaredQuery, said: str, code: str) -> QueryTiming:
    return QueryTiming(query.name, query.category, query.limit, (), 0, said, code)


def _runs(connection: psycopg.Connection, query: DeclaredQuery, timeout: float) -> tuple[tuple[float, ...], int]:
    """The seconds of each counted run and the rows of the last; nothing where a placeholder has no value to take."""
    _stop_after(connection, SAMPLING)
    if connection.info.parameter_status("is_superuser") == "on":  # writing the log would take time of the query's
        connection.execute("SET LOCAL log_min_duration_statement = -1")
    schema = _current_schema(connection)
    wanted = tuple(dict.fromkeys(placeholders(query.sql, schema)))
    types = {placeholder: _type(connection, placeholder) for placeholder in wanted}
    sampled = _sampled(connection, wanted)
    if not sampled:
        return (), 0
    numbers = {placeholder: number for number, placeholder in enumerate(wanted, 1)}
    statement = replaced(query.sql, lambda found: f"${numbers[found]}::{types[found]}", schema)
    _stop_after(connection, timeout)
    turns = itertools.islice(itertools.cycle(sampled), WARM_UPS + RUNS)
    runs = [_run(connection, statement, [values[placeholder] for placeholder in wanted]) for values in turns]
    return tuple(seconds for seconds, _ in runs[WARM_UPS:]), runs[-1][1]


def _run(connection: psycopg.Connection, statement: str, values: Sequence[str]) -> tuple[float, int]:
    """Wall time in seconds from sending the statement to its last row, and how many rows came; none is kept."""
    with psycopg.RawCursor(connection) as cursor:
        began = time.perf_counter()
        rows = sum(1 for _ in cursor.stream(statement.encode(), values, size=_CHUNK))
        return time.perf_counter() - began, rows


def _sampled(connection: psycopg.Connection, wanted: Sequence[Placeholder]) -> list[Values]:
    """Values for as many runs as there are rows, at most for each its own; those of one table come from one row."""
    tables = dict.fromkeys(placeholder.table for placeholder in wanted)
    by_table = [_rows(connection, [found for found in wanted if found.table == table]) for table in tables]
    if not all(by_table):
        return []
    longest = max((len(rows) for rows in by_table), default=1)
    return [dict(ChainMap(*(rows[turn % len(rows)] for rows in by_table))) for turn in range(longest)]


def _rows(connection: psycopg.Connection, columns: Sequence[Placeholder]) -> list[Values]:
    """Rows that have all these columns, scattered over the table but the same in each run of dbproof."""
    names = [sql.Identifier(placeholder.column) for placeholder in columns]
    query = sql.SQL("SELECT {texts} FROM {table} WHERE {given} ORDER BY md5(ROW({texts})::text) LIMIT {limit}").format(
        texts=sql.SQL(", ").join(sql.SQL("{}::text").format(name) for name in names),
        table=_identifier(columns[0]),
        given=sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(name) for name in names),
        limit=sql.SQL(str(WARM_UPS + RUNS)),
    )
    return [dict(zip(columns, row, strict=True)) for row in connection.execute(query)]


def _type(connection: psycopg.Connection, placeholder: Placeholder) -> str:
    """The column's type as it is written in a cast; with its length, since a bare ``character`` means a single one."""
    query = (
        "SELECT pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute"
        " WHERE attrelid = %s::regclass AND attname = %s AND attnum > 0 AND NOT attisdropped"
    )
    row = connection.execute(query, [_identifier(placeholder).as_string(connection), placeholder.column]).fetchone()
    if row is None:
        raise psycopg.errors.UndefinedColumn(f"no column {placeholder.column} in {placeholder.table.label()}")
    return str(row[0])


def _identifier(placeholder: Placeholder) -> sql.Identifier:
    return sql.Identifier(placeholder.table.schema, placeholder.table.name)


def _current_schema(connection: psycopg.Connection) -> str:
    row = connection.execute("SELECT coalesce(pg_catalog.current_schema()::text, 'public')").fetchone()
    return str(row[0]) if row else "public"


def _stop_after(connection: psycopg.Connection, seconds: float) -> None:
    milliseconds = str(max(1, round(seconds * 1000)))
    connection.execute("SELECT pg_catalog.set_config('statement_timeout', %s, true)", [milliseconds])


@dataclass(frozen=True)
class _Texts:
    """Values as the server writes them: nothing is converted, so that no type takes time or fails here."""

    adapters: AdaptersMap
    connection: None = None


def _texts() -> _Texts:
    adapters = AdaptersMap(types=psycopg.postgres.types)
    adapters.register_dumper(str, StrDumperUnknown)
    adapters.register_loader(0, TextLoader)
    return _Texts(adapters)


def _connect(database: Database) -> psycopg.Connection:
    """A read-only session; statements are planned anew for each set of values (no prepared statements)."""
    keywords = database.private.keywords() | {"application_name": OURS}
    try:
        connection = psycopg.connect(**keywords, autocommit=True, prepare_threshold=None, context=_texts())
    except psycopg.OperationalError:
        raise ServerFailed(
            f"database {database.name}: no session to measure its queries in", "Look at the server's log."
        ) from None
    connection.read_only = True
    return connection
