"""What the log says of one database, as frozen data, and the last step towards it: telling the new from the changed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from checks.evidence import Lock, Place, Rewrite, Statement
from checks.schema.names import ObjectKind, TableName
from checks.work import Work, strength
from runner.migrations.interface import Ran
from runner.recorder.events import Address, Event, HeldLock, Reading, Row
from runner.recorder.ledger import Ledger

#: The bits of AT_REWRITE_* in PostgreSQL's event_trigger.h, in words.
_REASONS = (
    (1, "persistence changed"),
    (2, "default is computed for each row"),
    (4, "type changed"),
    (8, "access method changed"),
)


@dataclass(frozen=True)
class ServerError:
    """An ERROR or FATAL that the server said to a session of the project. ``detail`` may quote rows."""

    code: str
    said: str
    detail: str
    statement: str
    place: Place | None
    session: str
    severity: str


@dataclass(frozen=True)
class Wrote:
    """What a statement that was not undone (its number in the recording) wrote into the catalogues."""

    statement: int
    made: tuple[Row, ...]
    dropped: tuple[Row, ...]


@dataclass(frozen=True)
class Recording:
    """What the log says of one database: everything in the order in which it ended.

    ``sessions`` are the project's that the server let in. ``wrote`` is what :func:`runner.recorder.provenance.resolve` reads; of
    SQLite it is ``told``, what was told of each statement.
    """

    statements: tuple[Statement, ...] = ()
    errors: tuple[ServerError, ...] = ()
    sessions: frozenset[str] = frozenset()
    wrote: tuple[Wrote, ...] = ()
    told: tuple[Ran, ...] = ()


@dataclass
class Draft:
    """A statement as the log is read: what the recorder said of it, still by OID.

    ``reading`` is that of the server's counters right after it, within a message of several statements.
    """

    text: str
    place: Place | None
    seconds: float | None = None
    undone: bool = False
    made: list[Row] = field(default_factory=list)
    dropped: list[Row] = field(default_factory=list)
    rewrites: list[Rewrite] = field(default_factory=list)
    locks: list[HeldLock] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    invalid: list[Row] = field(default_factory=list)
    work: Work | None = None
    reading: Reading | None = None

    def add(self, event: Event) -> None:
        """Enter a record of the recorder."""
        self.made.extend(event.made)
        self.changed.extend(event.changed)
        self.dropped.extend(event.dropped)
        self.locks.extend(event.locks)
        self.reading = event.reading or self.reading
        for table in event.rewritten:
            self.rewrites.append(Rewrite(TableName(table.schema, table.name).label(), reason(table.reason)))


def complete(drafts: Sequence[Draft], after: Sequence[Recording]) -> tuple[tuple[Statement, ...], tuple[Wrote, ...]]:
    """The statements in full, and what those of them wrote that hold. ``after`` are the recordings that went before."""
    known = _Known(after)
    statements = tuple(known.statement(number, draft) for number, draft in enumerate(drafts))
    wrote = tuple(
        Wrote(number, tuple(draft.made), tuple(draft.dropped))
        for number, draft in enumerate(drafts)
        if not draft.undone and (draft.made or draft.dropped)
    )
    return statements, wrote


class _Known:
    """What exists while statements are gone through in order. What is undone is told, but changes nothing for what follows."""

    def __init__(self, after: Sequence[Recording]) -> None:
        self._ledger: Ledger[int] = Ledger()
        self._rows: set[tuple[Address, int | None]] = set()
        self._tables: set[int] = set()
        for wrote in (wrote for recording in after for wrote in recording.wrote):
            self._ledger.enter(wrote.statement, wrote.made, wrote.dropped)
            self._rows.update((row.address, row.xid) for row in wrote.made)

    def statement(self, number: int, draft: Draft) -> Statement:
        """The statement with names for what it did."""
        dropped = _unique(self._ledger.named(row) for row in draft.dropped)
        if not draft.undone:
            self._ledger.enter(number, (), draft.dropped)
        made = _unique(row.reference for row in draft.made if self._new(row))
        if not draft.undone:
            self._ledger.enter(number, draft.made, ())
        self._rows.update((row.address, row.xid) for row in draft.made)
        self._tables.update(row.address[1] for row in draft.made if row.reference.kind is ObjectKind.TABLE)
        return Statement(
            text=draft.text,
            place=draft.place,
            seconds=draft.seconds,
            made=made,
            dropped=dropped,
            rewrites=_unique(draft.rewrites),
            locks=_unique(sorted(self._locks(draft), key=lambda lock: (-strength(lock.mode), lock.relation))),
            undone=draft.undone,
            changed=_unique(row.reference for row in draft.changed if row.reference not in made),
            invalid=_unique(row.reference for row in draft.invalid),
            work=draft.work,
        )

    def _new(self, row: Row) -> bool:
        return row.whole or ((row.address, row.xid) not in self._rows and self._ledger.known(row) is None)

    def _locks(self, draft: Draft) -> Iterator[Lock]:
        """Locks on tables that none of these statements made; a table that the statement dropped has its name from there."""
        dropped = {row.address[1]: row.reference for row in draft.dropped if row.reference.kind is ObjectKind.TABLE}
        for lock in draft.locks:
            gone = dropped.get(lock.relation)
            table = TableName(gone.schema, gone.relation) if gone else TableName(lock.schema, lock.name)
            if table.name and lock.relation not in self._tables:
                yield Lock(table.label(), lock.mode)


_T = TypeVar("_T", bound=Hashable)


def _unique(values: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(values))


def reason(bits: int) -> str:
    """PostgreSQL's reason for a rewrite in words, from its bits."""
    return ", ".join(words for bit, words in _REASONS if bits & bit) or f"reason {bits}"
