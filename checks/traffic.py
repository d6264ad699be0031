"""What new migrations did to sessions beside them, as frozen data: locks, the work done under them, and who waited how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from checks.evidence import Evidence, Lock, Place
from checks.schema.names import ObjectReference


class Access(StrEnum):
    """What a session beside the migrations does with a table."""

    READS = "reads"
    WRITES = "writes"


class WorkKind(StrEnum):
    """Work that takes the longer the more rows there are."""

    REWRITE = "rewrite"
    SCAN = "scan"
    INDEX = "index"
    WRITE = "write"


@dataclass(frozen=True)
class WorkOnRows:
    """What a statement did to the rows of a table: how many it read or wrote, and of a rewrite the server's reason."""

    relation: str
    kind: WorkKind
    rows: int
    reason: str = ""


@dataclass(frozen=True)
class Wait:
    """The longest wait of one kind of access to a table behind a statement, in seconds.

    ``queued`` is the part in which the statement itself waited for a transaction that was open before it, and others queued
    behind the waiting statement; ``mode`` is what they asked for.
    """

    relation: str
    access: Access
    seconds: float
    queued: float
    mode: str

    @property
    def own(self) -> float:
        """The part that is the statement's and its transaction's own doing, in seconds."""
        return max(0.0, self.seconds - self.queued)


@dataclass(frozen=True)
class Blocking:
    """A statement that held a lock on a table from before which keeps others out (``taken``, the strongest mode of each table).

    ``briefly`` are such locks that it has for a moment only, before or after its work (MariaDB's ``MDL_EXCLUSIVE`` of an online
    ALTER TABLE). ``earlier`` are such locks that an earlier statement of its transaction took (in MariaDB: LOCK TABLES of its
    session), with that statement's place. ``work`` is what it did while they were held. ``held`` is how many seconds after
    ``taken`` was granted its transaction ended, ``waited`` how long it queued before. ``commands`` are the server's tags
    (``ALTER TABLE``), ``made`` the objects that it made. ``lock_timeout`` is in seconds, 0 for none.
    """

    text: str
    place: Place | None
    revision: str
    taken: tuple[Lock, ...] = ()
    briefly: tuple[Lock, ...] = ()
    earlier: tuple[tuple[Lock, Place | None], ...] = ()
    work: tuple[WorkOnRows, ...] = ()
    waits: tuple[Wait, ...] = ()
    held: float = 0.0
    waited: float = 0.0
    commands: tuple[str, ...] = ()
    made: tuple[ObjectReference, ...] = ()
    lock_timeout: float | None = None


@dataclass(frozen=True)
class Traffic:
    """What came of the new migrations with other sessions beside them, on a copy of what base holds.

    ``rows`` are those of the tables that they touch, as base has them. ``gap`` is why nothing was tried. ``gave_up`` says that
    they stopped at their own lock_timeout (MariaDB: lock_wait_timeout) behind the long transaction, and were tried without one;
    ``unwatched`` are touched tables that had no sessions, as there are too many.
    ``alone`` is what the same migrations did with nobody beside them, where that was on other rows than the run's verdict.
    """

    statements: tuple[Blocking, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    gave_up: bool = False
    unwatched: tuple[str, ...] = ()
    gap: str = ""
    alone: Evidence | None = None

    def by_revision(self, new: Sequence[str], otherwise: str) -> Mapping[str, Sequence[Blocking]]:
        """The statements of each new revision; those of none of them under the name ``otherwise``."""
        found: dict[str, list[Blocking]] = {revision: [] for revision in new}
        for one in self.statements:
            found.setdefault(one.revision if one.revision in new else otherwise, []).append(one)
        return found
