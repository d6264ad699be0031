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
from typing import Any

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
        """Whether the value satisfies every keyword."""
        return self._any_kind(schema, value) and self._own_kind(schema, value)

    def _any_kind(self, schema: Schema, value: Any) -> bool:  # noqa: ANN401 - whatever a document holds
        for keyword in ("bsonType", "type"):
            if keyword in schema and type_of(value) not in named(schema[keyword]):
                return False
        if "enum" in schema and not any(equal(value, one) for one in schema["enum"]):
            return False
        if any(equal(value, one) for one in schema.get("$notIn", ())):
            return False
        for bound, low, exclusive in schema.get("$bound", ()):
            if not is_within(value, bound, low=low, exclusive=exclusive):
                return False
        if not all(self(one, value) for one in schema.get("allOf", ())):
            return False
        if "anyOf" in schema and not any(self(one, value) for one in schema["anyOf"]):
            return False
        if "oneOf" in schema and sum(self(one, value) for one in schema["oneOf"]) != 1:
            return False
        return "not" not in schema or not self(schema["not"], value)

    def _own_kind(self, schema: Schema, value: Any) -> bool:  # noqa: ANN401 - whatever a document holds
        kind = type_of(value)
        if kind in NUMBERS:
            return _number(schema, value)
        if kind == "string":
            return self._text(schema, value)
        if kind == "object":
            return self._object(schema, value)
        return kind != "array" or self._array(schema, value)

    def _text(self, schema: Schema, value: str) -> bool:
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            return False
        options = schema.get("$options", "")
        if "pattern" in schema and not self.fits(schema["pattern"], options, value):
            return False
        return "$notPattern" not in schema or not self.fits(schema["$notPattern"], options, value)

    def _object(self, schema: Schema, value: Mapping[str, Any]) -> bool:
        if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
            return False
        if any(name not in value for name in schema.get("required", ())) or any(
            name in value for name in schema.get("$absent", ())
        ):
            return False
        if not all(self._field(schema, name, inner) for name, inner in value.items()):
            return False
        if not all(self._has_named(pattern, one, value) for pattern, one in schema.get("$named", ())):
            return False
        if not all(self._has_stranger(known, one, value) for known, one in schema.get("$stranger", ())):
            return False
        return all(self._dependency(needed, value) for name, needed in schema.get("dependencies", {}).items() if name in value)

    def _dependency(self, needed: Any, value: Mapping[str, Any]) -> bool:  # noqa: ANN401 - fields, or a schema
        return self(needed, value) if isinstance(needed, Mapping) else all(name in value for name in needed)

    def _field(self, schema: Schema, name: str, value: Any) -> bool:  # noqa: ANN401 - whatever a document holds
        asked = list(self.of_field(schema, name))
        return None not in asked and all(self(one, value) for one in asked if one is not None)

    def _has_named(self, pattern: str, schema: Schema, value: Mapping[str, Any]) -> bool:
        return any(self.fits(pattern, "", name) and self(schema, inner) for name, inner in value.items())

    def _has_stranger(self, known: Schema, schema: Schema, value: Mapping[str, Any]) -> bool:
        return any(not self.of_field(known, name) and self(schema, inner) for name, inner in value.items())

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

    def _array(self, schema: Schema, value: Sequence[Any]) -> bool:
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            return False
        for number, element in enumerate(value):
            asked = of_element(schema, number)
            if None in asked or not all(self(one, element) for one in asked if one is not None):
                return False
        wanted = True if schema.get("$repeated") else False if schema.get("uniqueItems") else None
        if wanted is not None and _repeats(value) is not wanted:
            return False
        if any(number >= len(value) or not self(one, value[number]) for number, one in schema.get("$at", {}).items()):
            return False
        return "$some" not in schema or any(self(schema["$some"], element) for element in value)


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


def _number(schema: Schema, value: Any) -> bool:  # noqa: ANN401 - any number
    for keyword, low in (("minimum", True), ("maximum", False)):
        exclusive = bool(schema.get(f"exclusive{keyword.capitalize()}"))
        if keyword in schema and not is_within(value, schema[keyword], low=low, exclusive=exclusive):
            return False
    if "multipleOf" in schema and not is_multiple(value, schema["multipleOf"]):
        return False
    return "$notMultiple" not in schema or not is_multiple(value, schema["$notMultiple"])


def _repeats(values: Sequence[Any]) -> bool:
    """Whether two elements are equal; of a long array of plain values in one go."""
    if all(type_of(value) == "string" for value in values):
        return len(set(values)) < len(values)
    return any(equal(one, other) for one, other in combinations(values, 2))
