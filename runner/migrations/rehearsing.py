"""Steps of a migration tool, with a pause after each: of a program that takes them, or of files that we send ourselves."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol, cast

from checks.evidence import Place
from runner.children import Command
from runner.migrations import hearing
from runner.migrations.inside.steps import SAID_SO
from runner.migrations.interface import Broke, Direction, Elsewhere, Event, Paused, Step

#: What Node's tools say of a migration without a ``down``.
_NONE = re.compile(
    r"Could not find migration method: down|\.down is not a function|User has disabled down migration"
    r"|Impossible to automatically infer down migration"
)


def stepping(steps: Sequence[Step], command: Callable[[Mapping[str, object]], Command]) -> Iterator[Event]:
    """The events of a program that takes ``steps``; ``command`` makes it from what its request must hold for that.

    The program goes on where a file with the number of the step lies in a directory that only it and we know.
    """
    with tempfile.TemporaryDirectory(prefix="dbproof-gate-") as gate:
        more = {"steps": [[step.direction.value, step.revision] for step in steps], "gate": gate}
        with closing(hearing.events(command(more))) as events:
            for event in events:
                yield event
                if isinstance(event, Paused):
                    (Path(gate) / str(event.number)).touch()


class Walker(Protocol):
    """Takes single steps of one project on one database."""

    def no_way_back(self, revision: str) -> str:
        """Why a migration cannot be undone, nothing where it can be tried."""
        ...

    def take(self, step: Step) -> Iterator[Event]:
        """What one step does; a :class:`Broke` is its end."""
        ...

    def place(self, step: Step) -> Place | None:
        """Where what a step runs begins."""
        ...


def walked(steps: Sequence[Step], walker: Walker) -> Iterator[Event]:
    """Take ``steps``, as :meth:`Reversible.rehearse` says it."""
    standing = set[str]()
    for number, step in enumerate(steps):
        why = walker.no_way_back(step.revision) if step.direction is Direction.DOWN else ""
        if why:
            standing.add(step.revision)
        elif step.direction is Direction.UP and step.revision in standing:
            standing.discard(step.revision)
        else:
            with closing(cast("Any", walker.take(step))) as events:
                for event in events:
                    if isinstance(event, Broke) and step.direction is Direction.DOWN and (why := _said_so(event)):
                        standing.add(step.revision)
                        break
                    yield event
                    if isinstance(event, Broke | Elsewhere):
                        return
        yield Paused(number, walker.place(step), why)


def _said_so(broke: Broke) -> str:
    """Why there is no way back, where a program stopped because it has none, or because its author says so."""
    if broke.code or broke.timed_out:
        return ""
    if _NONE.search(broke.said):
        return "it has no `down`"
    return f"its way back throws {broke.said}" if SAID_SO.search(broke.said) else ""
