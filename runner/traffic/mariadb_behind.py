"""Sessions of ours that waited on MariaDB, and the statement of the migrations that each waited behind."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from checks.evidence import Place
from checks.schema.names import ObjectReference
from checks.traffic import Access, Wait, WorkOnRows
from runner.traffic.mariadb_history import WAITING, Executed
from runner.traffic.weighing import overlap

#: What sessions of ours ask for, and what they wait for where the table is theirs but a row is not.
ASKED = {Access.READS: "MDL_SHARED_READ", Access.WRITES: "MDL_SHARED_WRITE"}
ROW = "a row lock"

#: Kinds of statements that change a table's form, or replace it, and so end with MDL_EXCLUSIVE.
CHANGING = frozenset(
    {
        *("alter_table", "create_index", "drop_index", "drop_table", "rename_table", "truncate", "optimize", "repair"),
        *("create_trigger", "drop_trigger"),
    }
)
#: Kinds of statements that end a transaction.
_ENDING = frozenset({"commit", "rollback"})
#: The shortest wait for a row that is one, in seconds.
_SHORT = 0.01


@dataclass(frozen=True)
class Met:
    """A wait of a session of ours for a table, or for a row of it."""

    table: str
    access: Access
    began: float
    ended: float
    mode: str


@dataclass
class Told:
    """One statement, as it is put together."""

    seen: Executed
    place: Place | None
    text: str
    timeout: float | None
    taken: dict[str, str] = field(default_factory=dict)
    briefly: list[str] = field(default_factory=list)
    earlier: dict[str, tuple[str, Place | None]] = field(default_factory=dict)
    work: list[WorkOnRows] = field(default_factory=list)
    made: list[ObjectReference] = field(default_factory=list)
    waits: dict[tuple[str, Access], Wait] = field(default_factory=dict)

    @property
    def tables(self) -> set[str]:
        """Those that it shut, be it for a moment."""
        return {*self.taken, *self.briefly}


def met(workers: Mapping[int, tuple[str, Access]], executed: Iterable[Executed]) -> Iterator[Met]:
    """What sessions of ours waited for: a table's lock (a stage), else a row's, if somebody had written rows of it.

    A write of ours is of one row and undone: what it takes beyond that is the other's, be it InnoDB's lock or its load.
    """
    for one in executed:
        if one.thread not in workers:
            continue
        table, access = workers[one.thread]
        stages = one.spent(WAITING)
        for stage in stages:
            yield Met(table, access, stage.began, stage.ended, ASKED[access])
        rest = one.ended - one.began - sum(stage.seconds for stage in stages)
        if access is Access.WRITES and rest >= _SHORT:
            yield Met(table, access, one.ended - rest, one.ended, ROW)


class Order:
    """The statements in the order in which they began, found by when they were under way."""

    def __init__(self, all_told: Sequence[Told]) -> None:
        self.all = all_told
        self._began = [one.seen.began for one in all_told]
        self._locking = [one for one in all_told if one.seen.kind == "lock_tables"]
        self._longest = max((one.seen.ended - one.seen.began for one in all_told), default=0.0)

    def during(self, began: float, ended: float) -> list[Told]:
        """Those that were under way in a part of this time."""
        first, last = bisect_left(self._began, began - self._longest), bisect_left(self._began, ended)
        return [one for one in self.all[first:last] if one.seen.ended > began]

    def locking(self, table: str, at: float) -> Told | None:
        """The last LOCK TABLES that shut a table before this time."""
        held = [one for one in self._locking if table in one.taken and one.seen.began <= at]
        return held[-1] if held else None

    def writing(self, table: str, at: float) -> Told | None:
        """The last statement that wrote rows of a table in a transaction which BEGIN opened and which was still open."""
        found: dict[int, Told | None] = {}
        for one in self.all[: bisect_left(self._began, at)]:
            if one.seen.kind == "begin":
                found[one.seen.thread] = None
            elif one.seen.kind in _ENDING or one.seen.kind in CHANGING:
                found.pop(one.seen.thread, None)
            elif one.seen.thread in found and _wrote(one, table):
                found[one.seen.thread] = one
        return next((one for one in found.values() if one is not None), None)


def behind(wait: Met, order: Order) -> Told | None:
    """The statement that was under way for most of the wait, of those of the table where there is one."""
    during = order.during(wait.began, wait.ended)
    if wait.mode == ROW:  # what else a statement waits for inside the server is no wait for the migration's rows
        wrote = [one for one in during if one.seen.kind not in CHANGING and _wrote(one, wait.table)]
        return _longest_of(wait, wrote) or order.writing(wait.table, wait.began)
    shut = [one for one in during if wait.table in one.briefly]
    locked = order.locking(wait.table, wait.began)
    if locked is not None and not shut:
        return locked
    return _longest_of(wait, [one for one in during if wait.table in one.tables or _opened(one, wait.table)] or during)


def _opened(one: Told, table: str) -> bool:
    return any(name == table for _, name in one.seen.tables)


def _wrote(one: Told, table: str) -> bool:
    """Whether it wrote rows that were there before; an INSERT locks rows that nobody else has met yet."""
    return one.seen.kind != "insert" and any(name == table and wrote for (_, name), wrote in one.seen.tables.items())


def _longest_of(wait: Met, found: Sequence[Told]) -> Told | None:
    return max(found, key=lambda one: overlap(wait.began, wait.ended, one.seen.began, one.seen.ended), default=None)
