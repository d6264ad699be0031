"""What the verdict of a run rests on, as reports show it: criteria, the quality of the data, what probes reached."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from runner.errors import Exit


class Held(StrEnum):
    """Whether a criterion of the verdict is fulfilled."""

    HELD = "held"
    NOT_HELD = "not-held"
    NOT_JUDGED = "not-judged"


@dataclass(frozen=True)
class Criterion:
    """One of the things that the verdict rests on: ``held`` of ``of`` are its numbers, ``why`` says more.

    ``exit_code`` is what it asks for where it is not held; one without decides nothing.
    """

    id: str
    says: str
    state: Held
    held: int = 0
    of: int = 0
    why: str = ""
    exit_code: Exit | None = None


@dataclass(frozen=True)
class Quality:
    """How many rules about the data hold, are broken, and could not be judged; ``weight_held`` of ``weight`` make the score."""

    held: int = 0
    broken: int = 0
    not_proven: int = 0
    weight_held: int = 0
    weight: int = 0

    @property
    def score(self) -> float | None:
        """Per cent to one decimal, rounded down; ``None`` where no rule was judged (docs/verdict.md)."""
        return self.weight_held * 1000 // self.weight / 10 if self.weight else None


@dataclass(frozen=True)
class Coverage:
    """How many of a kind of rules were exercised by a probe, with whatever result."""

    kind: str
    exercised: int
    of: int
