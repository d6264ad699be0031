"""Ratios of interleaved pairs, and environments with a rival in them."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

#: How long installing a rival may take, in seconds.
DEADLINE = 600


@dataclass(frozen=True)
class Ratio:
    """One way to another: the median of the pairs, and the bounds within which it lies with 95 %."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3f} ({self.low:.3f} to {self.high:.3f})"


def bounded(ratios: list[float]) -> Ratio:
    """The median of ratios with its bootstrap bounds, the same each time for the same ratios."""
    chance = random.Random(0)
    medians = sorted(statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(2000))
    return Ratio(statistics.median(ratios), medians[49], medians[-50])


def seconds(way: Callable[[], object]) -> float:
    """Wall time of one way."""
    began = time.perf_counter()
    way()
    return time.perf_counter() - began


def compared(ours: Callable[[], object], theirs: Callable[[], object], pairs: int) -> tuple[Ratio, float, float]:
    """The ratio of interleaved pairs whose order changes, after one that does not count, and the median seconds of each."""
    taken: list[tuple[float, float]] = []
    for number in range(pairs + 1):
        if number % 2:
            first = seconds(ours)
            taken.append((first, seconds(theirs)))
        else:
            first = seconds(theirs)
            taken.append((seconds(ours), first))
    mine, other = zip(*taken[1:], strict=True)
    return bounded([one / two for one, two in taken[1:]]), statistics.median(mine), statistics.median(other)


def environment(name: str, *packages: str) -> Path:
    """The folder of programs of a virtual environment with the packages, made in the cache where there is none yet."""
    home = platformdirs.user_cache_path("dbproof") / "bench" / name
    if not (home / "ready").exists():
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--clear", "--quiet", home], check=True, timeout=DEADLINE)
        subprocess.run(
            [*uv, "pip", "install", "--quiet", "--python", home / "bin" / "python", *packages], check=True, timeout=DEADLINE
        )
        (home / "ready").touch()
    return home / "bin"
