"""Migrations as reports show them, and the facts that the recorder saw of each statement of the new ones."""

from __future__ import annotations

from dataclasses import dataclass

from checks.evidence import Lock, MigrationState, Place, Rewrite
from checks.work import Work, strength


@dataclass(frozen=True)
class ReportedWait:
    """How long others waited for a table behind a statement, in seconds at the most; ``access`` is ``reads`` or ``writes``.

    Not counted is what they queued behind it while it waited itself.
    """

    relation: str
    access: str
    seconds: float


@dataclass(frozen=True)
class ReportedStatement:
    """A statement of a new migration with the facts that the recorder saw.

    ``seconds`` is the server's own duration, of all of them together where the same statement ran ``times`` in a row. ``work``
    is ``None`` where it is not known of this statement alone. ``made``, ``changed``, ``dropped`` and ``invalid`` (indexes that it
    left invalid) are objects by kind and name. ``waits`` are empty where no traffic was on the tables.
    """

    place: Place | None
    text: str
    seconds: float | None
    locks: tuple[Lock, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    times: int = 1
    work: Work | None = None
    made: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()
    waits: tuple[ReportedWait, ...] = ()


@dataclass(frozen=True)
class ReportedMigration:
    """One migration; ``statements`` only for new ones, ``work`` is what they did together (``None`` where that is not known)."""

    revision: str
    title: str
    place: Place
    state: MigrationState
    new: bool
    seconds: float | None = None
    statements: tuple[ReportedStatement, ...] = ()
    work: Work | None = None

    @property
    def strongest(self) -> Lock | None:
        """The strongest lock that any statement of it took, the first of those."""
        return max((lock for said in self.statements for lock in said.locks), key=lambda lock: strength(lock.mode), default=None)

    @property
    def rewritten(self) -> tuple[str, ...]:
        """The tables that it rewrote."""
        return tuple(dict.fromkeys(rewrite.relation for said in self.statements for rewrite in said.rewrites))
