"""Which tables hold rows, whatever the statistics say."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Exists, exists, literal_column, select, text
from sqlalchemy import table as core_table
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.exc import DBAPIError, OperationalError

from checks.schema.model import Catalogue
from checks.schema.names import TableName

#: Tables asked about in one statement: it holds a lock on each and on its indexes until it ends.
_AT_ONCE = 250


def filled(connection: Connection, catalogue: Catalogue) -> frozenset[TableName]:
    """The tables of the catalogue that hold at least one row of their own, and the partitioned ones above them.

    Tables that cannot be looked into (this role may not read them, they are locked, finding a row takes too long) are taken for
    ones that hold rows: whoever reads them meets the refusal itself, and can say it. Reads at most one row of each. Raises
    SQLAlchemy's DBAPIError where the session is lost.
    """
    readable = _readable(connection)
    holding = [table.name for table in catalogue.tables if not table.partitioned]
    closed = [name for name in holding if name not in readable]
    open_ones = [name for name in holding if name in readable]
    found = set(closed)
    for start in range(0, len(open_ones), _AT_ONCE):
        found.update(_filled(connection, open_ones[start : start + _AT_ONCE]))
    for name in tuple(found):
        whole = catalogue.table[name].partition_of
        while whole is not None and whole in catalogue.table:
            found.add(whole)
            whole = catalogue.table[whole].partition_of
    return frozenset(found)


def _readable(connection: Connection) -> frozenset[TableName]:
    """The tables that this role may read something of, asked at once: a single refusal would fail a whole statement."""
    rows = connection.execute(text(_MAY_READ)).all()
    connection.rollback()
    return frozenset(TableName(schema, name) for schema, name in rows)


def _filled(connection: Connection, tables: Sequence[TableName]) -> Sequence[TableName]:
    """Those that hold a row; where the server stops at one of them, the halves are asked."""
    try:
        answers = connection.execute(select(array([_holds_rows(name) for name in tables]))).scalar_one()
    except DBAPIError as refused:
        connection.rollback()
        if refused.connection_invalidated or _lost(refused):
            raise
        if len(tables) == 1:
            return tables
        middle = len(tables) // 2
        return [*_filled(connection, tables[:middle]), *_filled(connection, tables[middle:])]
    connection.rollback()
    return [name for name, holds_rows in zip(tables, answers, strict=True) if holds_rows]


def _lost(refused: DBAPIError) -> bool:
    """Whether the driver says that there is no session any more: then no answer would come for any half."""
    return isinstance(refused, OperationalError) and getattr(refused.orig, "sqlstate", None) is None


def _holds_rows(name: TableName) -> Exists:
    """Not of tables that inherit from it: their rows are theirs."""
    source = core_table(name.name, schema=name.schema)
    return exists(select(literal_column("1")).select_from(source).with_hint(source, "ONLY", "postgresql"))


_MAY_READ = """
SELECT nsp.nspname::text, rel.relname::text
FROM pg_catalog.pg_class rel JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
WHERE rel.relkind = 'r' AND pg_catalog.has_schema_privilege(nsp.oid, 'USAGE')
  AND pg_catalog.has_any_column_privilege(rel.oid, 'SELECT')
"""
