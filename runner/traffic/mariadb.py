"""MariaDB: sessions of ours beside the migrations, and what the server's performance schema says of both."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from checks.evidence import Place, Statement
from checks.traffic import Traffic
from runner.servers.interface import Database, Server
from runner.servers.mariadb.sessions import rows, session
from runner.traffic.interface import Apply, Watching
from runner.traffic.mariadb_behind import met
from runner.traffic.mariadb_history import Executed, switch_on
from runner.traffic.mariadb_reasons import ask, lay
from runner.traffic.mariadb_sessions import Worker, busy
from runner.traffic.mariadb_tables import Table, by_name, tables, touched
from runner.traffic.mariadb_telling import Ran, told
from runner.traffic.pace import BUSY
from runner.traffic.untried import Untried, without_rows
from runner.traffic.weighing import not_watched

if TYPE_CHECKING:
    from runner.servers.mariadb.server import MariadbServer

_UNBUILT = "this MariaDB is built without its performance schema, which tells of locks"


def copied(server: Server) -> AbstractContextManager[Server]:
    """A second server with everything, whose sessions can be looked at."""
    return cast("MariadbServer", server).observed()


def prepared(server: Server, database: Database, statements: Sequence[Statement]) -> Watching | None:
    """Watch the tables that ``statements`` name; ``None`` where they name none. Raises ServerFailed."""
    import pymysql

    try:
        with session(database.private) as driver:
            there = tables(driver)
            found = touched(driver, there, statements, BUSY)
            if not found:
                return None
            if not any(table.rows for table in found):
                return without_rows([table.name for table in found])
            if not switch_on(driver):
                return Untried(_UNBUILT)
            lay(driver, database.name, [table.name for table in found])
            timeout = float(rows(driver, "SELECT @@global.lock_wait_timeout")[0][0])
    except (pymysql.err.Error, OSError) as error:
        raise not_watched(error) from error
    version = tuple(int(part) for part in re.findall(r"\d+", server.version)[:2])
    return _Watching(database, found, by_name([*there, *found]), {one.text: one.place for one in statements}, version, timeout)


@dataclass(frozen=True)
class _Watching:
    """``tables`` are those that the migrations name, ``all`` every one that base has."""

    database: Database
    tables: Sequence[Table]
    all: Mapping[str, Table]
    placed: Mapping[str, Place | None]
    version: tuple[int, ...]
    timeout: float

    def watched(self, apply: Apply, revisions: Mapping[str, str], *, long: bool) -> Traffic:
        """What the history says once all is over; see :class:`runner.traffic.interface.Watching`."""
        import pymysql

        try:
            with busy(self.database.private, self.tables[:BUSY], long=long) as (workers, history):
                apply()
            statements = tuple(told(self._ran(history.executed(), workers, revisions)))
        except (pymysql.err.Error, OSError) as error:
            raise not_watched(error) from error
        seen = {lock.relation for one in statements for lock in one.taken} & self.all.keys()
        return Traffic(
            statements=statements,
            rows={**{name: self.all[name].rows for name in sorted(seen)}, **{table.name: table.rows for table in self.tables}},
            unwatched=tuple(table.name for table in self.tables[BUSY:]),
        )

    def _ran(self, executed: Sequence[Executed], workers: Mapping[int, Worker], revisions: Mapping[str, str]) -> Ran:
        """All that the history tells; the server is asked for its reasons. Raises pymysql.err.Error."""
        project = [one for one in executed if one.thread not in workers]
        with session(self.database.private) as driver:
            reasons = ask(driver, project)
        return Ran(
            project=project,
            met=list(met({thread: (one.table.name, one.access) for thread, one in workers.items()}, executed)),
            schema=self.database.name,
            tables=self.all,
            version=self.version,
            timeout=self.timeout,
            placed=self.placed,
            reasons=reasons,
            revisions=revisions,
        )
