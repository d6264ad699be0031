"""Values that are worth having in a column of many rows: everyday ones, those at an end, and those that conditions speak of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from checks.rows.pools import plain, suggested
from checks.rows.shapes import Kind, Shape, Value, written
from checks.rows.terms import Condition
from checks.schema.model import Column

#: How many different values a column has at most, and days over which times are spread.
PLENTY = 120
WINDOW = 730

_FROM = datetime(2024, 1, 1, tzinfo=UTC)
_TEXTS = (
    "north", "south", "east", "west", "alpha", "beta", "gamma", "delta", "Zoë Müller", "O'Brien", "naïve café", "日本語",
    "emoji 🙂", "a longer text that goes on for a while, with a comma", 'say "hello"', "100 % of it", "back\\slash", "tab\tstop",
)  # fmt: skip


def as_meant(column: Column, shape: Shape, conditions: Sequence[Condition]) -> Shape:
    """What a column is used for, where its type holds more: truth values as numbers, documents as texts."""
    if shape.kind is Kind.NUMBER and (column.type.lower().startswith("bool") or column.type.lower() == "tinyint(1)"):
        return replace(shape, low=Decimal(0), high=Decimal(1))
    documents = shape.kind is Kind.TEXT and any("json_" in one.expression.lower() for one in conditions)
    return replace(shape, kind=Kind.JSON) if documents else shape


def proposed(shape: Shape, conditions: Sequence[Condition], names: Sequence[str], *, ends: bool) -> Iterator[Value]:
    """Values for a column of this shape, those that its conditions are written with first.

    With ``ends`` also the ends of its type: only where nothing is computed from it, as that may overflow.
    """
    for condition in conditions:
        if condition.tree is not None:
            yield from suggested(condition.tree, shape, names)
    yield from _spread(shape)
    yield from plain(shape)
    if ends and shape.kind is Kind.NUMBER:
        yield from (one for end in (shape.low, shape.high) if end is not None and (one := written(end, shape)) is not None)


def _spread(shape: Shape) -> Iterator[Value]:
    match shape.kind:
        case Kind.NUMBER:
            yield from _numbers(shape)
        case Kind.TEXT if not shape.labels:
            texts = (*_TEXTS, *(f"text {number}" for number in range(40)))
            yield from (text for text in texts if shape.length is None or len(text) <= shape.length)
        case Kind.DATE:
            yield from (str((_FROM + timedelta(days=day)).date()) for day in range(0, WINDOW, 9))
        case Kind.MOMENT:
            yield from (str((_FROM + timedelta(days=day, seconds=day * 977)).replace(tzinfo=None)) for day in range(0, WINDOW, 9))
        case Kind.TIME:
            yield from (f"{hour:02}:{minute:02}:00" for hour in range(24) for minute in (0, 30))
        case Kind.JSON:
            documents = (json.dumps({"name": text, "number": len(text), "tags": [text[:3]]}) for text in _TEXTS)
            yield from (text for text in documents if shape.length is None or len(text) <= shape.length)
        case Kind.INTERVAL:
            yield from (f"{hours} hours" for hours in range(1, 48))
        case _:
            return


def _numbers(shape: Shape) -> Iterator[Value]:
    """Small ones, then ever larger ones, from the least on where that is above; of those with a fraction some in between."""
    least = max(shape.low or Decimal(0), Decimal(0))
    for whole in (*range(1, 31), *range(35, 100, 5), *range(125, 1_000, 125), 1_250, 5_000, 20_000):
        number = least + whole
        value = written(number, shape)
        if value is not None:
            yield value
        if shape.step < 1 and (between := written(number + shape.step * 49, shape)) is not None:
            yield between


def alike(value: Value) -> Iterator[Value]:
    """Texts of the same make as one: each letter and each digit another one, in its own case."""
    if not isinstance(value, str):
        return
    for shift in range(1, 26):
        yield "".join(_shifted(character, shift + place) for place, character in enumerate(value))


def _shifted(character: str, by: int) -> str:
    for first, last in (("a", "z"), ("A", "Z"), ("0", "9")):
        if first <= character <= last:
            return chr(ord(first) + (ord(character) - ord(first) + by) % (ord(last) - ord(first) + 1))
    return character
