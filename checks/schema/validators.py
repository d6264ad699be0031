"""Validators of collections: whether two are the same, and the single rules that one consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Keywords whose lists are sets: their order means nothing.
_SETS = frozenset({"required", "enum", "bsonType", "type"})
#: Keywords that say nothing about a document.
_WORDS = frozenset({"title", "description"})
#: Keywords that mean something only together with another, which takes them along.
_BESIDE = {
    "minimum": ("exclusiveMinimum",),
    "maximum": ("exclusiveMaximum",),
    "items": ("additionalItems",),
    "additionalProperties": ("properties", "patternProperties"),
}


@dataclass(frozen=True)
class Rule:
    """One rule of a validator, named like ``status: enum``; a document that ``obeys`` does not match breaks it."""

    label: str
    obeys: Mapping[str, Any] = field(hash=False)


def same(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Whether two validators say the same, in whatever order and with whatever words for people."""
    return bool(_ordered(one or {}) == _ordered(other or {}))


def rules(validator: Mapping[str, Any]) -> Iterator[Rule]:
    """The rules that a validator consists of: a document is valid exactly where it obeys all of them.

    A JSON Schema is the conjunction of its keywords, and those of a property apply to that property alone, so that each can be
    asked for by itself (JSON Schema draft 4, which MongoDB's ``$jsonSchema`` follows).
    """
    for key, value in validator.items():
        if key == "$jsonSchema" and isinstance(value, Mapping):
            yield from _keywords(value, lambda schema: {"$jsonSchema": schema}, "")
        elif key == "$and" and isinstance(value, list):
            for clause in value:
                yield from rules(clause)
        else:
            yield Rule(key, {key: value})


Wrap = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def _keywords(schema: Mapping[str, Any], wrap: Wrap, path: str) -> Iterator[Rule]:
    for keyword, value in schema.items():
        if keyword == "properties" and isinstance(value, Mapping):
            for name, inner in value.items():
                yield from _keywords(inner, _within(wrap, name), f"{path}.{name}" if path else name)
        elif keyword == "items" and isinstance(value, Mapping):
            yield from _keywords(value, lambda inner: wrap({"items": inner}), f"{path}[]")
        elif keyword == "required":
            for name in value:
                yield Rule(f"{path}.{name}: required" if path else f"{name}: required", wrap({"required": [name]}))
        elif keyword not in _WORDS and not _taken_along(keyword, schema):
            yield Rule(f"{path}: {keyword}" if path else keyword, wrap(_with_beside(keyword, schema)))


def _within(wrap: Wrap, name: str) -> Wrap:
    return lambda inner: wrap({"properties": {name: inner}})


def _taken_along(keyword: str, schema: Mapping[str, Any]) -> bool:
    """Whether another keyword that stands there takes this one along."""
    return any(keyword in names and main in schema for main, names in _BESIDE.items()) and keyword != "patternProperties"


def _with_beside(keyword: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    taken = {name: schema[name] for name in _BESIDE.get(keyword, ()) if name in schema}
    if keyword == "additionalProperties":  # only the names matter to it
        taken = {name: {key: {} for key in names} for name, names in taken.items()}
    return {keyword: schema[keyword], **taken}


def _ordered(value: Any, key: str = "") -> Any:  # noqa: ANN401 - whatever a validator holds
    if isinstance(value, Mapping):
        said = {name: part for name, part in value.items() if not (name in _WORDS and isinstance(part, str) and key != "enum")}
        return {name: _ordered(part, name) for name, part in said.items()}
    if isinstance(value, list | tuple):
        parts = [_ordered(part, "enum" if key == "enum" else "") for part in value]
        return sorted(parts, key=repr) if key in _SETS else parts
    return [value] if key in ("bsonType", "type") and isinstance(value, str) else value
