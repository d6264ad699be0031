"""From MariaDB's history to evidence: which statement kept whom out of which table, what it did meanwhile, who waited how long.

What is known of locks (https://mariadb.com/kb/en/metadata-locking/, sql/mdl.h): a change of a table's form ends with
MDL_EXCLUSIVE, for a moment where the work is done before. While a table is copied row by row, others read (MDL_SHARED_NO_WRITE).
While InnoDB does the work itself, others write as well, unless the operation wants that nobody does: then it keeps no log of what
others wrote meanwhile, and so applies none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from checks.evidence import Lock, Place
from checks.schema.names import ObjectKind
from checks.traffic import Access, Blocking, Wait, WorkKind, WorkOnRows
from runner.recorder.mariadb_text import changes
from runner.recorder.mariadb_tokens import words
from runner.recorder.stamps import unstamp
from runner.traffic.mariadb_behind import CHANGING, ROW, Met, Order, Told, behind
from runner.traffic.mariadb_history import COPYING, PREPARING, WAITING, Executed
from runner.traffic.mariadb_reasons import Began, kept_out
from runner.traffic.mariadb_tables import Table
from runner.traffic.mariadb_timeouts import Timeouts
from runner.traffic.weighing import LONGEST, keep_longest, overlap, revision_of, writes_most

NO_WRITE, EXCLUSIVE = "MDL_SHARED_NO_WRITE", "MDL_EXCLUSIVE"
#: LOCK TABLES … WRITE, and READ: until UNLOCK TABLES.
LOCKED, READ_ONLY = "MDL_SHARED_NO_READ_WRITE", "MDL_SHARED_READ_ONLY"
#: From this version on a copying ALTER TABLE may let others write (MDEV-16329): only who waited tells.
_ONLINE_COPY = (11, 2)
_TAGS = {"optimize": "OPTIMIZE TABLE", "repair": "REPAIR TABLE", "truncate": "TRUNCATE TABLE"}


@dataclass(frozen=True)
class Ran:
    """What one run under traffic left in the history: statements of the ``project``, and what ours ``met``.

    ``reasons`` are the server's for keeping writers out, by a statement's start; ``placed`` the places of statements by their
    text, as the verdict's run knows them; ``timeout`` is the server's lock_wait_timeout.
    """

    project: Sequence[Executed]
    met: Sequence[Met]
    schema: str
    tables: Mapping[str, Table]
    version: tuple[int, ...]
    timeout: float
    placed: Mapping[str, Place | None]
    reasons: Mapping[Began, str]
    revisions: Mapping[str, str]


def told(ran: Ran) -> Iterator[Blocking]:
    """The statements that kept others out of a table, in their order."""
    all_told = list(_told(ran))
    order = Order(all_told)
    for wait in ran.met:
        _enter(wait, order)
    for one in all_told:
        _judge_by_waits(one, ran)
    for number, one in enumerate(all_told):
        if one.tables or (one.earlier and one.work) or one.waits:
            yield _blocking(number, all_told, ran)


def _told(ran: Ran) -> Iterator[Told]:
    timeouts, kept = Timeouts(ran.timeout), _LockTables()
    for seen in ran.project:
        place, text = next(unstamp(seen.text), (None, seen.text))
        one = Told(seen, place or ran.placed.get(text), text, timeouts.of(seen.thread, text))
        if seen.error:
            continue
        kept.enter(one, ran)
        _look(one, ran)
        yield one


def _look(one: Told, ran: Ran) -> None:
    """Enter what the statement did to tables from before."""
    seen = one.seen
    found = list(changes(one.text))
    one.made = [change.made for change in found if change.made is not None and change.older is None]
    opened = [name for (schema, name), _ in seen.tables.items() if schema == ran.schema and name in ran.tables]
    if seen.kind in CHANGING or seen.spent(COPYING, PREPARING):
        named = [change.dropped or change.older for change in found if change.dropped or change.older]
        said = [table.relation for table in named if table is not None and table.kind is ObjectKind.TABLE]
        one.briefly = list(dict.fromkeys(name for name in (*opened, *said) if name in ran.tables))
        _formed(one, ran, opened)
    elif one.earlier:
        _written(one, ran, [name for name in opened if seen.tables[ran.schema, name]])


def _written(one: Told, ran: Ran, opened: Sequence[str]) -> None:
    """Rows of one table that were written under LOCK TABLES. The server opens none anew then: it is the one that is named."""
    said = {word.lower() for word in words(one.text)} if not opened else set()
    wrote = list(opened) or [name for name, (mode, _) in one.earlier.items() if mode == LOCKED and name.lower() in said]
    if len(wrote) == 1 and writes_most(one.seen.rows, rows := ran.tables[wrote[0]].rows):
        one.work = [WorkOnRows(wrote[0], WorkKind.WRITE, min(one.seen.rows, rows))]


def _formed(one: Told, ran: Ran, opened: Sequence[str]) -> None:
    """A table whose form changed, where its rows were copied, or read while others could not write."""
    table = ran.tables.get(opened[0]) if opened else None
    if table is None or not table.rows:
        return
    if kept_out(one.seen):
        index = not one.seen.spent(COPYING) and bool(one.made) and all(made.kind is ObjectKind.INDEX for made in one.made)
        reason = ran.reasons.get((one.seen.thread, one.seen.began), "")
        one.work = [WorkOnRows(table.name, WorkKind.INDEX if index else WorkKind.REWRITE, table.rows, reason)]
        one.taken[table.name] = NO_WRITE


def _judge_by_waits(one: Told, ran: Ran) -> None:
    """What only those tell who waited for most of its time: that readers were kept out as well, and from another table.

    Also whether a copying of a later version kept writers out at all.
    """
    if not one.taken or one.seen.kind == "lock_tables":
        return
    half = (one.seen.ended - one.seen.began - _waited(one)) / 2
    long = {key for key, wait in one.waits.items() if wait.own > half and wait.mode != ROW}
    for table in list(one.taken):
        if (table, Access.READS) in long:
            one.taken[table] = EXCLUSIVE
        elif ran.version >= _ONLINE_COPY and one.seen.spent(COPYING) and (table, Access.WRITES) not in long:
            del one.taken[table]
            one.work = []
    if one.taken:  # the other end of a foreign key
        one.taken.update({table: NO_WRITE for table, _ in sorted(long) if table not in one.taken and table in ran.tables})


def _waited(one: Told) -> float:
    return sum(stage.seconds for stage in one.seen.spent(WAITING))


class _LockTables:
    """What LOCK TABLES holds in each session while others of its statements work."""

    def __init__(self) -> None:
        self._held: dict[int, dict[str, tuple[str, Place | None]]] = {}

    def enter(self, one: Told, ran: Ran) -> None:
        """Enter a statement: what was held when it began, and what it takes or lets go."""
        seen = one.seen
        one.earlier = dict(self._held.get(seen.thread, {}))
        if seen.kind in ("lock_tables", "unlock_tables", "begin"):
            self._held.pop(seen.thread, None)
            one.earlier = {}
        if seen.kind == "lock_tables":
            for (schema, name), writing in seen.tables.items():
                if schema == ran.schema and name in ran.tables:
                    one.taken[name] = LOCKED if writing else READ_ONLY
            self._held[seen.thread] = {name: (mode, one.place) for name, mode in one.taken.items()}


def _enter(wait: Met, order: Order) -> None:
    """Put the wait of a session of ours to the statement that it waited behind, where it is the longest of its kind there."""
    one = behind(wait, order)
    if one is None:
        return
    queued = sum(overlap(wait.began, wait.ended, stage.began, stage.ended) for stage in one.seen.spent(WAITING))
    found = Wait(wait.table, wait.access, wait.ended - wait.began, min(queued, wait.ended - wait.began), wait.mode)
    keep_longest(one.waits, (wait.table, wait.access), found)


def _blocking(number: int, all_told: Sequence[Told], ran: Ran) -> Blocking:
    one = all_told[number]
    waited = _waited(one)
    return Blocking(
        text=one.text[:LONGEST],
        place=one.place,
        revision=revision_of(one.place, ran.revisions),
        taken=tuple(Lock(name, mode) for name, mode in one.taken.items()),
        briefly=tuple(Lock(name, EXCLUSIVE) for name in one.briefly),
        earlier=tuple((Lock(name, mode), place) for name, (mode, place) in one.earlier.items()),
        work=tuple(one.work),
        waits=tuple(one.waits.values()),
        held=max(0.0, _ended(number, all_told) - one.seen.began - waited),
        waited=waited,
        commands=(_TAGS.get(one.seen.kind, one.seen.kind.replace("_", " ").upper()),),
        made=tuple(dict.fromkeys(one.made)),
        lock_timeout=one.timeout,
    )


def _ended(number: int, all_told: Sequence[Told]) -> float:
    """When what the statement locked was free again: at its end; of LOCK TABLES after the last statement that found it held."""
    one = all_told[number]
    under = [
        later for later in all_told[number + 1 :] if later.seen.thread == one.seen.thread and one.taken.keys() & later.earlier
    ]
    return under[-1].seen.ended if one.seen.kind == "lock_tables" and under else one.seen.ended
