"""Values of a PostgreSQL column's type, written as the server reads them: text in the type's own input syntax.

They are bound without a type, so the column decides how they are read. Those that real rows hardly hold come first: the
upper end of numbers, the far end of the calendar.
"""

from __future__ import annotations

import re
import string
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from checks.schema.model import Column

#: How many values of a type are thought of, where it has that many.
PLENTY = 16

#: Makes the value with a number from 0 on; what the parentheses after the type say comes second (``10, 2``).
Maker = Callable[[int, tuple[int, ...]], str]

_PARENTHESES = re.compile(r"\(([-\d, ]+)\)")
_LAST_SECOND = datetime(9999, 12, 31, 23, 59, 59)
_RARE_FIRST = "~^|" + string.ascii_lowercase[::-1] + string.ascii_uppercase[::-1] + string.digits[::-1]


def candidates(column: Column) -> tuple[str, ...]:
    """Different values that the column can hold as far as its type goes (domains' and its own CHECKs aside).

    All there are, where the type has only a few (``boolean``, an enum); empty for a type that is not known.
    """
    if column.element is not None:
        return tuple(_array(value) for value in _plain(column.element, column.enum_labels))
    return _plain(column.base or column.type, column.enum_labels)


def _plain(type_: str, labels: tuple[str, ...]) -> tuple[str, ...]:
    if labels:
        return labels
    found = _PARENTHESES.search(type_)
    modifiers = tuple(int(number) for number in found[1].split(",")) if found else ()
    name = _PARENTHESES.sub("", type_)
    maker = _text if name.endswith(".citext") else _MAKERS.get(name)
    if maker is None:
        return ()
    return tuple(dict.fromkeys(maker(number, modifiers) for number in range(_amount(name, modifiers))))


def _amount(name: str, modifiers: tuple[int, ...]) -> int:
    """Short codes may all be taken but a few, so every single letter is thought of."""
    if name == "boolean":
        return 2
    short = name == '"char"' or (name in _TEXTS and modifiers != () and modifiers[0] <= len("AA"))
    return len(_RARE_FIRST) if short else PLENTY


def _array(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{{"{escaped}"}}'


def _down_from(highest: int) -> Maker:
    return lambda number, _: str(highest - number)


def _numeric(number: int, modifiers: tuple[int, ...]) -> str:
    precision, scale = (*modifiers, 0)[:2] if modifiers else (15, 0)
    whole = precision - scale
    if scale > 0 and whole > 1:
        return str(10**whole - 1 - number)
    return f"{Decimal(10**precision - 1 - number).scaleb(-scale):f}"


def _text(number: int, modifiers: tuple[int, ...]) -> str:
    invented = f"dbproof {number:02}"
    return invented if not modifiers or modifiers[0] >= len(invented) else _RARE_FIRST[number] * modifiers[0]


def _bits(number: int, modifiers: tuple[int, ...]) -> str:
    length = modifiers[0] if modifiers else 8
    return format((2**length - 1 - number) % 2**length, f"0{length}b")


def _range(low: Maker, high: Maker) -> Maker:
    return lambda number, modifiers: f"[{low(number + 1, modifiers)},{high(number, modifiers)})"


def _moment(number: int, _: tuple[int, ...]) -> str:
    return str(_LAST_SECOND - timedelta(days=number))


def _day(number: int, _: tuple[int, ...]) -> str:
    return str((_LAST_SECOND - timedelta(days=number)).date())


_TEXTS = frozenset({"text", "character varying", "character", "bpchar", "name"})
_INTEGER, _BIGINT = _down_from(2**31 - 1), _down_from(2**63 - 1)
_MAKERS: Mapping[str, Maker] = {
    **dict.fromkeys(_TEXTS, _text),
    '"char"': lambda number, _: _RARE_FIRST[number],
    "smallint": _down_from(2**15 - 1),
    "integer": _INTEGER,
    "bigint": _BIGINT,
    "oid": _down_from(2**32 - 1),
    "numeric": _numeric,
    "real": _down_from(9_999_999),
    "double precision": _down_from(9_999_999_999),
    "money": _down_from(999_999),
    "boolean": lambda number, _: ("false", "true")[number],
    "uuid": lambda number, _: str(uuid.UUID(int=2**128 - 1 - number)),
    "date": _day,
    "timestamp without time zone": _moment,
    "timestamp with time zone": lambda number, modifiers: f"{_moment(number, modifiers)}+00",
    "time without time zone": lambda number, _: f"23:59:{59 - number}",
    "time with time zone": lambda number, _: f"23:59:{59 - number}+00",
    "interval": lambda number, _: f"9999 years {number} days",
    "bytea": lambda number, _: f"\\xdbf00f{number:02x}",
    "inet": lambda number, _: f"203.0.113.{255 - number}",
    "cidr": lambda number, _: f"203.0.113.{255 - number}/32",
    "macaddr": lambda number, _: f"fe:ff:ff:ff:ff:{255 - number:02x}",
    "macaddr8": lambda number, _: f"fe:ff:ff:ff:ff:ff:ff:{255 - number:02x}",
    "bit": _bits,
    "bit varying": _bits,
    "jsonb": lambda number, _: f'{{"dbproof": {number}}}',
    "int4range": _range(_INTEGER, _INTEGER),
    "int8range": _range(_BIGINT, _BIGINT),
    "numrange": _range(_INTEGER, _INTEGER),
    "daterange": _range(_day, _day),
    "tsrange": _range(_moment, _moment),
    "tstzrange": _range(_moment, _moment),
}
