"""Values worth trying in a column: what its shape suggests, and what the conditions that speak of it are written with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from sqlglot import exp

from checks.rows import patterns
from checks.rows.boundaries import Boundary, Measure
from checks.rows.expressions import literals, numbers
from checks.rows.shapes import DAY, TEMPORAL, Kind, Shape, Value, seconds, written

#: Longer texts are not written out.
LONGEST = 1_000_000
#: Texts of a condition that are put into a document.
PLENTY = 8
#: More elements than this are not put into an array.
MOST_ELEMENTS = 1_000

_NUMBERS = (*map(Decimal, (1, 0, 2, -1, 10, 100)), Decimal("0.125"))
_TEXTS = (
    "dbproof",
    "a",
    "A",
    "1",
    "",
    " ",
    "dbproof@example.com",
    "https://example.com/dbproof",
    "de",
    "dbproof.txt",
    "00000000-0000-4000-8000-000000000001",
    "2020-01-01",
    "2020-01-01 00:00:00",
    "+4930123456",
    "{}",
    "[]",
)
_TIMES = {
    Kind.DATE: (*(f"2020-01-0{day}" for day in range(1, 8)), "2019-12-31", "2020-02-29"),
    Kind.MOMENT: ("2020-01-01 00:00:00", "2020-01-01 00:00:01", "2019-12-31 23:59:59"),
    Kind.TIME: ("12:00:00", "12:00:01", "11:59:59"),
    Kind.INTERVAL: ("3600 seconds", "0 seconds", "-1 seconds", "100 days"),
}
_JSON = ("{}", "[]", '"dbproof"', "1", "true", '["dbproof"]', "[1]")


def plain(shape: Shape) -> Iterator[Value]:
    """Values of a shape that most columns take, the plainest first."""
    if shape.labels:
        yield from shape.labels
    elif shape.kind is Kind.NUMBER:
        yield from (number for number in _NUMBERS if _fits(number, shape))
    elif shape.kind is Kind.TEXT:
        yield from (text for text in _TEXTS if shape.length is None or len(text) <= shape.length)
    elif shape.kind is Kind.BOOLEAN:
        yield from ("true", "false")
    elif shape.kind is Kind.JSON:
        yield from _JSON
    else:
        yield from _TIMES.get(shape.kind, ())


def suggested(tree: exp.Expression, shape: Shape, names: Sequence[str]) -> Iterator[Value]:
    """What a condition is written with, as values of a shape: its texts, samples of its patterns, its numbers."""
    match shape.kind:
        case Kind.TEXT:
            yield from (text for text in _texts(tree, names) if shape.length is None or len(text) <= shape.length)
        case Kind.NUMBER:
            for number in numbers(tree):
                yield from (one for one in (number, number - shape.step, number + shape.step) if _fits(one, shape))
        case Kind.JSON:
            yield from _documents([text for text, pattern in literals(tree, names) if pattern is None], list(_texts(tree, names)))
        case Kind.ARRAY:
            yield from _arrays(tree, shape, names)
        case kind if kind in TEMPORAL:
            times = (seconds(text) for text, _ in literals(tree, names))
            yield from _around((time for time in times if time is not None), shape)


def at_boundary(boundary: Boundary, shape: Shape, current: Value) -> Iterator[Value]:
    """Values at a boundary and one step to either side; a text or an array goes on from what it is now."""
    if boundary.measure is Measure.VALUE:
        if shape.kind is Kind.TEXT:
            yield from (f"{boundary.at + step:f}" for step in (0, -1, 1))
        else:
            yield from _around([boundary.at], shape)
        return
    if not -1 <= boundary.at <= LONGEST:
        return
    for number in (int(boundary.at) + step for step in (0, -1, 1)):
        if number < 0:
            continue
        if boundary.measure is Measure.LENGTH and shape.kind in (Kind.TEXT, Kind.BYTES):
            yield from (text for text in _of_length(number, current) if shape.length is None or number <= shape.length)
        elif boundary.measure is Measure.COUNT and number <= MOST_ELEMENTS:
            yield from _of_count(number, shape, current)


def _around(numbers_: Iterator[Decimal] | Sequence[Decimal], shape: Shape) -> Iterator[Value]:
    step = Decimal(DAY) if shape.kind is Kind.DATE else shape.step
    for number in numbers_:
        for one in (number, number - step, number + step):
            value = written(one, shape)
            if value is not None:
                yield value


def _fits(number: Decimal, shape: Shape) -> bool:
    return written(number, shape) == number


def _texts(tree: exp.Expression, names: Sequence[str]) -> Iterator[str]:
    """Patterns' samples first, then texts as they are, in the other case, and with something round them."""
    plain_texts: list[str] = []
    for text, pattern in literals(tree, names):
        if pattern is None:
            plain_texts.append(text)
        else:
            samples = list(_samples(text, pattern))
            yield from (*samples, *(sample.upper() for sample in samples[:1]))
    yield from plain_texts
    days = (seconds(text) for text in plain_texts)
    yield from (str(day) for day in _around([day for day in days if day is not None], Shape(Kind.DATE, step=Decimal(DAY))))
    for text in plain_texts:
        yield from (text.upper(), text.lower(), f"a{text}a", f"{text}a", f"a{text}")
    yield from (f"{number:f}" for number in numbers(tree))


def _samples(text: str, pattern: exp.Expression) -> Iterator[str]:
    match pattern:
        case exp.Like() | exp.ILike():
            yield from patterns.like(text)
        case exp.Glob():
            yield from patterns.like(text, escape="", many="*", one="?")
            yield from patterns.regular(text.replace("*", ".*").replace("?", "."))
        case exp.SimilarTo():
            yield from patterns.regular(text.replace("%", ".*").replace("_", "."))
        case _:
            yield from patterns.regular(text)


def _documents(keys: Sequence[str], texts: Sequence[str]) -> Iterator[str]:
    """Objects with the keys, or paths of keys (``{a,b}``, ``$.a.b``), and the texts as values; arrays of them."""
    for key in dict.fromkeys(keys):
        if _is_document(key):
            yield key
        values: list[object] = ["dbproof", 1, True, {}, [], None, *(text for text in texts[:PLENTY] if text != key)]
        yield from (json.dumps(_nested(key, value)) for value in values)
        yield json.dumps([key])
    if len(keys) > 1:
        yield from (json.dumps(dict.fromkeys(keys, value)) for value in ("dbproof", 1, True))


def _is_document(text: str) -> bool:
    """Whether a text is an object or an array itself (``doc @> '{"version": 1}'``)."""
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False


def _nested(key: str, value: object) -> dict[str, object]:
    path = re.findall(r"[^\s,.$\"{}\[\]]+", key) if key.startswith(("$", "{")) else [key]
    for name in reversed(path or [key]):
        value = {name: value}
    return {key: value} if not isinstance(value, dict) else value


def _of_length(number: int, current: Value) -> Iterator[str]:
    text = current if isinstance(current, str) and current.strip() else "a"
    yield (text + text[-1] * number)[:number]
    yield " " * number


def _of_count(number: int, shape: Shape, current: Value) -> Iterator[str]:
    if shape.kind is Kind.JSON:
        yield json.dumps(["dbproof"] * number)
        yield json.dumps([1] * number)
    elif shape.kind is Kind.TEXT:
        yield ",".join(["a"] * number)
    elif shape.kind is Kind.ARRAY:
        elements = current[1:-1] if isinstance(current, str) and len(current) > 2 else "1"
        first = elements.split(",")[0]
        yield "{" + ",".join([first] * number) + "}"


def _arrays(tree: exp.Expression, shape: Shape, names: Sequence[str]) -> Iterator[str]:
    yield "{}"
    if shape.element is Kind.TEXT:
        listed = [text for text, _ in literals(tree, names)]
        yield from (*(_array([text]) for text in listed), _array(listed), _array(["dbproof"]))
    elif shape.element is Kind.NUMBER:
        yield from (_array([f"{number:f}"]) for number in numbers(tree))


def _array(texts: Sequence[str]) -> str:
    escaped = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in escaped) + "}"
