"""Single steps of a tool of SQL files whose books we do not keep: a file there and another back, each sent as when applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from checks.evidence import Place
from runner.migrations.interface import Direction, Event, Step
from runner.migrations.rehearsing import walked
from runner.migrations.scripts import Way

#: What a step sends, read when it is asked for.
WayOf = Callable[[Step], Way]
#: Sends the parts of a migration; told of from its beginning to its end.
Send = Callable[[str, Way], Iterator[Event]]


def rehearse(steps: Sequence[Step], way: WayOf, send: Send) -> Iterator[Event]:
    """Take ``steps``, with a pause after each."""
    return walked(steps, _Steps(way, send))


@dataclass(frozen=True)
class _Steps:
    way: WayOf
    send: Send

    def no_way_back(self, revision: str) -> str:
        return self.way(Step(Direction.DOWN, revision)).missing

    def place(self, step: Step) -> Place | None:
        return self.way(step).place

    def take(self, step: Step) -> Iterator[Event]:
        return self.send(step.revision, self.way(step))
