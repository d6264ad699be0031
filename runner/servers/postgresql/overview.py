"""What a PostgreSQL database is, at a glance: how large, how many tables, rows by the server's own estimate."""

from __future__ import annotations

from typing import Any

import psycopg

from checks.schema.names import TableName
from runner.errors import ServerFailed
from runner.overview import Overview
from runner.servers.interface import Database
from runner.servers.postgresql.sessions import session


def overview(database: Database) -> Overview:
    """Queries of the catalogue; no table is read. What the server does not tell this role is left out. Raises ServerFailed."""
    try:
        with session(database.private) as connection, connection.transaction():
            connection.execute(_LIMITS)
            estimates = connection.execute(_ROWS).fetchall()
            references = connection.execute(_REFERENCES).fetchall()[0][0]
            standby = connection.execute("SELECT pg_catalog.pg_is_in_recovery()").fetchall()[0][0]
            size = _size(connection)
    except psycopg.Error as error:
        said = error.diag.message_primary or "the session was lost"
        raise ServerFailed(f"the database's catalogue cannot be read: {error.sqlstate or ''} {said}", "Try again.") from None
    rows = {TableName(schema, name).label(): int(estimate) for schema, name, estimate in estimates if estimate >= 0}
    return Overview(size, bool(standby), rows, len(estimates) - len(rows), int(references))


def _size(connection: psycopg.Connection[Any]) -> int | None:
    """In bytes; not every role may ask, and of very many files it takes long."""
    try:
        with connection.transaction():
            found = connection.execute("SELECT pg_catalog.pg_database_size(pg_catalog.current_database())").fetchall()
        return int(found[0][0])
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.QueryCanceled):
        return None


_LIMITS = """
SELECT pg_catalog.set_config('statement_timeout', '10s', true), pg_catalog.set_config('lock_timeout', '2s', true)
"""

_REFERENCES = """
SELECT count(*) FROM pg_catalog.pg_constraint con JOIN pg_catalog.pg_namespace nsp ON nsp.oid = con.connamespace
WHERE con.contype = 'f' AND con.conparentid = 0 AND nsp.nspname <> 'information_schema' AND nsp.nspname !~ '^pg_'
"""

# Before PostgreSQL 14 the estimate of a table that was never analysed is 0, from then on -1.
_ROWS = """
SELECT nsp.nspname::text, rel.relname::text,
       CASE WHEN rel.reltuples = 0 AND rel.relpages = 0 AND pg_catalog.current_setting('server_version_num')::int < 140000
            THEN -1 ELSE rel.reltuples END
FROM pg_catalog.pg_class rel JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
WHERE rel.relkind = 'r' AND rel.relpersistence <> 't' AND nsp.nspname <> 'information_schema' AND nsp.nspname !~ '^pg_'
"""
