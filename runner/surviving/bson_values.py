"""What a value of a document is to the comparison: its type in the server's words, its family, and its text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from checks.pipelines.fields import DEEPEST
from checks.pipelines.paths import Path, Within
from checks.survivals import Loss
from runner.surviving.values import Family, loss

#: What the server calls a type (``$type``), by the name of the driver's class.
_TYPES = {
    "str": "string",
    "bool": "bool",
    "int": "int",
    "Int64": "long",
    "float": "double",
    "Decimal128": "decimal",
    "datetime": "date",
    "DatetimeMS": "date",
    "Timestamp": "timestamp",
    "ObjectId": "objectId",
    "bytes": "binData",
    "Binary": "binData",
    "UUID": "binData",
    "Regex": "regex",
    "Code": "javascript",
    "MinKey": "minKey",
    "MaxKey": "maxKey",
    "list": "array",
    "NoneType": "null",
}
_FAMILIES = {
    "string": Family.TEXT,
    "javascript": Family.TEXT,
    "bool": Family.BOOLEAN,
    "int": Family.NUMBER,
    "long": Family.NUMBER,
    "double": Family.NUMBER,
    "decimal": Family.NUMBER,
    "date": Family.TIME,
}
#: Whole numbers of either width are one type: drivers choose by size.
_WHOLE = frozenset({"int", "long"})
#: Up to here every whole number has a double of its own.
_EXACT = 2.0**53


def kind(value: object) -> str:
    """The server's word for its type."""
    name = type(value).__name__
    return _TYPES.get(name) or ("object" if isinstance(value, dict) else name)


def retyped(was: str, now: str) -> bool:
    """Whether two types are different ones."""
    return was != now and not {was, now} <= _WHOLE


def opened(value: Any) -> Any:  # noqa: ANN401 - what a document may hold
    """A value to be gone into: a DBRef is an object with the fields that it is stored with."""
    return value.as_doc() if type(value).__name__ == "DBRef" else value


def text(value: Any) -> str | None:  # noqa: ANN401 - what a document may hold
    """A single value as text, the same for the same value of another type; ``None`` for null."""
    if value is None or isinstance(value, str):
        return value
    match kind(value):
        case "bool":
            return "true" if value else "false"
        case "double":
            return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)
        case "date":
            return value.astimezone(UTC).replace(tzinfo=None).isoformat() if isinstance(value, datetime) else str(int(value))
        case "binData":
            return value.hex() if isinstance(value, bytes) else str(value)
        case "regex":
            return f"/{value.pattern}/{value.flags}"
    return str(value)


def became(old: Any, new: Any) -> Loss | None:  # noqa: ANN401 - what a document may hold
    """What became of a single value that is another single value now; ``None`` where it is the same one."""
    was, now = text(old), text(new)
    if was is None or was == now or ("date" in (kind(old), kind(new)) and _moment(old) == _moment(new) is not None):
        return None
    found = loss(was, now, *(_FAMILIES.get(kind(one), Family.OTHER) for one in (old, new)))
    return Loss.ROUNDED if found is Loss.OTHER and _nearest(old, new) else found


def _moment(value: Any) -> float | None:  # noqa: ANN401 - what a document may hold
    """A date, or a number that may be one, in milliseconds since 1970, as the server keeps dates."""
    if kind(value) == "date":
        return value.timestamp() * 1000 if isinstance(value, datetime) else float(int(value))
    return float(value) if kind(value) in ("int", "long", "double") else None


def _nearest(old: object, new: object) -> bool:
    """Whether a number is a double now that is the nearest to it: beyond 2^53 not all whole numbers have one."""
    if not isinstance(new, float) or _FAMILIES.get(kind(old)) is not Family.NUMBER:
        return False
    try:
        return not isinstance(old, float) and float(Decimal(str(old))) == new
    except ValueError:  # no number that can be reckoned with
        return False


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401 - what a document may hold
    """The single values in a value, that are not null, with where they lie in it; what is too deep is one value."""
    value = opened(value)
    if len(path) < DEEPEST and isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, (*path, name))
    elif len(path) < DEEPEST and isinstance(value, list):
        for one in value:
            yield from leaves(one, (*path, Within.EACH))
    elif value is not None and value not in ({}, []):
        yield path, value


def same(old: Any, new: Any) -> bool:  # noqa: ANN401 - what a document may hold
    """Whether two values are surely the same, of the same types at every depth."""
    of = type(old)
    if of is not type(new) or old != new:
        return False
    if of is dict:
        return all(same(value, new[name]) for name, value in old.items())
    return of is not list or all(map(same, old, new))


def exact(value: Any) -> bytes:  # noqa: ANN401 - what a document may hold
    """A value as the server keeps it."""
    encode, known = _encoding()
    found: bytes = encode({"": value}, codec_options=known)
    return found


@cache
def _encoding() -> tuple[Callable[..., bytes], Any]:
    from bson import encode

    return encode, options()


@cache
def options() -> Any:  # noqa: ANN401 - of bson, which is not loaded at import
    """Values as they are stored: dates that Python has no name for as numbers, text that is no UTF-8 with U+FFFD."""
    from bson.binary import UuidRepresentation
    from bson.codec_options import CodecOptions, DatetimeConversion

    return CodecOptions(
        datetime_conversion=DatetimeConversion.DATETIME_AUTO,
        unicode_decode_error_handler="replace",
        uuid_representation=UuidRepresentation.STANDARD,
        tz_aware=True,
    )
