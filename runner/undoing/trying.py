"""The pass: on a copy of what base holds each new migration goes up, down and up again, and states are compared on the way.

It comes after the verdict on migrating, which is one ``apply`` of everything, and changes nothing of it. One fork of the server,
one process of the tool for all steps, and three digests a migration.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

from checks.reversals import Reversal, SecondRun
from runner.data.load import failure as failure_of
from runner.errors import ServerFailed, ToolFailed
from runner.gathering import counted
from runner.migrations.interface import Broke, Direction, Elsewhere, Event, Paused, Project, Reversible, Step
from runner.plan import Built
from runner.servers.interface import Database, Golden, Server
from runner.snapshots.resting import touched
from runner.steps import Building, project_in
from runner.undoing.interface import States

#: The check that judges it.
CHECK = "down-restores"
#: How many are tried where there is no base to compare with, and then without rows: the newest.
WITHOUT_BASE = 5
#: How many new ones are tried at most: the newest.
NEW = 20
#: Seconds after which no further one is begun.
LONGEST = 120.0
_AGAIN = Step(Direction.AGAIN)


def undone(building: Building, head: Built, base: Built | None, applied: frozenset[str]) -> Built:
    """Head with what became of its new migrations on their way back; without ``base``, of its newest, from nothing.

    ``applied`` are base's revisions. The same where nothing can be undone, or where migrating failed, with rows and without;
    without base also of an engine that undoes nothing from nothing, as no migration is new then.
    """
    tool, states = building.plan.adapter, building.plan.backend.states
    project = project_in(building, building.plan.root, applied)
    if CHECK not in building.plan.checks or project is None or head.evidence.incomplete:
        return head
    if base is None and states.clear is None:
        return head
    names = [one.revision for one in head.evidence.migrations]
    new = [name for name in names if name not in applied]
    if not (new if names else base):
        return head
    if not hasattr(tool, "rehearse") or not (reversible := cast("Reversible", tool)).reversible(project):
        _say_why(building, getattr(tool, "NO_WAY_BACK", ""))
        changed = base is not None and _may_repeat(tool) and touched(building)
        return _once_more(building, head, project) if changed else head
    with building.plan.progress.stage("undo") as stage:
        found = _found(building, head, base, _Tried(reversible, project, states, new))
        tried = counted(len(found.reversals), "migration")
        gaps = [one.gap for one in found.reversals if one.gap]
        if gaps and len(gaps) == len(found.reversals) and len(set(gaps)) == 1:
            stage.skipped(f"{tried} not tried: {gaps[0]}")
        else:
            some = f"{len(found.reversals) - len(gaps)} of {tried}" if gaps else tried
            stage.say(f"{some} down and up again on a copy" if found.reversals else "nothing new to undo")
    return replace(head, evidence=replace(head.evidence, reversals=tuple(found.reversals), second_run=found.second_run))


def _may_repeat(tool: object) -> bool:
    """Whether it is a program of the project's that keeps its books itself: a command without a ``down`` beside it."""
    return hasattr(tool, "rehearse") and getattr(tool, "KEEPS_BOOKS", False) and not getattr(tool, "FILES_ONLY", True)


def _once_more(building: Building, head: Built, project: Project) -> Built:
    """Head with what one more run did on a copy of it, with nothing pending."""
    states, tool = building.plan.backend.states, cast("Reversible", building.plan.adapter)
    with building.plan.progress.stage("undo") as stage, ExitStack() as stack:
        try:
            _, database = _copy(stack, head)
            before, second = states.read(database), None
            with closing(cast("Any", tool.rehearse(project, database.addresses[building.role], [_AGAIN]))) as events:
                for event in events:
                    if isinstance(event, Broke):
                        second = SecondRun(failure=failure_of(event))
                    elif isinstance(event, Paused):
                        second = SecondRun(states.differences(before, states.read(database)))
        except (ServerFailed, ToolFailed) as failed:
            stage.skipped(failed.message)
            return head
        stage.say("applied once more on a copy; no `down` says how to go back")
    return replace(head, evidence=replace(head.evidence, second_run=second))


def _say_why(building: Building, why: str) -> None:
    """Say once that the tool has no way back, where it is known to have none."""
    if why:
        with building.plan.progress.stage("undo") as stage:
            stage.skipped(why)


@dataclass(frozen=True)
class _Tried:
    """What is to be tried: ``new`` are the revisions that base lacks, in their order, none where the tool knows of none."""

    tool: Reversible
    project: Project
    states: States[Any]
    new: Sequence[str]

    def steps(self, most: int) -> tuple[Sequence[str], list[Step]]:
        """The revisions that are undone, and every step; those before them only go up."""
        tried = list(self.new[-most:]) or [""]
        early = [Step(Direction.UP, name) for name in self.new[:-most]]
        there_and_back = [Step(way, name) for name in tried for way in (Direction.UP, Direction.DOWN, Direction.UP)]
        return tried, [*early, *there_and_back, *([_AGAIN] if self.tool.KEEPS_BOOKS else [])]


@dataclass
class _Found:
    """What came of it so far."""

    reversals: list[Reversal] = field(default_factory=list)
    second_run: SecondRun | None = None

    def leave(self, names: Sequence[str], why: str) -> None:
        """Those of which nothing is known yet could not be tried."""
        known = {one.revision for one in self.reversals}
        self.reversals += [Reversal(name, gap=why) for name in names if name not in known]


def _found(building: Building, head: Built, base: Built | None, tried: _Tried) -> _Found:
    names, steps = tried.steps(WITHOUT_BASE if base is None else NEW)
    found = _Found()
    try:
        with ExitStack() as stack:
            server, database = _copy(stack, base or head)
            if base is None and tried.states.clear is not None:
                tried.states.clear(database)
            walk = _Walk(tried.states, server, database, found, partial(base.server.clone, base.golden) if base else None)
            stack.callback(walk.aside.close)
            events = tried.tool.rehearse(tried.project, database.addresses[building.role], steps)
            walk.follow(events, steps, len(steps) - 3 * len(names) - tried.tool.KEEPS_BOOKS)
    except (ServerFailed, ToolFailed) as failed:
        found.leave(names, failed.message)
    return found


def _copy(stack: ExitStack, one: Built) -> tuple[Server, Database]:
    server = stack.enter_context(one.server.fork())
    return server, server.open(Golden(server.database(one.golden.database.name)))


@dataclass
class _Walk:
    """The steps as they are taken, on a database of ``server`` that nobody else has.

    ``base`` opens a copy of what the database was at the beginning, where there is one. ``before`` is the state that the next
    migration starts from, ``after`` that of its first time up, ``live`` gives a database that is as ``before`` says.
    """

    states: States[Any]
    server: Server
    database: Database
    found: _Found
    base: Callable[[], AbstractContextManager[Database]] | None = None
    before: Any = None
    after: Any = None
    live: Callable[[], Database] | None = None
    aside: ExitStack = field(default_factory=ExitStack)

    def follow(self, events: Iterator[Event], steps: Sequence[Step], early: int) -> None:
        """Compare where the tool pauses. ``early`` steps come before the first migration that is undone."""
        names = list(dict.fromkeys(step.revision for step in steps[early:] if step.direction is not Direction.AGAIN))
        begins = range(early, early + 3 * len(names), 3)
        number, began = 0, time.monotonic()
        if early:
            self.base = None
        if number in begins:
            self._begin()
        with closing(cast("Any", events)):
            for event in events:
                if isinstance(event, Paused):
                    number = event.number + 1
                    if event.number >= early:
                        self._paused(event, (event.number - early) % 3, steps[event.number])
                    if self._nothing_new(event.number - early, steps[event.number]):
                        return
                    if number in begins and not self._goes_on(began, names):
                        return
                elif isinstance(event, Broke):
                    self._broke(event, (number - early) % 3 if number >= early else 0, steps[number])
                elif isinstance(event, Elsewhere):
                    break
        stopped = steps[number].revision if number < len(steps) else ""
        self.found.leave(names, f"not tried, the steps stopped at {stopped or 'an earlier one'}")

    def _begin(self) -> None:
        """Keep what the next migration starts from; a copy of base is made only where rows are to be compared."""
        self.aside.close()
        self.before = self.after if self.after is not None else self.states.read(self.database)
        if self.base is not None:
            self.live = partial(self.aside.enter_context, self.base())
        else:
            copy = self.aside.enter_context(self.states.copied(self.database, self.server))
            self.live = lambda: copy
        self.base = None

    def _goes_on(self, began: float, names: Sequence[str]) -> bool:
        """Begin the next migration, unless those before it took too long already."""
        if time.monotonic() - began > LONGEST:
            self.found.leave(names, f"not tried: those before it took more than {LONGEST:.0f} s")
            return False
        self._begin()
        return True

    def _nothing_new(self, number: int, step: Step) -> bool:
        """Whether a command changed nothing of base, so that there is nothing of this change to undo."""
        return not step.revision and number == 0 and not self.states.differences(self.before, self.after)

    def _paused(self, event: Paused, phase: int, step: Step) -> None:
        if step.direction is Direction.AGAIN:
            self.found.second_run = SecondRun(self.states.differences(self.after, self.states.read(self.database)))
        elif phase == 0:
            self.after = self.states.read(self.database, numbers=bool(step.revision))
        elif phase == 1:
            self._down(event, step)
        else:
            self._up_again()

    def _down(self, event: Paused, step: Step) -> None:
        if event.irreversible:
            self.found.reversals.append(Reversal(step.revision, event.place, irreversible=event.irreversible))
            return
        now = self.states.read(self.database)
        left = self.states.differences(self.before, now)
        if left and self.live is not None:
            left = self.states.differences(self.before, now, live=(self.live(), self.database))
        values_only = not self.states.differences(self.before, self.after, numbers=True)
        self.found.reversals.append(Reversal(step.revision, event.place, left, values_only=values_only))

    def _up_again(self) -> None:
        now = self.states.read(self.database)
        last = self.found.reversals[-1]
        if not last.irreversible:
            self.found.reversals[-1] = replace(last, again=self.states.differences(self.after, now, numbers=True))
        self.after = now

    def _broke(self, event: Broke, phase: int, step: Step) -> None:
        failure = failure_of(event)
        if step.direction is Direction.AGAIN:
            self.found.second_run = SecondRun(failure=failure)
        elif phase == 0:
            self.found.leave([step.revision], f"applied by itself it stops: {failure.said}")
        elif phase == 1:
            self.found.reversals.append(Reversal(step.revision, event.place, failure=failure))
        else:
            self.found.reversals[-1] = replace(self.found.reversals[-1], failure=failure, failed_again=True)
