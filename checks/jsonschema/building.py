"""Builds values that satisfy schemas, from the ground up or by changing as little as may be of one that is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from checks.jsonschema.bson_types import TYPES, equal, type_of
from checks.jsonschema.demands import Demand, demands
from checks.jsonschema.denials import STRANGER, name_for
from checks.jsonschema.matching import Matching, Schema, of_element
from checks.jsonschema.scalars import scalars

#: How many ways to choose between alternatives are tried, and how many elements an array may get.
WAYS = 64
ELEMENTS = 200_000
#: Where an array may have none, it gets this many elements, so that there is something to see.
SHOWN = 1


class _Nothing:
    """Stands where there is no value to begin from."""


NOTHING = _Nothing()


class Building:
    """Builds values; ``number`` makes plain values differ from those of another number."""

    def __init__(self, matching: Matching) -> None:
        self._matching = matching

    def values(self, schemas: Sequence[Schema], base: Any = NOTHING, number: int = 0) -> Iterator[Any]:  # noqa: ANN401 - any value
        """Values that satisfy all schemas, ``base`` itself first if it does, then what differs little from it."""
        whole = {"allOf": list(schemas)}
        if base is not NOTHING and self._matching(whole, base):
            yield base

        def suits(schema: Schema) -> bool:
            return base is not NOTHING and self._matching(schema, base)

        first = () if base is NOTHING else (type_of(base),)
        wanted = tuple(dict.fromkeys((*first, *TYPES)))
        for demand in islice(demands(schemas, wanted, self._matching, suits), WAYS):
            for value in self._of(demand, base, number):
                if self._matching(whole, value):
                    yield value

    def first(self, schemas: Sequence[Schema], base: Any = NOTHING, number: int = 0) -> Any:  # noqa: ANN401 - any value
        """The first value, or NOTHING."""
        return next(self.values(schemas, base, number), NOTHING)

    def _of(self, demand: Demand, base: Any, number: int) -> Iterator[Any]:  # noqa: ANN401 - any value
        listed = [value for values in demand.all("enum") for value in values]
        if any(True for _ in demand.all("enum")):
            shift = number % len(listed) if listed else 0
            yield from (*listed[shift:], *listed[:shift])
            return
        for kind in demand.types:
            if kind == "object":
                yield from self._objects(demand, base if isinstance(base, Mapping) else NOTHING, number)
            elif kind == "array":
                yield from self._arrays(demand, base if isinstance(base, list) else NOTHING, number)
            else:
                yield from scalars(demand, kind, number)

    def _objects(self, demand: Demand, base: Any, number: int) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - any value
        """One object: with all fields that are known, or with those of the base and what is missing."""
        required = dict.fromkeys(name for names in demand.all("required") for name in names)
        absent = {name for names in demand.all("$absent") for name in names}
        known = dict.fromkeys(name for properties in demand.all("properties") for name in properties)
        most = demand.most("maxProperties")
        own = list(base) if base is not NOTHING else [*required, *known]
        made: dict[str, Any] = {}
        for name in dict.fromkeys((*own, *required)):
            value = NOTHING if name in absent else self._field(demand, name, base, number)
            if value is not NOTHING:
                made[name] = value
            elif name in required:
                return
        spare = [name for name in reversed(made) if name not in required]
        while most is not None and len(made) > most and spare:
            del made[spare.pop(0)]
        self._fill(made, demand, absent, known, number)
        yield made

    def _fill(self, made: dict[str, Any], demand: Demand, absent: set[str], known: Mapping[str, None], number: int) -> None:
        """Further fields, until there are enough."""
        least = demand.least("minProperties")
        if len(made) >= least:
            return
        patterns = [pattern for listed in demand.all("patternProperties") for pattern in listed]
        for name in self._names(known, patterns, least):
            if len(made) >= least:
                return
            if name not in made and name not in absent:
                value = self._field(demand, name, NOTHING, number)
                if value is not NOTHING:
                    made[name] = value

    def _names(self, known: Mapping[str, None], patterns: Sequence[str], number: int) -> Iterator[str]:
        yield from known
        yield from (STRANGER.format(each) for each in range(min(number + 1, ELEMENTS)))
        taken: list[str] = []
        for pattern in patterns:
            for _ in range(8):
                name = name_for(pattern, lambda one, text: self._matching.fits(one, "", text), taken)
                if not name:
                    break
                taken.append(name)
                yield name

    def _field(self, demand: Demand, name: str, base: Any, number: int) -> Any:  # noqa: ANN401 - any value
        asked = [one for schema in demand.schemas for one in self._matching.of_field(schema, name)]
        if None in asked or not name:  # a server of 6.0 ends where a schema asks for a field without a name
            return NOTHING
        there = base[name] if base is not NOTHING and name in base else NOTHING
        return self.first([one for one in asked if one is not None], there, number)

    def _arrays(self, demand: Demand, base: Any, number: int) -> Iterator[list[Any]]:  # noqa: ANN401 - any value
        """An array: of the base's length, else a short one."""
        places = {number: one for listed in demand.all("$at") for number, one in listed.items()}
        somewhere = list(demand.all("$some"))
        repeated, unique = any(demand.all("$repeated")), any(demand.all("uniqueItems"))
        least = max(demand.least("minItems"), max(places, default=-1) + 1, len(somewhere) and 1, 2 * repeated)
        most = demand.most("maxItems")
        there = [] if base is NOTHING else base
        length = min(max(least, len(there) if base is not NOTHING else SHOWN), ELEMENTS if most is None else most)
        if length < least:
            return
        for size in dict.fromkeys((length, least, *(size for size in (least + 1,) if most is None or size <= most))):
            for first in range(max(1, min(size, 3)) if somewhere else 1):
                made = self._elements(demand, there, size, first, number, unique=unique, repeated=repeated)
                if made is not None:
                    yield made

    def _elements(
        self, demand: Demand, base: Sequence[Any], size: int, first: int, number: int, *, unique: bool, repeated: bool
    ) -> list[Any] | None:
        """``size`` elements, of which the one at ``first`` satisfies what some element has to."""
        made: list[Any] = []
        plain: dict[int, Any] = {}
        for place in range(size):
            asked = self._asked(demand, place)
            if asked is None:
                return None
            wanted = [*asked, *demand.all("$some")] if place == first else asked
            if repeated and place == 1:
                made.append(made[0])
                continue
            there = base[place] if place < len(base) else NOTHING
            key = -1 if wanted is not asked or there is not NOTHING or unique else hash(repr(asked))
            value = (
                plain[key]
                if key in plain and key != -1
                else self._element(wanted, there, number + place * unique, made if unique else [])
            )
            if value is NOTHING:
                return None
            if key != -1:
                plain[key] = value
            made.append(value)
        return made

    def _element(self, schemas: Sequence[Schema], base: Any, number: int, taken: Sequence[Any]) -> Any:  # noqa: ANN401 - any value
        found = islice(self.values(schemas, base, number), len(taken) + WAYS)
        return next((value for value in found if not any(equal(value, one) for one in taken)), NOTHING)

    def _asked(self, demand: Demand, place: int) -> list[Schema] | None:
        """What is asked of the element at a place; ``None`` where there may be none."""
        asked: list[Schema] = []
        for schema in demand.schemas:
            for one in of_element(schema, place):
                if one is None:
                    return None
                asked.append(one)
            if place in schema.get("$at", {}):
                asked.append(schema["$at"][place])
        return asked
