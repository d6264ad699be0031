"""Why rows were not taken: raised where it is seen, with the line that it is about."""

from __future__ import annotations

from dataclasses import replace

from checks.evidence import MigrationFailure, Place

#: Characters of a statement that are kept.
_LONGEST = 10_000


class Refused(Exception):
    """Loading a file ends here. ``failure`` says at which line, and in whose words."""

    def __init__(self, failure: MigrationFailure) -> None:
        super().__init__(failure.said)
        self.failure = failure

    def at(self, line: int | None) -> Refused:
        """The same, at another line of its file."""
        place = Place(self.failure.place.file if self.failure.place else "", line)
        return Refused(replace(self.failure, place=place))


def refused(
    file: str,
    line: int | None,
    said: str,
    *,
    statement: str = "",
    code: str = "",
    detail: str = "",
    timed_out: bool = False,
) -> Refused:
    """A refusal of what stands in a line of a file; ``detail`` may quote rows."""
    return Refused(MigrationFailure(None, Place(file, line), statement[:_LONGEST], code, said, detail, timed_out=timed_out))


LATE = "not finished at the deadline"
