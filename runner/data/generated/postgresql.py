"""Fills the empty tables of a PostgreSQL database with rows that its schema allows.

Triggers stay out of it and references are not asked row by row (``session_replication_role``): a reference takes its parents from
the table. That all of them hold is counted at the end, by one join each where the numbers alone do not show it. Tables are filled
side by side. Statistics are not gathered: whoever seals or queries the database does that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from checks.interface import Engine
from checks.rows.missing import Read
from checks.rows.sets.order import Turn, turns
from checks.rows.sets.wishes import Wishes
from checks.schema.model import Catalogue, ForeignKey
from checks.schema.names import TableName
from checks.sql.orphans import counted
from checks.sql.spans import held
from runner.data.generated.filled import FilledTable
from runner.data.generated.manner import MANNER
from runner.data.generated.postgresql_references import refer, take_away
from runner.data.generated.postgresql_table import Came, is_empty, worked
from runner.data.generated.postgresql_worker import Worker
from runner.data.generated.promises import Made, PromiseBroken
from runner.data.generated.scheduling import Progress, side_by_side
from runner.servers.interface import Address

if TYPE_CHECKING:
    from psycopg import Connection

#: Tables that are filled at once, where there are as many processors, and rows for which that is worth its sessions.
WORKERS = 4
WORTH = 20_000
#: Processes that help to build an index, where no table is filled on their processors.
HELPERS = 2

_FUNCTIONS = """
SELECT p.proname FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


def generate(
    address: Address,
    catalogue: Catalogue,
    wanted: Mapping[TableName, int],
    seed: int,
    wishes: Wishes,
    say: Callable[[str], object],
) -> tuple[FilledTable, ...]:
    """Fill every table of ``wanted`` that is empty, as a superuser; ``say`` is told which one is being filled.

    What cannot be filled is left empty, with the reason. Raises psycopg.Error where the server is lost.
    """
    ordered = list(turns(catalogue))
    count = min(WORKERS, len(ordered), os.cpu_count() or 1) if sum(wanted.values()) > WORTH else 1
    made: Made = {}
    helpers = min(HELPERS, (os.cpu_count() or 1) // max(count, 1) - 1)
    with ExitStack() as opened:
        workers = [opened.enter_context(_opened(address, catalogue, seed, wishes, made, helpers)) for _ in range(max(count, 1))]
        empty = {turn.table.name for turn in ordered if wanted.get(turn.table.name) and is_empty(turn.table, workers[0])}
        came = _side_by_side(workers, ordered, {name: wanted[name] for name in empty}, say)
        for one in came:
            for referred in one.plan.later if one.filled.rows else ():
                refer(one.plan, referred, workers[0])
        filled = {one.filled.table: one.filled for one in came}
        _without_orphans(filled, workers, [key for key in catalogue.foreign_keys if key.table in empty], catalogue)
        return tuple(filled.values())


def _without_orphans(
    filled: dict[TableName, FilledTable], workers: Sequence[Worker], keys: Sequence[ForeignKey], catalogue: Catalogue
) -> None:
    """Count what has no parent, which should be nothing. In a circle some rows may be left over: those are taken away."""
    while left := _orphans(workers, keys, catalogue):
        gone = {key: take_away(key, catalogue, workers[0]) for key in left}
        for key, rows in gone.items():
            one = filled[key.table]
            reason = f"rows that found no parent by {key.label} in a circle are not kept"
            reasons = tuple(dict.fromkeys((*filter(None, one.reason.split("; ")), *([reason] if rows else []))))
            filled[key.table] = replace(one, rows=one.rows - rows, reason="; ".join(reasons))
        if not any(gone.values()):
            break
    for key, rows in left.items():
        one = filled[key.table]
        filled[key.table] = replace(
            one, reason="; ".join(filter(None, (one.reason, f"{rows} rows have no parent by {key.label}")))
        )


def _side_by_side(
    workers: Sequence[Worker], ordered: Sequence[Turn], wanted: Mapping[TableName, int], say: Callable[[str], object]
) -> list[Came]:
    """Fill the tables, each worker one at a time."""
    free: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        free.put(worker)
    meant = [turn for turn in ordered if turn.table.name in wanted]
    progress = Progress(meant)
    functions = _functions(workers[0])

    def work(turn: Turn, promise: Callable[[], None]) -> Came:
        worker, rows = free.get(), wanted[turn.table.name]
        worker.promise, worker.wait = promise, lambda: progress.wait(progress.resting[turn.table.name])
        try:
            say(f"{turn.table.name.label()}, {rows} rows")
            try:
                return worked(turn, rows, worker)
            except PromiseBroken:
                return worked(turn, rows, worker)
        finally:
            free.put(worker)

    def stop() -> None:
        for worker in workers:
            worker.driver.cancel()

    return side_by_side(meant, work, len(workers), progress, lambda turn: _may_be_early(turn, workers[0], functions), stop)


def _functions(worker: Worker) -> frozenset[str]:
    """Functions of the database's own: they may read tables."""
    found = worker.driver.execute(_FUNCTIONS.encode()).fetchall()
    return frozenset(name for (name,) in found)


def _may_be_early(turn: Turn, worker: Worker, functions: frozenset[str]) -> bool:
    """Whether a table's rows are the same when its parents' rows cannot be read yet: of these it needs the keys alone."""
    table, wishes = turn.table, worker.wishes
    referring = [name for key in turn.keys for name in key.columns]
    given = any(f"{table.name.label()}.{name}" in wishes.given for name in table.column)
    if turn.later or given or len(set(referring)) < len(referring) or {*wishes.tenants} & table.column.keys():
        return False
    texts = [one.expression for one in table.checks]
    texts += [one.expression for column in table.columns for one in column.domain_checks]
    texts += [column.default or "" for column in table.columns]
    texts += [text for index in table.indexes for text in (*index.keys, index.predicate or "")]
    return functions.isdisjoint(re.findall(r"\w+", " ".join(texts))) and not table.partitioned


def catalogue_of(address: Address) -> Catalogue:
    """What a database is made of. Raises StatementFailed."""
    from checks.schema.postgresql import read
    from runner.targets.sessions import Manner, opened, said_plainly, sessions

    with said_plainly(), opened(sessions(address, Manner(read_only=True, ours=True))) as connection:
        return read(connection, frozenset())


@contextmanager
def reading(address: Address) -> Iterator[Read]:
    """What asks the server, about rows that are in no table too."""
    from runner.targets.sessions import Manner, PostgresReadSession, opened, sessions

    with opened(sessions(address, Manner(read_only=True, ours=True))) as connection:
        yield PostgresReadSession(connection).rows


@contextmanager
def _opened(address: Address, catalogue: Catalogue, seed: int, wishes: Wishes, made: Made, helpers: int) -> Iterator[Worker]:
    """A worker with a session that writes, and one that asks."""
    with _session(address, helpers) as driver, reading(address) as read:
        yield Worker(catalogue, driver, read, seed, wishes, made)


def _session(address: Address, helpers: int) -> Connection[Any]:
    import psycopg

    from runner.servers.postgresql.sessions import ours

    manner = f"{MANNER} -c max_parallel_maintenance_workers={helpers}"
    return psycopg.connect(**ours(address, manner).keywords(), autocommit=True, prepare_threshold=None)


def orphans(catalogue: Catalogue, read: Read) -> Mapping[ForeignKey, int]:
    """How many rows of each reference have no parent: none, where everything went well."""
    found = {key: _count(key, catalogue, read) for key in catalogue.foreign_keys}
    return {key: rows for key, rows in found.items() if rows}


def _orphans(workers: Sequence[Worker], keys: Sequence[ForeignKey], catalogue: Catalogue) -> Mapping[ForeignKey, int]:
    """The same of some references, counted side by side."""
    parents = list(dict.fromkeys(key.parent for key in keys))
    shares = [[key for key in keys if parents.index(key.parent) % len(workers) == place] for place in range(len(workers))]

    def share(worker: Worker, own: Sequence[ForeignKey]) -> dict[ForeignKey, int]:
        sure = held(own, catalogue, worker.read)
        return {key: rows for key in own if key not in sure and (rows := _count(key, catalogue, worker.read))}

    with ThreadPoolExecutor(len(workers)) as pool:
        return {key: rows for found in pool.map(share, workers, shares) for key, rows in found.items()}


def _count(key: ForeignKey, catalogue: Catalogue, read: Read) -> int:
    return int(read(counted(key, catalogue, Engine.POSTGRESQL))[0][0])
