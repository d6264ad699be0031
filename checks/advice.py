"""What a linter of migrations' text says, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass

from checks.evidence import Place


@dataclass(frozen=True)
class Hint:
    """One thing that a rule of the linter says of a statement: ``message`` and ``remedy`` are the linter's words."""

    rule: str
    message: str
    remedy: str
    place: Place
    revision: str | None = None


@dataclass(frozen=True)
class Advice:
    """What the linter ``tool`` said of the new migrations; ``looked`` are the revisions that it was shown.

    ``unread`` are revisions that it could not be shown, or did not understand, and why; ``gap`` is why it could not be asked.
    """

    tool: str
    looked: tuple[str, ...] = ()
    hints: tuple[Hint, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    gap: str = ""
