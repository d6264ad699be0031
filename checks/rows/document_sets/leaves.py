"""Values that are worth having in a field of many documents: everyday ones, those at a limit, and other people's writing."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain, islice
from typing import Any

from bson import Binary, Decimal128, Int64, ObjectId

from checks.jsonschema.bson_types import NUMBERS, exact, type_of
from checks.jsonschema.demands import Demand
from checks.jsonschema.matching import Matching, Schema
from checks.jsonschema.scalars import scalars
from checks.rows.document_sets.plan import Node, Pooled, Spread
from checks.rows.patterns import regular
from checks.rows.sets.awkward import FEW, texts

#: How many different values a pool has at most, and a text of a limit how many characters.
PLENTY = 160
LONGEST = 300
#: The window over which dates are spread, in milliseconds since 1970: 2024 and 2025.
WINDOW = (1_704_067_200_000, 1_767_225_599_000)
#: The one for documents that a server deletes when they are too old: 2036 and 2037.
LATER = (2_082_758_400_000, 2_145_916_799_000)

_SIMPLE = frozenset({"bsonType", "type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "title", "description"})
_TEXTS = (
    "north", "south", "east", "west", "alpha", "beta", "gamma", "delta", "Zoë Müller", "O'Brien", "naïve café", "日本語",
    "emoji 🙂", "a longer text that goes on for a while, with a comma", 'say "hello"', "100 % of it", "back\\slash", "tab\tstop",
    "$dollar", "dotted.name", "שלום", "İstanbul", "line\nbreak",
)  # fmt: skip
_DAYS = (
    datetime(1970, 1, 1), datetime(2024, 2, 29, 23, 59, 59, 999000), datetime(2024, 12, 31, 23, 59, 59),
    datetime(2038, 1, 19, 3, 14, 7), datetime(9999, 12, 31),
)  # fmt: skip
_ENDS = {"int": 2**31, "long": 2**63}
#: A decimal holds 34 digits.
_DECIMALS = ("9" * 34, "-" + "9" * 34, "0.01", "-0.01", "0.000001")
_DIGITS, _LETTERS = "0123456789", "abcdefghijklmnopqrstuvwxyz"


def leaf(demand: Demand, kind: str, matching: Matching, chance: random.Random, *, ends: bool, later: bool) -> Node | None:
    """Where values of a type come from that meet a demand; ``None`` where none is found.

    ``ends`` says whether the ends of the type are among them, ``later`` that dates lie ahead.
    """

    def suits(value: Any) -> bool:  # noqa: ANN401 - any value
        return type_of(value) == kind and all(matching(schema, value) for schema in demand.schemas)

    spread = _spread(demand, kind, ends=ends, later=later) if _is_simple(demand.schemas) else None
    if spread is not None:
        sound = tuple(value for value in spread.ends if suits(value))
        return Spread(spread.kind, spread.low, spread.high, sound) if spread.low <= spread.high else None
    odd = [value for value in _awkward(demand, kind) if suits(value)] if ends else []
    listed = chain(_proposed(demand, kind, chance, ends=ends, later=later), scalars(demand, kind, 0), scalars(demand, kind, 7))
    values = tuple(islice(_distinct(value for value in chain(odd, listed) if suits(value)), PLENTY))
    return Pooled(values, len(values) if len(values) <= FEW else len(odd)) if values else None


def _awkward(demand: Demand, kind: str) -> Iterator[Any]:
    """Values that migrations forget: nothing, zero, the longest, the other spelling."""
    if kind == "string":
        yield from texts(demand.most("maxLength"))
    elif kind in NUMBERS:
        made = (number_of(number, kind) for number in (Decimal(0), Decimal(-1), Decimal("7.333")))
        yield from (one for one in made if one is not None)


def _is_simple(schemas: Sequence[Schema]) -> bool:
    return all(_SIMPLE.issuperset(schema) for schema in schemas)


def _distinct(values: Iterator[Any]) -> Iterator[Any]:
    seen: set[str] = set()
    for value in values:
        known = f"{type_of(value)} {value!r}"
        if known not in seen:
            seen.add(known)
            yield value


def _spread(demand: Demand, kind: str, *, ends: bool, later: bool) -> Spread | None:
    if kind == "date":
        low, high = LATER if later else WINDOW
        return Spread("date", low, high, _DAYS if ends and not later else ())
    if kind == "objectId":
        return Spread("objectId", WINDOW[0] // 1000, WINDOW[1] // 1000)
    if kind in _ENDS:
        low, high = _whole_range(demand, kind)
        near, far = _near(low, high)
        made = int if kind == "int" else Int64
        marks = (low, high) if ends else (low, high) if _is_limited(demand) else ()
        return Spread(kind, near, far, tuple(made(one) for one in (*marks, near, far, min(max(0, low), high))))
    if kind == "double" and not _is_limited(demand):
        return Spread("double", 0, 1_000_000, (0.0, -1.5, 0.1, 1e15, 1e-7) if ends else ())
    return None


def _is_limited(demand: Demand) -> bool:
    return any("minimum" in schema or "maximum" in schema for schema in demand.schemas)


def _whole_range(demand: Demand, kind: str) -> tuple[int, int]:
    """The least and the highest whole number that the limits allow."""
    low, high = -_ENDS[kind], _ENDS[kind] - 1
    for schema in demand.schemas:
        for keyword, step in (("minimum", 1), ("maximum", -1)):
            if keyword not in schema:
                continue
            bound = _decimal(schema[keyword])
            if not bound.is_finite():
                continue
            whole = int(bound.to_integral_value("ROUND_CEILING" if step > 0 else "ROUND_FLOOR"))
            if whole == bound and schema.get(f"exclusive{keyword.capitalize()}"):
                whole += step
            low, high = (max(low, whole), high) if step > 0 else (low, min(high, whole))
    return low, high


def _near(low: int, high: int) -> tuple[int, int]:
    """The part of a wide range in which everyday numbers lie."""
    if high - low <= 100_000:
        return low, high
    start = low if low > 0 or high < 0 else 0
    return (start, min(high, start + 10_000)) if high > 0 else (max(low, high - 10_000), high)


def _proposed(demand: Demand, kind: str, chance: random.Random, *, ends: bool, later: bool) -> Iterator[Any]:
    match kind:
        case "string":
            yield from _texts(demand, chance)
        case _ if kind in NUMBERS:
            yield from _numbers(demand, kind, chance, ends=ends)
        case "bool":
            yield from (True, False)
        case "date":
            low, high = LATER if later else WINDOW
            yield from (_moment(low + int(chance.random() * (high - low))) for _ in range(60))
            yield from (_DAYS if ends and not later else ())
        case "binData":
            yield from (Binary(chance.getrandbits(128).to_bytes(16, "big"), 4) for _ in range(20))
            yield from (Binary(b"", 0), Binary(bytes(range(256)), 0), Binary("é日".encode(), 0))
        case "objectId":
            yield from (ObjectId(f"{chance.getrandbits(95):024x}") for _ in range(40))
        case "object":
            yield {}
        case _:
            return


def _moment(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds)


def _texts(demand: Demand, chance: random.Random) -> Iterator[str]:
    least, most = demand.least("minLength"), demand.most("maxLength")
    patterns = [pattern for pattern in demand.all("pattern") if isinstance(pattern, str)]
    for pattern in patterns:
        for text in regular(pattern):
            yield text
            yield from (_alike(text, chance) for _ in range(30))
    if patterns or least > LONGEST * 10:
        return
    longest = min(LONGEST if most is None else most, max(LONGEST, least))
    for text in (*_TEXTS, *(f"text {number}" for number in range(60))):
        yield text[:longest].ljust(least, "x")
    yield from ("x" * least, "é" * least)
    if most is not None and most <= longest:
        yield from ("x" * most, "日" * most)
    yield from (
        f"{_TEXTS[int(chance.random() * 8)]} {int(chance.random() * 10_000)}"[:longest].ljust(least, "x") for _ in range(PLENTY)
    )


def _alike(text: str, chance: random.Random) -> str:
    """A text of the same make: each letter and each digit another one, in its own case."""
    return "".join(_other(character, chance) for character in text)


def _other(character: str, chance: random.Random) -> str:
    if character in _DIGITS:
        return _DIGITS[int(chance.random() * 10)]
    if character.lower() in _LETTERS:
        other = _LETTERS[int(chance.random() * 26)]
        return other if character.islower() else other.upper()
    return character


def _numbers(demand: Demand, kind: str, chance: random.Random, *, ends: bool) -> Iterator[Any]:
    lows = [_decimal(value) for value in demand.all("minimum")] + _bounds(demand, low=True)
    highs = [_decimal(value) for value in demand.all("maximum")] + _bounds(demand, low=False)
    low, high = max(lows, default=None), min(highs, default=None)
    step = max([abs(_decimal(value)) for value in demand.all("multipleOf")], default=Decimal(1))
    yield from (made for bound in (low, high) if bound is not None and (made := number_of(bound, kind)) is not None)
    start = low if low is not None else high - 1_000 * step if high is not None else Decimal(0)
    far = min(high, start + 1_000 * step) if high is not None else start + 1_000 * step
    fine = step if list(demand.all("multipleOf")) or kind in ("int", "long") else Decimal("0.01")
    first = (start / fine).to_integral_value("ROUND_CEILING") * fine
    room = int(max(Decimal(0), far - first) / fine)
    for _ in range(PLENTY):
        made = number_of(first + fine * int(chance.random() * (room + 1)), kind)
        if made is not None:
            yield made
    if ends and kind == "decimal":
        yield from map(Decimal128, _DECIMALS)
    if ends and kind in _ENDS:
        yield from (made for end in (-_ENDS[kind], _ENDS[kind] - 1) if (made := number_of(Decimal(end), kind)) is not None)


def _bounds(demand: Demand, *, low: bool) -> list[Decimal]:
    every = (bound for listed in demand.all("$bound") for bound in listed)
    return [_decimal(value) for value, is_low, _ in every if is_low is low and type_of(value) in NUMBERS]


def _decimal(value: Any) -> Decimal:  # noqa: ANN401 - any number
    found = exact(value)
    return found if isinstance(found, Decimal) else Decimal(str(found)) if isinstance(found, float) else Decimal(found)


def number_of(value: Decimal, kind: str) -> Any:  # noqa: ANN401 - any number
    """A number as a value of a type; ``None`` where the type does not hold it."""
    if not value.is_finite():
        return None
    if kind == "double":
        return float(value)
    if kind == "decimal":
        return Decimal128(f"{value:f}") if len(value.as_tuple().digits) <= 34 and abs(value.adjusted()) < 6_000 else None
    if value != value.to_integral_value() or not -_ENDS[kind] <= value < _ENDS[kind]:
        return None
    return int(value) if kind == "int" else Int64(value)
