"""What the server's log says of sessions that waited for a lock: who, for what, how long, and who stood before them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from runner.servers.interface import LogRecord

# log_lock_waits in PostgreSQL's manual; the words are those of ProcSleep in src/backend/storage/lmgr/proc.c.
_SAID = re.compile(
    r"process (\d+) (still waiting for|acquired) (\w+) on (relation (?P<relation>\d+)|.*?) .*?after (?P<ms>\d+(?:\.\d+)?) ms",
    re.DOTALL,
)
_HOLDING = re.compile(r"Process(?:es)? holding the lock: ([\d, ]*)\. Wait queue: ([\d, ]*)\.")


@dataclass(frozen=True)
class LockWait:
    """One wait of a session of the server, by the numbers of processes: it began and ended at seconds since the epoch.

    ``relation`` is the OID of what was to be locked, ``None`` for a row, a transaction or another thing. ``behind`` are those
    that held the lock or stood in the queue before, when the wait had just begun.
    """

    process: int
    mode: str
    relation: int | None
    began: float
    ended: float
    behind: tuple[int, ...] = ()


def moment(record: LogRecord) -> float:
    """When a record was written, in seconds since the epoch; to a millisecond."""
    return datetime.fromisoformat(f"{record.time.removesuffix(' UTC')}+00:00").timestamp()


def process_of(record: LogRecord) -> int:
    """The number of the process that a session of PostgreSQL is: the second half of its id (``%c`` of log_line_prefix)."""
    return int(record.session.partition(".")[2] or "0", 16)


def waits(records: Iterable[LogRecord]) -> Iterator[LockWait]:
    """Every wait that the log tells of; one whose end it does not show ended when its beginning was said."""
    begun: dict[int, LockWait] = {}
    for record in records:
        found = _SAID.match(record.message)
        if found is None:
            continue
        process, now = int(found[1]), moment(record)
        relation = int(found["relation"]) if found["relation"] else None
        said = LockWait(process, found[3], relation, now - float(found["ms"]) / 1000, now, _behind(process, record.detail))
        if found[2] == "acquired":
            before = begun.pop(process, None)
            yield replace(said, behind=before.behind if before else ())
        else:
            if process in begun:
                yield begun.pop(process)
            begun[process] = said
    yield from begun.values()


def _behind(process: int, detail: str) -> tuple[int, ...]:
    found = _HOLDING.match(detail)
    if found is None:
        return ()
    holding, queue = (_numbers(part) for part in found.groups())
    before = queue[: queue.index(process)] if process in queue else queue
    return tuple(one for one in (*holding, *before) if one != process)


def _numbers(text: str) -> list[int]:
    return [int(one) for one in text.replace(",", " ").split()]
