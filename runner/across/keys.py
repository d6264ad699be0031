"""Keys of both sides of references, in a file of SQLite's: however many there are, memory stays flat."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

#: How many missing keys are shown, of however many there are.
SAMPLE = 5

#: SQLite's cache, in KiB; what does not fit is sorted in files.
_CACHE = 32 * 1024


class Keys:
    """A file of keys. ``put`` keeps those of a side under a name, ``missing`` compares two of them."""

    def __init__(self, file: Path) -> None:
        self._file = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        for setting in ("journal_mode = off", "synchronous = off", f"cache_size = -{_CACHE}", "temp_store = file"):
            self._file.execute(f"PRAGMA {setting}")
        self._tables: dict[str, str] = {}

    def put(self, side: str, keys: Iterable[tuple[str, int]]) -> None:
        """Keep the keys of a side with how often each is there; the same key may come several times."""
        table = f"side_{len(self._tables)}"
        self._file.execute(f"CREATE TABLE {table} (key TEXT NOT NULL, times INTEGER NOT NULL)")
        with self._file:
            self._file.execute("BEGIN")
            self._file.executemany(f"INSERT INTO {table} VALUES (?, ?)", keys)  # noqa: S608 - a name of our own
        self._file.execute(f"CREATE INDEX {table}_key ON {table} (key, times)")
        self._tables[side] = table

    def different(self, side: str) -> int:
        """How many different keys a side has."""
        return int(self._file.execute(f"SELECT count(DISTINCT key) FROM {self._tables[side]}").fetchone()[0])  # noqa: S608

    def missing(self, child: str, parent: str) -> tuple[int, int, Sequence[tuple[str, int]]]:
        """The child's keys that the parent has not: how many different ones, how often they are there, and those most often."""
        self._file.execute("DROP TABLE IF EXISTS missing")
        self._file.execute(
            f"CREATE TABLE missing AS SELECT key, sum(times) AS times FROM {self._tables[child]} AS child WHERE NOT EXISTS "  # noqa: S608
            f"(SELECT 1 FROM {self._tables[parent]} AS parent WHERE parent.key = child.key) GROUP BY key"
        )
        count, times = self._file.execute("SELECT count(*), coalesce(sum(times), 0) FROM missing").fetchone()
        sample = self._file.execute("SELECT key, times FROM missing ORDER BY times DESC, key LIMIT ?", [SAMPLE]).fetchall()
        return int(count), int(times), sample

    def close(self) -> None:
        """Let the file go; whoever made it takes it away."""
        self._file.close()
