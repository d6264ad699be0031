"""Steps of a migration tool in one process: it stops after each, and goes on when the caller does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from runner.children import Command
from runner.migrations import hearing
from runner.migrations.interface import Event, Paused, Step


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
