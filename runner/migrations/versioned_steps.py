"""Single steps of a tool of SQL files that keeps books: one file up, one back, each in a session as of the tool's own command."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace

from checks.evidence import Place
from runner.migrations import versioned
from runner.migrations.books import ReversibleBooks
from runner.migrations.interface import Began, Broke, Direction, Ended, Event, Project, Step
from runner.migrations.rehearsing import walked
from runner.migrations.scripts import Refused, Script, Way
from runner.migrations.versioned import Opened, in_session
from runner.servers.interface import Address

#: What undoes a script, read when it is asked for.
Back = Callable[[Script], Way]


def rehearse(
    project: Project, on: Address, scripts: Sequence[Script], books: ReversibleBooks, back: Back, steps: Sequence[Step]
) -> Iterator[Event]:
    """Take ``steps``, with a pause after each."""
    return walked(steps, _Steps(project, on, scripts, books, back))


class _Steps:
    def __init__(self, project: Project, on: Address, scripts: Sequence[Script], books: ReversibleBooks, back: Back) -> None:
        self._project = project
        self._on = on
        self._scripts = scripts
        self._books = books
        self._back = back
        self._of = {script.id: script for script in scripts}

    def no_way_back(self, revision: str) -> str:
        return self._back(self._of[revision]).missing

    def place(self, step: Step) -> Place | None:
        if step.direction is Direction.AGAIN:
            return None
        script = self._of[step.revision]
        return self._back(script).place if step.direction is Direction.DOWN else Place(script.name, 1)

    def take(self, step: Step) -> Iterator[Event]:
        if step.direction is Direction.DOWN:
            return in_session(self._project, self._on, lambda opened: self._undone(opened, self._of[step.revision]))
        most = 1 if step.direction is Direction.UP else None
        return versioned.apply(self._project, self._on, self._scripts, self._books, most)

    def _undone(self, opened: Opened, script: Script) -> Iterator[Event | Script]:
        yield script
        held = self._books.held(opened.connection, self._scripts)
        if not held or held[-1].id != script.id:
            last = held[-1].name if held else "nothing"
            raise Refused(f"the tool undoes {last} first", script)
        began = time.monotonic()
        yield Began(script.id)
        if broke := (yield from self._back_sent(opened, script, held[-2] if len(held) > 1 else None)):
            yield replace(broke, revision=script.id)
        else:
            yield Ended(script.id, time.monotonic() - began)

    def _back_sent(self, opened: Opened, script: Script, before: Script | None) -> Generator[Event, None, Broke | None]:
        way, books, connection = self._back(script), self._books, opened.connection
        if way.wrong is not None:
            return Broke(None, Place(script.name, way.wrong[0]), "", way.wrong[1])
        books.back(connection, script, before)
        broke = yield from versioned.sent(opened, script, way, lambda: books.undo(connection, script))
        if broke is None:
            books.undone(connection, script, before)
        return broke
