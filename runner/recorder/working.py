"""From the server's counters, read after statements, to the work of each statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.schema.names import TableName
from checks.work import TableWork, Work
from runner.recorder.asking import QUIET, first_word
from runner.recorder.events import Address, Counted, HeldLock, Reading
from runner.recorder.recording import Draft

#: Nobody else may use a table while its rows go into another file.
_NEW_FILE, _ROWS = "AccessExclusiveLock", "RowExclusiveLock"


class Readings:
    """The counters as they were read last, over all sessions of the project."""

    def __init__(self) -> None:
        self._position: int | None = None
        self._tables: dict[int, Counted] = {}
        self._invalid: frozenset[Address] = frozenset()
        self._session = ""

    def left_invalid(self, reading: Reading) -> bool:
        """Whether there are invalid indexes that were not there, or not invalid, when the last reading was taken."""
        return self._position is not None and any(row.address not in self._invalid for row in reading.invalid or ())

    def take(self, reading: Reading, session: str, drafts: Sequence[Draft], over: bool) -> None:
        """Give what has moved since the last reading to the last of the statements that ended since; the first only begins.

        ``over`` says that their transaction is, so that the locks they had cannot be seen any more.
        """
        if self._position is not None and drafts:
            draft, alone = drafts[-1], len(_distinct(drafts)) <= 1
            tables = tuple(self._moved(reading))
            draft.work = Work(tuple(tables), max(0, reading.position - self._position), max(1, len(_distinct(drafts))))
            draft.invalid.extend(row for row in reading.invalid or () if row.address not in self._invalid)
            if alone and over:
                draft.locks.extend(self._certain(reading, {lock.relation for lock in draft.locks}))
        self._note(reading, session)

    def _moved(self, reading: Reading) -> Iterator[TableWork]:
        for now in reading.tables:
            before = self._tables.get(now.relation)
            was = before.rows if before else (0, 0, 0, 0)
            inserted, updated, deleted, read = (max(0, one - other) for one, other in zip(now.rows, was, strict=True))
            size = before.bytes if before else 0
            grown = None if now.bytes is None or size is None else now.bytes - size
            if inserted or updated or deleted or read or grown:
                label = TableName(now.schema, now.name).label()
                yield TableWork(label, inserted, updated, deleted, read, now.bytes, grown)

    def _certain(self, reading: Reading, locked: set[int]) -> Iterator[HeldLock]:
        """The locks that a statement which was its own transaction must have had: they are gone when the counters are read."""
        for now in reading.tables:
            before = self._tables.get(now.relation)
            if before is None or now.relation in locked:
                continue
            if now.file != before.file:
                yield HeldLock(now.relation, now.schema, now.name, _NEW_FILE)
            elif any(one > other for one, other in zip(now.rows[:3], before.rows[:3], strict=True)):
                yield HeldLock(now.relation, now.schema, now.name, _ROWS)

    def _note(self, reading: Reading, session: str) -> None:
        """Keep the counters. Another session's do not hold yet what an open transaction of the last one has done."""
        for now in reading.tables:
            before = self._tables.get(now.relation)
            if before is not None and session != self._session:
                most = tuple(max(pair) for pair in zip(now.rows, before.rows, strict=True))
                now = Counted(now.relation, now.schema, now.name, (most[0], most[1], most[2], most[3]), now.file, now.bytes)
            self._tables[now.relation] = now
        self._position = max(reading.position, self._position or 0)
        if reading.invalid is not None:
            self._invalid = frozenset(row.address for row in reading.invalid)
        self._session = session


def _distinct(drafts: Sequence[Draft]) -> set[object]:
    """The different statements among those that may have written something."""
    return {(draft.text, draft.place) for draft in drafts if first_word(draft.text) not in QUIET}
