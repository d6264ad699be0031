"""How fast sessions beside the migrations work, how long they stay in the way, and how they end: the same for all engines."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Event, Thread

#: Beside how many tables sessions work.
BUSY = 20

#: How long the long transaction stays when the migrations wait for it, at most where nobody queues yet, and in all; in seconds.
STAY, STAY_LONGER, STAY_IN_ALL = 0.15, 0.9, 1.0

#: Between two reads or writes of a session, and between two looks at who waits; in seconds.
PAUSE, LOOK = 0.005, 0.01
#: How much longer the pause is for each session, so that many together leave the machine to the migrations.
EACH = 0.002
#: Within which a session that waits for nothing has ended what it does, and within which each is cancelled.
_SOON, _PATIENCE = 0.5, 5.0


def end(threads: Sequence[Thread], cancel: Callable[[], None], stop: Event) -> None:
    """Let every session end what it does; while one still waits, ``cancel`` is called, which ends what they wait for."""
    stop.set()
    until = time.monotonic() + _PATIENCE
    for thread in threads:
        thread.join(max(0.0, until - _PATIENCE + _SOON - time.monotonic()))
    while any(thread.is_alive() for thread in threads) and time.monotonic() < until:
        cancel()
        for thread in threads:
            thread.join(0.05)
