"""What schemas ask of a value together, with every choice between alternatives made: a plain list, or several to choose from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checks.jsonschema.bson_types import named
from checks.jsonschema.denials import denials, name_for, stranger, with_field
from checks.jsonschema.matching import Matching, Schema

#: Choices within choices are followed so far.
_DEEP = 40

#: What is meant where no type is named: what the keywords are about.
_MEANT: Mapping[str, frozenset[str]] = {
    "object": frozenset({"properties", "required", "additionalProperties", "patternProperties", "minProperties"}),
    "array": frozenset({"items", "minItems", "maxItems", "uniqueItems"}),
    "int": frozenset({"minimum", "maximum", "multipleOf"}),
    "string": frozenset({"minLength", "maxLength", "pattern"}),
}

#: Says whether a value that is there already satisfies a schema, so that the choice it was made by comes first.
Suits = Callable[[Schema], bool]


@dataclass(frozen=True)
class Demand:
    """Plain schemas, all of which a value has to satisfy; ``types`` are those that it may have, the most wanted first."""

    schemas: tuple[Schema, ...]
    types: tuple[str, ...]

    def all(self, keyword: str) -> Iterator[Any]:
        """The values of a keyword in all schemas that have it."""
        return (schema[keyword] for schema in self.schemas if keyword in schema)

    def least(self, keyword: str) -> int:
        """The highest lower limit, 0 without one."""
        return max(map(int, self.all(keyword)), default=0)

    def most(self, keyword: str) -> int | None:
        """The lowest upper limit, ``None`` without one."""
        return min(map(int, self.all(keyword)), default=None)


def demands(schemas: Sequence[Schema], types: Sequence[str], matching: Matching, suits: Suits) -> Iterator[Demand]:
    """Every way to choose between the alternatives of some schemas, what suits a value that is there first.

    ``types`` are those to take where any will do, in their order.
    """
    for plain in _chosen((), tuple(schemas), matching, suits, 0):
        allowed = _allowed(plain, types)
        if allowed:
            yield Demand(plain, allowed)


def _allowed(schemas: Sequence[Schema], types: Sequence[str]) -> tuple[str, ...]:
    """The types that all schemas allow: in the order of the first that names some, as it was most likely meant."""
    lists = [named(schema[keyword]) for keyword in ("bsonType", "type") for schema in schemas if keyword in schema]
    preferred = [tuple(schema["$prefer"]) for schema in schemas if "$prefer" in schema]
    meant = [name for name, keywords in _MEANT.items() if any(not keywords.isdisjoint(schema) for schema in schemas)]
    ordered = dict.fromkeys((*(name for one in (preferred or lists[:1]) for name in one), *meant, *types))
    return tuple(name for name in ordered if all(name in one for one in lists))


def _chosen(
    plain: tuple[Schema, ...], left: tuple[Schema, ...], matching: Matching, suits: Suits, depth: int
) -> Iterator[tuple[Schema, ...]]:
    if depth > _DEEP:
        return
    if not left:
        yield plain
        return
    first, *more = left
    rest = tuple(more)
    found = _alternatives(first, matching, (*plain, *rest))
    if found is None:
        yield from _chosen((*plain, first), rest, matching, suits, depth)
        return
    keyword, ways = found
    beside = {name: value for name, value in first.items() if name != keyword}
    for way in sorted(ways, key=lambda way: not all(map(suits, way))):
        yield from _chosen(plain, (beside, *way, *rest), matching, suits, depth + (len(ways) > 1))


def _alternatives(schema: Schema, matching: Matching, others: Sequence[Schema]) -> tuple[str, list[tuple[Schema, ...]]] | None:
    """A keyword of a schema that is a choice, and the schemas to take for it; ``None`` where there is no such keyword."""
    if "allOf" in schema:
        return "allOf", [tuple(schema["allOf"])]
    if "$stranger" in schema:
        return "$stranger", [tuple(_strange(known, wrong, matching) for known, wrong in schema["$stranger"])]
    if "$named" in schema:
        return "$named", [tuple(_called(pattern, wrong, matching, others) for pattern, wrong in schema["$named"])]
    if "anyOf" in schema:
        return "anyOf", [(one,) for one in schema["anyOf"]]
    if "oneOf" in schema:
        listed = schema["oneOf"]
        return "oneOf", [(one, *({"not": other} for other in listed if other is not one)) for one in listed]
    if "not" in schema:
        return "not", [(one,) for one in denials(schema["not"])]
    if schema.get("dependencies"):
        return "dependencies", list(_depending(schema["dependencies"]))
    return None


def _strange(known: Schema, wrong: Schema, matching: Matching) -> Schema:
    name = stranger(known, lambda pattern, text: matching.fits(pattern, "", text))
    return with_field(name, wrong) if name else {"bsonType": []}


def _called(pattern: str, wrong: Schema, matching: Matching, others: Sequence[Schema]) -> Schema:
    """A field whose name fits a pattern: if it may be, none that something else is asked of."""
    taken = [name for schema in others for name in schema.get("properties", {})]

    def is_fit(pattern: str, text: str) -> bool:
        return matching.fits(pattern, "", text)

    name = name_for(pattern, is_fit, taken) or next((one for one in taken if is_fit(pattern, one)), "")
    return with_field(name, wrong) if name else {"bsonType": []}


def _depending(dependencies: Mapping[str, Any]) -> Iterator[tuple[Schema, ...]]:
    """All that is needed is there; or the fields are not that need it."""
    wholes = [needed if isinstance(needed, Mapping) else {"required": list(needed)} for needed in dependencies.values()]
    yield tuple(wholes)
    yield ({"$absent": list(dependencies)},)
    for name in dependencies:
        yield (
            {"$absent": [name]},
            {"dependencies": {other: needed for other, needed in dependencies.items() if other != name}},
        )
