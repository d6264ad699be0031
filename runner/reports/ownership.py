"""Whose the reports are: in a container we are root, and the workspace belongs to whoever archives them and cleans up."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def make_directory(directory: Path) -> None:
    """Make a directory and those above it that are missing; raises OSError."""
    missing = [part for part in (directory, *directory.parents) if not part.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    for part in reversed(missing):
        hand_over(part, part)


def hand_over(made: Path | int, path: Path) -> None:
    """Give what root has just made at a path to the owner of the directory it lies in, where the file system allows that.

    ``made`` is a descriptor of it, or the path. A link that was put in its place meanwhile is not followed.
    """
    if os.geteuid() == 0:
        with suppress(OSError):
            owner = path.parent.stat()
            os.chown(made, owner.st_uid, owner.st_gid, follow_symlinks=isinstance(made, int))
