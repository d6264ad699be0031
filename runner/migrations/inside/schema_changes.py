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


class Watch:
    """The schema of one connection as it was last seen."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._version: Optional[int] = None
        self._rows: Dict[Key, Row] = {}
        try:
            self._seen()
        except sqlite3.Error:  # locked, or no database: what the program does next will say so
            self._version = None

    def changed(self, statement: str) -> Optional[Dict[str, Any]]:
        """What has changed since the last look, as ``gone`` (kind and name) and ``there`` (kind, name, table, text); or nothing."""
        if _HARMLESS.match(statement):
            return None
        try:
            return self._seen()
        except sqlite3.Error:
            return None

    def _seen(self) -> Optional[Dict[str, Any]]:
        (version,) = self._ask("PRAGMA schema_version")[0]
        if version == self._version:
            return None
        now = {(kind, name): (table, sql or "") for kind, name, table, sql in self._ask(_MASTER)}
        before, self._rows, self._version = self._rows, now, version
        gone = [list(key) for key in before if key not in now]
        there = [[*key, *row] for key, row in now.items() if before.get(key) != row]
        return {"gone": gone, "there": there} if gone or there else None

    def _ask(self, query: str) -> List[Tuple[Any, ...]]:
        """Past what the program has made of its connection: factories of rows and of text, cursors of its own."""
        cursor = sqlite3.Cursor(self._connection)
        cursor.row_factory = None
        try:
            return sqlite3.Cursor.execute(cursor, query).fetchall()
        finally:
            cursor.close()


_MASTER = "SELECT type, name, tbl_name, sql FROM sqlite_master"
