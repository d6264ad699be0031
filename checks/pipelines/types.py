"""Types of values, as the server names them (``$type``): which of them compare, and how they are listed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from checks.declared.documents import FieldPath
from checks.jsonschema.bson_types import named

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


def demanded(validator: Mapping[str, Any] | None, path: FieldPath) -> frozenset[str]:
    """The types that a validator's ``$jsonSchema`` lets a field have, null aside; none where it names none."""
    node: Any = (validator or {}).get("$jsonSchema")
    for step in path.steps:
        node = _inner(node, "properties", step.name)
        for _ in range(step.each):
            node = _inner(node, "items")
    words = node.get("bsonType", node.get("type", ())) if isinstance(node, Mapping) else ()
    return frozenset(named(words)) - {"null"}


def _inner(node: Any, *keys: str) -> Any:  # noqa: ANN401 - whatever a schema holds
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node
