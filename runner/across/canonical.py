"""Keys of any engine as text, so that what means the same is the same."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation

_UUID = re.compile(r"\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?", re.IGNORECASE)
_PLAIN = re.compile(r"-?[1-9][0-9]*|0")


def text(key: str) -> str:
    """A text; one that is a UUID in any of its spellings as PostgreSQL writes it."""
    return str(uuid.UUID(key)) if len(key) in _LENGTHS and _UUID.fullmatch(key) else key


#: How long a UUID is: bare, with hyphens, and either in braces.
_LENGTHS = frozenset({32, 34, 36, 38})


def number(key: str) -> str:
    """A number without what does not count: ``42`` for ``42.00`` and ``4.2e1``."""
    if _PLAIN.fullmatch(key):
        return key
    try:
        found = Decimal(key)
    except InvalidOperation:
        return key
    if not found.is_finite():
        return key
    return format(found.quantize(Decimal(1)) if found == found.to_integral_value() else found.normalize(), "f")


#: How the text of a column is read, by the family of its type.
OF_FAMILY: dict[str, Callable[[str], str]] = {"number": number}


def value(key: object) -> str:
    """A value of a document: numbers as numbers, ObjectIds and UUIDs as their text, anything else as JSON."""
    match key:
        case bool():
            return str(key).lower()
        case str():
            return text(key)
        case int() | float() | Decimal():
            return number(str(key))
        case uuid.UUID():
            return str(key)
        case datetime():
            return key.isoformat(sep=" ")
        case bytes():
            return _bytes(key)
        case dict() | list():
            return json.dumps(key, default=str, sort_keys=True)
    return number(str(key)) if type(key).__name__ == "Decimal128" else str(key)


def _bytes(key: bytes) -> str:
    """Sixteen bytes that say they are a UUID are one (BSON's subtypes 3 and 4)."""
    is_uuid = len(key) == 16 and getattr(key, "subtype", None) in (3, 4)
    return str(uuid.UUID(bytes=bytes(key))) if is_uuid else key.hex()
