"""Whether two values, read as texts of two types, are the same value, and if not, what became of it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from checks.survivals import Loss
from runner.across.canonical import text as canonical_text


class Family(StrEnum):
    """What the values of a type are, whatever the engine calls it."""

    NUMBER = "number"
    TEXT = "text"
    TIME = "time"
    BOOLEAN = "boolean"
    JSON = "json"
    OTHER = "other"


_FAMILIES = (
    (Family.OTHER, r".*\[\]$|interval|time( |\(|$)"),
    (Family.BOOLEAN, r"bool"),
    (Family.JSON, r"json"),
    (Family.NUMBER, r"(tiny|small|medium|big)?(int|serial)|integer|unsigned|numeric|decimal|real|double|float|year"),
    (Family.TIME, r"date|timestamp"),
    (Family.TEXT, r"text|(tiny|medium|long)text|char|varchar|nchar|nvarchar|character|clob|enum|set\(|citext|name$"),
)
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_BOOLEANS = {
    **dict.fromkeys(("t", "true", "1", "yes", "y", "on"), True),
    **dict.fromkeys(("f", "false", "0", "no", "n", "off"), False),
}

#: What is left of a number in single precision, of its size.
_SINGLE = Decimal("1e-6")


def family(type_: str, *, enum: bool = False) -> Family:
    """The family of a type as a catalogue writes it; labels of an ``enum`` are texts."""
    said = type_.lower()
    return Family.TEXT if enum else next((one for one, form in _FAMILIES if re.match(form, said)), Family.OTHER)


def loss(old: str, new: str | None, was: Family, now: Family) -> Loss | None:
    """What became of a value; ``None`` where it is the same one.

    What can be had back is the same: ``1.50`` as ``1.5``, a number as its text, a time as the same moment. A text that was read
    as a number is the same if the number is written like that, so that ``007`` lost its zeros.
    """
    if old == new:
        return None
    if new is None:
        return None if now is not Family.TEXT and not old.strip() else Loss.EMPTIED
    match was, now:
        case (Family.NUMBER, Family.NUMBER) | (Family.NUMBER, Family.TEXT):
            return _number(old, new)
        case (Family.TEXT, Family.NUMBER):
            found = _number(old.strip(), new)
            return found if found or _PLAIN_NUMBER.fullmatch(old.strip()) else Loss.CUT
        case (Family.TIME, Family.TIME | Family.TEXT) | (Family.TEXT, Family.TIME):
            return _time(old, new)
    if Family.JSON in (was, now):
        return _json(old, new)
    if Family.BOOLEAN in (was, now):
        truth = _BOOLEANS.get(old.strip().lower())
        return None if truth is not None and truth is _BOOLEANS.get(new.strip().lower()) else Loss.OTHER
    return _text(old, new)


def _number(old: str, new: str) -> Loss | None:
    try:
        before, after = Decimal(old), Decimal(new)
        if before == after:
            return None
        digits = _digits(new, after)
        finer = _digits(old, before) > digits
    except (InvalidOperation, ValueError):  # a text, infinity
        return Loss.OTHER
    near = max(Decimal(1).scaleb(-digits), abs(before) * _SINGLE)
    return Loss.ROUNDED if finer and abs(before - after) < near else Loss.OTHER


def _digits(text: str, number: Decimal) -> int:
    """How many digits stand behind the point; negative where the last ones before it are no digits of it (``1e5``)."""
    if text.lstrip("-").replace(".", "", 1).isdecimal():
        return len(text.partition(".")[2])
    return -int(number.as_tuple().exponent)


def _time(old: str, new: str) -> Loss | None:
    try:
        before, after = _moment(old), _moment(new)
    except ValueError:  # infinity, years BC, another way of writing it
        return Loss.OTHER
    if before == after:
        return None
    if len(new.strip()) <= len("2024-01-01") and before.date() == after.date():
        return Loss.ROUNDED
    finer = before.microsecond != 0 and len(new.partition(".")[2]) < len(old.partition(".")[2])
    return Loss.ROUNDED if finer and abs((before - after).total_seconds()) < 1 else Loss.SHIFTED


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text.strip())
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def _json(old: str, new: str) -> Loss | None:
    before, after = _parsed(old), _parsed(new)
    return None if before in (after, new) or after == old else Loss.OTHER


def _parsed(text: str) -> Any:  # noqa: ANN401 - what JSON may hold
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return text


def _text(old: str, new: str) -> Loss | None:
    if canonical_text(old.lower()) == canonical_text(new.lower()) != old.lower() or old.rstrip(" ") == new.rstrip(" "):
        return None
    return Loss.CUT if old.startswith(new) and old.strip() != new else Loss.OTHER
