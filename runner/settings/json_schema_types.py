"""What the types and formats of JSON Schema are in BSON, and what else tells an ObjectId."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

#: The types of JSON Schema by their names in BSON. A driver stores a whole number as an int or a long.
TYPES: Mapping[str, tuple[str, ...]] = {
    "string": ("string",),
    "number": ("number",),
    "integer": ("int", "long"),
    "object": ("object",),
    "array": ("array",),
    "boolean": ("bool",),
    "null": ("null",),
}
#: How drivers and mappers store a text of a format: Beanie a date as midnight, a duration as seconds; a UUID may stay a text.
FORMATS: Mapping[str, tuple[str, ...]] = {
    "date-time": ("date",),
    "date": ("date",),
    "duration": ("number",),
    "uuid": ("binData", "string"),
    "binary": ("binData",),
    "regex": ("regex", "string"),
    "objectid": ("objectId",),
    "object-id": ("objectId",),
    "mongo-id": ("objectId",),
}
#: The patterns by which an ObjectId is told: 24 hexadecimal digits and nothing else.
_HEX_PATTERN = re.compile(r"\^\[(?:0-9|a-f|A-F|\\d|\\h)+\]\{24\}\$")
_HEX = re.compile(r"[0-9a-fA-F]{24}")


def is_object_id(schema: Schema) -> bool:
    """Whether a text is an ObjectId: by its format, by its pattern, or because every example is one (ODMantic prints no more)."""
    if schema.get("type") != "string":
        return False
    examples = [*schema.get("examples", ()), *([schema["example"]] if "example" in schema else [])]
    told = bool(examples) and all(isinstance(one, str) and _HEX.fullmatch(one) for one in examples)
    return told or bool(_HEX_PATTERN.fullmatch(str(schema.get("pattern", "")))) or schema.get("format") == "ObjectId"


def kinds_of(schema: Schema) -> list[str]:
    """The types that a schema for MongoDB names, none where it names none."""
    kinds = schema.get("bsonType", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def nullable(schema: Schema) -> dict[str, Any]:
    """The same that null passes as well."""
    kinds = kinds_of(schema)
    found = {**schema, "bsonType": [*(kind for kind in kinds if kind != "null"), "null"]} if kinds else dict(schema)
    return {**found, "enum": [*found["enum"], None]} if "enum" in found and None not in found["enum"] else found
