"""Whether a validator says of which types a field may be, so that whatever types it has are meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checks.pipelines.paths import Path, Within, dotted

#: Keywords that say a type, or leave it to others that do.
_TYPED = frozenset({"bsonType", "type", "enum", "anyOf", "oneOf", "allOf", "not"})
_BRANCHES = ("allOf", "anyOf", "oneOf")

Schema = Mapping[str, Any]


def says_types(validator: Mapping[str, Any], path: Path) -> bool:
    """Whether it names types for the field; alternatives count, whichever of them a document takes."""
    plain = dotted(path)
    for clause in _clauses(validator):
        if any(_typed(schema) for schema in _at(clause.get("$jsonSchema", {}), path)):
            return True
        if plain is not None and "$type" in _mapping(clause.get(plain)):
            return True
    return False


def schemas(validator: Mapping[str, Any]) -> Iterator[Schema]:
    """The JSON Schemas of a validator, all of which hold."""
    for clause in _clauses(validator):
        if isinstance(clause.get("$jsonSchema"), Mapping):
            yield clause["$jsonSchema"]


def _clauses(validator: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield validator
    for name in ("$and", "$or"):
        for clause in validator.get(name, ()):
            yield from _clauses(clause)


def _at(schema: object, path: Path) -> Iterator[Schema]:
    """What stands of a field in a schema, in each of its branches."""
    if not isinstance(schema, Mapping):
        return
    for name in _BRANCHES:
        for branch in schema.get(name, ()):
            yield from _at(branch, path)
    if not path:
        yield schema
        return
    for inner in _inside(schema, path[0]):
        yield from _at(inner, path[1:])


def _inside(schema: Schema, step: str | Within) -> Iterator[object]:
    if step is Within.EACH:
        items = schema.get("items")
        yield from items if isinstance(items, Sequence) else [items]
        yield schema.get("additionalItems")
    elif step is Within.ANY:
        yield schema.get("additionalProperties")
        yield from _mapping(schema.get("patternProperties")).values()
    else:
        yield from _named(schema, str(step))


def _named(schema: Schema, name: str) -> Iterator[object]:
    own = _mapping(schema.get("properties"))
    patterns = [inner for pattern, inner in _mapping(schema.get("patternProperties")).items() if _found(pattern, name)]
    if name in own or patterns:
        yield from (own.get(name), *patterns)
    else:
        yield schema.get("additionalProperties")


def _found(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:  # the server's expressions are not all Python's
        return True


def _typed(schema: Schema) -> bool:
    return bool(_TYPED & schema.keys())


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
