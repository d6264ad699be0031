"""Counts what became of the values of one column, pair by pair: memory stays flat however many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from checks.survivals import Loss
from runner.surviving.values import Family, loss

#: Keys that are kept of rows that changed.
SAMPLE = 5
#: So many different values are followed to see which became one, and none that is longer.
FEW = 1000
_LONG = 200


@dataclass
class Tally:
    """What became of a column's values so far; ``key`` names the columns that the keys of its rows are of."""

    was: Family
    now: Family
    key: Sequence[str] = ()
    changed: int = 0
    filled: int = 0
    losses: Counter[Loss] = field(default_factory=Counter)
    keys: list[str] = field(default_factory=list)
    _became: dict[str, str | None] | None = field(default_factory=dict)
    _rewritten: set[str | None] = field(default_factory=set)

    def take(self, key: Sequence[object], old: str | None, new: str | None) -> None:
        """Enter a value as it was and as it is."""
        if old is None:
            self.filled += new is not None
            return
        self.enter(key, old, new, loss(old, new, self.was, self.now) if old != new else None)

    def enter(self, key: Sequence[object], old: str, new: str | None, found: Loss | None) -> None:
        """Enter a value of which it is known what became of it."""
        if self._became is not None:
            self._follow(self._became, old, new, changed=found is not None)
        if found is None:
            return
        self.changed += 1
        self.losses[found] += 1
        if len(self.keys) < SAMPLE:
            self.keys.append(shown(self.key, key))

    @property
    def following(self) -> bool:
        """Whether values that did not change are still to be entered, as their number says whether others became one of them."""
        return self._became is not None

    def _follow(self, became: dict[str, str | None], old: str, new: str | None, *, changed: bool) -> None:
        became[old] = new
        if changed:
            self._rewritten.add(new)
        if len(became) > FEW or len(old) > _LONG:
            self._became = None

    @property
    def merged(self) -> int:
        """How many different values share now, as at least one of them was rewritten, what each had for itself; 0 for many."""
        shared = Counter((self._became or {}).values())
        return sum(times for new, times in shared.items() if times > 1 and new in self._rewritten)


def shown(names: Sequence[str], values: Sequence[object]) -> str:
    """A row's key for people: ``id=3, line=1``."""
    return ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
