"""Engines write nothing by themselves: not even what interrupts the closing of a session."""

from __future__ import annotations

import subprocess
import sys

_INTERRUPTED = """
import sqlite3
from runner.targets.engines import engine

class Session(sqlite3.Connection):
    def close(self):
        raise KeyboardInterrupt

try:
    with engine("sqlite+pysqlite://", lambda: sqlite3.connect(":memory:", factory=Session)).connect():
        pass
except KeyboardInterrupt:
    print("raised")
"""


def test_what_interrupts_the_closing_of_a_session_is_raised_and_not_written() -> None:
    ended = subprocess.run([sys.executable, "-c", _INTERRUPTED], check=False, capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr, ended.returncode) == ("raised\n", "", 0)
