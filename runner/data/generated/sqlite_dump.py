"""Writes a database's rows as SQL that SQLite's shell loads in one transaction. Rows pass through one by one."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from checks.interface import Engine
from checks.rows.sets.order import has_a_parent
from checks.rows.sets.sqlite import quoted
from checks.schema.model import Catalogue, Table
from checks.sql.orphans import counted
from checks.sql.statements import copyable
from runner.data.generated.files import put_together
from runner.servers.interface import Address
from runner.servers.sqlite.sessions import session

#: Rows of one INSERT.
TOGETHER = 200
#: What the shell would end a line with, or a text.
_CONTROL = re.compile(r"([\0\r\n])")

_OPENING = """\
-- Rows made by dbproof for an empty database with the same schema, for SQLite's shell. Triggers do not fire for them.
.bail on
.dbconfig enable_trigger off
PRAGMA foreign_keys = off;
BEGIN IMMEDIATE;
"""
_CHECKING = """
-- Each reference holds, or nothing of this file stays.
CREATE TEMPORARY TABLE dbproof_checked (reference TEXT, orphans INTEGER CHECK (orphans = 0));
"""
_CLOSING = """\
DROP TABLE temp.dbproof_checked;
COMMIT;
"""


def written(address: Address, catalogue: Catalogue, file: Path) -> int:
    """Write every table that holds rows, and give the file's bytes. Raises OSError; what was begun is removed then."""
    with session(address, read_only=True) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        return put_together(file, (part.encode("utf-8", "surrogateescape") for part in _parts(connection, catalogue)))


def _parts(connection: sqlite3.Connection, catalogue: Catalogue) -> Iterator[str]:
    yield _OPENING
    for table in catalogue.tables:
        yield from _inserts(connection, table)
    yield _CHECKING
    for key in catalogue.foreign_keys:
        if has_a_parent(key, catalogue):
            found = copyable(counted(key, catalogue, Engine.SQLITE), Engine.SQLITE)
            yield f"INSERT INTO temp.dbproof_checked SELECT {_literal(key.label)}, ({found});\n"
    yield _CLOSING


def _inserts(connection: sqlite3.Connection, table: Table) -> Iterator[str]:
    """What a table says of conflicts does not count: a row must not make another one disappear."""
    names = ", ".join(quoted(column.name) for column in table.columns if not column.generated)
    rows = connection.execute(f"SELECT {names} FROM {quoted(table.name.name)}")
    while some := list(islice(rows, TOGETHER)):
        values = ",\n".join(f"({', '.join(map(_literal, row))})" for row in some)
        yield f"\nINSERT OR ABORT INTO {quoted(table.name.name)} ({names}) VALUES\n{values};\n"


def _literal(value: Any) -> str:  # noqa: ANN401 - whatever a column holds
    match value:
        case None:
            return "NULL"
        case bytes():
            return f"x'{value.hex()}'"
        case str():
            return _text(value)
        case float():
            return repr(value).replace("inf", "9e999")
        case _:
            return str(value)


def _text(value: str) -> str:
    return " || ".join(_part(part) for part in _written_apart(value)) if _CONTROL.search(value) else _part(value)


def _written_apart(value: str) -> Iterable[str]:
    return (part for part in _CONTROL.split(value) if part)


def _part(text: str) -> str:
    return f"char({ord(text)})" if _CONTROL.fullmatch(text) else "'" + text.replace("'", "''") + "'"
