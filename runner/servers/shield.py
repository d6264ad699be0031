"""Keeps SIGINT and SIGTERM away from a few statements that must not be torn apart: starting a server, taking it down."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_KEPT = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def shielded() -> Iterator[None]:
    """Hold the signals back until the context ends, then deliver what came. Does nothing outside the main thread.

    Only the main thread runs Python's signal handlers, so only there could one cut in. A signal whose action is not a Python
    handler (the default, or ignored) is held back as well.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, note) for number in _KEPT}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        for one in dict.fromkeys(came):
            os.kill(os.getpid(), one)
