"""SIGINT and SIGTERM as one exception in the main thread, so that every ``finally`` runs and nothing is left behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from runner.errors import Cancelled, Exit

_CODES = {signal.SIGINT: Exit.INTERRUPTED, signal.SIGTERM: Exit.TERMINATED}

#: Seconds after which a cancellation that was swallowed is raised again.
_AGAIN = 0.05


@contextmanager
def cancelling() -> Iterator[None]:
    """Raise :class:`Cancelled` at the first signal; those that follow are ignored, as they would tear the clean-up apart.

    GitHub sends SIGINT, then SIGTERM 7.5 s later; people press Ctrl-C twice. Installed even where a shell had the signal
    ignored, as it does for commands behind ``&``.
    """
    once = _Once()
    handlers = {number: signal.signal(number, once.came) for number in _CODES}
    hook, sys.unraisablehook = sys.unraisablehook, once.swallowed
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


class _Once:
    """Remembers that a signal came."""

    def __init__(self) -> None:
        self._cancelled = False

    def came(self, number: int, _: FrameType | None) -> None:
        if not self._cancelled:
            self._cancelled = True
            raise Cancelled(_CODES[signal.Signals(number)])

    def swallowed(self, ignored: sys.UnraisableHookArgs) -> None:
        """Python drops what is raised inside ``__del__`` and the like: a cancellation that met this is sent once more."""
        if not isinstance(ignored.exc_value, Cancelled):
            sys.__unraisablehook__(ignored)
            return
        self._cancelled = False
        number = signal.SIGINT if ignored.exc_value.exit is Exit.INTERRUPTED else signal.SIGTERM
        again = threading.Timer(_AGAIN, os.kill, (os.getpid(), number))
        again.daemon = True
        again.start()
