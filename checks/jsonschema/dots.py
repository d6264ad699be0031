"""Names with dots in schemas: where one stands under ``properties`` or ``required``, the server reads it as a path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checks.jsonschema.matching import Schema

#: Keywords under which schemas stand by name, in a list, and by themselves.
_BY_NAME = ("properties", "patternProperties", "dependencies")
_LISTED = ("allOf", "anyOf", "oneOf", "items")
_SINGLE = ("not", "additionalProperties", "additionalItems", "items")


def without_dots(schema: Schema) -> Schema:
    """A schema that says the same as the server reads, with sub-documents in the place of names with dots."""
    made = dict(schema)
    for keyword in _BY_NAME:
        if isinstance(made.get(keyword), Mapping):
            made[keyword] = {name: _inner(one) for name, one in made[keyword].items()}
    for keyword in (*_LISTED, *_SINGLE):
        if keyword in made:
            made[keyword] = [_inner(one) for one in made[keyword]] if isinstance(made[keyword], list) else _inner(made[keyword])
    for name in [one for one in made.get("required", ()) if "." in one]:
        _require(made, name)
    for name in [one for one in made.get("properties", ()) if "." in one]:
        _nest(made, name)
    return made


def _inner(value: Any) -> Any:  # noqa: ANN401 - a schema, or names
    return without_dots(value) if isinstance(value, Mapping) else value


def _require(schema: dict[str, Any], name: str) -> None:
    first, _, rest = name.partition(".")
    names = [one for one in schema["required"] if one != name]
    schema["required"] = names if first in names else [*names, first]
    _ask(schema, first, without_dots({"bsonType": "object", "required": [rest]}))


def _nest(schema: dict[str, Any], name: str) -> None:
    """The name stays known, so that a field that is called so is no additional one; what is asked, the path is asked."""
    first, _, rest = name.partition(".")
    asked = schema["properties"][name]
    schema["properties"] = {**schema["properties"], name: {}}
    if asked:
        _ask(schema, first, without_dots({"properties": {rest: asked}}))


def _ask(schema: dict[str, Any], name: str, asked: Schema) -> None:
    properties = dict(schema.get("properties", {}))
    there = properties.get(name)
    properties[name] = _joined(there, asked) if there else asked
    schema["properties"] = properties


def _joined(one: Schema, other: Schema) -> Schema:
    """Both schemas; of objects as one, as they would have been written."""
    if set(one) & set(other) <= {"properties", "required", "bsonType"} and one.get("bsonType", "object") == "object":
        required = list(dict.fromkeys([*one.get("required", ()), *other.get("required", ())]))
        properties = {**one.get("properties", {})}
        for name, inner in other.get("properties", {}).items():
            properties[name] = _joined(properties[name], inner) if properties.get(name) else inner
        return {
            **one,
            **other,
            **({"required": required} if required else {}),
            **({"properties": properties} if properties else {}),
        }
    return {"allOf": [one, other]}
