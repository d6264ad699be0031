"""Compares the rows of two tables as two streams of digests in one order: memory stays flat, and no value leaves the server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

#: Of so many changed rows the columns are looked at.
SAMPLE = 1000

#: A digest of a row's key and one of the whole row.
Pair = tuple[int, int]


@dataclass
class Found:
    """What two streams differ in; ``sample`` are the keys of the first rows that changed."""

    missing: int = 0
    extra: int = 0
    changed: int = 0
    sample: list[int] = field(default_factory=list)


def keyed(before: Iterator[Pair], after: Iterator[Pair]) -> Found:
    """By key; both streams are in its order, and no key is there twice."""
    found = Found()
    was, now = next(before, None), next(after, None)
    while was is not None or now is not None:
        if now is None or (was is not None and was[0] < now[0]):
            found.missing += 1
            was = next(before, None)
        elif was is None or now[0] < was[0]:
            found.extra += 1
            now = next(after, None)
        else:
            if was[1] != now[1]:
                found.changed += 1
                if len(found.sample) < SAMPLE:
                    found.sample.append(was[0])
            was, now = next(before, None), next(after, None)
    return found


def counted(before: Iterator[Pair], after: Iterator[Pair]) -> Found:
    """Without a key: what is gone and what came in its place counts as changed."""
    found = keyed(before, after)
    changed = min(found.missing, found.extra)
    return Found(found.missing - changed, found.extra - changed, changed)
