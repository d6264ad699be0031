"""One allow: the findings of one check that the repository accepts, and where it says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from checks.evidence import Place
from runner.allows.patterns import matches
from runner.text import single_line


@dataclass(frozen=True)
class Allow:
    """What is accepted: a check's findings by a pattern of their ``subject``, or those that ``lines`` of the place's file made.

    ``until`` is the last day. ``fault`` says why it accepts nothing after all.
    """

    check: str
    reason: str
    place: Place
    subject: str = "*"
    until: date | None = None
    lines: range | None = None
    fault: str = ""

    def accepts(self, check: str, subject: str, place: Place | None) -> bool:
        """Whether a finding is meant, be it in time or not; its subject may also be spelt as the reports spell it."""
        if self.fault or self.check != check:
            return False
        if self.lines is None:
            return matches(self.subject, subject) or matches(self.subject, single_line(subject))
        return place is not None and place.file == self.place.file and place.line is not None and place.line in self.lines

    def expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return self.until is not None and today > self.until
