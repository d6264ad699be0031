"""What values break a schema: for each of its keywords a schema of those that do not satisfy it, the nearest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, islice, product
from typing import Any

from checks.jsonschema.bson_types import NUMBERS, named, others
from checks.jsonschema.matching import Schema
from checks.rows.patterns import regular

#: The types that are most easily taken for each other, which so are tried first.
_NEAR: Mapping[str, tuple[str, ...]] = {
    "int": ("long", "double", "string"),
    "long": ("int", "double", "string"),
    "double": ("int", "decimal", "string"),
    "decimal": ("double", "int", "string"),
    "date": ("string", "timestamp", "int"),
    "objectId": ("string", "object"),
    "string": ("null", "int", "object"),
    "bool": ("int", "string"),
    "object": ("string", "array"),
    "array": ("string", "object"),
    "null": ("string", "int"),
}
#: More ways than this to break several schemas at once are not thought of.
_WAYS = 24
#: A name for a field that no schema of anybody's speaks of.
STRANGER = "dbproof_{}"


def denials(schema: Schema) -> Iterator[Schema]:
    """Schemas each of whose values break the given one, keyword by keyword."""
    for keyword in schema:
        yield from denied(keyword, schema)


def denied(keyword: str, schema: Schema) -> Iterator[Schema]:
    """Schemas of values that break one keyword (with those beside it that it depends on); nothing where none can."""
    deny = _DENIED.get(keyword)
    if deny is not None:
        yield from deny(schema[keyword], schema)


def stranger(schema: Schema, fits: Callable[[str, str], bool]) -> str:
    """A name that is neither a property's nor fits a pattern for names."""
    for number in range(1000):
        name = STRANGER.format(number) if number < 100 else f"{chr(0x4E00 + number)}"
        if name not in schema.get("properties", {}) and not any(fits(one, name) for one in schema.get("patternProperties", {})):
            return name
    return ""


def name_for(pattern: str, fits: Callable[[str, str], bool], taken: Sequence[str] = ()) -> str:
    """A name that fits a pattern for names and is not taken; empty where none is known."""
    texts = [text + more for text in (*regular(pattern), pattern) for more in ("", "a", "_1", "0")]
    return next((text for text in texts if text and "\0" not in text and text not in taken and fits(pattern, text)), "")


def _types(value: Any, _: Schema) -> Iterator[Schema]:  # noqa: ANN401 - a type, or several
    mine = named(value)
    left = others(mine)
    near = tuple(dict.fromkeys(kin for name in mine for kin in _NEAR.get(name, ()) if kin in left))
    ordered = (*near, *(name for name in left if name not in near))
    if ordered:
        yield {"bsonType": list(ordered)}


def _enum(value: Sequence[Any], _: Schema) -> Iterator[Schema]:
    yield {"$notIn": list(value), "$near": list(value)}


def _not_in(value: Sequence[Any], _: Schema) -> Iterator[Schema]:
    yield {"enum": list(value)}


def _bound(low: bool) -> Callable[[Any, Schema], Iterator[Schema]]:
    def deny(value: Any, schema: Schema) -> Iterator[Schema]:  # noqa: ANN401 - a number
        exclusive = bool(schema.get("exclusiveMinimum" if low else "exclusiveMaximum"))
        other = "maximum" if low else "minimum"
        yield {"bsonType": list(NUMBERS), other: value, f"exclusive{other.capitalize()}": not exclusive}

    return deny


def _any_bound(value: Sequence[tuple[Any, bool, bool]], _: Schema) -> Iterator[Schema]:
    for bound, low, exclusive in value:
        yield {"$bound": [(bound, not low, not exclusive)]}


def _kind(kind: str | Sequence[str], keyword: str, change: Callable[[Any], Any]) -> Callable[[Any, Schema], Iterator[Schema]]:
    def deny(value: Any, _: Schema) -> Iterator[Schema]:  # noqa: ANN401 - the keyword's
        yield {"bsonType": kind, keyword: change(value)}

    return deny


def _fewer(kind: str, keyword: str) -> Callable[[int, Schema], Iterator[Schema]]:
    def deny(value: int, _: Schema) -> Iterator[Schema]:
        if value > 0:
            yield {"bsonType": kind, keyword: value - 1}

    return deny


def _pattern(keyword: str) -> Callable[[str, Schema], Iterator[Schema]]:
    def deny(value: str, schema: Schema) -> Iterator[Schema]:
        yield {"bsonType": "string", keyword: value, **{name: schema[name] for name in ("$options",) if name in schema}}

    return deny


def _required(value: Sequence[str], _: Schema) -> Iterator[Schema]:
    for name in value:
        yield {"bsonType": "object", "$absent": [name]}


def _absent(value: Sequence[str], _: Schema) -> Iterator[Schema]:
    for name in value:
        yield with_field(name, {})


def with_field(name: str, schema: Schema) -> Schema:
    """An object whose field of that name is there and satisfies a schema."""
    return {"required": [name], "properties": {name: schema}, "bsonType": "object"}


def _properties(value: Mapping[str, Schema], _: Schema) -> Iterator[Schema]:
    for name, inner in value.items():
        for wrong in denials(inner):
            yield with_field(name, wrong)


def _pattern_properties(value: Mapping[str, Schema], _: Schema) -> Iterator[Schema]:
    for pattern, inner in value.items():
        for wrong in denials(inner):
            yield {"bsonType": "object", "$named": [(pattern, wrong)]}


def _additional_properties(value: Any, schema: Schema) -> Iterator[Schema]:  # noqa: ANN401 - a truth or a schema
    if value is True:
        return
    known = names_of(schema)
    for wrong in [{}] if value is False else denials(value):
        yield {"bsonType": "object", "$stranger": [(known, wrong)]}


def names_of(schema: Schema) -> Schema:
    """A schema that knows the same fields, and asks nothing of them."""
    return {keyword: {name: {} for name in schema.get(keyword, ())} for keyword in ("properties", "patternProperties")}


def _dependencies(value: Mapping[str, Any], _: Schema) -> Iterator[Schema]:
    for name, needed in value.items():
        for wrong in denials(needed) if isinstance(needed, Mapping) else [{"$absent": [one]} for one in needed]:
            yield {"allOf": [with_field(name, {}), wrong]}


def _items(value: Any, _: Schema) -> Iterator[Schema]:  # noqa: ANN401 - a schema or several
    if isinstance(value, Mapping):
        for wrong in denials(value):
            yield {"bsonType": "array", "$some": wrong}
        return
    for number, inner in enumerate(value):
        for wrong in denials(inner):
            yield {"bsonType": "array", "$at": {number: wrong}}


def _some(value: Schema, _: Schema) -> Iterator[Schema]:
    for wrong in denials(value):
        yield {"bsonType": "array", "items": wrong}


def _additional_items(value: Any, schema: Schema) -> Iterator[Schema]:  # noqa: ANN401 - a truth or a schema
    items = schema.get("items")
    if value is True or not isinstance(items, list | tuple):
        return
    for wrong in [{}] if value is False else denials(value):
        yield {"bsonType": "array", "$at": {len(items): wrong}}


def _unique_items(value: bool, _: Schema) -> Iterator[Schema]:
    if value:
        yield {"bsonType": "array", "$repeated": True}


def _all_of(value: Sequence[Schema], _: Schema) -> Iterator[Schema]:
    for one in value:
        yield from denials(one)


def _any_of(value: Sequence[Schema], _: Schema) -> Iterator[Schema]:
    """All of them have to be broken; the schemas that do this are put side by side."""
    listed = [list(islice(denials(one), _WAYS)) for one in value]
    numbers = islice(product(*(range(len(ways)) for ways in listed)), _WAYS**2)
    for chosen in sorted(numbers, key=sum)[: 2 * _WAYS]:  # the nearest of each first
        yield {"allOf": [ways[number] for ways, number in zip(listed, chosen, strict=True)]}


def _one_of(value: Sequence[Schema], schema: Schema) -> Iterator[Schema]:
    yield from _any_of(value, schema)
    for one, other in combinations(value, 2):
        yield {"allOf": [one, other]}


def _not(value: Schema, _: Schema) -> Iterator[Schema]:
    yield value


_DENIED: Mapping[str, Callable[[Any, Schema], Iterator[Schema]]] = {
    "bsonType": _types,
    "type": _types,
    "enum": _enum,
    "$notIn": _not_in,
    "minimum": _bound(low=True),
    "maximum": _bound(low=False),
    "$bound": _any_bound,
    "multipleOf": _kind(NUMBERS, "$notMultiple", lambda value: value),
    "$notMultiple": _kind(NUMBERS, "multipleOf", lambda value: value),
    "minLength": _fewer("string", "maxLength"),
    "maxLength": _kind("string", "minLength", lambda value: value + 1),
    "pattern": _pattern("$notPattern"),
    "$notPattern": _pattern("pattern"),
    "required": _required,
    "$absent": _absent,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "dependencies": _dependencies,
    "minProperties": _fewer("object", "maxProperties"),
    "maxProperties": _kind("object", "minProperties", lambda value: value + 1),
    "items": _items,
    "$some": _some,
    "additionalItems": _additional_items,
    "minItems": _fewer("array", "maxItems"),
    "maxItems": _kind("array", "minItems", lambda value: value + 1),
    "uniqueItems": _unique_items,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
}
