"""Compares with the files under ``golden/``; ``DBPROOF_UPDATE_GOLDEN=1`` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def assert_golden(name: str, text: str) -> None:
    """The text is what the golden file holds, byte for byte."""
    file = GOLDEN / name
    if os.environ.get("DBPROOF_UPDATE_GOLDEN"):
        file.write_bytes(text.encode("utf-8"))
    assert file.exists(), f"{name} is missing: run once with DBPROOF_UPDATE_GOLDEN=1 and read what it writes"
    assert text.encode("utf-8") == file.read_bytes()
