"""Base's rows beside head's on PostgreSQL: digests by the server's own hash functions, which are of values and not of texts.

``hash_record_extended`` (PostgreSQL 14) is equal for ``1.50`` and ``1.5``, for an integer and the same bigint; it is seeded with
the hash of the row's key, so that two rows which swapped a value differ. A value of a type that it does not know (json, point, an
enum), or whose equality is looser than sameness (citext, interval), is hashed as its text; so are pairs of unlike types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from checks.evidence import Statement
from checks.schema.model import Catalogue, Column, Table
from checks.schema.names import TableName
from runner.errors import ServerFailed
from runner.servers.interface import Database
from runner.surviving.interface import Compared, Content, Followed, Pairing, Renames, Rows
from runner.surviving.streaming import Digest, Row, compared

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.sql import SQL, Composable, Composed

#: Nobody connects to a sealed database: a copy of it is read.
READS_SEALED = False
#: Rows that a stream holds at a time.
_STREAMED = 5000
#: The first version that hashes a row by its values.
_HASHES_ROWS = 140000

_INTEGERS = frozenset({"smallint", "integer", "bigint"})
#: What is equal for this server is the same, and is hashed alike within each of these.
_ALIKE = {
    **dict.fromkeys(_INTEGERS, "bigint"),
    **dict.fromkeys(("real", "double precision"), "double precision"),
    **dict.fromkeys(("text", "character varying"), "text"),
    **{
        one: one
        for one in (
            "numeric",
            "boolean",
            "uuid",
            "date",
            "bytea",
            "timestamp without time zone",
            "timestamp with time zone",
            "time without time zone",
        )
    },
}
#: To what two unlike types are both brought, where nothing is lost by it.
_WIDER = (
    (_INTEGERS | {"numeric"}, "numeric"),
    (frozenset({"date", "timestamp without time zone"}), "timestamp without time zone"),
    (frozenset({"date", "timestamp without time zone", "timestamp with time zone"}), "timestamp with time zone"),
)
#: Functions of single values, of which one costs a third of a row's.
_OF_ONE = {
    "text": "hashtextextended",
    "numeric": "hash_numeric_extended",
    "double precision": "hashfloat8extended",
    "uuid": "uuid_hash_extended",
    "timestamp without time zone": "timestamp_hash_extended",
}
_MODIFIER = re.compile(r"\([^()]*\)(?=( with(out)? time zone)?$)")

_OIDS = """
SELECT rel.oid::bigint, nsp.nspname::text, rel.relname::text, rel.relpersistence = 'u',
       (SELECT json_object_agg(attnum, attname) FROM pg_catalog.pg_attribute
        WHERE attrelid = rel.oid AND attnum > 0 AND NOT attisdropped)::text
FROM pg_catalog.pg_class rel JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
WHERE rel.relkind IN ('r', 'p') AND rel.oid >= 16384
"""
#: How many values a column holds, and whether some differ.
_OF_COLUMN = "count({0}), coalesce(min(hashtextextended({0}::text, 0)) <> max(hashtextextended({0}::text, 0)), false)"


@contextmanager
def opened(base: Database, head: Database) -> Iterator[Rows]:
    """Both, in sessions that only read, in UTC. Raises ServerFailed."""
    from runner.targets.sessions import Manner, connect

    with ExitStack() as stack:
        sides = [stack.enter_context(connect(one.private, Manner(read_only=True, ours=True))) for one in (base, head)]
        with _said():
            for side in sides:
                side.execute("SELECT set_config('TimeZone', 'UTC', false), set_config('search_path', '', false)")
                side.commit()
        yield PostgresRows(_Side(sides[0], now=False), _Side(sides[1], now=True))


@contextmanager
def _said() -> Iterator[None]:
    import psycopg

    try:
        yield
    except psycopg.Error as failed:
        raise ServerFailed(f"the rows could not be compared: {failed.diag.message_primary or failed}") from None


@dataclass(frozen=True)
class PostgresRows:
    """Two databases, of which the second's server is a fork of the first's."""

    base: _Side
    head: _Side

    def renames(self, before: Catalogue, after: Catalogue, statements: Sequence[Statement]) -> Renames:  # noqa: ARG002 - every engine is told
        """By OID and number of the column, which a fork keeps."""
        was, now = self.base.numbered(), self.head.numbered()
        tables = {one.name: now[oid].name for oid, one in was.items() if oid in now}
        columns = {
            one.name: {name: now[oid].columns[number] for number, name in one.columns.items() if number in now[oid].columns}
            for oid, one in was.items()
            if oid in now
        }
        unlogged = {one.name: "UNLOGGED: a copy of the server has none of its rows" for one in was.values() if one.unlogged}
        return Renames(tables, columns, unlogged)

    def compared(self, pairing: Pairing) -> Compared:
        """What became of a table's rows."""
        return compared(self.base, self.head, pairing)

    def content(self, table: Table, columns: Sequence[Column]) -> Content:
        """What a table of base held."""
        return self.base.content(table, columns)


@dataclass(frozen=True)
class _Numbered:
    name: TableName
    unlogged: bool
    columns: Mapping[str, str]


@dataclass(frozen=True)
class _Side:
    connection: Connection[Any]
    now: bool

    def numbered(self) -> Mapping[int, _Numbered]:
        import json

        return {
            oid: _Numbered(TableName(schema, name), unlogged, json.loads(columns or "{}"))
            for oid, schema, name, unlogged, columns in self._rows(_sql(_OIDS))
        }

    def content(self, table: Table, columns: Sequence[Column]) -> Content:
        asked = _sql(", ").join([_sql("count(*)"), *(_sql(_OF_COLUMN).format(_name(one)) for one in columns)])
        (answer,) = self._rows(_sql("SELECT {} FROM {}").format(asked, _source(table)))
        return Content.counted(columns, answer)

    def digest(self, pairing: Pairing) -> Digest:
        whole = _sql("sum({})").format(self._hash(pairing.columns, self._seed(pairing)))
        keys = _sql("sum({})").format(self._hash(pairing.key, _sql("0")) if pairing.key else _sql("0"))
        ((rows, of_keys, of_rows),) = self._rows(
            _sql("SELECT count(*), {}, {} FROM {}").format(keys, whole, self._source(pairing))
        )
        return Digest(rows, int(of_keys or 0), int(of_rows or 0))

    def by_column(self, pairing: Pairing, columns: Sequence[Followed]) -> Sequence[int]:
        if not columns:
            return ()
        sums = _sql(", ").join(_sql("sum({})").format(self._hash_of_one(one, self._seed(pairing))) for one in columns)
        return [int(one or 0) for one in self._rows(_sql("SELECT {} FROM {}").format(sums, self._source(pairing)))[0]]

    def hashed(self, pairing: Pairing) -> Iterator[Row]:
        return self._in_order(pairing, [_sql("{}::text").format(self._hash(pairing.columns, self._seed(pairing)))])

    def values(self, pairing: Pairing, columns: Sequence[Followed]) -> Iterator[Row]:
        return self._in_order(pairing, [_sql("{}::text").format(self._column(one)) for one in columns])

    def bag(self, pairing: Pairing, columns: Sequence[Followed]) -> Iterator[int]:
        hashed = self._hash(columns, self._hash(columns, _sql("0")))
        for (one,) in self._stream(_sql("SELECT {} FROM {} ORDER BY 1").format(hashed, self._source(pairing))):
            yield one

    def _in_order(self, pairing: Pairing, asked: Sequence[Composable]) -> Iterator[Row]:
        """Numbers are compared as numbers, so that the server can go by its index; all else as text, by code points."""
        numbers = all(common(one) == "bigint" for one in pairing.key)
        form = _sql("{}") if numbers else _sql('{}::text COLLATE "C"')
        keys = _sql(", ").join(form.format(self._column(one)) for one in pairing.key)
        statement = _sql("SELECT {} FROM {} ORDER BY {}")
        columns = _sql(", ").join([keys, *asked])
        many = len(pairing.key)
        for row in self._stream(statement.format(columns, self._source(pairing), keys)):
            yield row[:many], row[many:]

    def _hash(self, columns: Sequence[Followed], seed: Composable) -> Composable:
        """A digest of some columns of a row, as a bigint."""
        values = _sql(", ").join(part for one in columns for part in self._form(one))
        if self.connection.info.server_version < _HASHES_ROWS:
            return _sql("hashtextextended((ROW({}))::text, {})").format(values, seed)
        return _sql("hash_record_extended(ROW({}), {})").format(values, seed)

    def _hash_of_one(self, one: Followed, seed: Composable) -> Composable:
        name = _OF_ONE.get(common(one))
        if name is None:
            return self._hash([one], seed)
        return _sql("coalesce({}({}, {}), 0)").format(_sql(name), self._form(one)[0], seed)

    def _seed(self, pairing: Pairing) -> Composable:
        """What tells a row from others: its key where that is a number, else the digest of the key, else of itself."""
        if len(pairing.key) == 1 and common(pairing.key[0]) == "bigint":
            return _sql("{}::bigint").format(self._column(pairing.key[0]))
        return self._hash(pairing.key or pairing.columns, _sql("0"))

    def _form(self, one: Followed) -> list[Composable]:
        """A column in the form in which it is compared, the same on both sides."""
        column, kind = self._column(one), common(one)
        if kind == "bigint":  # the hash of a bigint knows 1 and 2^32 for the same
            return [_sql("{}::bigint").format(column), _sql("({}::bigint >> 32)").format(column)]
        if kind == "text":
            return [_sql('{}::text COLLATE "C"').format(column)]
        return [_sql("{}::{}").format(column, _sql(kind))]

    def _column(self, one: Followed) -> Composable:
        return _name(one.now if self.now else one.was)

    def _source(self, pairing: Pairing) -> Composable:
        return _source(pairing.now if self.now else pairing.was)

    def _rows(self, statement: SQL | Composed) -> list[tuple[Any, ...]]:
        with self._undone():
            return list(self.connection.execute(statement))

    def _stream(self, statement: Composed) -> Iterator[tuple[Any, ...]]:
        with self._undone(), self.connection.cursor(name="rows") as cursor:
            cursor.execute(statement)
            while rows := cursor.fetchmany(_STREAMED):
                yield from rows

    @contextmanager
    def _undone(self) -> Iterator[None]:
        """A transaction of its own, so that a statement which fails ends no other. Raises ServerFailed."""
        with _said():
            try:
                yield
            finally:
                self.connection.rollback()


def common(one: Followed) -> str:
    """The type in which two columns are compared by digests; ``text`` where their values are not equal in any other."""
    was, now = _plain(one.was), _plain(one.now)
    if was in _ALIKE and _ALIKE[was] == _ALIKE.get(now):
        return _ALIKE[was]
    return next((wider for types, wider in _WIDER if was in types and now in types), "text")


def _plain(column: Column) -> str:
    """A type without its modifier: ``numeric`` for ``numeric(12,2)``."""
    return _MODIFIER.sub("", column.base or column.type)


def _source(table: Table) -> Composable:
    """A table alone, without those that inherit from it; a partitioned one is its partitions."""
    from psycopg.sql import Identifier

    return _sql("{}" if table.partitioned else "ONLY {}").format(Identifier(table.name.schema, table.name.name))


def _name(column: Column) -> Composable:
    from psycopg.sql import Identifier

    return Identifier(column.name)


def _sql(text: str) -> SQL:
    """A text of this module's, or a type as the server itself formats it."""
    from psycopg.sql import SQL

    return SQL(text)
