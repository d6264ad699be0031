"""Sessions of ours beside the migrations: a reader and a writer for each table, and one long transaction in the way.

None of them may stop the migrations. A reader or writer waits for one lock at a time and holds no other meanwhile; the long
transaction takes its locks without waiting. So none of them is ever in a deadlock, and what they meet is no error of the run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from checks.traffic import Access
from runner.servers.interface import Address
from runner.servers.postgresql.sessions import ours
from runner.traffic.pace import EACH, LOOK, PAUSE, STAY, STAY_IN_ALL, STAY_LONGER, end
from runner.traffic.tables import BLOCKS_READS, Table

if TYPE_CHECKING:
    from typing import Any

    from psycopg import Connection

# Triggers and foreign keys of the rows that are written would take locks on other tables.
_OPTIONS = "-c log_min_duration_statement=-1 -c deadlock_timeout=1ms -c session_replication_role=replica"
_LONG = "-c log_min_duration_statement=-1 -c lock_timeout=5ms -c statement_timeout=1000"

# Who waits for the long transaction, and whether somebody must still come to queue behind it: only a lock on a table has a queue.
_BEHIND = """
SELECT wait_event = 'relation' AND NOT EXISTS (
           SELECT FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock'
             AND application_name = current_setting('application_name'))
FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name <> current_setting('application_name')
  AND %s = ANY (pg_blocking_pids(pid)) LIMIT 1
"""


@dataclass(frozen=True)
class Worker:
    """A session that reads or writes one table; ``process`` is its number on the server."""

    table: Table
    access: Access
    connection: Connection[Any] = field(repr=False)

    @property
    def process(self) -> int:
        """The number of the server's process."""
        return self.connection.info.backend_pid

    def work(self, pause: float, stop: Event) -> None:
        """Read or write until told to stop, or until the table is gone."""
        again = self._statement()
        while again is not None and not stop.wait(pause):
            try:
                self.connection.execute(again)
            except psycopg.Error as error:
                if self.connection.closed:
                    return
                with suppress(psycopg.Error):
                    self.connection.execute("ROLLBACK")
                again = again if isinstance(error, psycopg.OperationalError) else self._statement()

    def _statement(self) -> sql.Composed | None:
        """What is sent each time: the table's name is looked up, as it may have another by now."""
        with suppress(psycopg.Error):
            found = self.connection.execute(
                "SELECT nspname, relname FROM pg_class JOIN pg_namespace AS space ON space.oid = relnamespace"
                " WHERE pg_class.oid = %s",
                [self.table.oid],
            ).fetchone()
            if found:
                return self._read(found) if self.access is Access.READS else self._write(found)
        return None

    def _read(self, name: Sequence[str]) -> sql.Composed:
        return sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(*name))

    def _write(self, name: Sequence[str]) -> sql.Composed | None:
        """One row to what it is, undone; of a partitioned table none, as its rows lie in its partitions. All in one message."""
        if self.table.column is None:
            return None
        table, column = sql.Identifier(*name), sql.Identifier(self.table.column)
        row = sql.SQL("false") if self.table.kind == "p" else sql.SQL("ctid = (SELECT ctid FROM {} LIMIT 1)").format(table)
        return sql.SQL("BEGIN; UPDATE {} SET {} = {} WHERE {}; ROLLBACK").format(table, column, column, row)


@dataclass(frozen=True)
class Busy:
    """The sessions that are at work, by the number of their process; ``long`` is that of the long transaction, 0 for none."""

    workers: Mapping[int, Worker]
    long: int = 0


@contextmanager
def busy(private: Address, tables: Sequence[Table], *, long: bool) -> Iterator[Busy]:
    """Sessions at work on these tables for the length of the context, with a long transaction in the way or without.

    Raises psycopg.OperationalError where the server takes no such session.
    """
    stop = Event()
    with ExitStack() as stack:
        wanted = [(table, access) for table in tables for access in _accesses(table)]
        workers = [Worker(table, access, _session(stack, private, _OPTIONS, autocommit=True)) for table, access in wanted]
        threads = [Thread(target=one.work, args=(PAUSE + EACH * len(workers), stop), daemon=True) for one in workers]
        in_the_way = _Long(_session(stack, private, _LONG), tables) if long else None
        if in_the_way is not None:
            in_the_way.begin()
            threads.append(
                Thread(target=in_the_way.stay, args=(_session(stack, private, _LONG, autocommit=True), stop), daemon=True)
            )
        stack.callback(end, threads, partial(_cancel, [one.connection for one in workers]), stop)
        for thread in threads:
            thread.start()
        yield Busy({one.process: one for one in workers}, in_the_way.process if in_the_way else 0)


def _accesses(table: Table) -> tuple[Access, ...]:
    """A reader only where one may be kept out: the verdict's run says which lock was taken, or says nothing."""
    reads = (Access.READS,) if table.asked is None or table.asked in BLOCKS_READS else ()
    return reads if table.kind == "m" else (*reads, Access.WRITES)


def _session(stack: ExitStack, private: Address, options: str, *, autocommit: bool = False) -> Connection[Any]:
    connection = psycopg.connect(**ours(private, options).keywords(), prepare_threshold=None, autocommit=autocommit)
    stack.callback(connection.close)
    return connection


def _cancel(connections: Sequence[Connection[Any]]) -> None:
    for connection in connections:
        with suppress(psycopg.Error):
            connection.cancel()


class _Long:
    """A transaction that has read and written every table and stays open: what wants more than it must wait for its end."""

    def __init__(self, connection: Connection[Any], tables: Sequence[Table]) -> None:
        self._connection = connection
        self._tables = [table.oid for table in tables if table.kind != "m"]
        self._stayed = 0.0
        self.process = connection.info.backend_pid

    def begin(self) -> bool:
        """Take the locks that such a transaction has, without waiting for any; whether all could be had."""
        try:
            named = self._connection.execute(
                "SELECT nspname, relname FROM pg_class JOIN pg_namespace AS space ON space.oid = relnamespace"
                " WHERE pg_class.oid = ANY (%s) ORDER BY pg_class.oid",
                [self._tables],
            ).fetchall()
            for name in named:
                table = sql.Identifier(*name)
                self._connection.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE NOWAIT").format(table))
                self._connection.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(table))
        except psycopg.Error:
            self._let_go()
            return False
        return bool(named)

    def stay(self, looking: Connection[Any], stop: Event) -> None:
        """Stay until somebody has waited for it for a while, let go, and come again, until its time is over."""
        try:
            there, since = True, None
            while not stop.wait(LOOK) and self._stayed < STAY_IN_ALL:
                if not there:
                    there, since = self.begin(), None
                elif (waiting := looking.execute(_BEHIND, [self.process]).fetchone()) is None:
                    since = None
                elif since is None:
                    since = time.monotonic()
                elif (waited := time.monotonic() - since) >= (STAY_LONGER if waiting[0] else STAY):
                    self._stayed += waited
                    self._let_go()
                    there = False
        except psycopg.Error:  # the server is gone, or its sessions were ended: nothing is in the way any more
            pass
        finally:
            self._let_go()

    def _let_go(self) -> None:
        with suppress(psycopg.Error):
            self._connection.rollback()
