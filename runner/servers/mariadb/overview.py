"""What a MariaDB database is, at a glance: how large, how many tables, rows by the server's own estimate."""

from __future__ import annotations

import pymysql

from runner.errors import ServerFailed
from runner.overview import Overview
from runner.servers.interface import Database
from runner.servers.mariadb.sessions import code_of, rows, session, words_of


def overview(database: Database) -> Overview:
    """Queries of the catalogue; no table is read. Raises ServerFailed."""
    try:
        with session(database.private, first="SET SESSION max_statement_time = 10") as driver:
            tables = rows(driver, _TABLES)
            references = int(rows(driver, _REFERENCES)[0][0])
    except (pymysql.err.Error, OSError) as error:
        raise ServerFailed(f"the database's catalogue cannot be read: {code_of(error)} {words_of(error)}", "Try again.") from None
    known = {str(name): int(count) for name, count, _ in tables if count is not None}
    return Overview(sum(int(size) for *_, size in tables), False, known, len(tables) - len(known), references)


_TABLES = """
SELECT table_name, table_rows, coalesce(data_length, 0) + coalesce(index_length, 0)
FROM information_schema.tables WHERE table_schema = database() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
"""

_REFERENCES = "SELECT count(*) FROM information_schema.referential_constraints WHERE constraint_schema = database()"
