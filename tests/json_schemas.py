"""Schemas of documents, drawn at random: every keyword of ``$jsonSchema``, alone and together."""

from __future__ import annotations

from typing import Any

from bson import Decimal128, Int64
from hypothesis import strategies as st

from checks.jsonschema.bson_types import TYPES

NAMES = st.sampled_from(["a", "b", "x y", "é", "d1", "$f", 'q"%s\n'])
FEW = st.integers(0, 4)
NUMBERS = st.one_of(st.integers(-5, 5), st.sampled_from([0.5, 2.5, Int64(7), Decimal128("1.25")]))
VALUES = st.one_of(NUMBERS, st.sampled_from(["", "a", "abc", None, True, {"k": 1}, [1]]))
PATTERNS = st.sampled_from(["^a", "b$", "^[a-z]{2,4}$", "^INV-[0-9]{6}$", "^(x|y)+$", ".+", "^\\S+@\\S+$", "^\\d{3}$", "\\p{L}"])
KINDS = st.sampled_from([*TYPES, "number"])
SEVERAL = st.lists(KINDS, min_size=1, max_size=3, unique=True)
LISTED = st.lists(NAMES, min_size=1, max_size=2, unique=True)


def some(**keywords: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A schema with some of these keywords."""
    return st.fixed_dictionaries({}, optional=keywords)


PLAIN = some(
    bsonType=st.one_of(KINDS, SEVERAL),
    enum=st.lists(VALUES, min_size=1, max_size=3, unique_by=repr),
    minimum=NUMBERS,
    maximum=NUMBERS,
    multipleOf=st.sampled_from([2, 3, 0.5]),
    minLength=FEW,
    maxLength=FEW,
    pattern=PATTERNS,
).filter(lambda schema: len(schema) <= 3)


def around(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of objects and arrays, and several together."""
    objects = some(
        bsonType=st.just("object"),
        required=LISTED,
        properties=st.dictionaries(NAMES, inner, max_size=3),
        patternProperties=st.dictionaries(st.sampled_from(["^d", "^[x-z]", "é"]), inner, max_size=2),
        additionalProperties=st.one_of(st.booleans(), inner),
        dependencies=st.dictionaries(NAMES, st.one_of(LISTED, inner), min_size=1, max_size=2),
        minProperties=FEW,
        maxProperties=st.integers(1, 5),
    )
    arrays = some(
        bsonType=st.just("array"),
        items=st.one_of(inner, st.lists(inner, min_size=1, max_size=2)),
        additionalItems=st.one_of(st.booleans(), inner),
        minItems=FEW,
        maxItems=FEW,
        uniqueItems=st.booleans(),
    )
    lists = st.lists(inner, min_size=1, max_size=2)
    together = st.one_of(*(st.fixed_dictionaries({word: lists}) for word in ("allOf", "anyOf", "oneOf")))
    return st.one_of(objects, arrays, together, st.fixed_dictionaries({"not": inner}), st.tuples(objects, together).map(_merged))


def _merged(both: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    return {**both[0], **both[1]}


ROOTS = st.tuples(
    st.fixed_dictionaries(
        {"properties": st.dictionaries(NAMES, st.recursive(PLAIN, around, max_leaves=6), min_size=1, max_size=3)}
    ),
    some(required=LISTED, minProperties=FEW, dependencies=st.dictionaries(NAMES, LISTED, min_size=1, max_size=1)),
).map(_merged)
