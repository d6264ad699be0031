"""Plain values that meet a demand, the likeliest first: at a limit, near what is forbidden, else one with a number of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from itertools import chain
from typing import Any

from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from checks.jsonschema.bson_types import NUMBERS, exact, type_of
from checks.jsonschema.demands import Demand
from checks.rows.patterns import regular

#: How many values of one type are thought of.
PLENTY = 40
#: A text longer than this makes no document any more (16 MB, the server's limit).
LONGEST = 8_000_000
#: The driver's dates have no zone, and are UTC.
_FIRST_DAY = datetime(2024, 1, 1)
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_NOTHINGS = ("dbproof", "", "-", "0", "A", "a", " ", "~", "é", "\n", "a1-~")


def scalars(demand: Demand, kind: str, number: int) -> Iterator[Any]:
    """Values of a type, which may still break the demand."""
    listed = [value for values in demand.all("enum") for value in values if type_of(value) == kind]
    if any(True for _ in demand.all("enum")):
        shift = number % len(listed) if listed else 0
        yield from (*listed[shift:], *listed[:shift])
        return
    yield from chain(_limits(demand, kind), _MAKERS[kind](demand, kind, number) if kind in _MAKERS else ())


def _limits(demand: Demand, kind: str) -> Iterator[Any]:
    """Bounds of other kinds than numbers, and what is nearest to them."""
    for value, low, exclusive in (bound for listed in demand.all("$bound") for bound in listed):
        if type_of(value) != kind or kind in NUMBERS:
            continue
        if not exclusive:
            yield value
        if kind == "date":
            yield value + timedelta(milliseconds=1 if low else -1)
        elif kind == "string":
            yield value + "a" if low else value[:-1]
        elif kind == "objectId":
            whole = (int(str(value), 16) + (1 if low else -1)) % 2**96
            yield ObjectId(f"{whole:024x}")


def _texts(demand: Demand, _: str, number: int) -> Iterator[str]:
    least, most = demand.least("minLength"), demand.most("maxLength")
    if least > LONGEST:
        return
    patterns = list(demand.all("pattern"))
    short = list(chain.from_iterable(map(_matching, patterns)))
    near = [value for values in demand.all("$near") for value in values if isinstance(value, str)]
    yield from chain.from_iterable((value.swapcase(), f"{value}~") for value in near)
    plain = [*_NOTHINGS] if any(demand.all("$notPattern")) else []
    yield from (_sized(text, least, most, number) for text in [*plain, f"dbproof {number:02}"])
    for base in short:
        yield from _numbered(base, number) if number else ()
        yield from _fitted(base, least)
    for later in range(number + 1, number + PLENTY):
        if not patterns:
            yield _sized(f"dbproof {later:02}", least, most, later)
        for base in short:
            yield from _numbered(base, later)


def _matching(pattern: str) -> Iterator[str]:
    yield from regular(pattern)
    yield pattern.strip("^$")


def _sized(text: str, least: int, most: int | None, number: int) -> str:
    """A text of a length that is allowed; where there is little room, a short one of its own for each number."""
    if most is not None and len(text) > most:
        text = ""
        while len(text) < most and (number or not text):
            text, number = _LETTERS[number % len(_LETTERS)] + text, number // len(_LETTERS)
        least = max(least, min(most, 1))
    return text.rjust(least, "x")


def _fitted(text: str, least: int) -> Iterator[str]:
    """A text that fits a pattern, made longer at each of its places in turn where it is too short."""
    if len(text) >= least:
        yield text
        return
    more = least - len(text)
    for place in range(len(text) - 1, -1, -1):
        yield text[:place] + text[place] * (more + 1) + text[place + 1 :]
    for place in range(len(text) + 1):
        yield text[:place] + "a" * more + text[place:]


def _numbered(text: str, number: int) -> Iterator[str]:
    """The text with its last digits, else its last letters, counted on; that they fit is seen later."""
    for allowed in ("0123456789", "abcdefghijklmnopqrstuvwxyz"):
        places = [place for place, character in enumerate(text) if character.lower() in allowed]
        left, characters = number, list(text)
        for place in reversed(places):
            left, digit = divmod(left, len(allowed))
            shifted = (allowed.index(characters[place].lower()) + digit) % len(allowed)
            characters[place] = allowed[shifted] if characters[place].islower() or allowed[0] == "0" else allowed[shifted].upper()
        if places:
            yield "".join(characters)


def _numbers(demand: Demand, kind: str, number: int) -> Iterator[Any]:
    """Numbers at their limits, then further and further from these."""
    with localcontext(prec=40):
        for value in list(_decimals(demand, kind, number)):
            made = _as(value, kind)
            if made is not None:
                yield made


def _decimals(demand: Demand, kind: str, number: int) -> Iterator[Decimal]:
    lows = [*_bounds(demand, "minimum", low=True)]
    highs = [*_bounds(demand, "maximum", low=False)]
    steps = [_decimal(value) for value in demand.all("multipleOf")] or [Decimal(1)]
    step = max(map(abs, steps))
    away = [_decimal(value) for value in demand.all("$notMultiple")]
    near = [_decimal(value) for values in demand.all("$near") for value in values if type_of(value) in NUMBERS]
    yield from (value + more for value in near for more in (Decimal(1), Decimal(-1)))
    yield from (value + part for value in away for part in (Decimal(1), value / 2, Decimal("0.5")))
    small = [Decimal("0.01")] if kind in ("double", "decimal") and step == 1 else []
    start = max(lows) if lows else min(highs) if highs else Decimal(1)
    direction = -1 if highs and not lows else 1
    first = (start / step).to_integral_value("ROUND_CEILING" if direction > 0 else "ROUND_FLOOR") * step
    if number == 0:
        yield start
        yield from (start + direction * one for one in small)
    yield from (first + direction * step * (number + count) for count in range(PLENTY))
    if lows and highs:
        yield from (start + (min(highs) - start) * count / (PLENTY // 4) for count in range(1, PLENTY // 4 + 1))
    yield from (Decimal(0), Decimal(-1), Decimal("0.5"), Decimal(2**31), Decimal(2**31 - 1))


def _bounds(demand: Demand, keyword: str, *, low: bool) -> Iterator[Decimal]:
    yield from (_decimal(value) for value in demand.all(keyword))
    every = (bound for listed in demand.all("$bound") for bound in listed)
    yield from (_decimal(value) for value, is_low, _ in every if is_low is low and type_of(value) in NUMBERS)


def _decimal(value: Any) -> Decimal:  # noqa: ANN401 - any number
    found = exact(value)
    return found if isinstance(found, Decimal) else Decimal(str(found)) if isinstance(found, float) else Decimal(found)


def _as(value: Decimal, kind: str) -> Any:  # noqa: ANN401 - any number
    """The number as a value of a type; ``None`` where the type does not hold it."""
    if not value.is_finite():
        return None
    if kind == "double":
        return float(value)
    if kind == "decimal":
        with localcontext(prec=34):
            return Decimal128(+value)
    if value != value.to_integral_value() or abs(value) >= (2**31 if kind == "int" else 2**63):
        return None
    return int(value) if kind == "int" else Int64(value)


def _from(make: Callable[[int], Any]) -> Callable[[Demand, str, int], Iterator[Any]]:
    return lambda _, __, number: (make(number + more) for more in range(PLENTY))


#: How the values of each type are made.
_MAKERS: Mapping[str, Callable[[Demand, str, int], Iterator[Any]]] = {
    "string": _texts,
    **dict.fromkeys(NUMBERS, _numbers),
    "bool": lambda _, __, number: iter((bool(number % 2), not number % 2)),
    "null": lambda _, __, ___: iter((None,)),
    "date": _from(lambda number: _FIRST_DAY + timedelta(days=number)),
    "objectId": _from(lambda number: ObjectId(f"dbf00f{number:018x}")),
    "binData": _from(lambda number: Binary(b"dbproof %d" % number, 0x80)),
    "timestamp": _from(lambda number: Timestamp(1_704_067_200 + number, 1)),
    "regex": _from(lambda number: Regex(f"^dbproof{number or ''}$")),
    "javascript": _from(lambda number: Code(f"{number}")),
    "javascriptWithScope": _from(lambda number: Code(f"{number}", {})),
    "minKey": lambda _, __, ___: iter((MinKey(),)),
    "maxKey": lambda _, __, ___: iter((MaxKey(),)),
}
