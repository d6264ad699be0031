"""Queries as schemas: what a validator asks in MongoDB's query language, as far as a schema can say it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from re import Pattern
from typing import Any

from bson import Regex

from checks.jsonschema.bson_types import NUMBERS, type_of
from checks.jsonschema.denials import with_field
from checks.jsonschema.matching import Schema

#: Types by the numbers that a query may name them by (BSON's specification).
_BY_NUMBER = {
    1: "double", 2: "string", 3: "object", 4: "array", 5: "binData", 7: "objectId", 8: "bool", 9: "date", 10: "null",
    11: "regex", 13: "javascript", 15: "javascriptWithScope", 16: "int", 17: "timestamp", 18: "long", 19: "decimal", -1: "minKey",
    127: "maxKey",
}  # fmt: skip
_NEVER: Schema = {"bsonType": []}


class Unsaid(ValueError):
    """A query that no schema says."""


def schema_of(query: Mapping[str, Any]) -> Schema:
    """A schema whose values match the query; an array counts by its elements, as in a query. Raises Unsaid."""
    return {"allOf": [_clause(name, value) for name, value in query.items()]}


def _clause(name: str, value: Any) -> Schema:  # noqa: ANN401 - whatever a query holds
    match name:
        case "$jsonSchema":
            return dict(value)
        case "$and":
            return {"allOf": [schema_of(one) for one in value]}
        case "$or":
            return {"anyOf": [schema_of(one) for one in value]}
        case "$nor":
            return {"not": {"anyOf": [schema_of(one) for one in value]}}
        case "$comment" | "$alwaysTrue":
            return {}
        case "$alwaysFalse":
            return _NEVER
    if name.startswith("$"):
        raise Unsaid(name)
    return _condition(name.split("."), value)


def _condition(path: Sequence[str], asked: Any) -> Schema:  # noqa: ANN401 - a value, or operators
    if not _is_operators(asked):
        return _found(path, "$eq", asked)
    beside = {"$options": asked["$options"]} if "$options" in asked else {}
    return {"allOf": [_found(path, name, value, beside) for name, value in asked.items() if name != "$options"]}


def _is_operators(asked: Any) -> bool:  # noqa: ANN401 - a value, or operators
    return isinstance(asked, Mapping) and bool(asked) and all(str(name).startswith("$") for name in asked) and "$ref" not in asked


def _found(path: Sequence[str], operator: str, value: Any, beside: Schema | None = None) -> Schema:  # noqa: ANN401 - any value
    """What the document has to be so that the field at the path does what the operator asks."""
    if operator in ("$ne", "$nin"):
        return {"not": _found(path, "$eq" if operator == "$ne" else "$in", value)}
    if operator == "$not":
        inner = {"$regex": value} if isinstance(value, Regex | Pattern) else value
        return {"not": _condition(path, inner)}
    if operator == "$exists":
        there = _at(path, {})
        return there if value else {"not": there}
    if (operator == "$eq" and value is None) or (operator == "$in" and None in value):
        missing: Schema = {"not": _at(path, {})}
        return {"anyOf": [missing, _at(path, {"enum": [None]}), *_rest(path, operator, value)]}
    leaf = _leaf(operator, value, beside or {})
    return _at(path, leaf if operator in _OF_ARRAYS else _or_an_element(leaf))


def _rest(path: Sequence[str], operator: str, value: Any) -> Iterator[Schema]:  # noqa: ANN401 - any value
    left = [one for one in value if one is not None] if operator == "$in" else []
    if left:
        yield _at(path, _or_an_element(_leaf("$in", left, {})))


def _at(path: Sequence[str], leaf: Schema) -> Schema:
    """A document in which the field at the path is there and satisfies a schema; on the way arrays may stand."""
    first, *more = path
    if not more:
        return with_field(first, leaf)
    return with_field(first, _or_an_element(_at(more, leaf)))


def _or_an_element(leaf: Schema) -> Schema:
    return {"anyOf": [leaf, {"bsonType": "array", "$some": leaf}]}


def _leaf(operator: str, value: Any, beside: Schema) -> Schema:  # noqa: ANN401 - any value
    make = _OPERATORS.get(operator) or _OF_ARRAYS.get(operator)
    if make is None:
        raise Unsaid(operator)
    made = make(value)
    return {**made, **beside} if operator == "$regex" else made


def _equal(value: Any) -> Schema:  # noqa: ANN401 - any value
    return _regex(value) if isinstance(value, Regex | Pattern) else {"enum": [value]}


def _among(values: Sequence[Any]) -> Schema:
    patterns = [_regex(value) for value in values if isinstance(value, Regex | Pattern)]
    plain = [value for value in values if not isinstance(value, Regex | Pattern)]
    return {"anyOf": [{"enum": plain}, *patterns]} if patterns else {"enum": plain}


def _regex(value: Any) -> Schema:  # noqa: ANN401 - a text, or an expression with flags
    if isinstance(value, str):
        return {"bsonType": "string", "pattern": value}
    plain = Regex.from_native(value) if isinstance(value, Pattern) else value
    flags = "".join(letter for letter, flag in (("i", 2), ("m", 8), ("s", 16), ("x", 64)) if plain.flags & flag)
    return {"bsonType": "string", "pattern": plain.pattern, **({"$options": flags} if flags else {})}


def _bound(*, low: bool, exclusive: bool) -> Callable[[Any], Schema]:
    def make(value: Any) -> Schema:  # noqa: ANN401 - any value
        kind = type_of(value)
        if kind in ("object", "array", "null", "bool"):
            raise Unsaid("a comparison with such a value")
        return {"$bound": [(value, low, exclusive)], "bsonType": list(NUMBERS) if kind in NUMBERS else [kind]}

    return make


def _type(value: Any) -> Schema:  # noqa: ANN401 - a name, a number or several
    listed = value if isinstance(value, list | tuple) else [value]
    return {"bsonType": [one if isinstance(one, str) else _BY_NUMBER.get(int(one), "undefined") for one in listed]}


def _modulo(value: Sequence[Any]) -> Schema:
    divisor, rest = value
    if rest != 0:
        raise Unsaid("$mod")
    return {"multipleOf": divisor, "bsonType": list(NUMBERS)}


def _element(value: Mapping[str, Any]) -> Schema:
    inner = _condition(["_"], value)["allOf"] if _is_operators(value) else None
    if inner is None:
        return {"bsonType": "array", "$some": schema_of(value)}
    return {"bsonType": "array", "$some": {"allOf": [_leaf(name, one, {}) for name, one in value.items()]}}


_OPERATORS: Mapping[str, Callable[[Any], Schema]] = {
    "$eq": _equal,
    "$in": _among,
    "$gt": _bound(low=True, exclusive=True),
    "$gte": _bound(low=True, exclusive=False),
    "$lt": _bound(low=False, exclusive=True),
    "$lte": _bound(low=False, exclusive=False),
    "$type": _type,
    "$regex": _regex,
    "$mod": _modulo,
}
_OF_ARRAYS: Mapping[str, Callable[[Any], Schema]] = {
    "$size": lambda value: {"bsonType": "array", "minItems": int(value), "maxItems": int(value)},
    "$all": lambda value: {"allOf": [{"bsonType": "array", "$some": {"enum": [one]}} for one in value]},
    "$elemMatch": _element,
}
