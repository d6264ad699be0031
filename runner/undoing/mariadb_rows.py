"""What tables of MariaDB hold: counted and digested by the server, and compared by digests that come in one order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.schema.model import Table
from checks.schema.names import TableName
from runner.servers.interface import Database
from runner.servers.mariadb.sessions import quoted, rows
from runner.undoing import merging
from runner.undoing.merging import Pair
from runner.undoing.relational import Content, Unlike

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

#: Parts that a table is compared in, so that only those that differ come through here; smaller tables come as they are.
_PARTS = 1 << 16
_SMALL = 50_000

_FLOAT = "float"
_TYPES = "SELECT column_name, column_type FROM information_schema.columns WHERE table_schema = database() AND table_name = %s"
#: How many keys are asked for in one statement.
_AT_ONCE = merging.SAMPLE


def content(driver: Driver, table: Table, numbers: bool) -> Content:
    """What a table holds, read once; with ``numbers`` only how many rows there are. Raises pymysql.err.Error."""
    columns = {one.name: one.type for one in sorted(table.columns, key=lambda one: one.name) if not one.generated}
    row = "0" if numbers else f"coalesce(sum({_digest(columns)}), 0)"
    ((number, digest),) = rows(driver, f"SELECT count(*), {row} FROM {quoted(table.name.name)}")
    return Content(int(number), "" if numbers else str(digest), columns, table.primary_key)


def _digest(types: Mapping[str, str]) -> str:
    """A row's digest by columns, a number: each value is digested first, so that none is cut off or runs into the next."""
    each = ", ".join(_value(name, type_) for name, type_ in types.items())
    return f"cast(conv(left(md5(concat_ws(',', {each})), 16), 16, 10) AS unsigned)"


def _value(column: str, type_: str) -> str:
    """A single-precision number shows six digits unless it is taken for a double."""
    taken = f"cast({quoted(column)} AS double)" if type_.startswith(_FLOAT) else quoted(column)
    return f"coalesce(md5({taken}), '-')"


@dataclass(frozen=True)
class Compared:
    """Compares rows of two databases, over sessions that ``looking`` opens."""

    looking: Callable[[Database], AbstractContextManager[Driver]]

    def values(self, database: Database, table: TableName, column: str) -> int:
        """How many rows have a value in a column. Raises ServerFailed."""
        with self.looking(database) as driver:
            ((number,),) = rows(driver, f"SELECT count({quoted(column)}) FROM {quoted(table.name)}")
        return int(number)

    def unlike(self, before: Database, after: Database, table: TableName, columns: Sequence[str], key: Sequence[str]) -> Unlike:
        """What became of the rows, by these columns. Raises ServerFailed."""
        with self.looking(before) as first, self.looking(after) as second:
            types = {name: type_ for name, type_ in rows(first, _TYPES, (table.name,)) if name in columns}
            row, by = _digest(types), _digest({name: types[name] for name in key or columns})
            table_name = quoted(table.name)
            within = _within([_parts(one, table_name, by, row) for one in (first, second)], by)
            query = f"SELECT {by} AS k, {row} AS r FROM {table_name}{within} ORDER BY k, r"
            streams = (_stream(first, query), _stream(second, query))
            found = merging.keyed(*streams) if key else merging.counted(*streams)
            of = {name: types[name] for name in sorted(set(columns) - set(key))} if found.sample else {}
            sums = [_sums(one, table, of, by, found.sample) for one in (first, second)] if of else [(), ()]
        changed = tuple(name for name, was, now in zip(of, *sums, strict=True) if was != now)
        return Unlike(found.missing, found.extra, found.changed, changed)


def _parts(driver: Driver, table: str, by: str, row: str) -> dict[int, tuple[int, str]]:
    """How many rows each part of a table has, and their digest; nothing of a small one."""
    ((number,),) = rows(driver, f"SELECT count(*) FROM {table}")
    if number <= _SMALL:
        return {}
    pairs = f"(SELECT {by} AS k, {row} AS r FROM {table}) AS pairs"
    query = f"SELECT k & {_PARTS - 1} AS part, count(*), sum(r) FROM {pairs} GROUP BY part"
    return {int(part): (int(held), str(digest)) for part, held, digest in rows(driver, query)}


def _within(both: Sequence[Mapping[int, tuple[int, str]]], by: str) -> str:
    """The condition for the parts in which rows differ; none where most do."""
    was, now = both
    parts = [part for part in was.keys() | now.keys() if was.get(part) != now.get(part)]
    if not (was and now) or len(parts) > _PARTS // 2:
        return ""
    return f" WHERE {by} & {_PARTS - 1} IN ({', '.join(map(str, sorted(parts)))})" if parts else " WHERE FALSE"


def _stream(driver: Driver, query: str) -> Iterator[Pair]:
    from pymysql.cursors import SSCursor

    with driver.cursor(SSCursor) as cursor:
        cursor.execute(query)
        while found := cursor.fetchmany(10_000):
            yield from ((int(key), int(row)) for key, row in found)


def _sums(driver: Driver, table: TableName, types: Mapping[str, str], by: str, keys: Sequence[int]) -> tuple[object, ...]:
    """A digest of each column, bound to its row, of the rows with these keys."""
    each = ", ".join(
        f"sum(cast(conv(left(md5(concat({by}, ',', {_value(name, type_)})), 16), 16, 10) AS unsigned))"
        for name, type_ in types.items()
    )
    listed = ", ".join(str(int(key)) for key in keys[:_AT_ONCE])
    return rows(driver, f"SELECT {each} FROM {quoted(table.name)} WHERE {by} IN ({listed})")[0]
