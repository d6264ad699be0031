"""Documents that may do what only the server can judge: values at hand, put into the fields that a query speaks of."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from itertools import chain, permutations, product
from typing import Any

from bson import Decimal128, Int64

from checks.jsonschema.bson_types import NUMBERS, exact, type_of

#: How many values of a field are tried together with another's.
_PAIRED = 8
#: Small numbers, as remainders and counts are.
_SMALL = (0, 1, -1, 2, 3, 4, 5, 7, 10, 100, -100)
_PLAIN: tuple[Any, ...] = ("dbproof", "", None, True, False, [], {}, {"type": "Point", "coordinates": [0.0, 0.0]})


def proposals(document: Mapping[str, Any], queries: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The document with other values in one, then in two of the fields that the queries speak of."""
    paths = list(dict.fromkeys(path for query in queries for path in spoken(query)))
    constants = [one for query in queries for one in _constants(query)]
    pools = {path: list(_pool(document, path, paths, constants)) for path in paths}
    for path in paths:
        yield from (_with(document, {path: value}) for value in pools[path])
        yield _without(document, path)
    for one, other in permutations(paths, 2):
        for values in product(pools[one][:_PAIRED], pools[other][:_PAIRED]):
            yield _with(document, {one: values[0], other: values[1]})


def spoken(query: Any, operand: bool = False) -> Iterator[str]:  # noqa: ANN401 - whatever a query holds
    """The fields that a query or an expression speaks of."""
    if isinstance(query, Mapping):
        for name, inner in query.items():
            if not str(name).startswith("$") and not operand:
                yield str(name)
            yield from spoken(inner, operand or name == "$expr")
    elif isinstance(query, list | tuple):
        for one in query:
            yield from spoken(one, operand)
    elif operand and isinstance(query, str) and query.startswith("$"):
        name = query.removeprefix("$$ROOT.").removeprefix("$$CURRENT.")
        if not name.startswith("$$"):
            yield name.removeprefix("$")


def _constants(query: Any) -> Iterator[Any]:  # noqa: ANN401 - whatever a query holds
    if isinstance(query, Mapping):
        yield from chain.from_iterable(map(_constants, query.values()))
    elif isinstance(query, list | tuple):
        yield from chain.from_iterable(map(_constants, query))
    elif not (isinstance(query, str) and query.startswith("$")):
        yield query


def _pool(document: Mapping[str, Any], path: str, paths: Sequence[str], constants: Sequence[Any]) -> Iterator[Any]:
    """Values worth trying: near what the query names, what other fields hold, their sums; of the field's own type."""
    own = _value(document, path)
    held = [value for other in paths if other != path and (value := _value(document, other)) is not None]
    near = list(chain.from_iterable(map(_near, [*constants, *held, *([own] if own is not None else [])])))
    for value in [*_combined(held, constants), *near]:
        yield _like(own, value)
    if own is None or type_of(own) in NUMBERS:
        yield from (_like(own, value) for value in _SMALL)
    if isinstance(own, list):
        yield from ([], own[:1], [*own, *own], own * 10)
    if isinstance(own, str):
        yield from (own + "a", own[:1], own[:-1], "")
    yield from _PLAIN


def _near(value: Any) -> Iterator[Any]:  # noqa: ANN401 - any value
    yield value
    kind = type_of(value)
    if kind in NUMBERS:
        number = _decimal(value)
        yield from (number + 1, number - 1, number * 2, -number)
    elif kind == "date":
        for step in (timedelta(milliseconds=1), timedelta(days=1)):
            yield from _moments(value, step)


def _moments(value: datetime, step: timedelta) -> Iterator[datetime]:
    for change in (step, -step):
        try:
            yield value + change
        except OverflowError:
            continue


def _combined(held: Sequence[Any], constants: Sequence[Any]) -> Iterator[Decimal]:
    """Sums, differences and products of the numbers at hand; of three the ways in which totals are made."""
    numbers = [_decimal(value) for value in [*held, *constants] if type_of(value) in NUMBERS][:4]
    with localcontext(prec=34):
        if len(numbers) > 1:
            yield sum(numbers, Decimal(0))
        for one, other in permutations(numbers, 2):
            yield from (one + other, one - other, one * other)
        for one, other, third in permutations(numbers, 3):
            yield from (one + other - third, one - other - third, one * other + third)


def _decimal(value: Any) -> Decimal:  # noqa: ANN401 - any number
    found = exact(value)
    return found if isinstance(found, Decimal) else Decimal(str(found)) if isinstance(found, float) else Decimal(found)


def _like(own: Any, value: Any) -> Any:  # noqa: ANN401 - any value
    """A number in the type that the field has; anything else as it is."""
    if not isinstance(value, Decimal) and type_of(value) not in NUMBERS:
        return value
    number = _decimal(value)
    kind = type_of(own) if own is not None else "int"
    whole = number.is_finite() and number == number.to_integral_value() and abs(number) < 2**63
    if kind == "decimal":
        with localcontext(prec=34):
            return Decimal128(+number)
    if kind == "double" or not whole:
        return float(number)
    return Int64(number) if kind == "long" or abs(number) >= 2**31 else int(number)


def _value(document: Any, path: str) -> Any:  # noqa: ANN401 - any value
    for name in path.split("."):
        if not isinstance(document, Mapping) or name not in document:
            return None
        document = document[name]
    return document


def _with(document: Mapping[str, Any], values: Mapping[str, Any]) -> Mapping[str, Any]:
    changed = copy.deepcopy(dict(document))
    for path, value in values.items():
        *way, last = path.split(".")
        place = changed
        for name in way:
            if not isinstance(place.get(name), dict):
                place[name] = {}
            place = place[name]
        place[last] = value
    return changed


def _without(document: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    changed = copy.deepcopy(dict(document))
    *way, last = path.split(".")
    place: Any = changed
    for name in way:
        place = place.get(name) if isinstance(place, dict) else None
    if isinstance(place, dict):
        place.pop(last, None)
    return changed
