"""Reads MongoDB's log: a JSON object a line. What the recorder reads of it becomes records, the rest is left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from runner.servers.interface import LogRecord

#: The messages of records: a command that ended, one that failed, a user who came in, a collection that came to be.
COMMAND = "command"
FAILED = "command failed"
CAME_IN = "authentication succeeded"
NEW_COLLECTION = "collection created"

Attributes = Mapping[str, Any]


def records(chunks: Iterable[bytes]) -> Iterator[LogRecord]:
    """The records in pieces of a log file that begin at the beginning of a line."""
    for line in _lines(chunks):
        try:
            entry = json.loads(line.decode("utf-8", "replace"))
            read = _READERS.get(entry["id"])
            if read is not None and (record := read(entry, entry["attr"])):
                yield record
        except (ValueError, KeyError, TypeError, AttributeError):  # what the server's standard error left there
            continue


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines; what follows the last line end is still being written, and is left out."""
    rest: list[bytes] = []
    for chunk in chunks:
        first, *more = chunk.split(b"\n")
        rest.append(first)
        for piece in more:
            yield b"".join(rest)
            rest = [piece]


def _made(entry: Attributes, **known: Any) -> LogRecord:  # noqa: ANN401 - fields of the record
    fields = {"user": "", "database": "", "application": "", "severity": "LOG", "code": "", **known}
    return LogRecord(time=entry["t"]["$date"], session=entry["ctx"], **fields)


def _command(entry: Attributes, attributes: Attributes) -> LogRecord:
    failed = "errMsg" in attributes
    return _made(
        entry,
        database=str(attributes.get("ns", "")).partition(".")[0],
        application=str(attributes.get("appName", "")),
        severity="ERROR" if failed else "LOG",
        code=str(attributes.get("errCode", "")),
        message=FAILED if failed else COMMAND,
        detail=str(attributes.get("errMsg", "")),
        sent=json.dumps(attributes.get("command", {}), ensure_ascii=False),
        seconds=float(attributes.get("durationMillis", 0)) / 1000,
    )


def _came_in(entry: Attributes, attributes: Attributes) -> LogRecord:
    user = str(attributes.get("principalName") or attributes.get("user") or "")
    database = str(attributes.get("authenticationDatabase") or attributes.get("db") or "")
    return _made(entry, user=user, database=database, message=CAME_IN)


def _new_collection(entry: Attributes, attributes: Attributes) -> LogRecord:
    database, _, name = str(attributes["namespace"]).partition(".")
    return _made(entry, database=database, message=NEW_COLLECTION, detail=name)


#: The numbers of log entries, which stay the same from one version to the next (authentication got a second one with 7).
_READERS: Mapping[int, Callable[[Attributes, Attributes], LogRecord]] = {
    51803: _command,
    20250: _came_in,
    5286306: _came_in,
    20320: _new_collection,
}
