"""What counts of a run under traffic, on every engine: which wait, how much written, which revision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from checks.evidence import Place
from checks.traffic import Wait
from runner.errors import ServerFailed

#: The longest text that is kept of a statement, in characters.
LONGEST = 2_000
#: Fewer rows than these, and writing all of them says nothing about a table that grows.
_FEW = 10

_Key = TypeVar("_Key")


def writes_most(wrote: int, rows: int) -> bool:
    """Whether so many rows are most of a table's, and enough to say that it takes longer the more there are."""
    return wrote >= _FEW and 2 * wrote >= rows


def overlap(began: float, ended: float, other_began: float, other_ended: float) -> float:
    """How long both were at once."""
    return max(0.0, min(ended, other_ended) - max(began, other_began))


def keep_longest(waits: dict[_Key, Wait], key: _Key, found: Wait) -> None:
    """Enter a wait where it is the longest of its kind."""
    longest = waits.get(key)
    if longest is None or (found.own, found.seconds) > (longest.own, longest.seconds):
        waits[key] = found


def revision_of(place: Place | None, revisions: Mapping[str, str]) -> str:
    """The revision of a statement by its file; without a place the only one there is, and empty where there are several."""
    if place is not None:
        return revisions.get(place.file, "")
    return next(iter(revisions.values())) if len(revisions) == 1 else ""


def not_watched(error: Exception) -> ServerFailed:
    """What to raise where the server did not let itself be watched."""
    return ServerFailed(f"new migrations could not be watched under traffic: {error}")
