"""Writes a file of rows part by part, so that memory stays flat, and leaves none that is not whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def put_together(file: Path, parts: Iterable[bytes]) -> int:
    """Write a file, and give its bytes. Raises OSError; what was begun is removed then."""
    beside = file.with_name(f".{file.name}.part")
    try:
        with beside.open("wb") as out:
            for part in parts:
                out.write(part)
            size = out.tell()
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
    return size
