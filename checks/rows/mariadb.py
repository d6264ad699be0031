"""How rows are compiled for MariaDB: what its types can hold, and how the server is asked about rows that are in no table.

Rows to judge go to the server as one JSON text, which ``JSON_TABLE`` reads into columns of the table's own types and collations.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Executable, select, text

from checks.interface import Engine
from checks.rows import mariadb_values
from checks.rows.shapes import DAY, Kind, Row, Shape, Value
from checks.schema.mariadb import plain_type
from checks.schema.model import Column, Table
from checks.sql.statements import named

#: sqlglot's name of the language, and the engine.
DIALECT = "mysql"
ENGINE = Engine.MARIADB

#: Values that real rows hardly hold.
candidates = mariadb_values.candidates

#: Digits that a Decimal reckons with exactly.
_EXACT = 28
_PARENTHESES = re.compile(r"\(([\d, ]+)\)")
_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_TEXTS = {"tinytext": 255, "text": 65_535, "mediumtext": None, "longtext": None}
_KINDS = {
    "date": Kind.DATE,
    "datetime": Kind.MOMENT,
    "timestamp": Kind.MOMENT,
    "time": Kind.TIME,
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), Kind.BYTES),
}


def shape(column: Column) -> Shape:
    """What a column can hold as far as its type goes."""
    if column.enum_labels:
        return Shape(Kind.OTHER, labels=column.enum_labels, type=column.type)
    found = _PARENTHESES.search(column.type)
    modifiers = tuple(int(number) for number in found[1].split(",")) if found else ()
    name, _, sign = _PARENTHESES.sub("", plain_type(column.type)).partition(" ")
    if (number := _number(name, modifiers, unsigned="unsigned" in sign)) is not None:
        return number
    if name in ("char", "varchar"):
        return Shape(Kind.TEXT, length=modifiers[0] if modifiers else 1)
    if name in _TEXTS:
        return Shape(Kind.TEXT, length=_TEXTS[name])
    kind = _KINDS.get(name, Kind.OTHER)
    return Shape(kind, step=Decimal(DAY if kind is Kind.DATE else 1), type=name)


def _number(name: str, modifiers: tuple[int, ...], *, unsigned: bool) -> Shape | None:
    """The numbers that a type holds, what stands in its parentheses being ``modifiers``; None for a type of none."""
    if name in _BITS:
        bits = _BITS[name]
        low = Decimal(0) if unsigned else -Decimal(2 ** (bits - 1))
        return Shape(Kind.NUMBER, low=low, high=low + Decimal(2**bits - 1))
    if name == "decimal":
        return _decimal(modifiers, unsigned=unsigned)
    if name in ("float", "double"):
        precision, scale = (*modifiers, 2, 2)[:2] if modifiers else (8, 2)
        high = Decimal(10) ** (min(precision, 8) - min(scale, 2)) - Decimal(1)
        return Shape(Kind.NUMBER, step=Decimal("0.01"), low=Decimal(0) if unsigned else -high, high=high)
    if name == "year":
        return Shape(Kind.NUMBER, low=Decimal(1901), high=Decimal(2155))
    if name == "bit":
        return Shape(Kind.NUMBER, low=Decimal(0), high=Decimal(2 ** (modifiers[0] if modifiers else 1) - 1))
    return None


def _decimal(modifiers: tuple[int, ...], *, unsigned: bool) -> Shape:
    precision, scale = (*modifiers, 0)[:2] if modifiers else (10, 0)
    step = Decimal(1).scaleb(-scale)
    whole = Decimal(10) ** (precision - scale)
    high = whole - step if precision <= _EXACT else whole / 10
    return Shape(Kind.NUMBER, step=step, low=Decimal(0) if unsigned else -high, high=high)


def bound(value: Value, shape: Shape) -> Any:  # noqa: ANN401 - what a driver takes
    """A value as it is bound in a write."""
    return value.encode() if shape.kind is Kind.BYTES and isinstance(value, str) else value


def question(table: Table, columns: Sequence[Column], expressions: Sequence[str], rows: Sequence[Row]) -> Executable:
    """What each expression comes to for each row, in order: 1, 0 or NULL, or another number, of which only 0 is false."""
    stored = [column for column in columns if not column.generated]
    written = [[_written(row.get(column.name)) for column in stored] for row in rows]
    read = ", ".join(f"{_quoted(column.name)} {_type(column)} PATH '$[{number}]'" for number, column in enumerate(stored))
    source = f"SELECT * FROM JSON_TABLE({_ROWS}, '$[*]' COLUMNS (dbproof_number FOR ORDINALITY, {read})) AS given"  # noqa: S608 - quoted
    computed = [f"({column.default}) AS {_quoted(column.name)}" for column in columns if column.generated]
    if computed:
        source = f"SELECT given.*, {', '.join(computed)} FROM ({source}) AS given"  # noqa: S608 - expressions are the catalogue's
    listed = ", ".join(f"({expression}\n)" for expression in expressions)
    statement = f"SELECT {listed} FROM ({source}) AS {_quoted(table.name.name)} ORDER BY dbproof_number"  # noqa: S608 - as above
    return text(statement.replace(":", "\\:").replace(_ROWS, ":rows")).bindparams(rows=json.dumps(written))


#: Where the rows stand in a statement until no colon of the catalogue's can be taken for a parameter's.
_ROWS = "dbproof-rows"


def existing(table: Table, columns: Sequence[str], where: Mapping[str, Value], limit: int) -> Executable:
    """Some rows of a table whose columns have these values."""
    source = named(table.name, table.column, "existing")
    equal = (source.c[name] == value for name, value in where.items())
    return select(*(source.c[name] for name in columns)).select_from(source).where(*equal).limit(limit)


def _written(value: Value) -> str | None:
    return str(value) if isinstance(value, Decimal) else value


def _type(column: Column) -> str:
    """The column's own type; of text without its length, so that what is too long is not cut off before it is judged."""
    kind = shape(column).kind
    if kind is Kind.TEXT or column.enum_labels:
        return f"LONGTEXT COLLATE {column.collation}" if column.collation else "LONGTEXT"
    if column.type.startswith("bit"):
        return "BIGINT UNSIGNED"  # a bit would take the characters of a number for bits
    return "LONGTEXT" if kind in (Kind.OTHER, Kind.BYTES) else column.type


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
