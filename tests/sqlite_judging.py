"""Judges SQLite databases made from DDL: a check is run on a real file, and what it says is sorted by kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from judging import NO_EVIDENCE, NOTHING_EXPECTED, Judged

from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.registries.relational import RELATIONAL
from runner.servers.interface import Database
from runner.servers.sqlite.server import SqliteServer, sqlite_server
from runner.servers.sqlite.sessions import session
from runner.targets.sqlite import SqliteTarget

#: The application's sessions enforce foreign keys.
ENFORCED = Expectations(foreign_keys=True)


@contextmanager
def made(ddl: str) -> Iterator[tuple[SqliteServer, Database]]:
    """A database made from DDL, foreign keys off as they are where nobody says otherwise."""
    with sqlite_server() as server:
        database = server.create("app")
        with session(database.private) as connection:
            connection.executescript(ddl)
        yield server, database


@contextmanager
def target(ddl: str, expect: Expectations = NOTHING_EXPECTED, evidence: Evidence = NO_EVIDENCE) -> Iterator[SqliteTarget]:
    """The database as a check is handed it: sealed, read and written on copies."""
    with made(ddl) as (server, database), SqliteTarget(server, server.seal(database), database, expect, evidence) as found:
        yield found


def judged(check: str, ddl: str, expect: Expectations = NOTHING_EXPECTED, evidence: Evidence = NO_EVIDENCE) -> Judged:
    """What a check says of a database made from DDL."""
    with target(ddl, expect, evidence) as found:
        return Judged(tuple(RELATIONAL[check].run(found)))
