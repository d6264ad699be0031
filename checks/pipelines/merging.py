"""Compares two sorted streams of keys, as the server orders them, so that any number of them takes no memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

#: A key that comes before and after others as its like does in the server's order.
Ordered = tuple[Any, ...]


class Unordered(Exception):
    """A key whose place among others is not known here: the server has to compare it."""


def missing(children: Iterator[Any], parents: Iterator[Any]) -> Iterator[tuple[Any, int, bool]]:
    """Each different key of sorted children: how often it is there, and whether no parent has it.

    Raises Unordered where a key is of a rare type, or where the streams are not sorted as these keys are.
    """
    standing = _sorted(parents)
    parent = next(standing, None)
    for key, place, times in runs(children):
        while parent is not None and parent < place:
            parent = next(standing, None)
        yield key, times, parent != place


def _sorted(keys: Iterator[Any]) -> Iterator[Ordered]:
    """The places of different keys, each once."""
    for _, place, _ in runs(keys):
        yield place


def runs(keys: Iterator[Any]) -> Iterator[tuple[Any, Ordered, int]]:
    """Each different key with its place and how often it is there."""
    last: Any = None
    place: Ordered | None = None
    times = 0
    for key in keys:
        if type(key) is type(last) and type(key) is not dict and key == last:  # Python's documents know no order
            times += 1
            continue
        here = ordered(key)
        if here == place:
            times += 1
            continue
        if place is not None:
            if here < place:
                raise Unordered
            yield last, place, times
        last, place, times = key, here, 1
    if place is not None:
        yield last, place, times


def ordered(key: Any) -> Ordered:  # noqa: ANN401 - whatever a document holds
    """The place of a value among others (manual, "Comparison/Sort Order"), texts by their bytes; raises Unordered."""
    if key is None:
        return (1,)
    if type(key) is str:
        if _UNREADABLE in key:
            raise Unordered
        return (3, key)  # code points are in the order of their UTF-8
    if (place := _PLACES.get(type(key).__name__)) is not None:
        return (place, *_within(key))
    if isinstance(key, UUID):
        return (6, 16, 4, key.bytes)
    if isinstance(key, bytes):
        return (6, len(key), getattr(key, "subtype", 0), bytes(key))
    if isinstance(key, Mapping):
        return (4, *((ordered(value)[0], name, ordered(value)) for name, value in key.items()))
    raise Unordered


#: What stands for bytes that are no text: which, is not known any more.
_UNREADABLE = "\ufffd"
#: Types by their names, so that nothing of the driver's is imported.
_PLACES = {
    "int": 2, "Int64": 2, "float": 2, "Decimal128": 2, "ObjectId": 7, "bool": 8, "datetime": 9,
}  # fmt: skip


def _within(key: Any) -> Ordered:  # noqa: ANN401 - whatever a document holds
    """The place of a value among its like; no number (NaN) is before all numbers."""
    if isinstance(key, float) and math.isnan(key):
        return (0, 0)
    if isinstance(key, bool | int | float | datetime):
        return (1, key)
    if hasattr(key, "to_decimal"):
        exact: Decimal = key.to_decimal()
        return (0, 0) if exact.is_nan() else (1, exact)
    return (1, key)
