"""Whether a validator can refuse a document at all: rules that nothing breaks are none.

A rule counts as one that can refuse unless it is plain that it cannot, so that no validator is called weak on a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: The field that every document has before a validator sees it.
_ID = "_id"
#: What every document is, by the two names that a schema has for it.
_OBJECT = "object"


def can_refuse(validator: Mapping[str, Any]) -> bool:
    """Whether some document breaks the validator, as far as its rules show."""
    return any(_clause(key, value) for key, value in validator.items())


def _clause(key: str, value: Any) -> bool:  # noqa: ANN401 - whatever a validator holds
    if key == "$jsonSchema":
        return not isinstance(value, Mapping) or _schema(value, whole=True)
    if key == "$and" and isinstance(value, Sequence):
        return any(map(can_refuse, value))
    if key == "$or" and isinstance(value, Sequence):
        return all(map(can_refuse, value))
    if key == "$expr":
        return value not in (True, 1)
    if key == _ID and value == {"$exists": True}:
        return False
    return key not in ("$comment", "$alwaysTrue")


def _schema(schema: Mapping[str, Any], *, whole: bool = False) -> bool:
    """Whether some value breaks a schema; ``whole`` says that it is of documents and not of a field."""
    return any(_keyword(key, value, whole) for key, value in schema.items())


def _keyword(key: str, value: Any, whole: bool) -> bool:  # noqa: ANN401
    if key in ("bsonType", "type") and whole:
        return _OBJECT not in ([value] if isinstance(value, str) else value)
    if key == "required" and whole:
        return any(name != _ID for name in value)
    return _JUDGED[key](value) if key in _JUDGED else True


def _inner(value: Any) -> bool:  # noqa: ANN401
    """Of what stands under a name: a schema, or whether anything may stand there."""
    return value is False or (isinstance(value, Mapping) and _schema(value))


def _properties(value: Mapping[str, Any]) -> bool:
    return any(map(_inner, value.values()))


def _listed(value: Any) -> bool:  # noqa: ANN401
    return any(map(_inner, value)) if isinstance(value, list | tuple) else _inner(value)


#: How keywords are judged; those that are not named can refuse something. An exclusive bound stands beside its bound.
_JUDGED: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("title", "description", "exclusiveMinimum", "exclusiveMaximum"), lambda _: False),
    **dict.fromkeys(("properties", "patternProperties"), _properties),
    **dict.fromkeys(("items", "additionalItems", "additionalProperties", "allOf"), _listed),
    "anyOf": lambda schemas: all(map(_inner, schemas)),
    "oneOf": lambda schemas: len(schemas) > 1 or _listed(schemas),
    "dependencies": bool,
    "required": bool,
    "uniqueItems": bool,
    **dict.fromkeys(("minLength", "minItems"), lambda least: least > 0),
    "minProperties": lambda least: least > 1,
}
