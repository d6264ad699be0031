"""A schema within another: where it stands, what is left of the whole without it, and the schemas below its keywords."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checks.jsonschema.denials import names_of, with_field
from checks.jsonschema.matching import Schema

#: Puts another schema in the place of an inner one; makes a schema of the whole document from one of an inner value.
Put = Callable[[Schema], Schema]
#: Puts a schema among others, of which there may be none.
Place = Callable[[Any], Callable[[Schema], Any]]

_ANYTHING: Schema = {}


@dataclass(frozen=True)
class Inner:
    """A schema within another.

    ``put`` gives the whole with another in its place, ``only`` the whole with nothing else than that, and ``wrap`` a schema of
    ours that says something of what it is about.
    """

    schema: Schema
    put: Put
    only: Put
    wrap: Put
    path: str
    hints: Sequence[Any]

    def below(self, path: str, schema: Schema, keyword: str, place: Place, wrap: Put) -> Inner:
        """What stands deeper, under a keyword: ``place`` puts it there, beside the others of that keyword."""
        value = self.schema[keyword]

        def put(inner: Schema) -> Schema:
            return self.put({**self.schema, keyword: place(value)(inner)})

        def only(inner: Schema) -> Schema:
            return self.only({**goes_by(keyword, self.schema), keyword: place(_emptied(value))(inner)})

        return Inner(schema, put, only, lambda wrong: self.wrap(wrap(wrong)), path, self.hints)

    def without(self, *keywords: str) -> Schema:
        """The whole schema without some keywords of this one."""
        return self.put({name: value for name, value in self.schema.items() if name not in keywords})


def outermost(schema: Schema, hints: Sequence[Any]) -> Inner:
    """The whole schema, as one within nothing."""
    return Inner(schema, _itself, _itself, _itself, "", hints)


def _itself(schema: Schema) -> Schema:
    return schema


def _emptied(value: Any) -> Any:  # noqa: ANN401 - schemas by name, or several
    """Schemas of the same names and number that ask nothing."""
    return dict.fromkeys(value, _ANYTHING) if isinstance(value, Mapping) else [_ANYTHING for _ in value]


def goes_by(keyword: str, schema: Schema) -> Schema:
    """What a keyword goes by: the names that it does not mean, the elements that come before."""
    if keyword == "additionalProperties":
        return names_of(schema)
    return {"items": _emptied(schema["items"])} if keyword == "additionalItems" else {}


def below(inner: Inner, keyword: str, value: Any) -> Iterator[Inner]:  # noqa: ANN401 - the keyword's
    """The schemas that stand under a keyword."""
    """The schemas that stand under a keyword, all of which have to be satisfied."""
    path, schema = inner.path, inner.schema
    match keyword, value:
        case "properties", Mapping():
            for name, one in value.items():
                yield inner.below(dotted(path, name), one, keyword, _within(name), _field(name))
        case "patternProperties", Mapping():
            for name, one in value.items():
                yield inner.below(dotted(path, f"/{name}/"), one, keyword, _within(name), _named(name))
        case "additionalProperties", Mapping():
            yield inner.below(dotted(path, "*"), value, keyword, _there, _stranger(schema))
        case "allOf", list():
            for number, one in enumerate(value):
                yield inner.below(path, one, keyword, _nth(number), lambda wrong: wrong)
        case _:
            yield from _below_items(inner, keyword, value)


def _below_items(inner: Inner, keyword: str, value: Any) -> Iterator[Inner]:  # noqa: ANN401 - the keyword's
    path, schema = inner.path, inner.schema
    match keyword, value:
        case "items", Mapping():
            yield inner.below(f"{path}[]", value, keyword, _there, lambda wrong: {"bsonType": "array", "$some": wrong})
        case "items", list():
            for number, one in enumerate(value):
                yield inner.below(f"{path}[{number}]", one, keyword, _nth(number), _element(number))
        case "additionalItems", Mapping() if isinstance(schema.get("items"), list):
            yield inner.below(f"{path}[*]", value, keyword, _there, _element(len(schema["items"])))


def _within(name: str) -> Place:
    return lambda others: lambda inner: {**others, name: inner}


def _nth(number: int) -> Place:
    return lambda others: lambda inner: [*others[:number], inner, *others[number + 1 :]]


def _there(_: Any) -> Callable[[Schema], Any]:  # noqa: ANN401 - what stands there otherwise
    return _itself


def _field(name: str) -> Put:
    return lambda wrong: with_field(name, wrong)


def _named(pattern: str) -> Put:
    return lambda wrong: {"bsonType": "object", "$named": [(pattern, wrong)]}


def _stranger(schema: Schema) -> Put:
    return lambda wrong: {"bsonType": "object", "$stranger": [(names_of(schema), wrong)]}


def _element(number: int) -> Put:
    return lambda wrong: {"bsonType": "array", "$at": {number: wrong}}


def dotted(path: str, name: str) -> str:
    """The path of a field below another: ``lines[].units``."""
    return f"{path}.{name}" if path else name
