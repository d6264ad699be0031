"""Plants faults and lets the responsible check look for each: found, missed, or not planted.

All of them one at a time; of a sample those side by side that touch no table in common, so that none can stand for another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, cast

from checks.document_targets import DocumentTarget
from checks.faults.interface import Fault, Maker, Scene
from checks.faults.registry import FAULTS, OF_DOCUMENTS
from checks.interface import Check, Engine, Finding, Need, Outcome, State
from checks.targets import RelationalTarget, Target
from runner.report import FaultState, PlantedFault, ReportedGap, SelfProof
from runner.scheduler import Checks, run_checks
from runner.selftest.narrowing import Narrowed, NarrowedDocuments
from runner.selftest.planting import Ground

#: How many places are thought of for a fault of one kind where one will do.
PLACES = 24
#: The share of a sample's time after which no more faults are planted beside each other, so that there is some to look for them.
PLANTING = 0.5


@dataclass(frozen=True)
class Extent:
    """How far a self-proof goes: every fault, or one of each kind within an ``allowance`` in seconds."""

    allowance: float | None = None

    @property
    def is_sample(self) -> bool:
        """Whether one fault of each kind will do."""
        return self.allowance is not None


FULL = Extent()


@dataclass(frozen=True)
class _Kind:
    """The faults of one kind that could be planted here, and why there are none (``reason``)."""

    check: str
    name: str
    faults: Sequence[Fault]
    reason: str = ""


@dataclass
class SelfTest:
    """The self-proof of one database under way; nothing that was seen is lost when it stops early.

    ``outcomes`` are those of the database without faults: only what was proven on it can be broken.
    """

    ground: Ground
    scene: Scene
    checks: Checks
    outcomes: Sequence[Outcome]
    extent: Extent = FULL
    say: Callable[[str], None] = lambda _: None
    faults: list[PlantedFault] = field(default_factory=list)
    left_out: int = 0
    seconds: float = 0.0
    _began: float = 0.0

    def run(self) -> SelfProof:
        """Plant them, all one at a time, or a sample of them side by side."""
        self._began = time.monotonic()
        kinds = list(_kinds(self.scene, self.checks, self.outcomes, PLACES if self.extent.is_sample else None))
        for kind in kinds:
            if not kind.faults:
                self.faults.append(PlantedFault(kind.name, kind.check, "", FaultState.NOT_PLANTED, kind.reason))
        try:
            (self._sample if self.extent.is_sample else self._all)([kind for kind in kinds if kind.faults])
        finally:
            self.seconds = time.monotonic() - self._began
        return self.proof()

    def proof(self) -> SelfProof:
        """What is known so far."""
        return SelfProof(
            faults=tuple(self.faults),
            vacuous=tuple(_vacuous(self.faults, self.outcomes)),
            seconds=self.seconds,
            allowance=self.extent.allowance,
            left_out=self.left_out,
        )

    def _all(self, kinds: Sequence[_Kind]) -> None:
        for fault in (fault for kind in kinds for fault in kind.faults):
            self._note(self._alone(fault))

    def _sample(self, kinds: Sequence[_Kind]) -> None:
        """One of each kind, wherever it can be planted: what touches few tables leaves room for more beside it."""
        waiting = [sorted(kind.faults, key=lambda fault: len(fault.touches) or PLACES) for kind in kinds]
        judged: dict[Fault, PlantedFault] = {}
        while waiting and not (judged and self._is_over()):
            judged = {}
            with self.ground.planted(waiting, lambda: self._is_over(PLANTING)) as planted:
                for fault in planted.faults:
                    if not (judged and self._is_over()):
                        judged[fault] = self._looked_for(fault, planted.target)
            for fault, said in judged.items():
                self._note(self._alone(fault) if said.state is FaultState.MISSED and len(planted.faults) > 1 else said)
            waiting = list(self._left(waiting, planted.refused, judged))
        self.left_out += len(waiting)

    def _left(
        self, waiting: Sequence[list[Fault]], refused: Mapping[Fault, str], judged: Mapping[Fault, PlantedFault]
    ) -> Iterator[list[Fault]]:
        """The kinds of which none was judged yet; one that no place was found for is reported as such."""
        for faults in waiting:
            if any(fault in judged for fault in faults):
                continue
            more = [fault for fault in faults if fault not in refused]
            if more:
                yield more
            else:
                self._note(_not_planted(faults[-1], refused[faults[-1]]))

    def _alone(self, fault: Fault) -> PlantedFault:
        with self.ground.planted([[fault]]) as planted:
            return _not_planted(fault, planted.refused[fault]) if planted.refused else self._looked_for(fault, planted.target)

    def _looked_for(self, fault: Fault, target: Target) -> PlantedFault:
        (outcome,) = run_checks(_shown(target, fault), {fault.check: self.checks[fault.check]}, {})
        found = any(finding.subject == fault.red for finding in outcome.findings)
        state = FaultState.FOUND if found else FaultState.MISSED
        return PlantedFault(fault.kind, fault.check, fault.subject, state, "" if found else _silence(outcome))

    def _note(self, judged: PlantedFault) -> None:
        self.faults.append(judged)
        self.say(f"{len(self.faults)}: {judged.kind} of {judged.place}")

    def _is_over(self, share: float = 1.0) -> bool:
        """Whether a sample has used up its seconds, or a share of them."""
        return self.extent.allowance is not None and time.monotonic() - self._began > share * self.extent.allowance


def _not_planted(fault: Fault, reason: str) -> PlantedFault:
    return PlantedFault(fault.kind, fault.check, fault.subject, FaultState.NOT_PLANTED, reason)


def _shown(target: Target, fault: Fault) -> Target:
    """What the check is handed: only what the fault is about."""
    if not fault.tables:
        return target
    if target.engine is Engine.MONGODB:
        return NarrowedDocuments(cast("DocumentTarget", target), frozenset(table.name for table in fault.tables))
    return Narrowed(cast("RelationalTarget", target), fault.tables)


def _silence(outcome: Outcome) -> str:
    """Why a check did not find a fault, in its own words."""
    if outcome.state is State.ERRORED:
        return f"the check could not run: {outcome.reason}"
    if outcome.findings:
        return f"it found something else: {outcome.findings[0].subject}"
    return outcome.reason or "it found nothing"


def _kinds(scene: Scene, checks: Checks, outcomes: Sequence[Outcome], most: int | None) -> Iterator[_Kind]:
    """Every kind of fault for the checks that came to a verdict: the first of each check before the second, errors first."""
    judged = {outcome.check: outcome for outcome in outcomes if _is_judged(outcome, checks[outcome.check], scene.engine)}
    known = {**FAULTS, **OF_DOCUMENTS} if scene.engine is Engine.MONGODB else FAULTS
    makers = [(place, name, maker) for name in judged for place, maker in enumerate(known.get(name, ()))]
    for _, name, maker in sorted(makers, key=lambda one: (one[0], -checks[one[1]].SEVERITY.weight)):
        yield _kind(name, maker, scene, None if _compares(checks[name]) else judged[name], most)


def _is_judged(outcome: Outcome, check: Check[Any], engine: Engine) -> bool:
    return outcome.state in (State.PASSED, State.FAILED) or (_compares(check) and engine in check.ENGINES)


def _compares(check: Check[Any]) -> bool:
    """What compares with base compares here with the database itself, without the fault: so all of it holds at first."""
    return Need.BASE in check.NEEDS


def _kind(check: str, maker: Maker, scene: Scene, outcome: Outcome | None, most: int | None) -> _Kind:
    """Only what holds can be broken, and only a finding that is not there yet says something. At most so many places of it."""
    made = list(islice(_able(maker(scene), outcome), most))
    if made:
        return _Kind(check, made[0].kind, made)
    there = any(True for _ in maker(scene))
    return _Kind(check, _words(maker), (), "nothing that holds here could be broken so" if there else "nothing of that kind here")


def _able(faults: Iterator[Fault], outcome: Outcome | None) -> Iterator[Fault]:
    if outcome is None:
        return faults
    red, proven = {finding.subject for finding in outcome.findings}, set(outcome.proven)
    return (fault for fault in faults if fault.subject in proven and fault.red not in red)


def _words(maker: Maker) -> str:
    return str(getattr(maker, "__name__", "")).replace("_", "-")


def _vacuous(faults: Sequence[PlantedFault], outcomes: Sequence[Outcome]) -> Iterator[ReportedGap]:
    """The checks that no fault could turn red here, and that were not red by themselves."""
    by_check: dict[str, list[PlantedFault]] = {}
    for fault in faults:
        by_check.setdefault(fault.check, []).append(fault)
    findings: Mapping[str, tuple[Finding, ...]] = {outcome.check: outcome.findings for outcome in outcomes}
    for check, tried in by_check.items():
        if not findings.get(check) and not any(fault.state is FaultState.FOUND for fault in tried):
            reasons = dict.fromkeys("missed" if fault.state is FaultState.MISSED else fault.reason for fault in tried)
            yield ReportedGap(check, "; ".join(reasons))
