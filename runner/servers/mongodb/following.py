"""Follows the log of a running server: a position in it, and its records up to now.

The log is complete up to a point when a command of ours that was sent at that point stands in it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from runner.servers.growing_logs import PIECE, Read, pieces
from runner.servers.interface import LogRecord
from runner.servers.mongodb.configuration import MARK
from runner.servers.mongodb.log import records

if TYPE_CHECKING:
    from runner.servers.mongodb.sessions import Client

_SETTINGS = "profiling"


def on_disk(path: Path) -> Read:
    """Reads a log file that lies here."""

    def read(position: int) -> bytes:
        with suppress(FileNotFoundError), path.open("rb", buffering=0) as file:
            return os.pread(file.fileno(), PIECE, position)
        return b""

    return read


def position_now(read: Read, client: Client, start: int) -> int:
    """Where the log ends now, looked for from ``start`` on: everything logged so far stands before it."""
    mark = _sent(client).encode()
    seen = b""
    for piece in pieces(read, start, _SETTINGS):
        seen += piece
        found = seen.find(mark)
        end = seen.find(b"\n", found)
        if found >= 0 and end >= 0:
            return start + end + 1
        done = seen.rfind(b"\n") + 1
        start, seen = start + done, seen[done:]
    raise AssertionError  # pieces ends by raising


def records_until_now(read: Read, client: Client, since: int) -> Iterator[LogRecord]:
    """The records from a position up to the moment of this call (not of the first ``next``), our own left out."""
    return _until(read, _sent(client), since)


def _until(read: Read, mark: str, since: int) -> Iterator[LogRecord]:
    for record in records(pieces(read, since, _SETTINGS)):
        if mark in record.sent:
            return
        if MARK not in record.sent:
            yield record


def _sent(client: Client) -> str:
    mark = f"{MARK}{secrets.token_hex(8)}"
    client.admin.command("ping", comment=mark)
    return mark
