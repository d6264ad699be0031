"""What stands in for watching where nothing can be tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checks.traffic import Traffic
from runner.traffic.interface import Apply


@dataclass(frozen=True)
class Untried:
    """Nothing is tried, for this reason."""

    gap: str

    def watched(self, apply: Apply, revisions: Mapping[str, str], *, long: bool) -> Traffic:  # noqa: ARG002 - as any other
        """Why nothing was tried."""
        return Traffic(gap=self.gap)


def without_rows(tables: Sequence[str]) -> Untried:
    """Where there are no rows there is nothing to wait for."""
    return Untried(f"no rows in {', '.join(tables[:3])}")
