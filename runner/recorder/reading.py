"""From the server's log to what happened: statements with what they made, dropped, rewrote and locked, errors and sessions.

The log is read once, record by record. A session's records of the recorder stand before the record of the statement's duration,
which closes it. Only the project's sessions count; dbproof's own carry another application name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from runner.recorder.asking import QUIET, first_word
from runner.recorder.events import Event, HeldLock, Reading, parse
from runner.recorder.recording import Draft, Recording, ServerError, complete
from runner.recorder.stamps import unstamp
from runner.recorder.transactions import Transaction
from runner.recorder.working import Readings
from runner.servers.interface import OURS, LogRecord

#: The longest text that is kept of a statement, in characters.
LONGEST = 10_000

_DURATION = re.compile(r"duration: (\d+(?:\.\d+)?) ms  (statement|parse|bind|execute)(?: (?!fetch from ).*?)?: ", re.DOTALL)
_AUTHORIZED = "connection authorized: "
_OUR_LOGIN = re.compile(rf" application_name={re.escape(OURS)}(?: SSL enabled | GSS |$)")


def read(records: Iterable[LogRecord], database: str, after: Sequence[Recording] = ()) -> Recording:
    """Fold a log into what happened in one database, in one pass; records of other databases are passed over.

    ``after`` are the recordings that went before (base's, before head's): what they made is not new when a later statement
    changes it. A transaction that is open at the end counts as undone, so read when the project's sessions are over.
    """
    reader = _Reader()
    for record in records:
        if record.database == database:
            reader.take(record)
    return reader.finish(after)


@dataclass
class _Session:
    """What is known of a session between two statements."""

    transaction: Transaction = field(default_factory=Transaction)
    events: list[Event] = field(default_factory=list)
    prepared: tuple[str, float] = ("", 0.0)
    locked_in: str = ""
    locked: set[tuple[int, str]] = field(default_factory=set)
    failed: Draft | None = None

    def note(self, event: Event) -> None:
        """Keep an event for the statement it belongs to."""
        self.events.append(replace(event, locks=self.new_locks(event)))

    def new_locks(self, event: Event) -> tuple[HeldLock, ...]:
        """The locks of an event that the transaction did not hold before."""
        if event.transaction and event.transaction != self.locked_in:
            self.locked_in, self.locked = event.transaction, set()
        new = tuple(lock for lock in event.locks if (lock.relation, lock.mode) not in self.locked)
        if event.transaction:
            self.locked.update((lock.relation, lock.mode) for lock in new)
        return new

    def drafts(self, text: str) -> list[Draft]:
        """The statements of a message with the events so far, which are then done with.

        An event's own place is needed within a message of several statements only: in a later message, a setting that stayed
        behind says nothing.
        """
        drafts = [Draft(sent, place) for place, sent in unstamp(text)] or [Draft("", None)]
        current = 0
        for event in self.events:
            if event.reading is not None:
                current = min(event.reading.number, len(drafts)) - 1
            else:
                later = (number for number in range(current, len(drafts)) if drafts[number].place == event.place)
                current = next(later, current)
            drafts[current].add(event)
        self.events = []
        return drafts

    def unclosed(self) -> Iterator[Draft]:
        """What a statement did whose end the log does not show, because its session was ended."""
        for place, events in groupby(self.events, key=lambda event: event.place):
            draft = Draft("", place, undone=True)
            for event in events:
                draft.add(event)
            yield draft


def timed(drafts: Sequence[Draft], seconds: float) -> None:
    """Say how long each of the statements of a message took that lasted so long in all, as far as it was asked between them."""
    if len(drafts) == 1:
        drafts[0].seconds = seconds
        return
    asked = [draft.reading.moments for draft in drafts if draft.reading is not None and draft.reading.moments is not None]
    if not asked:
        return
    came = since = asked[0][0]
    pending: list[Draft] = []
    for draft in drafts:
        pending += [draft] if first_word(draft.text) not in QUIET else []
        if draft.reading is not None and draft.reading.moments is not None:
            _, until, goes_on = draft.reading.moments
            _take_time(pending, until - since)
            since, pending = goes_on, []
    _take_time(pending, came + seconds - since)


def _take_time(pending: Sequence[Draft], seconds: float) -> None:
    if len(pending) == 1:
        pending[0].seconds = max(0.0, seconds)


class _Reader:
    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}
        self._drafts: list[Draft] = []
        self._unread: list[Draft] = []
        self._readings = Readings()
        self._errors: list[ServerError] = []
        self._authorized: set[str] = set()

    def take(self, record: LogRecord) -> None:
        if record.message.startswith(_AUTHORIZED):
            if not _OUR_LOGIN.search(record.message):
                self._authorized.add(record.session)
        elif record.session and record.application != OURS:
            self._take(self._sessions.setdefault(record.session, _Session()), record)
        elif (event := parse(record.message)) and event.of_process is not None:
            self._sampled(event, event.of_process)

    def _take(self, session: _Session, record: LogRecord) -> None:
        if record.severity in ("ERROR", "FATAL", "PANIC"):
            self._fail(session, record)
        elif record.severity != "LOG":
            return
        elif event := parse(record.message):
            if event.reading is None or event.reading.number:
                session.note(event)
            else:
                self._read(session, record.session, event, event.reading)
        elif found := _DURATION.match(record.message):
            self._step(session, record.session, found[2], float(found[1]) / 1000, record.message[found.end() :])

    def _sampled(self, event: Event, process: int) -> None:
        """What a session of ours saw of one of the project's, whose statement is still under way."""
        ending = f".{process:x}"
        for name in reversed(self._sessions):
            if name.endswith(ending):
                self._sessions[name].note(event)
                return

    def _read(self, session: _Session, name: str, event: Event, reading: Reading) -> None:
        """The server's counters after statements have ended: what they show is those statements' work."""
        failed, session.failed = session.failed, None
        if failed is not None and self._readings.left_invalid(reading):
            self._drafts.append(failed)
            self._unread.append(failed)
        unread, self._unread = self._unread, []
        if unread:
            unread[-1].locks.extend(session.new_locks(event))
        self._readings.take(reading, name, unread, over=reading.moments is None and not event.locks)

    def _step(self, session: _Session, name: str, step: str, seconds: float, text: str) -> None:
        """A step of a statement: the extended protocol parses and binds before it executes, and each takes its time."""
        before = session.prepared[1] if session.prepared[0] == text else 0.0
        if step in ("parse", "bind"):
            session.prepared = (text, before + seconds)
            return
        session.prepared = ("", 0.0)
        drafts = session.drafts(text)
        timed(drafts, before + seconds)
        for draft in drafts:
            session.transaction.ran(draft, draft.text)
            self._keep(draft, name)

    def _fail(self, session: _Session, record: LogRecord) -> None:
        """A statement failed: what it did until then is told too, as undone."""
        parts = list(unstamp(record.sent))
        place, text = parts[0] if len(parts) == 1 else (None, record.sent)
        self._errors.append(
            ServerError(record.code, record.message, record.detail, text[:LONGEST], place, record.session, record.severity)
        )
        session.failed = Draft(text[:LONGEST], place, undone=True)
        for draft in session.drafts(record.sent) if any(event.reading is None for event in session.events) else ():
            draft.undone = True
            self._keep(draft, record.session)
            session.failed = None
        session.events = []
        session.transaction.failed()

    def _keep(self, draft: Draft, session: str) -> None:
        """Enter a statement, and where the counters were read right after it, its work."""
        draft.text = draft.text[:LONGEST]
        self._drafts.append(draft)
        self._unread.append(draft)
        if draft.reading is not None:
            unread, self._unread = self._unread, []
            self._readings.take(draft.reading, session, unread, over=False)

    def finish(self, after: Sequence[Recording]) -> Recording:
        for session in self._sessions.values():
            session.transaction.ended()
            self._drafts.extend(session.unclosed())
        statements, wrote = complete(self._drafts, after)
        return Recording(statements, tuple(self._errors), frozenset(self._authorized), wrote)
