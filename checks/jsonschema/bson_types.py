"""The types of BSON by the names that ``bsonType`` has for them, and when two values are equal or one is less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation, localcontext
from re import Pattern
from typing import Any

from bson import Binary, Code, DatetimeMS, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

#: Types that documents of ours may hold. ``undefined``, ``dbPointer`` and ``symbol`` are deprecated, and the driver writes none.
TYPES = (
    "string", "int", "long", "double", "decimal", "bool", "date", "objectId", "object", "array", "null", "binData", "timestamp",
    "regex", "javascript", "javascriptWithScope", "minKey", "maxKey",
)  # fmt: skip
NUMBERS = ("int", "long", "double", "decimal")
_ALL = frozenset(TYPES)
#: The words of ``type``, and the one alias of ``bsonType``.
_ALIASES = {"number": NUMBERS, "boolean": ("bool",)}
_BY_CLASS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "bool"),
    (Int64, "long"),
    (float, "double"),
    (str, "string"),
    (Decimal128, "decimal"),
    ((datetime, DatetimeMS), "date"),
    (ObjectId, "objectId"),
    (Mapping, "object"),
    ((bytes, Binary), "binData"),
    (Timestamp, "timestamp"),
    ((Regex, Pattern), "regex"),
    (MinKey, "minKey"),
    (MaxKey, "maxKey"),
    ((list, tuple), "array"),
)
_BY_TYPE: Mapping[type, str] = {
    **{one: name for classes, name in _BY_CLASS if isinstance(classes, type) for one in (classes,)},
    dict: "object",
    list: "array",
    type(None): "null",
}
_INT = 2**31


def type_of(value: object) -> str:
    """The BSON type as which the driver writes a value."""
    name = _BY_TYPE.get(type(value))
    if name is not None:
        return name
    if isinstance(value, Code):
        return "javascript" if value.scope is None else "javascriptWithScope"
    for classes, other in _BY_CLASS:
        if isinstance(value, classes):
            return other
    if isinstance(value, int):
        return "int" if -_INT <= value < _INT else "long"
    return "object"


def named(words: str | Sequence[str]) -> tuple[str, ...]:
    """The types that ``bsonType`` or ``type`` names, in its order."""
    if isinstance(words, str):
        return _ALIASES.get(words, (words,))
    listed = words
    return tuple(dict.fromkeys(one for word in listed for one in _ALIASES.get(word, (word,))))


def others(names: Sequence[str]) -> tuple[str, ...]:
    """All types but these."""
    return tuple(name for name in TYPES if name not in names)


def every() -> frozenset[str]:
    """All types that documents of ours may hold."""
    return _ALL


def exact(value: Any) -> Any:  # noqa: ANN401 - whatever can be compared
    """A value as it can be compared with others of its kind: a decimal as Python's, a date in milliseconds since 1970 (UTC)."""
    if isinstance(value, Decimal128):
        return value.to_decimal()
    if isinstance(value, datetime | DatetimeMS):
        return int(value if isinstance(value, DatetimeMS) else DatetimeMS(value))
    return value


def equal(one: Any, other: Any) -> bool:  # noqa: ANN401 - whatever a document holds
    """Whether a schema takes two values for the same: numbers by value, objects in whatever order."""
    mine, theirs = _family(one), _family(other)
    if mine != theirs:
        return False
    if mine == "object":
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if mine == "array":
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(exact(one) == exact(other))


def _family(value: object) -> str:
    name = type_of(value)
    return "number" if name in NUMBERS else name


def is_within(value: Any, bound: Any, *, low: bool, exclusive: bool) -> bool | None:  # noqa: ANN401 - whatever can be compared
    """Whether a value keeps a bound of its kind; ``None`` where it is of another kind."""
    if _family(value) != _family(bound):
        return None
    mine, theirs = exact(value), exact(bound)
    if mine != mine:  # no number: the server puts it before all others
        return not low
    if mine == theirs:
        return not exclusive
    return bool(mine > theirs) if low else bool(mine < theirs)


def is_multiple(value: Any, divisor: Any) -> bool:  # noqa: ANN401 - any number
    """Whether a number is a multiple, as decimals."""
    number = _decimal(value)
    with localcontext(prec=80) as context:  # a decimal has 34 digits, and what it is divided by as many
        context.traps[InvalidOperation] = False  # numbers too far apart: what is left is no number
        return number.is_finite() and number % _decimal(divisor) == 0


def _decimal(value: Any) -> Decimal:  # noqa: ANN401 - any number
    found = exact(value)
    return found if isinstance(found, Decimal) else Decimal(str(found)) if isinstance(found, float) else Decimal(found)
