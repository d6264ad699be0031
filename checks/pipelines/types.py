"""Types of values, as the server names them (``$type``): which of them compare, and how they are listed."""

from __future__ import annotations

from collections.abc import Collection

_NUMBERS = frozenset({"int", "long", "double", "decimal"})
_TEXTS = frozenset({"string", "symbol"})


#: The driver's types by their names, so that nothing of it is imported.
_OF_DRIVER = {
    "str": "string", "int": "int", "Int64": "long", "float": "double", "Decimal128": "decimal", "ObjectId": "objectId",
    "bool": "bool", "datetime": "date", "DatetimeMS": "date", "dict": "object", "DBRef": "object", "list": "array",
    "bytes": "binData", "Binary": "binData", "UUID": "binData", "Regex": "regex", "Timestamp": "timestamp",
}  # fmt: skip


def type_of(value: object) -> str:
    """The type of a value that the driver read."""
    name = type(value).__name__
    return _OF_DRIVER.get(name, name)


def comparable(name: str) -> str:
    """The family of a type: values of two families are never equal (manual, "Comparison/Sort Order")."""
    return "number" if name in _NUMBERS else "string" if name in _TEXTS else name


def families(names: Collection[str]) -> frozenset[str]:
    """The families of several types."""
    return frozenset(map(comparable, names))


def listed(names: Collection[str]) -> str:
    """``int, long and string``."""
    *most, last = sorted(names)
    return f"{', '.join(most)} and {last}" if most else last
