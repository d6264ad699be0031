"""What a report format offers: a pure function from a Report to text."""

from __future__ import annotations

from typing import Protocol

from runner.report import Report


class Reporter(Protocol):
    """A module per format. ``FILE`` is its name in the report directory."""

    @property
    def FILE(self) -> str: ...

    def render(self, report: Report) -> str:
        """The whole file as text; pure, the same for the same report."""
        ...
