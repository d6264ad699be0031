"""What a column can hold, whatever the engine: kinds of values, and how each is measured on a line of numbers.

Within the row compiler a number is a Decimal; everything else is text as its column reads it; None is NULL. Dates and times are
measured in seconds, so that a day is as easily one step before another as 4 is before 5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from enum import StrEnum

Value = Decimal | str | None

#: Values by column.
Row = Mapping[str, Value]

#: Seconds of a day.
DAY = 86_400

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?")
_CLOCK = re.compile(r"(-?)(\d+):(\d\d)(?::(\d\d(?:\.\d+)?))?")
_UNITS = {"mon": 30 * DAY, "min": 60, "y": 365 * DAY, "w": 7 * DAY, "d": DAY, "h": 3600, "m": 60, "s": 1}


class Kind(StrEnum):
    """What a value is, as far as a row compiler has to know."""

    NUMBER = "number"
    TEXT = "text"
    DATE = "date"
    MOMENT = "moment"
    TIME = "time"
    INTERVAL = "interval"
    BOOLEAN = "boolean"
    JSON = "json"
    ARRAY = "array"
    BYTES = "bytes"
    OTHER = "other"


#: Kinds that are measured in seconds.
TEMPORAL = frozenset({Kind.DATE, Kind.MOMENT, Kind.TIME, Kind.INTERVAL})
#: Kinds whose values are written alike whatever the type is called.
_ALIKE = TEMPORAL | {Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN}


@dataclass(frozen=True)
class Shape:
    """What a column can hold: a kind, the smallest step and the ends of its numbers, how long a text may be, all its labels.

    ``step`` is the smallest one that is kept, for times one second; ``element`` is what an array's elements are.
    ``type`` tells kinds apart of which no more is known.
    """

    kind: Kind
    step: Decimal = Decimal(1)
    low: Decimal | None = None
    high: Decimal | None = None
    length: int | None = None
    labels: tuple[str, ...] = ()
    element: Kind = Kind.OTHER
    type: str = ""


def holds(shape: Shape, value: Value, other: Shape) -> bool:
    """Whether a column takes the value of another: those that are compared are often the same, or must not be."""
    if shape.kind is not other.kind or (shape.kind not in _ALIKE and shape.type != other.type):
        return False
    if isinstance(value, Decimal):
        return written(value, shape) == value
    return shape.length is None or value is None or len(value) <= shape.length


def measured(value: Value, shape: Shape) -> Decimal | None:
    """A value as a number: itself, seconds since 1970, seconds since midnight, seconds; None where it cannot be."""
    if isinstance(value, Decimal) or value is None:
        return value
    if shape.kind in TEMPORAL:
        return seconds(value)
    if shape.kind is Kind.NUMBER:
        return decimal(value)
    return None


def decimal(text: str) -> Decimal | None:
    """A number that is written as text; None for what is none, and for what no column holds."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def seconds(text: str) -> Decimal | None:
    """A date, a moment, a time of day or a length of time, in seconds; None for a text that is none of them."""
    found = _MOMENT.match(text)
    if found:
        year, month, day, hour, minute, second, part = (int(group or 0) for group in (*found.groups()[:6], (found[7] or "0")[:6]))
        try:
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            return None
        return Decimal(int((moment - _EPOCH).total_seconds())) + Decimal(part).scaleb(-len((found[7] or "0")[:6]))
    return _length(text)


def _length(text: str) -> Decimal | None:
    total, known = Decimal(0), False
    for number, unit in re.findall(r"(-?\d+(?:\.\d+)?)\s*([A-Za-z]+)", text):
        factor = next((_UNITS[start] for start in _UNITS if unit.lower().startswith(start)), None)
        if factor is None:
            return None
        total, known = total + Decimal(number) * factor, True
    if clock := _CLOCK.search(text):
        sign = -1 if clock[1] else 1
        total, known = total + sign * (int(clock[2]) * 3600 + int(clock[3]) * 60 + Decimal(clock[4] or 0)), True
    return total if known else None


def written(number: Decimal, shape: Shape) -> Value:
    """The value of a shape that is measured so, rounded to its step; None where it holds no such value."""
    try:
        kept = (number / shape.step).to_integral_value(ROUND_HALF_EVEN) * shape.step
        if shape.kind is Kind.NUMBER:
            return kept if _within(kept, shape) else None
        if shape.kind is Kind.INTERVAL:
            return f"{kept:f} seconds"
        if shape.kind is Kind.TIME:
            return str((_EPOCH + timedelta(seconds=int(kept))).time()) if 0 <= kept < DAY else None
        moment = (_EPOCH + timedelta(seconds=int(kept))).replace(tzinfo=None)
    except (InvalidOperation, OverflowError):
        return None
    return str(moment.date()) if shape.kind is Kind.DATE else str(moment)


def _within(number: Decimal, shape: Shape) -> bool:
    return (shape.low is None or number >= shape.low) and (shape.high is None or number <= shape.high)
