"""Writes a database's rows as SQL that the mariadb client loads in one transaction. Rows pass through one by one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks.interface import Engine
from checks.rows.mariadb import shape
from checks.rows.sets.order import has_a_parent
from checks.rows.shapes import Kind
from checks.schema.model import Catalogue, Column, Table
from checks.sql.orphans import counted
from checks.sql.statements import copyable
from runner.data.generated.files import put_together
from runner.servers.interface import Address
from runner.servers.mariadb.sessions import close, connect, quoted, rows

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

#: Rows of one INSERT.
TOGETHER = 200
#: Types whose values are written as bytes.
_BYTES = (
    "bit",
    "binary",
    "varbinary",
    "blob",
    "tinyblob",
    "mediumblob",
    "longblob",
    "point",
    "geometry",
    "polygon",
    "linestring",
)
_ESCAPED = str.maketrans({"\\": "\\\\", "'": "\\'", "\0": "\\0", "\n": "\\n", "\r": "\\r", "\x1a": "\\Z"})

_OPENING = """\
-- Rows made by dbproof for an empty database with the same schema.
SET NAMES utf8mb4;
SET SESSION foreign_key_checks = 0, time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO';
CREATE TEMPORARY TABLE dbproof_checked (reference TEXT, orphans INT, CHECK (orphans = 0));
START TRANSACTION;
"""
_CHECKING = """
-- Each reference holds, or nothing of this file stays.
"""
_CLOSING = """\
COMMIT;
DROP TEMPORARY TABLE dbproof_checked;
"""
_SEQUENCES = "SELECT table_name FROM information_schema.tables WHERE table_schema = database() AND table_type = 'SEQUENCE'"


def written(address: Address, catalogue: Catalogue, file: Path) -> int:
    """Write every table that holds rows, and give the file's bytes. Raises OSError; what was begun is removed then."""
    driver = connect(address, read={})
    try:
        return put_together(file, (part.encode("utf-8", "surrogateescape") for part in _parts(driver, catalogue)))
    finally:
        close(driver)


def _parts(driver: Driver, catalogue: Catalogue) -> Iterator[str]:
    rows(driver, "SET SESSION time_zone = '+00:00'")
    for table in catalogue.tables:
        for trigger in table.triggers:
            yield f"-- No session can switch this trigger off: {_line(trigger.name)} of {_line(table.name.label())}\n"
    yield _OPENING
    for table in catalogue.tables:
        yield from _inserts(driver, table)
    yield _CHECKING
    for key in catalogue.foreign_keys:
        if has_a_parent(key, catalogue):
            found = copyable(counted(key, catalogue, Engine.MARIADB), Engine.MARIADB)
            yield f"INSERT INTO dbproof_checked SELECT {_text(key.label.encode())}, ({found});\n"
    for (name,) in rows(driver, _SEQUENCES):
        sequence = quoted(name.decode())
        ((following,),) = rows(driver, f"SELECT next_not_cached_value FROM {sequence}")
        yield f"DO setval({sequence}, {following.decode()}, 0);\n"
    yield _CLOSING


def _inserts(driver: Driver, table: Table) -> Iterator[str]:
    from pymysql.cursors import SSCursor

    columns = [column for column in table.columns if not column.generated]
    names = ", ".join(quoted(column.name) for column in columns)
    with driver.cursor(SSCursor) as cursor:
        cursor.execute(f"SELECT {', '.join(map(_read, columns))} FROM {quoted(table.name.name)}")
        found = iter(cursor.fetchone, None)
        while some := list(islice(found, TOGETHER)):
            values = ",\n".join(f"({', '.join(map(_literal, columns, row))})" for row in some)
            yield f"\nINSERT INTO {quoted(table.name.name)} ({names}) VALUES\n{values};\n"


def _read(column: Column) -> str:
    """A float is shown with fewer digits than it has, as a double it is not."""
    return f"CAST({quoted(column.name)} AS DOUBLE)" if column.type.startswith("float") else quoted(column.name)


def _literal(column: Column, value: Any) -> str:  # noqa: ANN401 - bytes as they came, or nothing
    if value is None:
        return "NULL"
    if column.type.partition("(")[0].partition(" ")[0] in _BYTES:
        return f"x'{value.hex()}'"
    return str(value.decode()) if shape(column).kind is Kind.NUMBER else _text(value)


def _text(value: bytes) -> str:
    return "'" + value.decode("utf-8", "surrogateescape").translate(_ESCAPED) + "'"


def _line(name: str) -> str:
    """A name within a comment of one line."""
    return " ".join(name.splitlines())
