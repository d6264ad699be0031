"""Medians of measured times and how far they can be trusted, and what was measured in words."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from checks.measured import IndexGain, WriteCost

#: How often measured values are drawn anew.
_DRAWS = 1000
#: How many of the draws lie beyond each bound.
_BEYOND = 25
#: Units of longer times in seconds, each up to a hundred of it.
_UNITS = (("s", 1), ("min", 60), ("h", 3600))


@dataclass(frozen=True)
class Bounds:
    """A median, and the bounds that 95 % of the medians of values drawn anew lie within."""

    median: float
    low: float
    high: float


def bounds(values: Sequence[float]) -> Bounds:
    """The median of values with its bootstrap bounds (Efron's percentile interval), the same each time for the same values."""
    chance = random.Random(0)  # noqa: S311 - the same draws in every run, and no secret
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(_DRAWS))
    return Bounds(statistics.median(values), medians[_BEYOND], medians[-1 - _BEYOND])


def milliseconds(seconds: float) -> str:
    """``4.2 ms``."""
    return f"{seconds * 1000:.3g} ms"


def lapse(seconds: float) -> str:
    """``4.2 ms``, ``2.7 s``, ``53 min``, ``7.5 h``: how long something took or may take."""
    if seconds < 1:
        return milliseconds(seconds)
    unit, size = next((one for one in _UNITS if seconds < 100 * one[1]), ("days", 86_400))
    return f"{seconds / size:.3g} {unit}"


@lru_cache(maxsize=1000)
def ratio(gain: IndexGain) -> Bounds:
    """How many times as long a query takes without its indexes; there must be pairs."""
    return bounds([without / with_it for with_it, without in gain.pairs])


def _times(number: float) -> str:
    return f"{number:.3g}" if number < 100 else f"{number:.0f}"


def gain_in_words(gain: IndexGain) -> str:
    """``index subscriptions.company_name_idx: 22x, 45 ms to 2 ms``."""
    names = " and ".join(index.label for index in gain.indexes)
    with_it, without = (statistics.median(side) for side in zip(*gain.pairs, strict=True))
    least, more = ("at least ", "more than ") if gain.stopped else ("", "")
    said = f"{least}{_times(ratio(gain).median)}x, {more}{milliseconds(without)} to {milliseconds(with_it)}"
    return f"{'index' if len(gain.indexes) == 1 else 'indexes'} {names}: {said}"


@dataclass(frozen=True)
class Cost:
    """What a write takes with everything, and how much of it is due to both, to the validator and to the indexes; in seconds."""

    write: Bounds
    overhead: Bounds
    validator: float
    indexes: float
    bare: float


@lru_cache(maxsize=1000)
def cost(measured: WriteCost) -> Cost:
    """What the rounds of one kind of write come to; there must be some."""
    return Cost(
        write=bounds([everything for everything, *_ in measured.rounds]),
        overhead=bounds([everything - bare for everything, _, _, bare in measured.rounds]),
        validator=statistics.median(everything - unvalidated for everything, unvalidated, _, _ in measured.rounds),
        indexes=statistics.median(everything - unindexed for everything, _, unindexed, _ in measured.rounds),
        bare=statistics.median(bare for *_, bare in measured.rounds),
    )


def cost_in_words(measured: WriteCost) -> str:
    """``4.2 ms with everything and 1.1 ms without validator and indexes; the validator 0.4 ms, the indexes 2.7 ms``."""
    found = cost(measured)
    return (
        f"{milliseconds(found.write.median)} with everything and {milliseconds(found.bare)} without validator and indexes"
        f" (the validator takes {milliseconds(max(found.validator, 0.0))}, the indexes {milliseconds(max(found.indexes, 0.0))})"
    )
