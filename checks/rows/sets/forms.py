"""How the number of a row becomes a key: forms that are worth trying in a column, the plainest first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from checks.rows.sets.plan import Form, Series
from checks.rows.shapes import DAY, Kind, Shape, Value
from checks.schema.model import Column

#: Digits, and letters that stand for them where a text may hold no digits.
DIGITS = "0123456789"
LETTERS = ("abcdefghij", "ABCDEFGHIJ")

_DIGITS = re.compile(r"\d+")
#: Types whose values are ranges.
SPANS = frozenset({"int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange"})
_OTHERS = {Kind.BYTES: Series.BYTES}


def forms(column: Column, shape: Shape, values: Sequence[Value]) -> Iterator[Form]:
    """Forms for a column; ``values`` are some that it takes, whose make is kept where it is a text."""
    type_ = (column.base or column.type).rpartition(".")[2]
    if shape.labels:
        return
    match shape.kind:
        case Kind.NUMBER:
            yield from _numbers(shape, values)
        case Kind.TEXT:
            yield from _texts(shape, values)
        case Kind.JSON:
            yield from _documents(values)
        case Kind.DATE:
            yield from (Form(Series.DAY, start=start, most=2_900_000) for start in ("2020-01-01", "2020-01-08", "2019-12-24"))
        case Kind.MOMENT:
            starts = ("2020-01-01 00:00:00", "2020-01-02 00:00:00", "2019-12-31 00:00:00")
            yield from (Form(Series.MOMENT, start=start, step="61") for start in starts)
        case Kind.TIME:
            yield Form(Series.MOMENT, start="2020-01-01 00:00:00", step="1", most=DAY)
        case _ if type_ in SPANS:
            yield Form(Series.SPAN, start=type_)
        case _:
            series = _OTHERS.get(shape.kind) or (Series.UUID if type_ == "uuid" else None)
            yield from [Form(series)] if series else []


def plainest(shape: Shape) -> Iterator[Form]:
    """The number alone, for a text: it can be read as one again; of fractions the number with all digits that there may be."""
    if shape.kind is Kind.TEXT and not shape.labels:
        yield Form(Series.TEXT, most=10 ** min(shape.length or 12, 12) - 1)
    elif shape.kind is Kind.NUMBER and shape.step < 1:
        step = 1 + shape.step
        yield Form(Series.NUMBER, step=f"{step:f}", most=None if shape.high is None else int(shape.high / step))


def example(form: Form, number: int) -> Value:
    """The value of a row with this number, for forms that are tried before they are used; else None."""
    match form.series:
        case Series.NUMBER:
            return Decimal(form.start) + Decimal(form.step) * number
        case Series.TEXT:
            digits = f"{number:0{max(form.width, 1)}d}"
            return f"{form.before}{digits.translate(str.maketrans(DIGITS, form.alphabet or DIGITS))}{form.after}"
        case Series.UUID:
            return f"{number:032x}"
        case Series.DAY:
            return str((datetime.fromisoformat(form.start) + timedelta(days=number)).date())
        case Series.MOMENT:
            return str(datetime.fromisoformat(form.start) + timedelta(seconds=int(form.step) * number))
        case _:
            return None


def _numbers(shape: Shape, values: Sequence[Value]) -> Iterator[Form]:
    """From 1 on, from the smallest value that is taken, in whole steps or the column's own; or from the largest down."""
    known = sorted(value for value in values if isinstance(value, Decimal))
    for step in dict.fromkeys((max(Decimal(1), shape.step), shape.step)):
        for start in dict.fromkeys((Decimal(0), *([known[0] - step] if known else ()), step, 2 * step)):
            room = None if shape.high is None else int((shape.high - start) / step)
            yield Form(Series.NUMBER, start=f"{start:f}", step=f"{step:f}", most=room)
    if known:
        room = None if shape.low is None else int((known[-1] - shape.low) / shape.step) + 1
        yield Form(Series.NUMBER, start=f"{known[-1] + shape.step:f}", step=f"{-shape.step:f}", most=room)


def _documents(values: Sequence[Value]) -> Iterator[Form]:
    """The number beside what an object that is taken holds, else alone in one."""
    texts = [text for text in values if isinstance(text, str) and text.startswith("{") and text.endswith("}")]
    objects = sorted(texts, key=lambda text: "null" in text)
    for text in (*objects[:12], "{}"):
        inner = text[1:-1].strip()
        yield Form(Series.TEXT, before="{" + inner + (", " if inner else "") + '"number": ', after="}", most=10**12 - 1)


def _texts(shape: Shape, values: Sequence[Value]) -> Iterator[Form]:
    """The number behind, before or within a text that is taken, or in the place of its digits."""
    texts = [value for value in values if isinstance(value, str)]
    for text in (*[text for text in texts if text][:24], "key ", "k", ""):
        for before, width, after in _places(text):
            room = None if shape.length is None else shape.length - len(before) - len(after)
            if room is None or room >= max(width, 1):
                digits = width or min(room or 12, 12)
                yield Form(Series.TEXT, before=before, after=after, width=width, most=10**digits - 1)
    for alphabet in LETTERS:
        widths = (0, *(len(text) for text in texts[:6] if shape.length is None or len(text) <= shape.length))
        for width in dict.fromkeys(widths):
            digits = width or min(shape.length or 12, 12)
            yield Form(Series.TEXT, width=width, alphabet=alphabet, most=10**digits - 1)


def _places(text: str) -> Iterator[tuple[str, int, str]]:
    """Where in a text the number may stand, and of how many digits it is there (0 for any number)."""
    if "@" in text:
        name, _, host = text.partition("@")
        yield name, 0, f"@{host}"
    runs = sorted(_DIGITS.finditer(text), key=lambda found: -len(found[0]))
    for found in runs[:2]:
        yield text[: found.start()], len(found[0]), text[found.end() :]
    yield text, 0, ""
    yield "", 0, text
