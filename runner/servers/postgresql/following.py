"""Follows the log of a running server: a position in it, and its records up to now.

The log is complete up to a point when a record of ours that was sent at that point stands in it: the server's processes all
write into one pipe, in order.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from psycopg import sql

from runner.servers.growing_logs import PIECE, Read, pieces
from runner.servers.interface import Address, LogRecord
from runner.servers.postgresql.log import records
from runner.servers.postgresql.sessions import session

_MARK = "dbproof:mark:"
_SETTINGS = "log settings"


class LogFile(Protocol):
    """A server's log file, wherever it lies: JSON lines or CSV."""

    @property
    def json_lines(self) -> bool:
        """Whether it holds a JSON object a line."""
        ...

    def size(self) -> int:
        """Its bytes so far."""
        ...

    def reading(self) -> AbstractContextManager[Read]:
        """Open it for reading."""
        ...


class OnDisk:
    """A log file that we can read ourselves."""

    def __init__(self, path: Path) -> None:
        self.json_lines = path.suffix == ".json"
        self._path = path

    def size(self) -> int:
        """Its bytes so far."""
        return self._path.stat().st_size

    @contextmanager
    def reading(self) -> Iterator[Read]:
        """Open it for reading."""
        with self._path.open("rb", buffering=0) as file:
            yield lambda position: os.pread(file.fileno(), PIECE, position)


class OverSession:
    """A log file that lies elsewhere and is read through the server itself, which needs a superuser."""

    def __init__(self, private: Address, path: str) -> None:
        self.json_lines = path.endswith(".json")
        self._private = private
        self._path = path

    def size(self) -> int:
        """Its bytes so far."""
        with session(self._private) as connection:
            found = connection.execute("SELECT size FROM pg_stat_file(%s, true)", [self._path]).fetchone()
        return int(found[0] or 0) if found else 0

    @contextmanager
    def reading(self) -> Iterator[Read]:
        """Open a session to read it with."""
        with session(self._private) as connection:

            def read(position: int) -> bytes:
                found = connection.execute(
                    "SELECT pg_read_binary_file(%s, %s, %s, true)", [self._path, position, PIECE]
                ).fetchone()
                return bytes(found[0] or b"") if found else b""

            yield read


def position_now(log: LogFile, private: Address) -> int:
    """Where the log ends now: everything logged so far stands before it."""
    start = log.size()
    with log.reading() as read:
        mark = _sent(private).encode()
        seen = b""
        for piece in pieces(read, start, _SETTINGS):
            seen += piece
            found = seen.find(mark)
            end = seen.find(b"\n", found)
            if found >= 0 and end >= 0:
                return start + end + 1
    raise AssertionError  # pieces ends by raising


def records_until_now(log: LogFile, private: Address, since: int) -> Iterator[LogRecord]:
    """The records from a position up to the moment of this call (not of the first ``next``), our own marks left out."""
    return _until(log, _sent(private), since)


def _until(log: LogFile, mark: str, since: int) -> Iterator[LogRecord]:
    with log.reading() as read:
        for record in records(pieces(read, since, _SETTINGS), json_lines=log.json_lines):
            if record.message == mark:
                return
            if not record.message.startswith(_MARK):
                yield record


def _sent(private: Address) -> str:
    mark = f"{_MARK}{secrets.token_hex(8)}"
    with session(private) as connection:
        connection.execute(sql.SQL("DO $$ BEGIN RAISE LOG {}; END $$").format(sql.Literal(mark)))
    return mark
