"""Hears what a program does on our SQLite file: that it came, and which statements changed the schema, with their places."""

from __future__ import annotations

import re
import time
from sqlite3.dbapi2 import Connection, Cursor  # of the package itself not all may be there yet
from typing import Any, Callable, Dict, Optional, Tuple

from .place import Place
from .schema_changes import Watch, is_harmless
from .telling import tell

_STAMP = re.compile(r"\s*/\*dbproof:([A-Za-z0-9_./=-]+):(\d{1,9})\*/")
_BYTE = re.compile(r"=([0-9A-Fa-f]{2})")
_LONGEST = 100_000

#: The revision under way, and the place that a statement comes from where it carries no stamp.
Now = Callable[[], Tuple[Optional[str], Optional[Place]]]


class _Rows:
    """Rows that a statement has changed, and where it came from when it did so first."""

    def __init__(self, statement: str, now: Tuple[Optional[str], Optional[Place]]) -> None:
        self.statement = statement
        self.now = now
        self.count = 0
        self.seconds = 0.0


class _Heard(Connection):
    """Hears the statements of a connection; the driver's own class in all else."""

    _dbproof_now: Now
    _dbproof_watch: Optional[Watch] = None
    _dbproof_rows: Optional[_Rows] = None

    def cursor(self, factory: Any = Cursor) -> Any:
        return super().cursor(_cursor_class(factory) if isinstance(factory, type) else factory)

    def execute(self, *arguments: Any) -> Any:
        return self.cursor().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        return self.cursor().executemany(*arguments)

    def executescript(self, script: str) -> Any:
        return self.cursor().executescript(script)

    def commit(self) -> None:
        self._dbproof_told()
        super().commit()

    def rollback(self) -> None:
        self._dbproof_told()
        super().rollback()

    def close(self) -> None:
        self._dbproof_told()
        super().close()

    def dbproof_hear(self, statement: str, run: Callable[[], Any]) -> Any:
        """Run a statement, and tell how it changed the schema, or else how many rows, if it did."""
        if is_harmless(statement):
            return self._dbproof_count(statement, run)
        self._dbproof_told()
        if self._dbproof_watch is None:
            self._dbproof_watch = Watch(self)
        began = time.monotonic()
        done = run()
        seconds = time.monotonic() - began
        changes = self._dbproof_watch.look()
        if changes:
            _tell(statement, seconds, changes, self._dbproof_now())
        return done

    def _dbproof_count(self, statement: str, run: Callable[[], Any]) -> Any:
        """Count the rows that it changes; those of the same statement, one after the other, are told together."""
        if self._dbproof_rows is not None and self._dbproof_rows.statement != statement:
            self._dbproof_told()
        before, began = self.total_changes, time.monotonic()
        done = run()
        changed = self.total_changes - before
        if changed > 0:
            if self._dbproof_rows is None:
                self._dbproof_rows = _Rows(statement, self._dbproof_now())
            self._dbproof_rows.count += changed
            self._dbproof_rows.seconds += time.monotonic() - began
        return done

    def _dbproof_told(self) -> None:
        """Tell what has been counted; not what the tool itself writes into its books."""
        rows, self._dbproof_rows = self._dbproof_rows, None
        if rows is not None and (rows.now[1] is not None or _STAMP.match(rows.statement)):
            _tell(rows.statement, rows.seconds, {"gone": [], "there": [], "rows": rows.count}, rows.now)


def connection_class(base: Any, now: Now) -> Any:
    """A class of connections like ``base`` that hears its statements."""

    class Heard(_Heard, base):  # type: ignore[misc]
        """The driver's own class in all else."""

        _dbproof_now = staticmethod(now)

    Heard.__name__, Heard.__qualname__, Heard.__module__ = base.__name__, base.__qualname__, base.__module__
    return Heard


_cursors: Dict[Any, Any] = {}


def _cursor_class(base: Any) -> Any:
    """A class of cursors like ``base``, made once, that lets its connection hear."""
    if base not in _cursors:

        class Heard(base):  # type: ignore[misc]
            """The driver's own class in all else."""

            def execute(self, statement: Any, *arguments: Any) -> Any:
                return self.connection.dbproof_hear(str(statement), lambda: super(Heard, self).execute(statement, *arguments))

            def executemany(self, statement: Any, *arguments: Any) -> Any:
                return self.connection.dbproof_hear(str(statement), lambda: super(Heard, self).executemany(statement, *arguments))

            def executescript(self, script: Any) -> Any:
                # A script may begin with anything: its first word says nothing of the rest.
                return self.connection.dbproof_hear(f"-- script\n;{script}", lambda: super(Heard, self).executescript(script))

        Heard.__name__, Heard.__qualname__, Heard.__module__ = base.__name__, base.__qualname__, base.__module__
        _cursors[base] = Heard
    return _cursors[base]


def _tell(statement: str, seconds: float, changes: Dict[str, Any], now: Tuple[Optional[str], Optional[Place]]) -> None:
    revision, place = now
    stamp = _STAMP.match(statement)
    if stamp:
        place = _decoded(stamp[1]), int(stamp[2])
    file, line = place or (None, None)
    text = _STAMP.sub("", statement, count=1)[:_LONGEST]
    tell("ran", text=text, file=file, line=line, revision=revision, seconds=seconds, **changes)


def _decoded(name: str) -> str:
    parts = _BYTE.split(name)
    raw = b"".join(bytes.fromhex(part) if odd % 2 else part.encode() for odd, part in enumerate(parts))
    return raw.decode("utf-8", "replace")
