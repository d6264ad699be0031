"""What a statement changed in the schema of a SQLite database: rows of ``sqlite_master`` before and after.

Used in the project's own programs and by dbproof itself; the standard library only.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any, Dict, List, Optional, Tuple

#: Kind and name of an object.
Key = Tuple[str, str]
#: The table that it belongs to, and its text.
Row = Tuple[str, str]

_HARMLESS = re.compile(
    r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*(?:select|insert|update|delete|replace|with|values|begin|commit|end|savepoint|release|explain)\b",
    re.IGNORECASE | re.DOTALL,
)


def is_harmless(statement: str) -> bool:
    """Whether a statement's first word says that it leaves the schema as it is."""
    return _HARMLESS.match(statement) is not None


class Watch:
    """The schema of one connection as it was last seen."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows: Dict[Key, Row] = {}
        self.look()

    def look(self) -> Optional[Dict[str, Any]]:
        """What has changed since the last look, as ``gone`` (kind and name) and ``there`` (kind, name, table, text); or nothing.

        ``PRAGMA schema_version`` would not do: after a rollback it counts the same numbers again.
        """
        try:
            listed = self._ask()
        except sqlite3.Error:  # locked, or no database: what the program does next will say so
            return None
        now = {(kind, name): (table, sql) for kind, name, table, sql in listed}
        before, self._rows = self._rows, now
        gone = [list(key) for key in before if key not in now]
        there = [[*key, *row] for key, row in now.items() if before.get(key) != row]
        return {"gone": gone, "there": there} if gone or there else None

    def _ask(self) -> List[Tuple[str, ...]]:
        """Past what the program has made of its connection: factories of rows and of text, cursors of its own."""
        cursor = sqlite3.Cursor(self._connection)
        try:
            return [tuple(_text(value) for value in row) for row in sqlite3.Cursor.execute(cursor, _MASTER)]
        finally:
            cursor.close()


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


_MASTER = "SELECT type, name, tbl_name, sql FROM sqlite_master"
