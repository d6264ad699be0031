"""Lets a table's indexes rest while rows go in, and builds and validates them after.

Nothing is dropped: the server is told in its own catalogue that an index takes no rows, as it is of one that CREATE INDEX
CONCURRENTLY left unfinished, and REINDEX, which asks for uniqueness and exclusion, makes such an index whole. So names, comments,
the replica identity and all that depends on an index stay what they are, and a transaction that fails leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from checks.rows.sets.postgresql import table_name
from checks.schema.names import TableName

if TYPE_CHECKING:
    from psycopg import Connection

#: A table of fewer rows is filled as quickly with its indexes at work.
WORTH = 2_000

_OWN = """
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid AND c.relkind = 'i'
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE i.indislive AND i.indisready AND i.indisvalid AND (i.indrelid = %s::regclass
        OR i.indrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(%s::regclass) WHERE isleaf))
"""
_RESTING = f"""
WITH own AS (SELECT i.indexrelid, pg_catalog.format('%%I.%%I', n.nspname, c.relname) AS name FROM pg_catalog.pg_index AS i {_OWN}
    AND NOT (%s AND (i.indisunique OR i.indisexclusion)))
UPDATE pg_catalog.pg_index AS i SET indisready = false, indisvalid = false FROM own WHERE i.indexrelid = own.indexrelid
RETURNING own.name
"""
_AT_ONCE = f"""
WITH own AS (SELECT i.indexrelid FROM pg_catalog.pg_index AS i {_OWN} AND NOT i.indimmediate)
UPDATE pg_catalog.pg_index AS i SET indimmediate = true FROM own WHERE i.indexrelid = own.indexrelid
RETURNING i.indexrelid
"""
_DEFERRED = "UPDATE pg_catalog.pg_index SET indimmediate = false WHERE indexrelid = ANY (%s)"


@contextmanager
def resting(driver: Connection[Any], table: TableName, *, keep_unique: bool) -> Iterator[None]:
    """Within a transaction: no index of the table or its partitions takes rows, except unique ones with ``keep_unique``.

    Raises psycopg.Error where the rows do not meet one of them.
    """
    name = table_name(table).replace("%%", "%")
    with _at_once(driver, name):
        found = driver.execute(_RESTING.encode(), [name, name, keep_unique]).fetchall()
        yield
        for (index,) in sorted(found):
            driver.execute(f"REINDEX INDEX {index}".encode())


@contextmanager
def asked_at_once(driver: Connection[Any], table: TableName) -> Iterator[None]:
    """Within a transaction: deferrable keys are asked row by row, as no trigger asks for them later."""
    with _at_once(driver, table_name(table).replace("%%", "%")):
        yield


@contextmanager
def _at_once(driver: Connection[Any], name: str) -> Iterator[None]:
    deferred = [index for (index,) in driver.execute(_AT_ONCE.encode(), [name, name]).fetchall()]
    yield
    if deferred:
        driver.execute(_DEFERRED.encode(), [deferred])
