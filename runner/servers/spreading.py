"""Where ext4 puts the files of a directory."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

#: From Linux's ``linux/fs.h``: the two requests, and the flag "top of directory hierarchies" (``chattr +T``).
_GET_FLAGS = 0x80086601
_SET_FLAGS = 0x40086602
_TOP = 0x00020000


def spread(directory: Path) -> None:
    """Ask ext4 to put each new directory in this one elsewhere on the disk, by its name. Anything else ignores it.

    Otherwise the thousand files of each server come where those of the one before were just deleted, and ext4 without a
    journal looks at each of these first: 1.0 s instead of 0.1 s to copy a cluster, measured after a few dozen servers.
    """
    if sys.platform != "linux":
        return
    import fcntl

    with suppress(OSError):
        file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            flags = int.from_bytes(fcntl.ioctl(file, _GET_FLAGS, bytes(8)), sys.byteorder)
            fcntl.ioctl(file, _SET_FLAGS, (flags | _TOP).to_bytes(8, sys.byteorder))
        finally:
            os.close(file)
