"""How rows are compiled for SQLite: what its affinities can hold, and how it is asked about rows that are in no table.

Rows to judge go to it as one JSON text. Each value is cast to its column's affinity, and collated as the column is, so that it is
compared as it would be in the table (datatype3.html, 4.2).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Executable, select, text

from checks.interface import Engine
from checks.rows import sqlite_values
from checks.rows.shapes import DAY, TEMPORAL, Kind, Row, Shape, Value
from checks.schema.model import Column, Table
from checks.schema.sqlite import affinity
from checks.sql.statements import named

#: sqlglot's name of the language, and the engine.
DIALECT = "sqlite"
ENGINE = Engine.SQLITE

#: Values that real rows hardly hold.
candidates = sqlite_values.candidates

_SCALE = re.compile(r"\(\s*\d+\s*,\s*(\d+)\s*\)")
_ENDS = {"INTEGER": Decimal(2**63), "REAL": Decimal(10**12), "NUMERIC": Decimal(10**12)}


def shape(column: Column) -> Shape:
    """What a column holds where it is used as its type says; SQLite itself takes anything anywhere, and heeds no length."""
    words = column.type.upper()
    kind = next((kind for word, kind in _BY_NAME.items() if word in words), None)
    if kind is not None:
        return Shape(kind, step=Decimal(DAY if kind is Kind.DATE else 1))
    match affinity(column.type):
        case "TEXT":
            return Shape(Kind.TEXT)
        case "BLOB" if words:
            return Shape(Kind.BYTES)
        case "INTEGER" | "BLOB":
            return Shape(Kind.NUMBER, low=-_ENDS["INTEGER"], high=_ENDS["INTEGER"] - 1)
    scale = _SCALE.search(words)
    step = Decimal(1).scaleb(-int(scale[1])) if scale else Decimal("0.01")
    whole = "BOOL" in words
    return Shape(Kind.NUMBER, step=Decimal(1) if whole else step, low=-_ENDS["NUMERIC"], high=_ENDS["NUMERIC"])


_ANY = Shape(Kind.OTHER)
_BY_NAME = {"JSON": Kind.JSON, "DATETIME": Kind.MOMENT, "TIMESTAMP": Kind.MOMENT, "DATE": Kind.DATE, "TIME": Kind.TIME}


def bound(value: Value, shape: Shape) -> Any:  # noqa: ANN401 - what a driver takes
    """A value as it is bound in a write: integers, floating point numbers, text and bytes."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.encode() if shape.kind is Kind.BYTES and value is not None else value


def question(table: Table, columns: Sequence[Column], expressions: Sequence[str], rows: Sequence[Row]) -> Executable:
    """What each expression comes to for each row, in order: 1, 0 or NULL, or another number, of which only 0 is false."""
    listed = ", ".join(f"({expression}\n)" for expression in expressions)  # a comment may end one
    stored = [column for column in columns if not column.generated]
    written = [[bound(row.get(column.name), _ANY) for column in stored] for row in rows]
    given = ", ".join(f"{_cast(column, number)} AS {_quoted(column.name)}" for number, column in enumerate(stored))
    source = f"SELECT key AS dbproof_number, {given} FROM json_each(" + _ROWS + ")"  # noqa: S608 - names are quoted
    computed = [f"({column.default}\n) AS {_quoted(column.name)}" for column in columns if column.generated]
    if computed:
        source = f"SELECT *, {', '.join(computed)} FROM ({source})"  # noqa: S608 - expressions are the catalogue's
    alias = _quoted(table.name.name)
    statement = f"SELECT {listed} FROM ({source}) AS {alias} ORDER BY dbproof_number"  # noqa: S608 - as above
    return text(_plain(statement).replace(_ROWS, ":rows")).bindparams(rows=json.dumps(written))


#: Where the rows stand in a statement until no colon of the catalogue's can be taken for a parameter's.
_ROWS = "dbproof-rows"


def existing(table: Table, columns: Sequence[str], where: Mapping[str, Value], limit: int) -> Executable:
    """Some rows of a table whose columns have these values."""
    source = named(table.name, table.column, "existing")
    equal = (source.c[name] == bound(value, _ANY) for name, value in where.items())
    return select(*(source.c[name] for name in columns)).select_from(source).where(*equal).limit(limit)


def _cast(column: Column, number: int) -> str:
    """A text in a numeric column stays text, so dates and documents are not cast; nor is what has no type."""
    value = f"json_extract(value, '$[{number}]')"
    kind = affinity(column.type)
    if shape(column).kind not in (*TEMPORAL, Kind.JSON) and column.type and kind != "BLOB":
        value = f"CAST({value} AS {kind})"
    return f"{value} COLLATE {_quoted(column.collation)}" if column.collation else value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(sql: str) -> str:
    """SQL in which no colon starts the name of a parameter."""
    return sql.replace(":", "\\:")
