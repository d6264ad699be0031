"""Sessions of ours beside the migrations on MariaDB: a reader and a writer for each table, and one long transaction in the way.

None of them may stop the migrations. A reader or writer waits for one lock at a time and holds no other meanwhile; the long
transaction takes its locks without waiting, and none on a row. So none of them is ever in a deadlock.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING

from checks.traffic import Access
from runner.servers.interface import Address
from runner.servers.mariadb.sessions import OUR_USER, close, connect, quoted, rows
from runner.traffic.mariadb_history import WAITING, History, watched_too
from runner.traffic.mariadb_tables import Table, column
from runner.traffic.pace import EACH, LOOK, PAUSE, STAY, STAY_IN_ALL, STAY_LONGER, end

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

_UNCHECKED = "SET SESSION foreign_key_checks = 0, lock_wait_timeout = 3600, innodb_lock_wait_timeout = 3600"
_AT_ONCE = "SET SESSION foreign_key_checks = 0, lock_wait_timeout = 0, innodb_lock_wait_timeout = 1"
#: Errors after which a session may still go on: it was cancelled, or the table changed under it.
_NO_TABLE = 1146

# Who waits for a lock on a table: any of the project's, and any of ours.
_WAITING = "SELECT DISTINCT processlist_user <> %s FROM performance_schema.threads WHERE processlist_state = %s"


@dataclass(frozen=True)
class Worker:
    """A session that reads or writes one table; ``session`` and ``thread`` are its two numbers on the server."""

    table: Table
    access: Access
    session: int
    thread: int
    driver: Driver = field(repr=False)

    def work(self, pause: float, stop: Event) -> None:
        """Read or write until told to stop, or until the table is gone."""
        import pymysql

        again = None
        while not stop.wait(pause):
            try:
                again = again or self._statement()
                if again is None:
                    return
                _all(self.driver, again)
            except (pymysql.err.Error, OSError) as error:
                if not self.driver.open or error.args[:1] == (_NO_TABLE,):
                    return
                again = None
                with suppress(pymysql.err.Error, OSError):
                    self.driver.rollback()

    def _statement(self) -> str | None:
        """What is sent each time; a row is written to what it is, and that undone, where nothing else would come of it."""
        table = quoted(self.table.name)
        if self.access is Access.READS:
            return f"SELECT 1 FROM {table} LIMIT 1"  # noqa: S608 - the name is quoted
        name = column(self.driver, self.table.name)
        if name is None:
            return None
        which = "LIMIT 1" if self.table.plain else "WHERE false"
        return f"BEGIN; UPDATE {table} SET {quoted(name)} = {quoted(name)} {which}; ROLLBACK"  # noqa: S608 - names are quoted


def _all(driver: Driver, statements: str) -> None:
    """Several statements in one message."""
    with driver.cursor() as cursor:
        cursor.execute(statements)
        while cursor.nextset():
            pass


@contextmanager
def busy(private: Address, tables: Sequence[Table], *, long: bool) -> Iterator[tuple[Mapping[int, Worker], History]]:
    """Sessions at work on these tables for the length of the context, by thread, and what the server keeps of all sessions.

    With a long transaction in the way or without. Raises pymysql.err.Error where the server takes no such session.
    """
    stop = Event()
    with ExitStack() as stack:
        workers = [_worker(stack, private, table, access) for table in tables for access in (Access.READS, Access.WRITES)]
        history, reading = History([one.thread for one in workers]), _session(stack, private)
        threads = [Thread(target=one.work, args=(PAUSE + EACH * len(workers), stop), daemon=True) for one in workers]
        threads.append(Thread(target=_kept, args=(history, reading, stop), daemon=True))
        if long:
            in_the_way = Long(_session(stack, private, _AT_ONCE), [table.name for table in tables])
            in_the_way.begin()
            threads.append(Thread(target=in_the_way.stay, args=(_session(stack, private), stop), daemon=True))
        cancelling = _session(stack, private)
        stack.callback(end, threads, partial(_cancel, cancelling, [one.session for one in workers]), stop)
        for thread in threads:
            thread.start()
        yield {one.thread: one for one in workers}, history
        stop.set()
        end(threads, partial(_cancel, cancelling, [one.session for one in workers]), stop)
        history.read(cancelling)


def _worker(stack: ExitStack, private: Address, table: Table, access: Access) -> Worker:
    driver = _session(stack, private, _UNCHECKED)
    return Worker(table, access, *watched_too(driver), driver)


def _session(stack: ExitStack, private: Address, first: str = "") -> Driver:
    driver = connect(private, several=True)
    stack.callback(close, driver)
    if first:
        rows(driver, first)
    return driver


def _kept(history: History, driver: Driver, stop: Event) -> None:
    import pymysql

    with suppress(pymysql.err.Error, OSError):  # the server is gone: so are the migrations, and they say so
        history.keep(driver, stop)


def _cancel(driver: Driver, sessions: Sequence[int]) -> None:
    import pymysql

    for session in sessions:
        with suppress(pymysql.err.Error, OSError):
            rows(driver, "KILL QUERY %s", (session,))


class Long:
    """A transaction that has read every table and stays open: what wants more than it must wait for its end.

    Every second time it has written as well: what stops a table's copying is another lock than what stops its exchange.
    """

    def __init__(self, driver: Driver, tables: Sequence[str]) -> None:
        self._driver = driver
        self._tables = tables
        self._stayed = 0.0
        self._writes = True

    def begin(self) -> bool:
        """Take the locks that such a transaction has, without waiting for any; whether there is one left to take."""
        import pymysql

        try:
            self._writes = not self._writes
            self._driver.begin()
            held = [self._held(table) for table in self._tables]
        except (pymysql.err.Error, OSError):
            self._let_go()
            return False
        return any(held)

    def _held(self, table: str) -> bool:
        """A write that meets no row has the lock of one that does (MDL_SHARED_WRITE), until the transaction's end."""
        import pymysql

        name = column(self._driver, table) if self._writes else None
        try:
            rows(self._driver, f"SELECT 1 FROM {quoted(table)} LIMIT 1")  # noqa: S608 - the name is quoted
            if name is not None:
                same = f"{quoted(name)} = {quoted(name)}"
                rows(self._driver, f"UPDATE {quoted(table)} SET {same} WHERE false")  # noqa: S608 - names are quoted
        except pymysql.err.ProgrammingError:  # gone meanwhile
            return False
        return True

    def stay(self, looking: Driver, stop: Event) -> None:
        """Stay until somebody has waited for it for a while, let go, and come again, until its time is over."""
        import pymysql

        try:
            there, since = True, None
            while not stop.wait(LOOK) and self._stayed < STAY_IN_ALL:
                if not there:
                    there, since = self.begin(), None
                    continue
                waiting = {bool(theirs) for (theirs,) in rows(looking, _WAITING, (OUR_USER, WAITING))}
                if True not in waiting:
                    since = None
                elif since is None:
                    since = time.monotonic()
                elif (waited := time.monotonic() - since) >= (STAY if False in waiting else STAY_LONGER):
                    self._stayed += waited
                    self._let_go()
                    there = False
        except (pymysql.err.Error, OSError):  # the server is gone, or its sessions were ended: nothing is in the way any more
            pass
        finally:
            self._let_go()

    def _let_go(self) -> None:
        import pymysql

        with suppress(pymysql.err.Error, OSError):
            self._driver.rollback()
