"""Plants faults on a copy of a sealed database, and hands the copy to the checks as they are handed any other.

What an engine needs for it stands in :mod:`runner.selftest.planters`; everything else is the engine's ordinary clone and target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, cast

from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.faults.interface import Fault
from checks.interface import Engine
from checks.targets import Target
from runner.backends.interface import Backend
from runner.plan import Built
from runner.selftest.planters import PLANTERS, UNBROKEN, Attempt, NotPlanted
from runner.servers.interface import Database, Golden, Server


@dataclass(frozen=True)
class Planted:
    """A copy with the ``faults`` that stand in it, and those that were ``refused``, with the reason."""

    target: Target
    faults: Sequence[Fault]
    refused: Mapping[Fault, str]


@dataclass(frozen=True)
class Ground:
    """Where faults are planted: a sealed database, and what its checks go by."""

    backend: Backend
    built: Built
    expect: Expectations
    evidence: Evidence

    @contextmanager
    def planted(self, choices: Sequence[Sequence[Fault]], enough: Callable[[], bool] = lambda: False) -> Iterator[Planted]:
        """A copy with one fault of each choice, as far as they can be planted and touch no table in common.

        No more are planted once one is and there are ``enough``.
        """
        server = self.built.server
        with server.clone(self.built.golden) as copy:
            with PLANTERS[server.engine](copy) as attempt:
                faults, refused = _fitting(choices, attempt, enough)
            with (
                _sealed(server, copy) as (as_it_stands, golden),
                self.backend.target(as_it_stands, golden, copy, self.expect, self.evidence) as target,
            ):
                yield Planted(target, faults, refused)


def _fitting(
    choices: Sequence[Sequence[Fault]], attempt: Attempt, enough: Callable[[], bool]
) -> tuple[Sequence[Fault], Mapping[Fault, str]]:
    """Plant of each choice the first that stands apart from those before."""
    standing: list[Fault] = []
    refused: dict[Fault, str] = {}
    for faults in choices:
        if standing and enough():
            break
        for fault in faults:
            if not _stands_apart(fault, standing):
                continue
            try:
                _first(fault, attempt)
            except NotPlanted as failed:
                refused[fault] = str(failed)
            else:
                standing.append(fault)
                break
    return standing, refused


def _stands_apart(fault: Fault, others: Sequence[Fault]) -> bool:
    return all(fault.touches and other.touches and not fault.touches & other.touches for other in others)


def _first(fault: Fault, attempt: Attempt) -> None:
    """The first way that leads to the fault; the last one's reason where none does."""
    reason = "nobody knows how"
    for way in fault.ways:
        try:
            return attempt(way, fault.shows)
        except NotPlanted as failed:
            reason = str(failed)
    raise NotPlanted(UNBROKEN if fault.shows else reason)


@dataclass(frozen=True)
class _AsItStands:
    """A server on which a copy stands for its own copies: it is thrown away, so it is read and written to itself."""

    server: Server
    copy: Database

    def clone(self, golden: Golden) -> AbstractContextManager[Database]:  # noqa: ARG002 - there is only this one
        return nullcontext(self.copy)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a server has
        return getattr(self.server, name)


@contextmanager
def _sealed(server: Server, copy: Database) -> Iterator[tuple[Server, Golden]]:
    """SQLite's sandbox empties the tables that it writes to, so there reading and writing need copies of their own."""
    if server.engine is not Engine.SQLITE:
        yield cast("Server", _AsItStands(server, copy)), Golden(copy)
        return
    golden = server.seal(copy)
    try:
        yield server, golden
    finally:
        server.open(golden)
