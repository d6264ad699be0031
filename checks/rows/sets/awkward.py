"""Values that real rows hold sooner or later and that migrations forget: nothing, zero, the longest, the other spelling.

Each comes up for certain where a table has a hundred rows, if the rules of its column allow it. None is of a kind that only a
tester would write: what no application stores would stop healthy migrations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from checks.rows.shapes import Kind, Shape, Value, written
from checks.rows.terms import Condition
from checks.schema.model import Column

#: A text is made so long at most, and one in a column without an end so long.
LONGEST = 4_000
LONG = 300
#: Of so few values each comes up for certain.
FEW = 12

_SENTENCE = "a longer text that goes on for a while, and further on than one who makes a column narrower thinks of, "
#: Nothing, white space behind, the same in capitals, and a letter of two characters as some systems send it.
_TEXTS = ("", "west ", "NORTH", "Zoe\u0308 Mu\u0308ller")
#: One more than the narrower types hold, so that healthy arithmetic stays within the column's own.
_BEYOND = (2**15, 2**31)
_EPOCH, _LEAP, _FAR = "1970-01-01", "2024-02-29", "9999-12-31"
#: What every clock gives, and what a division does: a type that keeps less of them changes them without a word.
_TO_THE_MICROSECOND, _ALL_DIGITS = "2024-02-29 12:34:56.654321", Decimal("7.333333333333333")
#: A timestamp of MariaDB's ends in 2038, and begins a second after 1970.
_EPOCH_AND_FAR = {"timestamp": ("1970-01-02", "2037-12-31")}
_NOW = re.compile(r"\b(now|current_timestamp|current_date|localtimestamp|clock_timestamp|datetime|unixepoch)\b", re.IGNORECASE)
_DECLARED = re.compile(r"char[\w ]*\(\s*(\d+)\s*\)", re.IGNORECASE)
_LENGTHS = frozenset({"0 seconds"})


def awkward(column: Column, shape: Shape, conditions: Sequence[Condition], known: Sequence[Value]) -> Iterator[Value]:
    """Awkward values for a column; ``known`` are everyday ones, for types whose values are made like those."""
    match shape.kind:
        case _ if shape.labels:
            return
        case Kind.NUMBER:
            yield from _numbers(shape)
            if (column.base or column.type).lower().startswith("double"):
                yield _ALL_DIGITS
        case Kind.TEXT:
            yield from texts(_length(column, shape.length))
        case Kind.DATE | Kind.MOMENT:
            yield from _times(column, shape, conditions)
        case Kind.INTERVAL:
            yield from _LENGTHS
        case Kind.JSON:
            yield from ("[]",) if _is_array(column) else ("{}", '{"name": null}')
        case Kind.ARRAY:
            yield from _arrays([value for value in known if isinstance(value, str)])
        case Kind.BYTES:
            yield ""


def texts(length: int | None) -> Iterator[str]:
    """Awkward texts of so many characters at most, the longest among them."""
    yield from (text for text in (*_TEXTS, _long(length)) if length is None or len(text) <= length)


def _numbers(shape: Shape) -> Iterator[Value]:
    """Nothing, less than nothing, more than narrower types hold, and all digits of a fraction."""
    for number in (Decimal(0), Decimal(-1), *map(Decimal, _BEYOND)):
        if written(number, shape) == number:
            yield number
    if shape.step < 1 and (part := written(Decimal(22) / 3, shape)) is not None:
        yield part


def longest(column: Column, text: str) -> str:
    """A text that begins like this one and is as long as its column allows."""
    length = _length(column, None)
    return f"{text} {_long(length)}"[: LONG if length is None else min(length, LONGEST)]


def _length(column: Column, length: int | None) -> int | None:
    """How long a text may be, as far as the type says so: SQLite does not heed it, the application may."""
    declared = _DECLARED.search(column.base or column.type)
    return int(declared[1]) if length is None and declared else length


def _long(length: int | None) -> str:
    """A text as long as a column allows, which ends in a letter."""
    wanted = LONG if length is None else min(length, LONGEST)
    text = (_SENTENCE * (wanted // len(_SENTENCE) + 1))[:wanted]
    return text if text[-1:].isalpha() else f"{text[:-1]}x"


def _times(column: Column, shape: Shape, conditions: Sequence[Condition]) -> Iterator[Value]:
    """A leap day, on PostgreSQL also a time of it to the microsecond.

    And the first day of computers and the last of the calendar, unless the column says when a row was made.

    Infinity only where the schema itself speaks of it: most drivers cannot read it.
    """
    yield _LEAP
    if shape.kind is Kind.MOMENT and "(" not in column.type and (column.base or column.type).startswith("timestamp with"):
        yield _TO_THE_MICROSECOND
    if _NOW.search(column.default or "") is None:
        yield from _EPOCH_AND_FAR.get(shape.type, (_EPOCH, _FAR))
    if any("infinity" in text for text in (column.default or "", *(one.expression for one in conditions))):
        yield "infinity"


def of_one_make(column: Column, documents: Sequence[Value]) -> Sequence[Value]:
    """The JSON that one application stores in one column: objects, or arrays where the default is one; else all that there is."""
    begins = "[" if _is_array(column) else "{"
    return [one for one in documents if isinstance(one, str) and one.lstrip().startswith(begins)] or documents


def _is_array(column: Column) -> bool:
    return (column.default or "").lstrip("('\"").startswith("[")


def _arrays(known: Sequence[str]) -> Iterator[str]:
    """None of them, two of them, and one beside NULL, in PostgreSQL's writing."""
    yield "{}"
    inner = [text[1:-1] for text in known if len(text) > len("{}")][:2]
    if inner:
        yield "{" + ",".join(inner) + "}"
        yield "{" + inner[0] + ",NULL}"
