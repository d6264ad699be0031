"""What tables of PostgreSQL hold: counted and digested by the server, and compared by digests that come in one order."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from checks.schema.names import TableName
from runner.servers.interface import Database
from runner.undoing import merging
from runner.undoing.merging import Pair
from runner.undoing.postgresql_sessions import looking
from runner.undoing.relational import Content, Unlike

if TYPE_CHECKING:
    from psycopg import sql

    from runner.undoing.postgresql_sessions import Session

#: Parts that a table is compared in, so that only those that differ come through here; smaller tables come as they are.
_PARTS = 1 << 16
_SMALL = 50_000

#: Tables with rows of their own: partitions are read by what they are parts of.
_TABLES = """
SELECT nspname::text, relname::text, relkind = 'r', relkind = 'p' OR pg_relation_size(rel.oid) > 0, (
         SELECT json_object_agg(attname, format_type(atttypid, atttypmod) ORDER BY attname) FROM pg_attribute
         WHERE attrelid = rel.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''),
       (SELECT json_agg(attname ORDER BY attname) FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
        WHERE indrelid = rel.oid AND indisprimary)
FROM pg_class rel JOIN pg_namespace nsp ON nsp.oid = relnamespace
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relpersistence <> 't'
  AND nspname <> 'information_schema' AND nspname !~ '^pg_' AND NOT EXISTS (
    SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = rel.oid AND deptype = 'e')
"""


_PLAIN = """
SELECT relkind = 'r' FROM pg_class JOIN pg_namespace nsp ON nsp.oid = relnamespace WHERE nspname = %s AND relname = %s
"""


def contents(connection: Session, numbers: bool) -> dict[TableName, Content]:
    """What every table holds, each read once; with ``numbers`` only how many rows there are. Raises psycopg.Error."""
    found = {}
    for schema, name, plain, filled, columns, key in connection.execute(_TABLES).fetchall():
        table, there = TableName(schema, name), columns or {}
        rows, digest = _read(connection, table, plain, list(there), numbers) if filled else (0, "" if numbers else "0")
        found[table] = Content(rows, digest, there, tuple(key or ()))
    return found


def _read(connection: Session, table: TableName, plain: bool, columns: Sequence[str], numbers: bool) -> tuple[int, str]:
    from psycopg import sql

    digest = sql.SQL("''") if numbers else sql.SQL("coalesce(sum({}), 0)::text").format(_digest(sorted(columns)))
    query = sql.SQL("SELECT count(*), {} FROM {}").format(digest, _from(table, plain))
    found = connection.execute(query).fetchone()
    return (found[0], found[1]) if found else (0, "")


def _from(table: TableName, plain: bool) -> sql.Composable:
    from psycopg import sql

    named = sql.Identifier(table.schema, table.name)
    return sql.SQL("ONLY {}").format(named) if plain else named


def _digest(columns: Sequence[str]) -> sql.Composable:
    """A row's digest by these columns: of its text as the server writes it."""
    from psycopg import sql

    listed = sql.SQL(", ").join(sql.Identifier(one) for one in columns)
    return sql.SQL('hashtextextended(ROW({})::text COLLATE "C", 0)').format(listed)


def values(database: Database, table: TableName, column: str) -> int:
    """How many rows have a value in a column. Raises ServerFailed."""
    from psycopg import sql

    with looking(database) as connection:
        plain = _is_plain(connection, table)
        query = sql.SQL("SELECT count({}) FROM {}").format(sql.Identifier(column), _from(table, plain))
        found = connection.execute(query).fetchone()
    return int(found[0]) if found else 0


def unlike(before: Database, after: Database, table: TableName, columns: Sequence[str], key: Sequence[str]) -> Unlike:
    """What became of the rows, by these columns. Raises ServerFailed."""
    with looking(before) as first, looking(after) as second:
        both = [_Side(one, table, _is_plain(one, table), columns, key) for one in (first, second)]
        parts = _different_parts(both)
        with ExitStack() as stack:
            streams = [one.stream(stack, parts) for one in both]
            found = merging.keyed(*streams) if key else merging.counted(*streams)
        of = sorted(set(columns) - set(key)) if found.sample else []
        sums = [one.sums(of, found.sample) for one in both] if of else [(), ()]
    changed = tuple(name for name, was, now in zip(of, *sums, strict=False) if was != now)
    return Unlike(found.missing, found.extra, found.changed, changed)


def _is_plain(connection: Session, table: TableName) -> bool:
    found = connection.execute(_PLAIN, [table.schema, table.name]).fetchone()
    return bool(found and found[0])


class _Side:
    """A table in one of the two databases. Without a ``key`` the whole row is it."""

    def __init__(self, connection: Session, table: TableName, plain: bool, columns: Sequence[str], key: Sequence[str]) -> None:
        self.connection = connection
        self.rows = _from(table, plain)
        self.row = _digest(columns)
        self.key = _digest(key) if key else self.row

    def parts(self) -> dict[int, tuple[int, str]]:
        """How many rows each part has, and their digest."""
        from psycopg import sql

        query = sql.SQL("SELECT {key} & {most}, count(*), sum({row})::text FROM {rows} GROUP BY 1")
        asked = query.format(key=self.key, row=self.row, rows=self.rows, most=sql.Literal(_PARTS - 1))
        return {part: (number, digest) for part, number, digest in self.connection.execute(asked)}

    def size(self) -> int:
        """How many rows there are."""
        from psycopg import sql

        found = self.connection.execute(sql.SQL("SELECT count(*) FROM {}").format(self.rows)).fetchone()
        return int(found[0]) if found else 0

    def stream(self, stack: ExitStack, parts: Sequence[int] | None) -> Iterator[Pair]:
        """The digests of all rows in the order of their keys', or of those in some parts."""
        from psycopg import sql

        within = (
            sql.SQL("")
            if parts is None
            else sql.SQL("WHERE {} & {} = ANY ({}::bigint[])").format(self.key, sql.Literal(_PARTS - 1), sql.Literal(list(parts)))
        )
        query = sql.SQL("SELECT {}, {} FROM {} {} ORDER BY 1, 2").format(self.key, self.row, self.rows, within)
        cursor = stack.enter_context(self.connection.cursor(f"dbproof_{secrets.token_hex(4)}", binary=True, withhold=True))
        cursor.itersize = 20_000
        cursor.execute(query)
        return iter(cursor)

    def sums(self, columns: Sequence[str], keys: Sequence[int]) -> tuple[str, ...]:
        """A digest of each column, bound to its row, of the rows with these keys."""
        from psycopg import sql

        each = sql.SQL(", ").join(
            sql.SQL('sum(hashtextextended({} || ROW({})::text COLLATE "C", 0))::text').format(self.key, sql.Identifier(one))
            for one in columns
        )
        query = sql.SQL("SELECT {} FROM {} WHERE {} = ANY ({}::bigint[])")
        found = self.connection.execute(query.format(each, self.rows, self.key, sql.Literal(list(keys)))).fetchone()
        return tuple(found or ())


def _different_parts(both: Sequence[_Side]) -> Sequence[int] | None:
    """The parts of a large table in which rows differ; all (``None``) of a small one, and where most do."""
    if all(one.size() <= _SMALL for one in both):
        return None
    was, now = (one.parts() for one in both)
    parts = [part for part in was.keys() | now.keys() if was.get(part) != now.get(part)]
    return parts if len(parts) < _PARTS // 2 else None
