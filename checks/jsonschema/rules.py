"""The single rules of a validator: how each can be broken by itself, and what is left of the validator without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from checks.jsonschema.bson_types import NUMBERS, named
from checks.jsonschema.denials import denials, denied
from checks.jsonschema.inner import Inner, below, dotted, goes_by, outermost
from checks.jsonschema.matching import Schema
from checks.jsonschema.queries import Unsaid, schema_of

Query = Mapping[str, Any]

#: What says nothing by itself: words, and what belongs to the keyword beside it.
_BESIDE = frozenset({"title", "description", "exclusiveMinimum", "exclusiveMaximum"})
_WITH = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}


@dataclass(frozen=True)
class DocumentRule:
    """One rule of a validator.

    ``path`` is the field that it is about (``lines[].units``, empty for the whole document) and ``keyword`` what it asks.
    ``breaks`` are schemas of documents that break it, ``limits`` of documents that only just keep it; ``without`` is the rest of
    the validator and ``alone`` the rule, as queries that the server takes. ``solved`` is False for one that it alone can judge.
    """

    path: str
    keyword: str
    breaks: tuple[Schema, ...] = field(hash=False)
    limits: tuple[Schema, ...] = field(hash=False)
    without: Query = field(hash=False)
    alone: Query = field(hash=False)
    solved: bool = True
    again: int = 0

    @property
    def name(self) -> str:
        """``status enum``; a rule that stands there a second time is counted."""
        return f"{self.label.replace(': ', ' ', 1)}{f' ({self.again})' if self.again else ''}"

    @property
    def label(self) -> str:
        """As the server's report of a broken rule is told: ``status: enum``."""
        return f"{self.path}: {self.keyword}" if self.path else self.keyword


def document_rules(validator: Query, hints: Sequence[Any] = ()) -> tuple[DocumentRule, ...]:
    """Every rule that a document can break. Those are left out that the server itself sees to: ``_id`` is there, a document is
    an object. ``hints`` are values that are tried first where an enum is to be broken.
    """
    clauses = list(_clauses(validator))
    found: list[DocumentRule] = []
    for number, clause in enumerate(clauses):
        rest = [*clauses[:number], *clauses[number + 1 :]]
        found += _of_schema(clause["$jsonSchema"], rest, hints) if "$jsonSchema" in clause else _of_query(clause, rest)
    seen: Counter[str] = Counter()
    numbered: list[DocumentRule] = []
    for rule in found:
        seen[rule.label] += 1
        numbered.append(replace(rule, again=seen[rule.label]) if seen[rule.label] > 1 else rule)
    return tuple(numbered)


def _clauses(query: Query) -> Iterator[Query]:
    """The parts of a query all of which a document has to match."""
    for name, value in query.items():
        if name == "$and" and isinstance(value, list):
            for one in value:
                yield from _clauses(one)
        elif name != "$comment":
            yield {name: value}


def whole(clauses: Sequence[Query]) -> Query:
    """One query of several that all have to match."""
    return {"$and": list(clauses)} if len(clauses) > 1 else clauses[0] if clauses else {}


def _of_query(clause: Query, rest: Sequence[Query]) -> Iterator[DocumentRule]:
    ((name, value),) = clause.items()
    operators = isinstance(value, Mapping) and not name.startswith("$") and value and all(one.startswith("$") for one in value)
    path = "" if name.startswith("$") else name
    for operator in [one for one in value if one != "$options"] if operators else [None]:
        left, own = [*rest], value
        if operator is not None:
            beside = {"$options": value["$options"]} if operator == "$regex" and "$options" in value else {}
            own = {operator: value[operator], **beside}
            others = {one: inner for one, inner in value.items() if one not in own}
            left += [{name: others}] if others else []
        keyword = operator or (name if not path else "$eq")
        try:
            breaks, solved = tuple(denials(schema_of({name: own}))), True
        except Unsaid:
            breaks, solved = (), False
        yield DocumentRule(path, keyword, breaks, (), whole(left), {name: own}, solved)


def _of_schema(schema: Schema, rest: Sequence[Query], hints: Sequence[Any]) -> Iterator[DocumentRule]:
    for found in _keywords(outermost(schema, hints)):
        without = whole([{"$jsonSchema": found.without}, *rest])
        yield replace(found, without=without, alone={"$jsonSchema": found.alone})


def _keywords(inner: Inner) -> Iterator[DocumentRule]:
    for keyword, value in inner.schema.items():
        if keyword == "required":
            yield from _required(inner, value)
        elif keyword == "dependencies":
            yield from _dependencies(inner, value)
        elif keyword in _BESIDE or _is_given(inner, keyword, value):
            continue
        else:
            deeper = list(below(inner, keyword, value))
            for one in deeper:
                yield from _keywords(one)
            if not deeper and keyword not in ("properties", "patternProperties", "items", "allOf"):
                yield from _plain(inner, keyword)


def _is_given(inner: Inner, keyword: str, value: Any) -> bool:  # noqa: ANN401 - the keyword's
    """What every document is by itself: an object with one field at least."""
    if inner.path:
        return False
    return value <= 1 if keyword == "minProperties" else keyword in ("bsonType", "type") and "object" in named(value)


def _plain(inner: Inner, keyword: str) -> Iterator[DocumentRule]:
    breaks = tuple(map(inner.wrap, _broken(inner, keyword)))
    gone = (keyword, _WITH[keyword]) if keyword in _WITH else (keyword,)
    if breaks:
        own = {name: inner.schema[name] for name in gone if name in inner.schema}
        alone = inner.only({**goes_by(keyword, inner.schema), **own})
        limits = tuple(map(inner.wrap, _limits(keyword, inner.schema)))
        yield DocumentRule(inner.path, keyword, breaks, limits, inner.without(*gone), alone)


def _broken(inner: Inner, keyword: str) -> Iterator[Schema]:
    """What breaks a keyword: of an enum the values that are known first, of a type each other type by itself."""
    for wrong in denied(keyword, inner.schema):
        if keyword == "enum" and inner.hints:
            yield {**wrong, "enum": list(inner.hints)}
        if keyword in ("bsonType", "type"):
            yield from ({"bsonType": [kind]} for kind in wrong["bsonType"])
        else:
            yield wrong


def _required(inner: Inner, names: Sequence[str]) -> Iterator[DocumentRule]:
    for name in names:
        if inner.path == "" and name == "_id":
            continue
        left = [other for other in names if other != name]
        rest = inner.put({**inner.schema, "required": left}) if left else inner.without("required")
        breaks = (inner.wrap({"bsonType": "object", "$absent": [name]}),)
        yield DocumentRule(dotted(inner.path, name), "required", breaks, (), rest, inner.only({"required": [name]}))


def _dependencies(inner: Inner, needed: Mapping[str, Any]) -> Iterator[DocumentRule]:
    for name, value in needed.items():
        left = {other: one for other, one in needed.items() if other != name}
        rest = inner.put({**inner.schema, "dependencies": left}) if left else inner.without("dependencies")
        breaks = tuple(map(inner.wrap, denied("dependencies", {"dependencies": {name: value}})))
        if breaks:
            alone = inner.only({"dependencies": {name: value}})
            yield DocumentRule(dotted(inner.path, name), "dependencies", breaks, (), rest, alone)


def _limits(keyword: str, schema: Schema) -> Iterator[Schema]:
    """Values that only just keep a keyword."""
    value = schema[keyword]
    match keyword:
        case "minimum" | "maximum" if not schema.get(_WITH[keyword]):
            yield {"bsonType": list(NUMBERS), "minimum": value, "maximum": value}
        case "minLength" | "maxLength":
            yield {"bsonType": "string", "minLength": value, "maxLength": value}
        case "minItems" | "maxItems":
            yield {"bsonType": "array", "minItems": value, "maxItems": value}
        case "minProperties" | "maxProperties":
            yield {"bsonType": "object", "minProperties": value, "maxProperties": value}
        case "enum":
            yield {"enum": [value[-1]]}
