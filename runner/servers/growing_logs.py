"""Reads the log of a running server while it grows, wherever it lies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from runner.errors import ServerFailed

#: Up to a mebibyte (``PIECE``) of the log from a position on; empty at its end.
Read = Callable[[int], bytes]

PIECE = 1 << 20
#: Seconds that the log may stand still where more must come.
_PATIENCE = 15.0


def pieces(read: Read, position: int, settings: str) -> Iterator[bytes]:
    """The log from a position on, waiting for more; raises ServerFailed where nothing comes any more.

    ``settings`` are those by which a migration may have stopped it, in words.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        piece = read(position)
        if piece:
            position += len(piece)
            yield piece
            deadline = time.monotonic() + _PATIENCE
        elif time.monotonic() > deadline:
            raise ServerFailed(
                f"the server's log did not catch up within {_PATIENCE:.0f} s",
                f"See whether the disk that the server logs to is full, and whether a migration changed its {settings}.",
            )
        else:
            time.sleep(0.002)
