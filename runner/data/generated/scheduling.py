"""Fills tables side by side: each as soon as those that it rests on are done, or promise what keys they will have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from typing import TypeVar

from checks.rows.sets.order import Turn
from checks.schema.names import TableName

T = TypeVar("T")


class Stopped(Exception):
    """Another table could not be filled, and nothing is begun any more."""


class Progress:
    """Which tables are done, for those who wait for them."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.resting = _resting(turns)
        self.stopped = False
        self._done = {turn.table.name: Event() for turn in turns}

    def wait(self, names: Iterable[TableName]) -> None:
        """Wait until these tables are done. Raises Stopped."""
        for name in names:
            self._done[name].wait()
        if self.stopped:
            raise Stopped

    def ended(self, name: TableName) -> None:
        """Note that a table is done."""
        self._done[name].set()

    def stop(self) -> None:
        """Let nobody wait any longer."""
        self.stopped = True
        for event in self._done.values():
            event.set()


def side_by_side(
    turns: Sequence[Turn],
    work: Callable[[Turn, Callable[[], None]], T],
    workers: int,
    progress: Progress,
    early: Callable[[Turn], bool],
    stop: Callable[[], object],
) -> list[T]:
    """What ``work`` gives for each turn, in the turns' order. Where one fails, no other is begun, and its exception is raised.

    ``work`` calls what it is given when it promises the table's keys: then those begin that are ``early``. They have to wait for
    ``progress`` before they rely on it; whom they wait for was begun before them. ``stop`` is called on any failure, Ctrl-C
    among them: it ends what the others are waiting for.
    """
    waiting = {turn.table.name: turn for turn in turns}
    running: dict[TableName, Future[T]] = {}
    done: dict[TableName, T] = {}
    promised: set[TableName] = set()
    news: SimpleQueue[tuple[TableName, bool]] = SimpleQueue()

    def worked(turn: Turn) -> T:
        name, well = turn.table.name, False
        try:
            came = work(turn, lambda: news.put((name, False)))
            well = True
            return came
        finally:
            news.put((name, True))  # before anybody is stopped by it, so that its exception is the one that is raised
            progress.stopped = progress.stopped or not well
            progress.ended(name)

    with ThreadPoolExecutor(workers) as pool:
        try:
            while waiting or running:
                for name, turn in list(waiting.items()):
                    if progress.resting[name] <= (done.keys() | promised if early(turn) else done.keys()):
                        running[name] = pool.submit(worked, waiting.pop(name))
                name, ended = news.get()
                promised.add(name)
                if ended:
                    done[name] = running.pop(name).result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            progress.stop()
            stop()
            raise
    return [done[turn.table.name] for turn in turns]


def _resting(turns: Sequence[Turn]) -> Mapping[TableName, frozenset[TableName]]:
    """The tables that have to be done before each: its parents, and where it is the later parent of another, that one."""
    names = {turn.table.name for turn in turns}
    found = {turn.table.name: {key.parent for key in turn.keys} & names - {turn.table.name} for turn in turns}
    for turn in turns:
        for key in turn.later:
            if key.parent in names:
                found[key.parent].add(turn.table.name)
    return {name: frozenset(before) for name, before in found.items()}
