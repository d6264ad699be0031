"""The self-proof as a part of a run: what is to be reported of a database waits for it, and is reported with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType

from checks.declared.expectations import Expectations
from checks.faults.interface import Scene, scene_of
from checks.interface import Outcome
from checks.targets import Target
from runner.backends.interface import Backend
from runner.plan import Built
from runner.progress import Progress, Stage
from runner.report import FaultState, ReportedDatabase, SelfProof
from runner.scheduler import Checks
from runner.selftest.planters import ENGINES
from runner.selftest.planting import Ground
from runner.selftest.proving import FULL, Extent, SelfTest
from runner.settings.surface import Selftest

#: The share of a database's own time that a sample may add to it, and the seconds that it may take at least and at most.
SHARE = 0.05
LEAST, MOST = 0.25, 3.0


@dataclass
class SelfProving:
    """Holds back what is to be reported until the block has ended, then plants faults, and hands all on to ``keep``.

    Where the block, or the self-proof, is left by an exception, what was found until then is handed on all the same.
    """

    keep: Callable[[ReportedDatabase], None]
    mode: Selftest
    backend: Backend
    expect: Expectations
    checks: Checks
    progress: Progress
    _head: Built | None = None
    _scene: Scene | None = None
    _outcomes: Sequence[Outcome] = ()
    _held: list[ReportedDatabase] = field(default_factory=list)
    _test: SelfTest | None = None

    def __enter__(self) -> SelfProving:
        return self

    def see(self, target: Target, head: Built, outcomes: Sequence[Outcome]) -> None:
        """What was judged: the database without faults."""
        if self.mode is not Selftest.OFF and not head.evidence.incomplete and head.server.engine in ENGINES:
            self._head, self._scene, self._outcomes = head, scene_of(target), outcomes

    def hold(self, reported: ReportedDatabase) -> None:
        """What is to be reported."""
        self._held.append(reported)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None and self._held and self._head is not None and self._scene is not None:
                self._prove(self._head, self._scene, self._held[0].seconds)
        finally:
            proof = self._test.proof() if self._test else None
            for held in self._held:
                self.keep(replace(held, selftest=proof, seconds=held.seconds + (proof.seconds if proof else 0.0)))

    def _prove(self, head: Built, scene: Scene, seconds: float) -> None:
        evidence = replace(head.evidence, base=scene.catalogue)
        self._test = SelfTest(
            Ground(self.backend, head, self.expect, evidence), scene, self.checks, self._outcomes, extent(self.mode, seconds)
        )
        with self.progress.stage("selftest") as stage:
            self._test.say = stage.say
            say_proven(stage, self._test.run())


def extent(mode: Selftest, seconds: float) -> Extent:
    """How far the self-proof of a database goes that took so many ``seconds`` without it."""
    return FULL if mode is Selftest.FULL else Extent(min(max(LEAST, SHARE * seconds), MOST))


def say_proven(stage: Stage, proof: SelfProof) -> None:
    """End the stage with how many faults were found."""
    if not proof.planted:
        stage.skipped("no fault could be planted" + (" in time" if proof.left_out else ""))
        return
    missed = len(proof.of(FaultState.MISSED))
    text = f"{proof.found} of {proof.planted} planted faults found"
    (stage.failed if missed else stage.say)(text)
