"""The state of a SQLite database: its objects as its catalogue and its schema table have them, and what its tables hold.

Rows are digested as they are read, one by one; where two digests differ, SQLite itself compares the two files.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from checks.reversals import Difference
from checks.schema.model import Table
from checks.schema.names import ObjectKind, ObjectReference, TableName, column_label
from runner.errors import ServerFailed
from runner.servers.interface import Database, Server
from runner.servers.sqlite.sessions import quoted, session
from runner.undoing import relational
from runner.undoing.catalogued import objects, plain
from runner.undoing.facts import Facts
from runner.undoing.relational import Content, State, Unlike, without_books

if TYPE_CHECKING:
    import sqlite3

#: Nothing is undone from nothing: without a base no migration is new.
clear = None

#: Digests that are added up stay below this.
_MODULUS = 1 << 128

_TABLES = """
SELECT listed.name, listed.type, listed.wr, listed.strict, coalesce(master.sql, '')
FROM pragma_table_list AS listed JOIN sqlite_master AS master ON master.name = listed.name AND master.type IN ('table', 'view')
WHERE listed.schema = 'main' AND listed.type IN ('table', 'view', 'virtual') AND listed.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
"""
_OF_VIEWS = """
SELECT tbl_name, name, sql FROM sqlite_master AS made
WHERE type = 'trigger' AND EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = made.tbl_name)
"""
_COUNTED = re.compile(r"\bAUTOINCREMENT\b", re.IGNORECASE)


def read(database: Database, *, numbers: bool = False) -> State:
    """All objects and what every table holds; with ``numbers`` only how many rows. Raises ServerFailed."""
    with _session(database) as connection:
        found = dict(_objects(connection, database))
        contents = {TableName("", one.relation): None for one in found if one.kind is ObjectKind.TABLE}
        tables = {table.name: table for table in _tables(database)}
        held = {name: _content(connection, tables[name], numbers) for name in contents if name in tables}
    return without_books(State(found, held))


@contextmanager
def _session(database: Database) -> Iterator[sqlite3.Connection]:
    import sqlite3

    try:
        with session(database.private, read_only=True) as connection:
            yield connection
    except sqlite3.Error as error:
        raise ServerFailed(f"the state of database {database.name} could not be read: {error}") from None


def _tables(database: Database) -> Sequence[Table]:
    from runner.data.generated.sqlite import catalogue_of

    return catalogue_of(database.private).tables


def _objects(connection: sqlite3.Connection, database: Database) -> Iterator[tuple[ObjectReference, Facts]]:
    tables = {table.name.name: table for table in _tables(database)}
    for name, kind, without_rowid, strict, sql in connection.execute(_TABLES).fetchall():
        if kind == "view":
            yield ObjectReference(ObjectKind.VIEW, "", "", name), {"definition": plain(sql)}
        elif kind == "virtual":
            yield ObjectReference(ObjectKind.TABLE, "", name), {"definition": plain(sql)}
        elif name in tables:
            options = [("WITHOUT ROWID", without_rowid), ("STRICT", strict), ("AUTOINCREMENT", _COUNTED.search(plain(sql)))]
            yield from objects(tables[name], {"options": ", ".join(word for word, there in options if there)}, {})
    for view, name, sql in connection.execute(_OF_VIEWS):
        yield ObjectReference(ObjectKind.TRIGGER, "", view, name), {"definition": plain(sql)}


def _content(connection: sqlite3.Connection, table: Table, numbers: bool) -> Content:
    columns = {one.name: one.type for one in sorted(table.columns, key=lambda one: one.name) if not one.generated}
    if numbers:
        (rows,) = connection.execute(f"SELECT count(*) FROM {quoted(table.name.name)}").fetchone()
        return Content(rows, "", columns, table.primary_key)
    rows, total = 0, 0
    connection.text_factory = bytes
    listed = " || ',' || ".join(f"quote({quoted(one)})" for one in columns) or "''"
    for (row,) in connection.execute(f"SELECT {listed} FROM {quoted(table.name.name)}"):
        rows += 1
        total += int.from_bytes(hashlib.blake2b(row, digest_size=16).digest())
    return Content(rows, str(total % _MODULUS), columns, table.primary_key)


def differences(
    before: State, after: State, *, live: tuple[Database, Database] | None = None, numbers: bool = False
) -> tuple[Difference, ...]:
    """In what the later state differs. Raises ServerFailed."""
    return relational.differences(before, after, _Rows(), live, numbers)


@contextmanager
def copied(database: Database, server: Server) -> Iterator[Database]:
    """A copy as it is now, in a directory of its own. Raises ServerFailed."""
    with server.fork() as fork:
        yield fork.database(database.name)


class _Rows:
    """SQLite compares both files itself, in one session."""

    def values(self, database: Database, table: TableName, column: str) -> int:
        """How many rows have a value in a column. Raises ServerFailed."""
        with _session(database) as connection:
            query = f"SELECT count({quoted(column)}) FROM {quoted(table.name)}"
            return int(connection.execute(query).fetchone()[0])

    def unlike(self, before: Database, after: Database, table: TableName, columns: Sequence[str], key: Sequence[str]) -> Unlike:
        """What became of the rows, by these columns. Raises ServerFailed."""
        import sqlite3

        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            try:
                connection.execute("ATTACH ? AS was", [before.private.database])
                connection.execute("ATTACH ? AS now", [after.private.database])
                return _by_key(connection, table, columns, key) if key else _by_number(connection, table, columns)
            except sqlite3.Error as error:
                raise ServerFailed(f"the rows of {column_label(table, tuple(columns))} could not be compared: {error}") from None


def _by_key(connection: sqlite3.Connection, table: TableName, columns: Sequence[str], key: Sequence[str]) -> Unlike:
    was, now = f"was.{quoted(table.name)}", f"now.{quoted(table.name)}"
    same = " AND ".join(f"a.{quoted(one)} IS b.{quoted(one)}" for one in key)
    others = [one for one in columns if one not in key]
    each = [_differs(quoted(one)) for one in others]
    absent = "SELECT count(*) FROM {} a WHERE NOT EXISTS (SELECT 1 FROM {} b WHERE {})"
    (missing,) = connection.execute(absent.format(was, now, same)).fetchone()
    (extra,) = connection.execute(absent.format(now, was, same)).fetchone()
    if not each:
        return Unlike(missing, extra)
    numbers = ", ".join([f"total({' OR '.join(each)})", *(f"total({one})" for one in each)])
    changed, *of = connection.execute(f"SELECT {numbers} FROM {was} a JOIN {now} b ON {same}").fetchone()
    return Unlike(missing, extra, int(changed), tuple(name for name, number in zip(others, of, strict=True) if number))


def _differs(column: str) -> str:
    """Whether a column holds another value: 1 and 1.0 are two, and so are ``a`` and ``A`` whatever its collation says."""
    return f"(a.{column} COLLATE BINARY IS NOT b.{column} OR typeof(a.{column}) <> typeof(b.{column}))"


def _by_number(connection: sqlite3.Connection, table: TableName, columns: Sequence[str]) -> Unlike:
    """Without a key by how often each row is there; what is gone and what came in its place counts as changed."""
    row = " || ',' || ".join(f"quote({quoted(one)})" for one in columns)
    each = " UNION ALL ".join(
        f"SELECT {row} AS row, {sign} AS number FROM {side}.{quoted(table.name)}" for side, sign in (("was", 1), ("now", -1))
    )
    query = f"SELECT total(max(n, 0)), total(max(-n, 0)) FROM (SELECT sum(number) AS n FROM ({each}) GROUP BY row)"
    missing, extra = (int(one) for one in connection.execute(query).fetchone())
    changed = min(missing, extra)
    return Unlike(missing - changed, extra - changed, changed)
