"""Whether a value satisfies a schema, as MongoDB would say (JSON Schema draft 4 with BSON's types), or a text fits a pattern.

Schemas of ours may hold a few keywords more, which say the opposite of the real ones:

- ``$absent``: none of these fields is there        - ``$notIn``: no value of these
- ``$notPattern``, ``$notMultiple``                 - ``$repeated``: two elements are equal
- ``$some``: an element satisfies this schema       - ``$at``: the element at a position does
- ``$bound``: ``(value, low, exclusive)`` of any kind of value, from a query
- ``$named``: a field whose name fits a pattern satisfies a schema; ``$stranger``: a field that a schema does not know does
- ``$options``: flags of the pattern beside it      - ``$prefer``: types to take where any will do
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any, TypeAlias

from checks.jsonschema.bson_types import NUMBERS, equal, is_multiple, is_within, named, type_of

Schema = Mapping[str, Any]
#: Says of a pattern, its flags and a text whether they fit, where that is not known here.
Fits = Callable[[str, str, str], bool]

#: What Python's expressions write in another way than PCRE.
_SPELLING = (
    (r"\z", r"\Z"), (r"\Z", r"(?=\n?\Z)"), (r"\h", r"[ \t]"), ("(?<", "(?P<"), ("(?P<=", "(?<="), ("(?P<!", "(?<!"),
    ("[:alpha:]", "a-zA-Z"), ("[:digit:]", "0-9"), ("[:alnum:]", "a-zA-Z0-9"), ("[:upper:]", "A-Z"), ("[:lower:]", "a-z"),
    ("[:space:]", r"\s"), ("[:xdigit:]", "0-9a-fA-F"), ("[:word:]", r"\w"), ("[:punct:]", r"!-/:-@\[-`{-~"),
)  # fmt: skip
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}


#: Says whether a value keeps a keyword: what it asks, the schema that it stands in, the value.
Keeps: TypeAlias = "Callable[[Matching, Any, Schema, Any], bool]"


class UnknownPattern(ValueError):
    """A regular expression that is only known to the server."""


@lru_cache(maxsize=4096)
def _compiled(pattern: str, options: str) -> re.Pattern[str]:
    flags = re.ASCII
    for letter in options:
        flags |= _FLAGS.get(letter, re.NOFLAG)
    spelled = pattern
    for theirs, ours in _SPELLING[:1] if r"\Z" not in pattern else _SPELLING[1:2]:
        spelled = spelled.replace(theirs, ours)
    for theirs, ours in _SPELLING[2:]:
        spelled = spelled.replace(theirs, ours)
    try:
        return re.compile(spelled, flags)
    except re.error as error:
        raise UnknownPattern(pattern) from error


def fits(pattern: str, options: str, text: str) -> bool:
    """Whether a pattern is found in a text; raises UnknownPattern for one that cannot be read here."""
    return _compiled(pattern, options).search(text) is not None


class Matching:
    """Says whether values satisfy schemas; ``ask`` is for patterns that only the server can read."""

    def __init__(self, ask: Fits | None = None) -> None:
        self._ask = ask

    def fits(self, pattern: str, options: str, text: str) -> bool:
        """Whether a pattern is found in a text."""
        try:
            return fits(pattern, options, text)
        except UnknownPattern:
            if self._ask is None:
                raise
            return self._ask(pattern, options, text)

    def __call__(self, schema: Schema, value: Any) -> bool:  # noqa: ANN401 - whatever a document holds
        """Whether the value satisfies every keyword; most say nothing of values of another type than theirs."""
        kind = type_of(value)
        for keyword, asked in schema.items():
            about, keeps = _KEYWORDS.get(keyword, _NOTHING)
            if (about is None or kind in about) and not keeps(self, asked, schema, value):
                return False
        return True

    def of_field(self, schema: Schema, name: str) -> Sequence[Schema | None]:
        """What a schema asks of a field of that name; ``None`` among it says that it may not be there."""
        asked: list[Schema | None] = []
        properties = schema.get("properties", {})
        if name in properties:
            asked.append(properties[name])
        asked += [one for pattern, one in schema.get("patternProperties", {}).items() if self.fits(pattern, "", name)]
        if not asked and "additionalProperties" in schema:
            others = schema["additionalProperties"]
            asked.append(None if others is False else {} if others is True else others)
        return asked


def of_element(schema: Schema, number: int) -> Sequence[Schema | None]:
    """What a schema asks of the element at a position; ``None`` among it says that there may be none."""
    items = schema.get("items")
    if items is None:
        return ()
    if isinstance(items, Mapping):
        return (items,)
    if number < len(items):
        return (items[number],)
    others = schema.get("additionalItems", True)
    return (None,) if others is False else () if others is True else (others,)


def _repeats(values: Sequence[Any]) -> bool:
    """Whether two elements are equal; of a long array of plain values in one go."""
    if all(type_of(value) == "string" for value in values):
        return len(set(values)) < len(values)
    return any(equal(one, other) for one, other in combinations(values, 2))


def _bound(low: bool) -> Keeps:
    exclusive = "exclusiveMinimum" if low else "exclusiveMaximum"
    return lambda _, asked, schema, value: bool(is_within(value, asked, low=low, exclusive=bool(schema.get(exclusive))))


def _bounds(_: Matching, asked: Any, __: Schema, value: Any) -> bool:  # noqa: ANN401 - whatever a document holds
    return all(is_within(value, bound, low=low, exclusive=exclusive) for bound, low, exclusive in asked)


def _pattern(wanted: bool) -> Keeps:
    return lambda matching, asked, schema, value: matching.fits(asked, schema.get("$options", ""), value) is wanted


def _properties(matching: Matching, asked: Any, _: Schema, value: Any) -> bool:  # noqa: ANN401 - whatever a document holds
    return all(matching(inner, value[name]) for name, inner in asked.items() if name in value)


def _pattern_properties(matching: Matching, asked: Any, _: Schema, value: Any) -> bool:  # noqa: ANN401 - as above
    fields = value.items()
    return all(
        matching(one, inner) for pattern, one in asked.items() for name, inner in fields if matching.fits(pattern, "", name)
    )


def _additional_properties(matching: Matching, asked: Any, schema: Schema, value: Any) -> bool:  # noqa: ANN401 - as above
    if asked is True:
        return True
    patterns, known = schema.get("patternProperties", ()), schema.get("properties", ())
    others = (name for name in value if name not in known and not any(matching.fits(one, "", name) for one in patterns))
    return all(asked is not False and matching(asked, value[name]) for name in others)


def _dependencies(matching: Matching, asked: Any, _: Schema, value: Any) -> bool:  # noqa: ANN401 - as above
    there = (needed for name, needed in asked.items() if name in value)
    return all(matching(one, value) if isinstance(one, Mapping) else all(name in value for name in one) for one in there)


def _named(matching: Matching, asked: Any, _: Schema, value: Any) -> bool:  # noqa: ANN401 - as above
    return all(
        any(matching.fits(pattern, "", name) and matching(one, inner) for name, inner in value.items()) for pattern, one in asked
    )


def _stranger(matching: Matching, asked: Any, _: Schema, value: Any) -> bool:  # noqa: ANN401 - as above
    return all(
        any(not matching.of_field(known, name) and matching(one, inner) for name, inner in value.items()) for known, one in asked
    )


def _items(matching: Matching, _: Any, schema: Schema, value: Any) -> bool:  # noqa: ANN401 - as above
    for number, element in enumerate(value):
        for one in of_element(schema, number):
            if one is None or not matching(one, element):
                return False
    return True


def _at(matching: Matching, asked: Any, _: Schema, value: Any) -> bool:  # noqa: ANN401 - as above
    return all(number < len(value) and matching(one, value[number]) for number, one in asked.items())


_NUMBERS, _STRING, _OBJECT, _ARRAY = frozenset(NUMBERS), frozenset({"string"}), frozenset({"object"}), frozenset({"array"})
_NOTHING: tuple[frozenset[str] | None, Keeps] = (frozenset(), lambda *_: True)

#: Of each keyword the types that it is about (``None`` for all), and whether a value keeps it.
_KEYWORDS: Mapping[str, tuple[frozenset[str] | None, Keeps]] = {
    "bsonType": (None, lambda _, asked, __, value: type_of(value) in named(asked)),
    "type": (None, lambda _, asked, __, value: type_of(value) in named(asked)),
    "enum": (None, lambda _, asked, __, value: any(equal(value, one) for one in asked)),
    "$notIn": (None, lambda _, asked, __, value: not any(equal(value, one) for one in asked)),
    "$bound": (None, _bounds),
    "allOf": (None, lambda matching, asked, _, value: all(matching(one, value) for one in asked)),
    "anyOf": (None, lambda matching, asked, _, value: any(matching(one, value) for one in asked)),
    "oneOf": (None, lambda matching, asked, _, value: sum(matching(one, value) for one in asked) == 1),
    "not": (None, lambda matching, asked, _, value: not matching(asked, value)),
    "minimum": (_NUMBERS, _bound(low=True)),
    "maximum": (_NUMBERS, _bound(low=False)),
    "multipleOf": (_NUMBERS, lambda _, asked, __, value: is_multiple(value, asked)),
    "$notMultiple": (_NUMBERS, lambda _, asked, __, value: not is_multiple(value, asked)),
    "minLength": (_STRING, lambda _, asked, __, value: len(value) >= asked),
    "maxLength": (_STRING, lambda _, asked, __, value: len(value) <= asked),
    "pattern": (_STRING, _pattern(wanted=True)),
    "$notPattern": (_STRING, _pattern(wanted=False)),
    "required": (_OBJECT, lambda _, asked, __, value: all(name in value for name in asked)),
    "$absent": (_OBJECT, lambda _, asked, __, value: all(name not in value for name in asked)),
    "properties": (_OBJECT, _properties),
    "patternProperties": (_OBJECT, _pattern_properties),
    "additionalProperties": (_OBJECT, _additional_properties),
    "dependencies": (_OBJECT, _dependencies),
    "minProperties": (_OBJECT, lambda _, asked, __, value: len(value) >= asked),
    "maxProperties": (_OBJECT, lambda _, asked, __, value: len(value) <= asked),
    "$named": (_OBJECT, _named),
    "$stranger": (_OBJECT, _stranger),
    "items": (_ARRAY, _items),
    "minItems": (_ARRAY, lambda _, asked, __, value: len(value) >= asked),
    "maxItems": (_ARRAY, lambda _, asked, __, value: len(value) <= asked),
    "uniqueItems": (_ARRAY, lambda _, asked, __, value: not asked or not _repeats(value)),
    "$repeated": (_ARRAY, lambda _, asked, __, value: not asked or _repeats(value)),
    "$at": (_ARRAY, _at),
    "$some": (_ARRAY, lambda matching, asked, _, value: any(matching(asked, one) for one in value)),
}
