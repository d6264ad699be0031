"""How the number of a document becomes a key: forms that are tried in a field, the one that goes furthest is taken."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from bson import Binary, DatetimeMS, Int64, ObjectId, Timestamp

from checks.jsonschema.bson_types import NUMBERS, exact, type_of
from checks.jsonschema.demands import Demand
from checks.jsonschema.matching import Matching
from checks.rows.document_sets.chance import seeded
from checks.rows.document_sets.leaves import LATER, WINDOW, leaf, number_of
from checks.rows.document_sets.plan import Form, Pooled, Spread
from checks.rows.patterns import regular

#: More documents than this are in no collection that is filled here.
ENDLESS = 10**12
DIGITS, SMALL = "0123456789", "abcdefghijklmnopqrstuvwxyz"
_HEX = "0123456789abcdef"
_RUNS = ((re.compile(r"[0-9]+"), DIGITS), (re.compile(r"[a-z]+"), SMALL), (re.compile(r"[A-Z]+"), SMALL.upper()),
         (re.compile(r"[0-9a-f]+"), _HEX))  # fmt: skip
#: Numbers by which a form is tried: the first ones, and some of ever more digits.
_TRIED = (0, 1, 2, 9, 10, 25, 26, 99, 100, 255, 999, 1_000, 9_999, 99_999, 999_999, 9_999_999, 99_999_999)
#: A date for each minute and a second, so that every part of it differs.
_MINUTE = 61_000


def furthest(demand: Demand, kind: str, name: str, matching: Matching, *, later: bool) -> Form | None:
    """The form that goes furthest in a field of that name, the plainest of those that go on for ever."""
    best: Form | None = None
    for form in _forms(demand, kind, name, matching, later=later):
        most = _reach(form, demand, matching)
        if most and (best is None or most > best.most):
            best = replace(form, most=most)
        if best is not None and best.most >= _TRIED[-1]:
            break
    return best


def _reach(form: Form, demand: Demand, matching: Matching) -> int:
    """Up to which number a form gives what is demanded: the first of those tried that does not, ends it."""
    good = -1
    for number in (*(one for one in _TRIED if one < form.most), form.most - 1):
        value = value_of(form, number)
        if (form.kind != "listed" and type_of(value) != form.kind) or not all(
            matching(schema, value) for schema in demand.schemas
        ):
            break
        good = number
    else:
        return form.most
    return good + 1


def value_of(form: Form, number: int) -> Any:  # noqa: ANN401 - any value
    """The value that a form makes of a number."""
    match form.kind:
        case "string":
            return f"{form.before}{in_digits(number, form.alphabet, form.width)}{form.after}"
        case "listed":
            return form.listed[number]
        case "date":
            return DatetimeMS(form.start + form.step * number)
        case "objectId":
            return ObjectId(object_id(form.start, number))
        case "binData":
            return Binary(number.to_bytes(16, "big"), form.start)
        case "timestamp":
            return Timestamp(form.start + number, 1)
        case "long":
            return Int64(form.start + form.step * number)
        case "int":
            return form.start + form.step * number
    return number_of(Decimal(form.start + form.step * number), form.kind)


def in_digits(number: int, alphabet: str, width: int) -> str:
    """A number in the digits of an alphabet, of a width."""
    if alphabet == DIGITS:
        return f"{number:0{width}d}"
    made = ""
    for _ in range(width):
        number, digit = divmod(number, len(alphabet))
        made = alphabet[digit] + made
    return made


def object_id(salt: int, number: int) -> bytes:
    """Twelve bytes: a time that goes on with the number, five of the collection's own, and a counter."""
    return (WINDOW[0] // 1000 + number // 50).to_bytes(4, "big") + salt.to_bytes(5, "big") + (number % 2**24).to_bytes(3, "big")


def salt_of(text: str) -> int:
    """Five bytes for a text."""
    return zlib.crc32(text.encode()) << 8 | zlib.adler32(text.encode()) & 0xFF


def _forms(demand: Demand, kind: str, name: str, matching: Matching, *, later: bool) -> Iterator[Form]:
    listed = [value for values in demand.all("enum") for value in values]
    if listed or any(True for _ in demand.all("enum")):
        yield from [Form("listed", len(listed), listed=tuple(listed))] if listed else []
        return
    match kind:
        case "string":
            yield from _texts(demand, name)
        case _ if kind in NUMBERS:
            yield from _numbers(demand, kind)
        case "date":
            yield Form("date", 10**7, (LATER if later else WINDOW)[0], _MINUTE)
        case "objectId":
            yield Form("objectId", 10**9, salt_of(name))
        case "binData":
            yield from (Form("binData", ENDLESS, subtype) for subtype in (4, 0))
        case "timestamp":
            yield Form("timestamp", 2 * 10**9, WINDOW[0] // 1000)
    yield from _of_pool(demand, kind, matching)


def _of_pool(demand: Demand, kind: str, matching: Matching) -> Iterator[Form]:
    """The values that a field takes otherwise, each once."""
    found = leaf(demand, kind, matching, seeded("keys"), ends=False, later=False)
    if isinstance(found, Pooled):
        yield Form("listed", len(found.values), listed=found.values)


def _numbers(demand: Demand, kind: str) -> Iterator[Form]:
    """From 1 on, or from the least that is allowed, in whole steps or those that are asked for; or from the highest down."""
    found = leaf(demand, kind, Matching(), seeded("keys"), ends=False, later=False)
    known: list[int] = []
    if isinstance(found, Spread):
        known = [found.low] if kind != "double" else []
    elif isinstance(found, Pooled):
        known = [int(number) for value in found.values if (number := _whole(value)) is not None]
    step = max([1, *(abs(int(_whole(one) or 1)) for one in demand.all("multipleOf"))])
    for start in dict.fromkeys((1, step, *sorted(known)[:3])):
        yield Form(kind, ENDLESS, start, step)
    if known:
        yield Form(kind, ENDLESS, max(known), -step)
    if isinstance(found, Spread) and kind != "double":
        yield Form(kind, found.high - found.low + 1, found.low, 1)


def _whole(value: Any) -> int | None:  # noqa: ANN401 - any number
    number = exact(value)
    return int(number) if number == number and abs(number) < 2**62 and number == int(number) else None


def _texts(demand: Demand, name: str) -> Iterator[Form]:
    """The number behind the field's name; or in the place of digits or letters of a text that a pattern takes."""
    least, most = demand.least("minLength"), demand.most("maxLength")
    patterns = [pattern for pattern in demand.all("pattern") if isinstance(pattern, str)]
    if not patterns:
        for before in (f"{name} ", name[:1], ""):
            width = min(9, ENDLESS if most is None else most - len(before))
            if width > 0:
                padding = "x" * max(0, least - width - len(before))
                yield Form("string", 10**width, before=padding + before, width=width, alphabet=DIGITS)
        if most:
            yield Form("string", 36**most, width=most, alphabet=DIGITS + SMALL)
        return
    for text in dict.fromkeys(text for pattern in patterns for text in regular(pattern)):
        yield from _in_text(text)
        if len(text) < least or most is None or len(text) < most:
            yield from (Form("string", 10**width, before=text, width=width, alphabet=DIGITS) for width in (9, 6, 3))
            yield from (Form("string", 26**width, before=text, width=width, alphabet=SMALL) for width in (6, 3))
            yield from (Form("string", 10**width, after=text, width=width, alphabet=DIGITS) for width in (9, 3))
            yield from (Form("string", 26**width, after=text, width=width, alphabet=SMALL) for width in (6, 3))


def _in_text(text: str) -> Iterator[Form]:
    for run, alphabet in _RUNS:
        for found in sorted(run.finditer(text), key=lambda one: -len(one[0]))[:2]:
            before, after, width = text[: found.start()], text[found.end() :], len(found[0])
            for longer in (max(width, 6) if alphabet == SMALL else width, width):
                yield Form("string", len(alphabet) ** longer, before=before, after=after, width=longer, alphabet=alphabet)
