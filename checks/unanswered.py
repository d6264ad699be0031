"""Subjects that a server gave no answer for: what could not be answered here, and statements that are wrong."""

from __future__ import annotations

from collections.abc import Iterator

from checks.interface import NotProven
from checks.targets import StatementFailed


def unanswered(subject: str, failure: StatementFailed) -> NotProven:
    """That a subject is not proven, as it could not be answered here; raises the failure of a statement that is wrong."""
    if not failure.gap:
        raise failure
    return NotProven(subject, failure.gap)


class Unanswered:
    """Keeps the first statement that is wrong, to be raised when all other subjects have been judged."""

    def __init__(self) -> None:
        self._wrong: StatementFailed | None = None

    def of(self, subject: str, failure: StatementFailed) -> Iterator[NotProven]:
        """That a subject is not proven, where it could not be answered here; one whose statement is wrong is kept."""
        if failure.gap:
            yield NotProven(subject, failure.gap)
        elif self._wrong is None:
            self._wrong = StatementFailed(f"{subject}: {failure.said}", failure.code)

    def told(self) -> None:
        """Raise StatementFailed, with its subject, where a statement was wrong."""
        if self._wrong is not None:
            raise self._wrong
