"""Reads PostgreSQL's log: JSON lines from 15 on, CSV before. Never more than one record in memory."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator

from runner.servers.interface import LogRecord

#: The columns of the CSV log up to the last one that is read; a quarter of them matter.
_CSV = (
    *("timestamp", "user", "dbname", "pid", "remote", "session_id", "line_num", "ps", "session_start", "vxid", "txid"),
    *("error_severity", "state_code", "message", "detail", "hint", "internal_query", "internal_position", "context"),
    *("statement", "cursor_position", "location", "application_name"),
)


def records(chunks: Iterable[bytes], *, json_lines: bool) -> Iterator[LogRecord]:
    """The records in pieces of a log file that begin at the beginning of a record. Bytes that are not UTF-8 become U+FFFD."""
    lines = (line.decode("utf-8", "replace") for line in _lines(chunks))
    return map(_record, _json(lines) if json_lines else _csv(lines))


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines with their ends; what follows the last line end is still being written, and is left out."""
    rest: list[bytes] = []
    for chunk in chunks:
        first, *more = chunk.split(b"\n")
        rest.append(first)
        for piece in more:
            yield b"".join(rest) + b"\n"
            rest = [piece]


def _json(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    for line in lines:
        try:
            found = json.loads(line)
        except ValueError:  # a line that the server's standard error left there
            continue
        if isinstance(found, dict):
            yield found


def _csv(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    csv.field_size_limit(sys.maxsize)
    for row in csv.reader(lines, strict=False):
        if len(row) >= len(_CSV):
            yield dict(zip(_CSV, row, strict=False))


def _record(found: dict[str, str]) -> LogRecord:
    def said(key: str) -> str:
        return str(found.get(key) or "")

    return LogRecord(
        time=said("timestamp"),
        session=said("session_id"),
        user=said("user"),
        database=said("dbname"),
        application=said("application_name"),
        severity=said("error_severity"),
        code=said("state_code"),
        message=said("message"),
        detail=said("detail"),
        sent=said("statement"),
        line=int(found.get("line_num") or 0),
    )
