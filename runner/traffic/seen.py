"""Each statement of the migrations as the log tells of it: when, what it held before and after, what it read and wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from checks.evidence import Place
from checks.schema.names import ObjectReference, TableName
from runner.recorder import events as recorder
from runner.recorder.stamps import decode, unstamp
from runner.servers.interface import OURS, LogRecord
from runner.traffic.waits import moment, process_of

_DURATION = re.compile(r"duration: (\d+(?:\.\d+)?) ms  (?:statement|execute)(?: (?!fetch from ).*?)?: ", re.DOTALL)
_COUNTED = 'dbproof:{"event" : "counted"'

Held = tuple[int, str]


@dataclass(frozen=True)
class Counted:
    """What a session held (OID and mode), and by OID of a table the rows that it had read and written.

    ``phase`` is ``start`` or ``end`` of a command, or ``wrote``: rows written, all those of the transaction so far.
    """

    phase: str
    tag: str
    place: Place | None
    lock_timeout: float
    held: frozenset[Held]
    counts: Mapping[int, tuple[int, int]]
    at: float


@dataclass
class Seen:
    """A statement of the migrations. Times are seconds since the epoch; ``read`` and ``wrote`` are rows by OID of a
    table, those written by its transaction so far.

    ``before`` is what its session held when it began, ``after`` what it held then or later on. ``rewritten`` are tables by their
    label with PostgreSQL's bits of the reason, ``commands`` the server's tags, ``made`` the objects. ``until`` is when
    it was last counted, 0 where it was not.
    """

    process: int
    text: str
    place: Place | None
    began: float
    ended: float
    lock_timeout: float | None = None
    before: frozenset[Held] = frozenset()
    after: set[Held] = field(default_factory=set)
    read: dict[int, int] = field(default_factory=dict)
    wrote: dict[int, int] = field(default_factory=dict)
    rewritten: dict[str, int] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    made: list[ObjectReference] = field(default_factory=list)
    until: float = 0.0
    _outer: list[Counted] = field(default_factory=list)

    def count(self, one: Counted) -> None:
        """Enter what was counted before or after it, or a part of it: of parts within each other the outermost is counted."""
        if one.phase != "end":
            self._first(one)
        if one.phase == "start":
            self._outer.append(one)
            return
        self.until = one.at
        if one.phase == "wrote":
            self.after.update(one.held)
            self.wrote.update({table: wrote for table, (_, wrote) in one.counts.items()})
            return
        begun = self._outer.pop() if self._outer else None
        self.after.update(one.held)
        self.lock_timeout = one.lock_timeout if self.lock_timeout is None else self.lock_timeout
        if begun is None or self._outer:
            return
        for table, (read, _) in one.counts.items():
            self.read[table] = self.read.get(table, 0) + max(0, read - begun.counts.get(table, (0, 0))[0])

    def _first(self, one: Counted) -> None:
        if not self.commands:
            self.before, self.lock_timeout = one.held, one.lock_timeout
            self.began = self.began if one.phase == "wrote" else max(self.began, one.at)
        self.commands.append(one.tag)

    def tell(self, event: recorder.Event) -> None:
        """Enter a record of the recorder."""
        for table in event.rewritten:
            self.rewritten[TableName(table.schema, table.name).label()] = table.reason
        self.made += [row.reference for row in event.made]


Said = Counted | recorder.Event


def seen(records: Iterable[LogRecord]) -> Iterator[Seen]:
    """The statements of the project's sessions that ended well, in the order in which they ended."""
    said: dict[str, list[Said]] = {}
    for record in records:
        if record.application == OURS or not record.session:
            continue
        if record.severity in ("ERROR", "FATAL", "PANIC"):
            said.pop(record.session, None)
        elif one := counted(record) or recorder.parse(record.message):
            said.setdefault(record.session, []).append(one)
        elif record.severity == "LOG" and (found := _DURATION.match(record.message)):
            text = record.message[found.end() :]
            yield from _statements(record, text, float(found[1]) / 1000, said.pop(record.session, []))


def _statements(record: LogRecord, text: str, seconds: float, said: list[Said]) -> Iterator[Seen]:
    """The statements of a message; within one of several, what was said belongs to them by the place that it names."""
    now, process = moment(record), process_of(record)
    found = [Seen(process, part, place, now - seconds, now) for place, part in unstamp(text)]
    current = 0
    for one in said if found else ():
        later = (number for number in range(current, len(found)) if found[number].place == one.place)
        current = next(later, current)
        if isinstance(one, Counted):
            found[current].count(one)
        else:
            found[current].tell(one)
    if len(found) > 1:
        _one_after_the_other(found)
    yield from found


def _one_after_the_other(found: list[Seen]) -> None:
    """Of several statements in a message only some say when they were under way: the others fill the time between."""
    now = found[0].began
    for one in found:
        one.began = max(one.began, now)
        now = one.until or now
    for one, after in pairwise(found):
        one.ended = one.until or after.began


def counted(record: LogRecord) -> Counted | None:
    """A record of what was counted, ``None`` for any other; its form is taken for hostile, as the recorder's is."""
    if not record.message.startswith(_COUNTED):
        return None
    try:
        said = json.loads(record.message[len("dbproof:") :])
        return Counted(
            phase=str(said["phase"]),
            tag=str(said["tag"]),
            place=None if said["at"] is None else decode(str(said["at"])),
            lock_timeout=float(said["timeout"]),
            held=frozenset((int(relation), str(mode)) for relation, mode in said["held"] or ()),
            counts={int(table): (int(read), int(wrote)) for table, read, wrote in said["counts"] or ()},
            at=moment(record),
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
