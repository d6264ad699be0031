"""What is tried after the verdict on migrating, each on copies of its own: none of it changes what was built."""

from __future__ import annotations

from typing import Protocol

from runner.advising import advised
from runner.drifting import drifted
from runner.milder import on_milder_rows
from runner.plan import Built
from runner.previous.trying import previous
from runner.steps import Building
from runner.surviving.comparing import survived
from runner.traffic.passing import under_traffic
from runner.undoing.trying import undone
from runner.untried import untried


class Pass(Protocol):
    """A function per pass, which says itself where it has nothing to do."""

    def __call__(self, building: Building, head: Built, base: Built | None, applied: frozenset[str]) -> Built:
        """Head with what the pass saw in its evidence; ``applied`` are base's revisions. Raises DbproofError."""
        ...


#: In the order in which they run.
PASSES: tuple[Pass, ...] = (survived, undone, drifted, advised, previous, under_traffic, on_milder_rows)


def passed(building: Building, head: Built, base: Built | None, applied: frozenset[str] = frozenset()) -> Built:
    """Head with what every pass saw. Raises DbproofError."""
    head = untried(building, head, base)
    for one in PASSES:
        head = one(building, head, base, applied)
    return head
