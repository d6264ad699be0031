"""PostgreSQL: sessions of ours beside the migrations, and what the server's log says of both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import psycopg

from checks.evidence import Statement
from checks.traffic import Access, Traffic
from runner.servers.interface import Database, LogRecord, Server
from runner.servers.postgresql.sessions import session
from runner.traffic.interface import Apply, Watching
from runner.traffic.pace import BUSY
from runner.traffic.seen import Seen, seen
from runner.traffic.sessions import busy
from runner.traffic.tables import Table, tables, touched, watch, written_anew
from runner.traffic.telling import Log, told
from runner.traffic.untried import without_rows
from runner.traffic.waits import waits
from runner.traffic.weighing import not_watched


def copied(server: Server) -> AbstractContextManager[Server]:
    """A second server with everything: any of PostgreSQL's can be watched."""
    return server.fork()


def prepared(server: Server, database: Database, statements: Sequence[Statement]) -> Watching | None:
    """Watch the tables that ``statements`` touch; ``None`` where they touch none. Raises ServerFailed."""
    try:
        with session(database.private) as connection:
            found = touched(tables(connection), statements)
            if any(table.rows for table in found):
                watch(connection, database.name, found)
    except psycopg.Error as error:
        raise not_watched(error) from error
    if found and not any(table.rows for table in found):
        return without_rows([table.label for table in found])
    return _Watching(server, database, found) if found else None


#: Statements of which the server says nothing are kept up to this number, and beyond it where they took so long, in seconds.
_MOST, _LONG = 10_000, 0.01


@dataclass(frozen=True)
class _Watching:
    server: Server
    database: Database
    tables: Sequence[Table]

    def watched(self, apply: Apply, revisions: Mapping[str, str], *, long: bool) -> Traffic:
        """What the log says once all is over; see :class:`runner.traffic.interface.Watching`."""
        mark = self.server.mark()
        try:
            with busy(self.database.private, self.tables[:BUSY], long=long) as at_work:
                apply()
            with session(self.database.private) as connection:
                moved = written_anew(connection, self.tables)
        except psycopg.Error as error:
            raise not_watched(error) from error
        log = self._log(mark, {process: (one.table, one.access) for process, one in at_work.workers.items()}, moved, revisions)
        return Traffic(
            statements=tuple(told(log)),
            rows={table.label: table.rows for table in self.tables},
            unwatched=tuple(table.label for table in self.tables[BUSY:]),
        )

    def _log(
        self, mark: int, workers: Mapping[int, tuple[Table, Access]], moved: Mapping[int, bool], revisions: Mapping[str, str]
    ) -> Log:
        waited = list(waits(self._records(mark)))
        return Log(
            seen=_telling(seen(self._records(mark))),
            waits=[wait for wait in waited if wait.process in workers],
            own=[wait for wait in waited if wait.process not in workers],
            workers=workers,
            tables=self.tables,
            moved=moved,
            revisions=revisions,
        )

    def _records(self, mark: int) -> Iterator[LogRecord]:
        return (record for record in self.server.log(mark) if record.database == self.database.name)


def _telling(statements: Iterable[Seen]) -> list[Seen]:
    """Those of which something may be told: a migration may send very many rows one by one."""
    kept, silent = [], 0
    for one in statements:
        silent += not one.commands
        if one.commands or silent <= _MOST or one.ended - one.began >= _LONG:
            kept.append(one)
    return kept
