"""Values of a MariaDB column's type, as text that the server reads: those that real rows hardly hold come first."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from checks.rows.values import PLENTY
from checks.schema.model import Column

#: Makes the value with a number from 0 on; what the parentheses after the type say comes second (``10, 2``).
Maker = Callable[[int, tuple[int, ...]], str]

_PARENTHESES = re.compile(r"\(([\d, ]+)\)")
_LABEL = re.compile(r"'((?:[^']|'')*)'")
_LAST_SECOND = datetime(2037, 12, 31, 23, 59, 59)
_RARE_FIRST = "~^|zyxwvutsrqponmlkjihgfedcba9876543210"
#: Numbers of an AUTO_INCREMENT that are left, at most.
SPARED = 1_000_000
_INTEGERS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}


def candidates(column: Column) -> tuple[str, ...]:
    """Different values that the column can hold as far as its type goes (CHECKs aside); empty for a type that is not known.

    After those of an AUTO_INCREMENT some are left for the server to go on with: InnoDB's counter goes up to the highest that was
    tried, and does not come back when that is undone ("AUTO_INCREMENT Handling in InnoDB").
    """
    if column.enum_labels:
        return column.enum_labels
    if column.type.startswith("set("):
        labels = tuple(label.replace("''", "'") for label in _LABEL.findall(column.type))
        return (*labels, ",".join(labels), "")
    found = _PARENTHESES.search(column.type)
    modifiers = tuple(int(number) for number in found[1].split(",")) if found else ()
    name = _PARENTHESES.sub("", column.type)
    maker = _integer(name, spared=column.identity) or _MAKERS.get(name.partition(" ")[0])
    if maker is None:
        return ()
    plenty = len(_RARE_FIRST) if name in ("char", "varchar") and modifiers and modifiers[0] < len("dbproof 00") else PLENTY
    return tuple(dict.fromkeys(maker(number, modifiers) for number in range(plenty)))


def _integer(name: str, *, spared: bool) -> Maker | None:
    word, _, rest = name.partition(" ")
    if word not in _INTEGERS:
        return None
    highest = 2 ** (_INTEGERS[word] - (0 if "unsigned" in rest else 1)) - 1
    begin = highest - min(SPARED, highest // 4) if spared else highest
    return lambda number, _: str(begin - number)


def _decimal(number: int, modifiers: tuple[int, ...]) -> str:
    precision, scale = (*modifiers, 0)[:2] if modifiers else (10, 0)
    digits = str(10**precision - 1 - number).rjust(precision, "0")
    return f"{digits[: precision - scale] or '0'}.{digits[precision - scale :]}" if scale else digits


def _text(number: int, modifiers: tuple[int, ...]) -> str:
    invented = f"dbproof {number:02}"
    return invented if not modifiers or modifiers[0] >= len(invented) else _RARE_FIRST[number] * modifiers[0]


def _moment(number: int, _: tuple[int, ...]) -> str:
    return str(_LAST_SECOND - timedelta(days=number))


_MAKERS: Mapping[str, Maker] = {
    "decimal": _decimal,
    "float": lambda number, _: str(9_999_999 - number),
    "double": lambda number, _: str(9_999_999_999 - number),
    **dict.fromkeys(("char", "varchar", "text", "tinytext", "mediumtext", "longtext"), _text),
    **dict.fromkeys(("binary", "varbinary", "blob", "tinyblob", "mediumblob", "longblob"), _text),
    "uuid": lambda number, _: str(uuid.UUID(int=2**128 - 1 - number)),
    "inet4": lambda number, _: f"203.0.113.{255 - number}",
    "inet6": lambda number, _: f"2001:db8::{65535 - number:x}",
    "date": lambda number, _: str((_LAST_SECOND - timedelta(days=number)).date()),
    "datetime": _moment,
    "timestamp": _moment,
    "time": lambda number, _: f"23:59:{59 - number}",
    "year": lambda number, _: str(2155 - number),
    "bit": lambda number, modifiers: str((2 ** (modifiers[0] if modifiers else 1) - 1 - number) % 2),
}
