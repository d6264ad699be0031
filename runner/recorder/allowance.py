"""How much of a session's time may go into asking the server what its statements did."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

#: Seconds that asking may take in all, and the share of the time that a session has lasted, which may be asked for beyond that.
_IN_ALL, _SHARE = 1.0, 0.05
#: Seconds that a question is taken to need before one has been timed.
_EACH = 0.001


@dataclass
class Allowance:
    """Of one session, from its beginning on."""

    _began: float = field(default_factory=time.monotonic)
    _taken: float = 0.0
    _questions: int = 0

    @property
    def left(self) -> float:
        """Seconds that asking may still take; less than none where it took too long."""
        return _IN_ALL + _SHARE * (time.monotonic() - self._began) - self._taken

    @property
    def each(self) -> float:
        """Seconds that a question takes."""
        return self._taken / self._questions if self._questions else _EACH

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the time of one question."""
        began = time.monotonic()
        yield
        self._take(time.monotonic() - began, 1)

    def take(self, questions: int) -> None:
        """Count questions that are not timed, as long as those before them took."""
        self._take(questions * self.each, questions)

    def _take(self, seconds: float, questions: int) -> None:
        self._taken += seconds
        self._questions += questions
