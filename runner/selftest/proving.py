"""Plants faults one at a time and lets the responsible check look at each: found, missed, or not planted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, cast

from checks.faults.interface import Fault, Maker, Scene
from checks.faults.registry import FAULTS
from checks.interface import Check, Engine, Finding, Need, Outcome, State
from checks.targets import RelationalTarget, Target
from runner.report import FaultState, PlantedFault, ReportedGap, SelfProof
from runner.scheduler import Checks, run_checks
from runner.selftest.narrowing import Narrowed
from runner.selftest.planting import Ground, NotPlanted

#: How many places are tried for a fault of one kind where one will do.
TRIED = 3


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

    def run(self) -> SelfProof:
        """Plant them all, one after the other."""
        began = time.monotonic()
        kinds = list(_kinds(self.scene, self.checks, self.outcomes))
        try:
            for kind in kinds:
                if self.extent.allowance is not None and time.monotonic() - began > self.extent.allowance:
                    self.left_out += bool(kind.faults)
                else:
                    self._plant(kind)
        finally:
            self.seconds = time.monotonic() - began
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

    def _plant(self, kind: _Kind) -> None:
        if not kind.faults:
            self.faults.append(PlantedFault(kind.name, kind.check, "", FaultState.NOT_PLANTED, kind.reason))
        for fault in self._chosen(kind):
            self.faults.append(self._judged(fault))
            self.say(f"{len(self.faults)}: {fault.kind} of {fault.place}")

    def _chosen(self, kind: _Kind) -> Iterator[Fault]:
        """All of them; of a sample the first that can be planted."""
        if not self.extent.is_sample:
            yield from kind.faults
            return
        for fault in islice(kind.faults, TRIED):
            yield fault
            if self.faults[-1].state is not FaultState.NOT_PLANTED:
                return
            if fault is not kind.faults[:TRIED][-1]:
                self.faults.pop()  # another place of the same kind is tried

    def _judged(self, fault: Fault) -> PlantedFault:
        try:
            with self.ground.planted(fault) as target:
                (outcome,) = run_checks(_shown(target, fault), {fault.check: self.checks[fault.check]}, {})
        except NotPlanted as failed:
            return PlantedFault(fault.kind, fault.check, fault.place, FaultState.NOT_PLANTED, str(failed))
        found = any(finding.subject == fault.turns for finding in outcome.findings)
        state = FaultState.FOUND if found else FaultState.MISSED
        return PlantedFault(fault.kind, fault.check, fault.place, state, "" if found else _silence(outcome))


def _shown(target: Target, fault: Fault) -> Target:
    """What the check is handed: of a relational database only what the fault is about."""
    if not fault.tables or target.engine is Engine.MONGODB:
        return target
    return Narrowed(cast("RelationalTarget", target), fault.tables)


def _silence(outcome: Outcome) -> str:
    """Why a check did not find a fault, in its own words."""
    if outcome.state is State.ERRORED:
        return f"the check could not run: {outcome.reason}"
    if outcome.findings:
        return f"it found something else: {outcome.findings[0].subject}"
    return outcome.reason or "it found nothing"


def _kinds(scene: Scene, checks: Checks, outcomes: Sequence[Outcome]) -> Iterator[_Kind]:
    """Every kind of fault for the checks that came to a verdict: the first of each check before the second, errors first."""
    judged = {outcome.check: outcome for outcome in outcomes if _is_judged(outcome, checks[outcome.check], scene.engine)}
    makers = [(place, name, maker) for name in judged for place, maker in enumerate(FAULTS.get(name, ()))]
    for _, name, maker in sorted(makers, key=lambda one: (one[0], -checks[one[1]].SEVERITY.weight)):
        yield _kind(name, maker, scene, None if _compares(checks[name]) else judged[name])


def _is_judged(outcome: Outcome, check: Check[Any], engine: Engine) -> bool:
    return outcome.state in (State.PASSED, State.FAILED) or (_compares(check) and engine in check.ENGINES)


def _compares(check: Check[Any]) -> bool:
    """What compares with base compares here with the database itself, without the fault: so all of it holds at first."""
    return Need.BASE in check.NEEDS


def _kind(check: str, maker: Maker, scene: Scene, outcome: Outcome | None) -> _Kind:
    """Only what holds can be broken, and only a finding that is not there yet says something."""
    able = made = list(maker(scene))
    if outcome is not None:
        red, proven = {finding.subject for finding in outcome.findings}, set(outcome.proven)
        able = [fault for fault in made if fault.holds in proven and fault.turns not in red]
    kind = made[0].kind if made else _words(maker)
    if able:
        return _Kind(check, kind, able)
    return _Kind(check, kind, (), "nothing that holds here could be broken so" if made else "nothing of that kind here")


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
