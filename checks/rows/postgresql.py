"""How rows are compiled for PostgreSQL: what its types can hold, and how the server is asked about rows that are in no table.

Every value is text that its column reads. Rows to judge go to the server as one JSON text, which becomes a set of records of the
table's own types there; a domain is taken for the type below it, because its CHECKs are what is to be judged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Executable, bindparam, cast, select, text
from sqlalchemy.types import NullType, Text

from checks.interface import Engine
from checks.rows import values
from checks.rows.shapes import DAY, Kind, Row, Shape, Value
from checks.schema.model import Column, Table
from checks.sql.statements import named

#: sqlglot's name of the language, and the engine.
DIALECT = "postgres"
ENGINE = Engine.POSTGRESQL

_PARENTHESES = re.compile(r"\(([-\d, ]+)\)")
_INTEGERS = {"smallint": 15, "integer": 31, "bigint": 63}
_TEXTS = frozenset({"text", "character varying", "character", "bpchar", "name"})
_KINDS = {
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "timestamp without time zone": Kind.MOMENT,
    "timestamp with time zone": Kind.MOMENT,
    "time without time zone": Kind.TIME,
    "time with time zone": Kind.TIME,
    "interval": Kind.INTERVAL,
    "json": Kind.JSON,
    "jsonb": Kind.JSON,
    "bytea": Kind.BYTES,
}
#: Types of which no rare values are known, and those whose rare values are all alike: one value each.
_OTHERS = {
    "uuid": "00000000-0000-0000-0000-000000000000",
    "inet": "::1",
    "cidr": "::1/128",
    "macaddr": "00:00:00:00:00:00",
    "bytea": "",
    "int4range": "empty",
    "int8range": "empty",
    "numrange": "empty",
    "daterange": "empty",
    "tsrange": "empty",
    "tstzrange": "empty",
    "json": "{}",
    "xml": "<dbproof/>",
    "tsvector": "dbproof",
    "tsquery": "dbproof",
    "point": "(0,0)",
    "box": "(1,1),(0,0)",
    "lseg": "[(0,0),(1,1)]",
    "path": "((0,0),(1,1))",
    "polygon": "((0,0),(1,1),(1,0))",
    "circle": "<(0,0),1>",
    "line": "{1,-1,0}",
    "pg_lsn": "0/1",
    "int4multirange": "{[1,2)}",
    "int8multirange": "{[1,2)}",
    "nummultirange": "{[1,2)}",
    "datemultirange": "{[2020-01-01,2020-01-02)}",
    "tsmultirange": "{[2020-01-01,2020-01-02)}",
    "tstzmultirange": "{[2020-01-01,2020-01-02)}",
    "hstore": "dbproof=>1",
    "ltree": "dbproof",
}


def shape(column: Column) -> Shape:
    """What a column can hold as far as its type goes."""
    if column.element is not None:
        return Shape(Kind.ARRAY, element=_shape(column.element, column.enum_labels).kind, type=column.type)
    return _shape(column.base or column.type, column.enum_labels)


def candidates(column: Column) -> tuple[str, ...]:
    """Values that real rows hardly hold, else any; empty for a type that is not known."""
    if column.element is not None or column.enum_labels:
        return values.candidates(column)
    type_ = column.base or column.type
    return (*values.candidates(column), *_other(type_))


def _other(type_: str) -> tuple[str, ...]:
    name, found = _PARENTHESES.sub("", type_).rpartition(".")[2], _PARENTHESES.search(type_)
    if name in ("vector", "halfvec"):
        return ("[" + ",".join(["1"] * int(found[1] if found else 1)) + "]",)
    if name in ("bit", "bit varying"):
        return ("0" * int(found[1] if found else 1),)
    return (_OTHERS[name],) if name in _OTHERS else ()


@cache
def _shape(type_: str, labels: tuple[str, ...]) -> Shape:
    if labels:
        return Shape(Kind.OTHER, labels=labels, type=type_)
    found = _PARENTHESES.search(type_)
    modifiers = tuple(int(number) for number in found[1].split(",")) if found else ()
    name = _PARENTHESES.sub("", type_)
    if name in _INTEGERS:
        high = Decimal(2 ** _INTEGERS[name])
        return Shape(Kind.NUMBER, low=-high, high=high - 1)
    if name == "oid":
        return Shape(Kind.NUMBER, low=Decimal(0), high=Decimal(2**32 - 1))
    if name == "numeric":
        return _numeric(modifiers)
    if name in ("real", "double precision", "money"):
        high = Decimal(10**9) if name != "real" else Decimal(10**5)
        return Shape(Kind.NUMBER, step=Decimal("0.01"), low=-high, high=high)
    if name in _TEXTS or name.endswith(".citext"):
        return Shape(Kind.TEXT, length=modifiers[0] if modifiers else 63 if name == "name" else None)
    kind = _KINDS.get(name, Kind.OTHER)
    return Shape(kind, step=Decimal(DAY if kind is Kind.DATE else 1), type=type_)


def _numeric(modifiers: Sequence[int]) -> Shape:
    if not modifiers:
        return Shape(Kind.NUMBER, step=Decimal("0.001"))
    precision, scale = (*modifiers, 0)[:2]
    step = Decimal(1).scaleb(-scale)
    high = Decimal(10) ** (precision - scale) - step
    return Shape(Kind.NUMBER, step=step, low=-high, high=high)


def bound(value: Value, shape: Shape) -> Any:  # noqa: ANN401, ARG001 - what a driver takes; text for any type
    """A value as it is bound in a write."""
    return f"{value:f}" if isinstance(value, Decimal) else value


def question(table: Table, columns: Sequence[Column], expressions: Sequence[str], rows: Sequence[Row]) -> Executable:
    """What each expression comes to for each row, in order: true, false or NULL."""
    listed = ", ".join(f"({expression})" for expression in expressions)
    documents = frozenset(column.name for column in columns if shape(column).kind is Kind.JSON)
    written = [{"dbproof_number": number, **_record(row, documents)} for number, row in enumerate(rows)]
    source = (
        f"SELECT {_selected(table, columns)} "  # noqa: S608 - names are quoted, expressions are the catalogue's
        f"FROM json_to_recordset(CAST(:rows AS json)) AS given({_definitions(columns)})"
    )
    given = f"({_plain(source, keep=':rows')}) AS {_plain(_quoted(table.name.name))}"
    statement = f"SELECT {_plain(listed)} FROM {given} ORDER BY dbproof_number"  # noqa: S608 - as above
    return text(statement).bindparams(rows=json.dumps(written))


def existing(table: Table, columns: Sequence[str], where: Mapping[str, Value], limit: int) -> Executable:
    """Some rows of a table whose columns have these values, each value as text."""
    source = named(table.name, table.column, "existing")
    equal = (source.c[name] == _untyped(value) for name, value in where.items())
    return select(*(cast(source.c[name], Text) for name in columns)).select_from(source).where(*equal).limit(limit)


def _untyped(value: Value) -> BindParameter[Any]:
    """A bound value that is read as the column that it is compared with."""
    return bindparam(None, bound(value, _ANY), NullType(), unique=True)


_ANY = Shape(Kind.OTHER)


def _record(row: Row, documents: frozenset[str]) -> dict[str, Any]:
    """A row as an object; a value that is JSON itself stands there as it is."""
    return {
        name: json.loads(value) if name in documents and isinstance(value, str) else bound(value, _ANY)
        for name, value in row.items()
    }


def _definitions(columns: Sequence[Column]) -> str:
    given = (f"{_quoted(column.name)} {_type(column)}" for column in columns if not column.generated)
    return ", ".join(("dbproof_number integer", *given))


def _type(column: Column) -> str:
    collation = f" COLLATE {column.collation}" if column.collation else ""
    return f"{column.base or column.type}{collation}"


def _selected(table: Table, columns: Sequence[Column]) -> str:
    given = [_quoted(column.name) for column in columns if not column.generated]
    computed = [
        f"({column.default}) AS {_quoted(column.name)}" for column in table.columns if column.generated and column in columns
    ]
    return ", ".join(["dbproof_number", *given, *computed])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(sql: str, keep: str = "") -> str:
    """SQL in which no colon starts the name of a parameter, save that of ``keep``."""
    plain = sql.replace(":", "\\:")
    return plain.replace(keep.replace(":", "\\:"), keep) if keep else plain
