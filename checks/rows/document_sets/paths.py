"""Fields by their paths: what schemas say of them, and where arrays stand on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from checks.declared.documents import Step
from checks.jsonschema.bson_types import named
from checks.jsonschema.matching import Schema


def arrays_of(ways: Iterable[Sequence[Step]]) -> frozenset[str]:
    """The paths at which arrays stand on the way to fields."""
    found: set[str] = set()
    for steps in ways:
        names: list[str] = []
        for step in steps:
            names.append(step.name)
            if step.each:
                found.add(".".join(names))
    return frozenset(found)


def kinds_of(schema: Schema, names: Sequence[str]) -> Sequence[str]:
    """The types that a schema names for a field, elements of arrays on the way meant."""
    if isinstance(schema.get("items"), Mapping) and not (names and names[0] in schema.get("properties", {})):
        return kinds_of(schema["items"], names)
    if not names:
        return named(schema.get("bsonType", schema.get("type", ())))
    return kinds_of(schema.get("properties", {}).get(names[0], {}), names[1:])


def knows(schema: Schema, path: str) -> bool:
    """Whether a schema speaks of a field by its name."""
    name, _, rest = path.partition(".")
    inner = schema.get("properties", {})
    if name in inner:
        return not rest or knows(inner[name], rest)
    return any(knows(one, path) for word in ("allOf", "anyOf", "oneOf") for one in schema.get(word, ()))
