"""Base's rows beside head's on SQLite: both files in one session, compared by joining them on their keys.

``IS NOT`` compares values, so that `1` is `1.0`; a column with another type since is compared value by value all the same, as
SQLite would read `007` as the number that it is compared with.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import quote

from checks.evidence import Statement
from checks.schema.model import Catalogue, Column, Table
from runner.errors import ServerFailed
from runner.servers.interface import Database
from runner.servers.sqlite.sessions import quoted, session
from runner.surviving.interface import Compared, Content, Followed, Pairing, Renames, Rows
from runner.surviving.renames import of_sqlite, said
from runner.surviving.tally import SAMPLE, Tally, shown

#: A sealed file stands where nobody looks for it: a copy of it is read.
READS_SEALED = False


@contextmanager
def opened(base: Database, head: Database) -> Iterator[Rows]:
    """Both, in one session that only reads. Raises ServerFailed."""
    with session(base.private) as connection:
        with _said():
            connection.execute("ATTACH ? AS head", [f"file:{quote(head.private.database)}?mode=ro"])
            connection.execute("PRAGMA query_only = on")
        yield SqliteRows(connection)


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as failed:
        raise ServerFailed(f"the rows could not be compared: {failed}") from None


@dataclass(frozen=True)
class SqliteRows:
    """Base is ``main`` in the session, and head is ``head``."""

    connection: sqlite3.Connection

    def renames(self, before: Catalogue, after: Catalogue, statements: Sequence[Statement]) -> Renames:  # noqa: ARG002 - every engine is told
        """By the statements, where the program told of them."""
        return said(before, statements, of_sqlite)

    def content(self, table: Table, columns: Sequence[Column]) -> Content:
        """What a table of base held."""
        asked = ["count(*)"]
        for one in columns:
            name = quoted(one.name)
            asked += [f"count({name})", f"coalesce(min({name}) <> max({name}), 0)"]
        (answer,) = self._rows(f"SELECT {', '.join(asked)} FROM {_base(table)}")
        return Content.counted(columns, answer)

    def compared(self, pairing: Pairing) -> Compared:
        """What became of a table's rows."""
        ((before, after),) = self._rows(
            f"SELECT (SELECT count(*) FROM {_base(pairing.was)}), (SELECT count(*) FROM {_head(pairing.now)})"
        )
        if not pairing.key or self._empty_keys(pairing):
            return self._without_key(replace(pairing, key=()), Compared(before, after, keyed=False))
        found = Compared(before, after)
        others = pairing.others
        differ = [f"total({_there(pairing)} AND {_differs(one)})" for one in others]
        ((missing, *sums),) = self._rows(
            f"SELECT {', '.join([f'total(NOT {_there(pairing)})', *differ])} FROM {_joined(pairing, 'LEFT JOIN')}"
        )
        found.missing = int(missing or 0)
        found.extra = after - (before - found.missing)
        if found.missing == before and after:
            return self._without_key(Pairing(pairing.was, pairing.now, others), Compared(before, after, keyed=False))
        if found.missing:
            found.keys = [shown(_names(pairing), _texts(row)) for row in self._rows(_gone(pairing))]
        self._values(pairing, [one for one, number in zip(others, sums, strict=True) if number or one.retyped], found)
        return found

    def _empty_keys(self, pairing: Pairing) -> bool:
        """Whether a key holds NULL, which SQLite lets a primary key do (lang_createtable.html, "The PRIMARY KEY")."""
        nullable = [_was(one) for one in pairing.key if one.was.nullable]
        some = " OR ".join(f"{name} IS NULL" for name in nullable)
        return bool(some and self._rows(f"SELECT EXISTS (SELECT 1 FROM {_base(pairing.was)} AS b WHERE {some})")[0][0])

    def _values(self, pairing: Pairing, columns: Sequence[Followed], found: Compared) -> None:
        if not columns:
            return
        tallies = [pairing.tally(one) for one in columns]
        keys = [_was(one) for one in pairing.key]
        pairs = [side(one) for one in columns for side in (_was, _now)]
        with _said():
            for row in self.connection.execute(f"SELECT {', '.join([*keys, *pairs])} FROM {_joined(pairing, 'JOIN')}"):
                key, values = _texts(row[: len(keys)]), [_text(value) for value in row[len(keys) :]]
                for tally, old, new in zip(tallies, values[::2], values[1::2], strict=True):
                    tally.take(key, old, new)
        named = zip([one.was.name for one in columns], tallies, strict=True)
        found.tallies = {name: tally for name, tally in named if tally.changed or tally.filled}

    def _without_key(self, pairing: Pairing, found: Compared) -> Compared:
        """By how many rows are not there as they were: fewer rows are missing, and the others hold something else."""
        found.missing, found.extra = max(0, found.before - found.after), max(0, found.after - found.before)
        gone, new = self._unlike(pairing, pairing.columns)
        for one in pairing.columns if gone and new else ():
            was, now = self._unlike(pairing, [one])
            if changed := max(0, min(was - found.missing, now - found.extra)):
                found.tallies[one.was.name] = Tally(*one.families, changed=changed)
        return found

    def _unlike(self, pairing: Pairing, columns: Sequence[Followed]) -> tuple[int, int]:
        """How many rows only base has, and only head, as far as these columns show; equal ones count as often as they come."""
        if not columns:
            return 0, 0
        was = ", ".join(f"{quoted(one.was.name)} COLLATE BINARY AS c{number}" for number, one in enumerate(columns))
        now = ", ".join(f"{quoted(one.now.name)} COLLATE BINARY" for one in columns)
        by = ", ".join(f"c{number}" for number in range(len(columns)))
        both = f"SELECT 1 AS times, {was} FROM {_base(pairing.was)} UNION ALL SELECT -1, {now} FROM {_head(pairing.now)}"
        ((gone, new),) = self._rows(
            f"SELECT total(max(times, 0)), total(max(-times, 0)) FROM (SELECT sum(times) AS times FROM ({both}) GROUP BY {by})"
        )
        return int(gone), int(new)

    def _rows(self, statement: str) -> list[tuple[int, ...]]:
        with _said():
            return self.connection.execute(statement).fetchall()


def _base(table: Table) -> str:
    return f"main.{quoted(table.name.name)}"


def _head(table: Table) -> str:
    return f"head.{quoted(table.name.name)}"


def _was(one: Followed) -> str:
    return f"b.{quoted(one.was.name)}"


def _now(one: Followed) -> str:
    return f"h.{quoted(one.now.name)}"


def _names(pairing: Pairing) -> list[str]:
    return [one.was.name for one in pairing.key]


def _joined(pairing: Pairing, how: str) -> str:
    on = " AND ".join(f"{_was(one)} = {_now(one)}" for one in pairing.key)
    return f"{_base(pairing.was)} AS b {how} {_head(pairing.now)} AS h ON {on}"


def _there(pairing: Pairing) -> str:
    return f"({_now(pairing.key[0])} IS NOT NULL)"


def _differs(one: Followed) -> str:
    return f"({_was(one)} COLLATE BINARY IS NOT {_now(one)})"


def _gone(pairing: Pairing) -> str:
    keys = ", ".join(_was(one) for one in pairing.key)
    return f"SELECT {keys} FROM {_joined(pairing, 'LEFT JOIN')} WHERE NOT {_there(pairing)} ORDER BY {keys} LIMIT {SAMPLE}"


def _texts(row: Sequence[object]) -> list[str]:
    return [_text(value) or "" for value in row]


def _text(value: object) -> str | None:
    if value is None:
        return None
    return value.hex() if isinstance(value, bytes) else repr(value) if isinstance(value, float) else str(value)
