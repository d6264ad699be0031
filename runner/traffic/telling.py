"""From the log to evidence: which statement kept whom out of which table, what it did meanwhile, and who waited how long."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from checks.evidence import Lock, Place
from checks.schema.names import ObjectKind, TableName
from checks.traffic import Access, Blocking, Wait, WorkKind, WorkOnRows
from runner.recorder.recording import reason
from runner.traffic.seen import Held, Seen
from runner.traffic.tables import BLOCKS_READS, BLOCKS_WRITES, Table
from runner.traffic.waits import LockWait
from runner.traffic.weighing import LONGEST, keep_longest, overlap, revision_of, writes_most

#: A log's moments are to a millisecond.
_SLACK = 0.002
#: Commands of rows, in the words of TG_OP.
_ROWS = frozenset({"INSERT", "UPDATE", "DELETE"})


@dataclass(frozen=True)
class Log:
    """What one run under traffic left in the log: the ``waits`` of our sessions, and the migrations' ``own``.

    ``workers`` are the processes of our sessions, with what they did. ``moved`` are tables that hold rows and lie in another file
    than before: true for the table, false for an index of it.
    """

    seen: Sequence[Seen]
    waits: Sequence[LockWait]
    own: Sequence[LockWait]
    workers: Mapping[int, tuple[Table, Access]]
    tables: Sequence[Table]
    moved: Mapping[int, bool]
    revisions: Mapping[str, str]


@dataclass
class _Told:
    """One statement, as it is put together."""

    seen: Seen
    taken: dict[int, str]
    earlier: dict[int, str]
    work: list[WorkOnRows] = field(default_factory=list)
    waits: dict[tuple[int, Access], Wait] = field(default_factory=dict)


def told(log: Log) -> Iterator[Blocking]:
    """The statements that kept others out of a table, in their order."""
    by_oid = {table.oid: table for table in log.tables}
    all_told = [_Told(one, *_locks(log, one, by_oid)) for one in log.seen]
    for one in all_told:
        one.work = list(_work(one, log.tables))
    _moved(all_told, log, by_oid)
    for wait in log.waits:
        _enter(wait, all_told, log)
    for number, one in enumerate(all_told):
        if one.taken or (one.earlier and one.work) or one.waits:
            yield _blocking(number, all_told, log, by_oid)


def _locks(log: Log, seen: Seen, tables: Mapping[int, Table]) -> tuple[dict[int, str], dict[int, str]]:
    """The strongest lock against others that it took on each table, and those that its transaction had before."""
    waited = {(wait.relation, wait.mode) for wait in _own_waits(log, seen) if wait.relation is not None}
    of_table = {index: table.oid for table in tables.values() for index in table.indexes}
    # A lock on an index alone, against others, is felt by whoever uses the table.
    seen_waiting = {(of_table.get(oid, oid), mode) for oid, mode in waited}
    before = _strongest(seen.before, tables)
    after = _strongest(seen.after if seen.commands else seen_waiting, tables)
    taken = {oid: mode for oid, mode in after.items() if _strength(mode) > _strength(before.get(oid, ""))}
    return taken, before


def _strongest(held: Iterable[Held], tables: Mapping[int, Table]) -> dict[int, str]:
    found: dict[int, str] = {}
    for oid, mode in held:
        if oid in tables and _strength(mode) > _strength(found.get(oid, "")):
            found[oid] = mode
    return found


def _strength(mode: str) -> int:
    return BLOCKS_WRITES.index(mode) + 1 if mode in BLOCKS_WRITES else 0


def _own_waits(log: Log, seen: Seen) -> list[LockWait]:
    """Where the statement itself waited: the wait's middle lies within it."""
    return [
        wait
        for wait in log.own
        if wait.process == seen.process and seen.began - _SLACK <= (wait.began + wait.ended) / 2 <= seen.ended + _SLACK
    ]


def _work(one: _Told, tables: Sequence[Table]) -> Iterator[WorkOnRows]:
    """What it did to rows while others were kept out.

    Where rows are changed, those that were read for it say nothing: the plan on a small table is to read all of it.
    """
    if not (one.taken or one.earlier):
        return
    seen, rows_only = one.seen, _ROWS.issuperset(one.seen.commands)
    for table in (table for table in tables if table.rows):
        read, wrote = seen.read.get(table.oid, 0), seen.wrote.get(table.oid, 0)
        if table.label in seen.rewritten:
            yield WorkOnRows(table.label, WorkKind.REWRITE, table.rows, reason(seen.rewritten[table.label]))
        elif read and 2 * read >= table.rows and not rows_only:
            kind = WorkKind.INDEX if _indexed(one, table) else WorkKind.SCAN
            yield WorkOnRows(table.label, kind, min(read, table.rows))
        elif writes_most(wrote, table.rows):
            yield WorkOnRows(table.label, WorkKind.WRITE, wrote)


def _indexed(one: _Told, table: Table) -> bool:
    """Whether rows were read for an index of the table, whoever took the lock that this was done under."""
    on = (TableName(made.schema, made.relation) for made in one.seen.made if made.kind is ObjectKind.INDEX)
    return table.name in on or ("REINDEX" in one.seen.commands and table.oid in one.taken)


def _moved(all_told: Sequence[_Told], log: Log, tables: Mapping[int, Table]) -> None:
    """A table that lies in another file now, though the recorder told of no rewrite: VACUUM FULL, CLUSTER, REINDEX and the like.

    The statement is the one that was seen to ask for the lock, else one that names the table and of which nothing else is known.
    """
    known = {work.relation for one in all_told for work in one.work}
    for oid, whole in log.moved.items():
        table = tables.get(oid)
        if table is None or table.label in known:
            continue
        asked = [one for one in all_told if oid in one.taken and (not one.seen.commands or whole)]
        named = [one for one in all_told if not one.seen.commands and _names(one.seen.text, table)]
        for one in (asked or named)[:1]:
            mode = "AccessExclusiveLock" if whole else "ShareLock"
            one.taken.setdefault(oid, mode)
            one.work.append(WorkOnRows(table.label, WorkKind.REWRITE if whole else WorkKind.INDEX, table.rows))


def _names(text: str, table: Table) -> bool:
    return table.name.name.lower() in re.findall(r"[^\W\d][\w$]*", text.lower())


def _enter(wait: LockWait, all_told: Sequence[_Told], log: Log) -> None:
    """Put the wait of a session of ours to the statement that it waited behind, where it is the longest of its kind there."""
    table, access = log.workers[wait.process]
    one = _behind(wait, all_told, table, access)
    if one is None:
        return
    theirs = [own for own in log.own if own.process == one.seen.process]
    queued = sum(overlap(wait.began, wait.ended, own.began, own.ended) for own in theirs)
    found = Wait(table.label, access, wait.ended - wait.began, min(queued, wait.ended - wait.began), wait.mode)
    keep_longest(one.waits, (table.oid, access), found)


def _behind(wait: LockWait, all_told: Sequence[_Told], table: Table, access: Access) -> _Told | None:
    """The statement that a session waited behind: the last before it that took the lock, else the one that was under way."""
    theirs = [one for one in all_told if one.seen.process in wait.behind]
    keeps = [one for one in theirs if _keeps_out(one.taken.get(table.oid, ""), access)]
    took = [one for one in keeps if one.seen.began <= wait.began + _SLACK] or keeps[:1]
    if took and wait.relation is not None:
        return took[-1]
    during = [one for one in theirs if one.seen.began <= wait.ended and one.seen.ended >= wait.began]
    return max(during, key=lambda one: min(one.seen.ended, wait.ended) - max(one.seen.began, wait.began), default=None)


def _keeps_out(mode: str, access: Access) -> bool:
    return mode in (BLOCKS_READS if access is Access.READS else BLOCKS_WRITES)


def _blocking(number: int, all_told: Sequence[_Told], log: Log, tables: Mapping[int, Table]) -> Blocking:
    one = all_told[number]
    seen = one.seen
    return Blocking(
        text=seen.text[:LONGEST],
        place=seen.place,
        revision=revision_of(seen.place, log.revisions),
        taken=tuple(Lock(tables[oid].label, mode) for oid, mode in one.taken.items()),
        earlier=tuple((Lock(tables[oid].label, mode), _taker(oid, number, all_told)) for oid, mode in one.earlier.items()),
        work=tuple(one.work),
        waits=tuple(one.waits.values()),
        held=_held(number, all_told, _waited(log, seen)),
        waited=_waited(log, seen),
        commands=tuple(dict.fromkeys(seen.commands)),
        made=tuple(dict.fromkeys(seen.made)),
        lock_timeout=seen.lock_timeout,
    )


def _taker(oid: int, number: int, all_told: Sequence[_Told]) -> Place | None:
    """Where the statement stands that took a lock which a later one finds held."""
    process = all_told[number].seen.process
    before = (one for one in reversed(all_told[:number]) if one.seen.process == process and oid in one.taken)
    return next((one.seen.place for one in before), None)


def _waited(log: Log, seen: Seen) -> float:
    return sum(wait.ended - wait.began for wait in _own_waits(log, seen))


def _held(number: int, all_told: Sequence[_Told], waited: float) -> float:
    """How long the locks that it took were held: to its own end, or to that of the last statement that found them held."""
    one = all_told[number]
    ended = one.seen.ended
    for later in all_told[number + 1 :]:
        if later.seen.process != one.seen.process:
            continue
        if one.taken.keys() & later.earlier.keys():
            ended = later.seen.ended
        elif later.seen.commands:
            break
    return max(0.0, ended - one.seen.began - waited)
