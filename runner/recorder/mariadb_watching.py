"""Watches the migrations that are new: what they write, write anew and lock, and how long each statement takes.

What that needs MariaDB can be told while it runs: user statistics, its slow log for every statement, and a plugin that lists
metadata locks, where it is installed. Its performance schema could say more, but only to a server that was started with it, which
takes half as long again and twice the memory; all servers of a run would pay for that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runner.recorder.mariadb_counters import Counters
from runner.recorder.mariadb_relay import Relay
from runner.servers.interface import OURS
from runner.servers.mariadb.server import LONGEST
from runner.servers.mariadb.sessions import UNLOGGED, close, connect, rows

if TYPE_CHECKING:
    from runner.servers.interface import Database
    from runner.servers.mariadb.sessions import Driver

_SETTINGS = (("userstat", 1), ("log_slow_filter", ""), ("long_query_time", 0), ("slow_query_log", 1))
_PLUGIN = "'metadata_lock_info'"
#: Seconds that an answer may take: somebody else may hold what is asked for.
_ANSWER = 5.0
_PATIENT = "SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1"
_TIMED = "SELECT thread_id, query_time, left(sql_text, %s) FROM mysql.slow_log LIMIT 18446744073709551615"
_AT_WORK = "SELECT count(*) FROM information_schema.processlist WHERE db = %s AND user <> %s"
#: Seconds to wait for the last sessions: a statement is in the slow log only after it has been answered.
_ENDING = 2.0


@dataclass(frozen=True)
class Timed:
    """How many seconds the server took for a statement of a session; of a message with several each is one."""

    session: str
    seconds: float
    text: str


@contextmanager
def watched(database: Database) -> Iterator[Database]:
    """The database at addresses that are watched, for as long as new migrations are applied to it."""
    with ExitStack() as until:
        asking = connect(database.private, first=f"{UNLOGGED}, {_PATIENT.removeprefix('SET SESSION ')}", answer=_ANSWER)
        until.callback(close, asking)
        saying = connect(database.private, first=_PATIENT, answer=_ANSWER)
        until.callback(close, saying)
        _prepare(asking, until)
        counters = Counters(asking, saying, database.name)
        addresses = {role: Relay(address, counters.read).open(until) for role, address in database.addresses.items()}
        yield replace(database, addresses=addresses)


def _prepare(driver: Driver, until: ExitStack) -> None:
    """Have the server count and log; at the end all is as it was, and its slow log empty."""
    import pymysql

    until.callback(_undo, driver, "TRUNCATE TABLE mysql.slow_log")
    for name, value in _SETTINGS:
        ((before,),) = rows(driver, f"SELECT @@global.{name}")
        until.callback(_undo, driver, f"SET GLOBAL {name} = %s", (before,))
        rows(driver, f"SET GLOBAL {name} = %s", (value,))
    with suppress(pymysql.err.Error):  # it does not belong to every installation, and may be there already
        rows(driver, f"INSTALL SONAME {_PLUGIN}")
        until.callback(_undo, driver, f"UNINSTALL SONAME {_PLUGIN}")


def _undo(driver: Driver, statement: str, values: tuple[object, ...] = ()) -> None:
    """Of a server that is gone nothing is left to be undone."""
    import pymysql

    with suppress(pymysql.err.Error, OSError):
        rows(driver, statement, values)


def timed(driver: Driver, database: str) -> list[Timed]:
    """The statements in a database, in the order in which they ended; nothing where nobody watched."""
    if not rows(driver, "SELECT @@global.slow_query_log")[0][0]:
        return []
    until = time.monotonic() + _ENDING
    while rows(driver, _AT_WORK, (database, OURS))[0][0] and time.monotonic() < until:
        time.sleep(0.005)
    return [Timed(str(number), took.total_seconds(), _text(said)) for number, took, said in rows(driver, _TIMED, (LONGEST,))]


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
