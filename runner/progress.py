"""How the pipeline says where it is: named stages that begin, say something and end. ``runner.output`` shows them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Stage(Protocol):
    """A stage under way. What is said last stands on its line when it ends."""

    def say(self, text: str) -> None:
        """Replace the stage's text ("142 revisions")."""
        ...

    def failed(self, text: str) -> None:
        """End with a cross instead of a tick: something was found (which is not an error of ours)."""
        ...

    def skipped(self, text: str) -> None:
        """End with a dash: the stage did not take place, and why."""
        ...


class Progress(Protocol):
    """Shows stages live. An exception that leaves the context marks the stage as failed and goes on."""

    def stage(self, name: str) -> AbstractContextManager[Stage]:
        """Begin a stage such as "migrate"; its time is taken from here to the end of the context."""
        ...

    def note(self, label: str, text: str, origin: str = "") -> None:
        """A line of the header: a label, what is known, and the file and line that says so."""
        ...


class Silent:
    """A progress that shows nothing, for tests and for ``--quiet``."""

    def stage(self, name: str) -> SilentStage:
        """Begin a stage that nobody sees."""
        return SilentStage(name)

    def note(self, label: str, text: str, origin: str = "") -> None:
        """Say nothing."""


class SilentStage:
    """A stage that nobody sees."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> SilentStage:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def say(self, text: str) -> None:
        """Say nothing."""

    def failed(self, text: str) -> None:
        """Say nothing."""

    def skipped(self, text: str) -> None:
        """Say nothing."""
