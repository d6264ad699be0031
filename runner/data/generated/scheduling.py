"""Fills tables side by side: each as soon as those that it rests on are done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from checks.rows.sets.order import Turn
from checks.schema.names import TableName

T = TypeVar("T")


def side_by_side(turns: Sequence[Turn], work: Callable[[Turn], T], workers: int, stop: Callable[[], object]) -> list[T]:
    """What ``work`` gives for each turn, in the turns' order. Where one fails, no other is begun, and its exception is raised.

    ``stop`` is called on any failure, Ctrl-C among them: it ends what the others are waiting for.
    """
    waiting, resting = {turn.table.name: turn for turn in turns}, _resting(turns)
    running: dict[Future[T], TableName] = {}
    done: dict[TableName, T] = {}
    with ThreadPoolExecutor(workers) as pool:
        try:
            while waiting or running:
                for name in [one for one in waiting if resting[one] <= done.keys()]:
                    running[pool.submit(work, waiting.pop(name))] = name
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    done[running.pop(future)] = future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
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
