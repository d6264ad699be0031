"""Base's rows beside head's on MariaDB: digests are sums of a part of MD5 over a row's values as text, with its key in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from checks.evidence import Statement
from checks.schema.model import Catalogue, Column, Table
from runner.errors import ServerFailed
from runner.servers.interface import Database
from runner.servers.mariadb.sessions import quoted, rows, session
from runner.surviving.interface import Compared, Content, Followed, Pairing, Renames, Rows
from runner.surviving.renames import of_mariadb, said
from runner.surviving.streaming import Digest, Row, compared

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

#: A sealed database is read where it is: a copy would be another server.
READS_SEALED = True

_TEXTS = re.compile(r"(var)?char|enum|set\b", re.IGNORECASE)
_LONG_TEXTS = re.compile(r"(tiny|medium|long)?text|json", re.IGNORECASE)
_BYTES = re.compile(r"(var)?binary|(tiny|medium|long)?blob|bit|geometry|point|linestring|polygon|multi", re.IGNORECASE)

_IN_MEMORY = """
SELECT table_name FROM information_schema.tables WHERE table_schema = database() AND engine = 'MEMORY'
"""


@contextmanager
def opened(base: Database, head: Database) -> Iterator[Rows]:
    """Both, in UTC. Raises ServerFailed."""
    with _said(), ExitStack() as stack:
        sides = [stack.enter_context(session(one.private)) for one in (base, head)]
        for side in sides:
            rows(side, "SET SESSION time_zone = '+00:00', sql_mode = ''")
        yield MariadbRows(_Side(sides[0], now=False), _Side(sides[1], now=True))


@contextmanager
def _said() -> Iterator[None]:
    import pymysql

    try:
        yield
    except pymysql.err.Error as failed:
        raise ServerFailed(f"the rows could not be compared: {failed.args[-1] if failed.args else failed}") from None


@dataclass(frozen=True)
class MariadbRows:
    """Two databases on two servers."""

    base: _Side
    head: _Side

    def renames(self, before: Catalogue, after: Catalogue, statements: Sequence[Statement]) -> Renames:  # noqa: ARG002 - every engine is told
        """By the statements, which the log has."""
        found = said(before, statements, of_mariadb)
        in_memory = {name for (name,) in rows(self.base.driver, _IN_MEMORY)}
        lost = {
            one.name: "ENGINE=MEMORY: a copy of the server has none of its rows"
            for one in before.tables
            if one.name.name in in_memory
        }
        return Renames(found.tables, found.columns, lost)

    def compared(self, pairing: Pairing) -> Compared:
        """What became of a table's rows."""
        return compared(self.base, self.head, pairing)

    def content(self, table: Table, columns: Sequence[Column]) -> Content:
        """What a table of base held."""
        asked = ["count(*)"]
        for one in columns:
            text = _text(one)
            asked += [f"count({quoted(one.name)})", f"coalesce(min(md5({text})) <> max(md5({text})), 0)"]
        with _said():
            (answer,) = rows(self.base.driver, f"SELECT {', '.join(asked)} FROM {quoted(table.name.name)}")
        return Content.counted(columns, answer)


@dataclass(frozen=True)
class _Side:
    driver: Driver
    now: bool

    def digest(self, pairing: Pairing) -> Digest:
        asked = ", ".join(f"sum({_hash(self._forms(each))})" for each in (pairing.key or pairing.columns, pairing.columns))
        ((number, of_keys, of_rows),) = self._rows(f"SELECT count(*), {asked} FROM {self._source(pairing)}")
        return Digest(number, int(of_keys or 0), int(of_rows or 0))

    def by_column(self, pairing: Pairing, columns: Sequence[Followed]) -> Sequence[int]:
        if not columns:
            return ()
        asked = ", ".join(f"sum({_hash(self._forms((*pairing.key, one)))})" for one in columns)
        return [int(one or 0) for one in self._rows(f"SELECT {asked} FROM {self._source(pairing)}")[0]]

    def hashed(self, pairing: Pairing) -> Iterator[Row]:
        return self._in_order(pairing, [f"cast({_hash(self._forms(pairing.columns))} AS CHAR)"])

    def values(self, pairing: Pairing, columns: Sequence[Followed]) -> Iterator[Row]:
        return self._in_order(pairing, [_text(self._column(one)) for one in columns])

    def bag(self, pairing: Pairing, columns: Sequence[Followed]) -> Iterator[int]:
        for (one,) in self._stream(f"SELECT {_hash(self._forms(columns))} AS h FROM {self._source(pairing)} ORDER BY h"):
            yield int(one)

    def _in_order(self, pairing: Pairing, asked: Sequence[str]) -> Iterator[Row]:
        keys = [_text(self._column(one)) for one in pairing.key]
        order = ", ".join(f"cast({key} AS BINARY)" for key in keys)
        for row in self._stream(f"SELECT {', '.join([*keys, *asked])} FROM {self._source(pairing)} ORDER BY {order}"):
            yield row[: len(keys)], row[len(keys) :]

    def _forms(self, columns: Sequence[Followed]) -> list[str]:
        return [_short(self._column(one), _text(self._column(one))) for one in columns]

    def _column(self, one: Followed) -> Column:
        return one.now if self.now else one.was

    def _source(self, pairing: Pairing) -> str:
        return quoted((pairing.now if self.now else pairing.was).name.name)

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        with _said():
            return rows(self.driver, statement)

    def _stream(self, statement: str) -> Iterator[tuple[Any, ...]]:
        from pymysql.cursors import SSCursor

        with _said(), self.driver.cursor(SSCursor) as cursor:
            cursor.execute(statement)
            yield from cursor


def _hash(forms: Sequence[str]) -> str:
    """60 bits of a row's values; each is quoted, so that none runs into the next."""
    return f"cast(conv(left(md5(concat_ws(',', {', '.join(f'quote({form})' for form in forms)})), 15), 16, 10) AS UNSIGNED)"


def _text(column: Column) -> str:
    """A column's value as text, the same whatever the character set it is stored in."""
    name = quoted(column.name)
    if _BYTES.match(column.type):
        return f"hex({name})"
    if _TEXTS.match(column.type) or _LONG_TEXTS.match(column.type):
        return f"convert({name} USING utf8mb4)"
    return f"cast({name} AS CHAR)"


def _short(column: Column, text: str) -> str:
    """The same where it may be too long to be put together with others."""
    return f"md5({text})" if _LONG_TEXTS.match(column.type) or _BYTES.match(column.type) else text
