"""Compares a table on two servers: by digests that each computes in one scan, and only where these differ by what both send.

Rows are sent in the order of their keys, so that both can be gone through side by side, and memory stays flat.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from runner.surviving.interface import Compared, Followed, Pairing
from runner.surviving.tally import SAMPLE, Tally, shown

Key = tuple[Any, ...]
#: A row's key, in whose order rows come, and what is asked of it.
Row = tuple[Key, Sequence[str | None]]


@dataclass(frozen=True)
class Digest:
    """How many rows, a digest of their keys, and one of the whole rows."""

    rows: int
    keys: int
    whole: int


class Side(Protocol):
    """One of the two databases; of a :class:`Followed` it takes its own column. Every method raises ServerFailed."""

    def digest(self, pairing: Pairing) -> Digest:
        """In one scan; equal digests mean equal values, in whatever order the rows stand."""
        ...

    def by_column(self, pairing: Pairing, columns: Sequence[Followed]) -> Sequence[int]:
        """A digest of each column together with the key of its rows."""
        ...

    def hashed(self, pairing: Pairing) -> Iterator[Row]:
        """Every key with a digest of its row, in the order of keys."""
        ...

    def values(self, pairing: Pairing, columns: Sequence[Followed]) -> Iterator[Row]:
        """Every key with these columns as text, in the order of keys."""
        ...

    def bag(self, pairing: Pairing, columns: Sequence[Followed]) -> Iterator[int]:
        """A digest of these columns for each row, smallest first."""
        ...


def compared(base: Side, head: Side, pairing: Pairing) -> Compared:
    """What became of the rows. Raises ServerFailed."""
    before, after = base.digest(pairing), head.digest(pairing)
    found = Compared(before.rows, after.rows, keyed=bool(pairing.key))
    if before == after:
        return found
    if not pairing.key:
        return _without_key(base, head, pairing, found)
    suspects = pairing.others
    if before.keys == after.keys:
        sums = zip(base.by_column(pairing, suspects), head.by_column(pairing, suspects), strict=True)
        suspects = tuple(one for one, (was, now) in zip(suspects, sums, strict=True) if was != now)
    elif not _of_keys(base.hashed(pairing), head.hashed(pairing), pairing, found):
        return found
    elif found.missing == before.rows and after.rows:
        return _rewritten_keys(base, head, pairing, found)
    _of_values(base.values(pairing, suspects), head.values(pairing, suspects), pairing, suspects, found)
    return found


def _of_keys(before: Iterable[Row], after: Iterable[Row], pairing: Pairing, found: Compared) -> bool:
    """Count what is missing and what is extra; whether any row differs that is on both sides, or none is."""
    names = [one.was.name for one in pairing.key]
    differ = False
    for key, was, now in side_by_side(before, after):
        if now is None:
            found.missing += 1
            if len(found.keys) < SAMPLE:
                found.keys.append(shown(names, key))
        elif was is None:
            found.extra += 1
        else:
            differ = differ or was != now
    return differ or found.missing == found.before


def _of_values(
    before: Iterable[Row], after: Iterable[Row], pairing: Pairing, columns: Sequence[Followed], found: Compared
) -> None:
    tallies = [pairing.tally(one) for one in columns]
    for key, was, now in side_by_side(before, after):
        if was is None or now is None:
            continue
        if was != now or any(tally.following for tally in tallies):
            for tally, old, new in zip(tallies, was, now, strict=True):
                tally.take(key, old, new)
    found.tallies = {one.was.name: tally for one, tally in zip(columns, tallies, strict=True) if tally.changed or tally.filled}


def _rewritten_keys(base: Side, head: Side, pairing: Pairing, found: Compared) -> Compared:
    """No key is there any more: the keys themselves were rewritten, so the rest says what became of the rows."""
    alone = Pairing(pairing.was, pairing.now, pairing.others)
    again = Compared(found.before, found.after, keyed=False)
    if alone.columns and base.digest(alone) != head.digest(alone):
        return _without_key(base, head, alone, again)
    again.missing, again.extra = max(0, found.before - found.after), max(0, found.after - found.before)
    return again


def _without_key(base: Side, head: Side, pairing: Pairing, found: Compared) -> Compared:
    """By how many rows are not there as they were: fewer rows are missing, and the others hold something else."""
    found.missing, found.extra = max(0, found.before - found.after), max(0, found.after - found.before)
    gone, new = unlike(base.bag(pairing, pairing.columns), head.bag(pairing, pairing.columns))
    if gone and new:
        for one in pairing.columns:
            was, now = unlike(base.bag(pairing, [one]), head.bag(pairing, [one]))
            _note(found, one, max(0, was - found.missing), max(0, now - found.extra))
    return found


def _note(found: Compared, one: Followed, gone: int, new: int) -> None:
    if changed := min(gone, new):
        found.tallies[one.was.name] = Tally(*one.families, changed=changed)


def side_by_side(
    before: Iterable[Row], after: Iterable[Row]
) -> Iterator[tuple[Key, Sequence[str | None] | None, Sequence[str | None] | None]]:
    """Rows of two streams in the same order, matched by key; ``None`` for the side that has none.

    A key that comes twice on one side is matched once.
    """
    first, second = iter(before), iter(after)
    was, now = next(first, None), next(second, None)
    while was is not None or now is not None:
        if was is not None and now is not None and was[0] == now[0]:
            yield was[0], was[1], now[1]
            was, now = next(first, None), next(second, None)
        elif was is not None and (now is None or was[0] < now[0]):
            yield was[0], was[1], None
            was = next(first, None)
        elif now is not None:
            yield now[0], None, now[1]
            now = next(second, None)


def unlike(before: Iterable[int], after: Iterable[int]) -> tuple[int, int]:
    """How many of two sorted streams only the first has, and only the second; equal ones count as often as they come."""
    first, second = iter(before), iter(after)
    was, now = next(first, None), next(second, None)
    gone = new = 0
    while was is not None and now is not None:
        if was < now:
            gone, was = gone + 1, next(first, None)
        elif now < was:
            new, now = new + 1, next(second, None)
        else:
            was, now = next(first, None), next(second, None)
    gone += (was is not None) + sum(1 for _ in first)
    new += (now is not None) + sum(1 for _ in second)
    return gone, new
