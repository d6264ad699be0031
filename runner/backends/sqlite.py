"""SQLite: rows by SQL files, statements from what the project's programs tell, probes on copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from checks.declared.expectations import Expectations
from checks.evidence import Evidence, LoadedFile, Made
from checks.interface import Engine
from checks.measured import QueryTiming
from checks.registries.relational import RELATIONAL
from checks.schema.names import ObjectReference
from checks.targets import RelationalTarget, Role
from runner.data.generated import sqlite as generated
from runner.data.generated.expected import referring
from runner.data.generated.filled import Filled, Say, WantedRows, WrittenRows
from runner.data.generated.given import columns_of, try_columns
from runner.data.generated.sqlite_dump import written
from runner.data.own import loading
from runner.data.own.loading import NO_PROGRAMS, Programs
from runner.data.own.sources import Entry
from runner.data.own.sqlite import SqliteLoader
from runner.measure import sqlite_queries
from runner.migrations.interface import Came, Event, Ran, SchemaRow
from runner.recorder import sqlite_schema
from runner.recorder.recording import Recording
from runner.servers.interface import Database, Golden, Server
from runner.servers.sqlite.server import SqliteServer
from runner.servers.sqlite.sessions import session
from runner.surviving import sqlite as rows_of_sqlite
from runner.surviving.interface import Surviving
from runner.targets.sqlite import SqliteTarget
from runner.traffic.interface import Busy
from runner.undoing import sqlite as undoing
from runner.undoing.interface import States

CHECKS = RELATIONAL
states: States[Any] = undoing
traffic: Busy | None = None
surviving: Surviving | None = rows_of_sqlite

_MASTER = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master"


def load(
    root: Path,
    files: Sequence[Entry],
    database: Database,
    role: Role,  # noqa: ARG001 - there are no roles
    programs: Programs = NO_PROGRAMS,
) -> tuple[LoadedFile, ...]:
    """Each file in one transaction, with foreign keys as the application's sessions have them."""
    return loading.load(SqliteLoader(database.private), root, files, programs)


def fill(database: Database, wanted: WantedRows, say: Say) -> Filled:
    """By set-based SQL that runs in SQLite itself."""
    catalogue = referring(generated.catalogue_of(database.private), wanted.references)
    try_columns(wanted.wishes.given, catalogue, Engine.SQLITE, partial(generated.ask, database.private))
    rows_of = wanted.of(tuple(catalogue.table))
    made = generated.generate(database.private, catalogue, rows_of, wanted.seed, wanted.wishes, say)
    return Filled(made, columns_of(catalogue))


def write_down(database: Database, file: Path) -> WrittenRows:
    """As SQL that the sqlite3 program loads."""
    size = written(database.private, generated.catalogue_of(database.private), file)
    return WrittenRows(size, f"sqlite3 DATABASE < {file}")


def heed(database: Database) -> None:
    """Nothing: SQLite has no locks on tables to record."""


def watched(database: Database) -> AbstractContextManager[Database]:
    """As it is: its statements are told by the program that sends them."""
    return nullcontext(database)


def arrived(server: Server, database: Database, mark: int, told: Sequence[Event]) -> bool:  # noqa: ARG001 - there is no log
    """Whether the program told of a session; of a program that tells nothing, whether the file was read or written."""
    return any(isinstance(event, Came) for event in told) or (isinstance(server, SqliteServer) and server.touched(database))


def recording(
    server: Server,
    database: Database,
    mark: int,  # noqa: ARG001 - there is no log
    told: Sequence[Event],
    after: Sequence[Recording],
) -> Recording:
    """What was told of each statement that changed the schema."""
    unseen = server.unseen(database) if isinstance(server, SqliteServer) else nullcontext()
    with unseen, session(database.private, read_only=True) as connection:
        actual = [SchemaRow(*row) for row in connection.execute(_MASTER)]
    return sqlite_schema.record([event for event in told if isinstance(event, Ran)], after, actual)


def provenance(
    database: Database,  # noqa: ARG001 - names are what objects are known by
    recordings: Sequence[Recording],
    revisions: Mapping[str, str],
) -> Mapping[ObjectReference, Made]:
    """By name, through renames and tables that were made anew."""
    return sqlite_schema.resolve(recordings, revisions)


def measure(database: Database, expect: Expectations) -> tuple[QueryTiming, ...]:
    """Every declared query, several times with values from real rows."""
    return sqlite_queries.measure(database, expect.queries)


def weigh(database: Database, expect: Expectations, evidence: Evidence) -> Evidence:  # noqa: ARG001 - every engine is told
    """The same: nothing is weighed here yet."""
    return evidence


def target(
    server: Server, golden: Golden | None, database: Database, expect: Expectations, evidence: Evidence
) -> AbstractContextManager[RelationalTarget]:
    """A target that reads on one clone and writes on another."""
    return SqliteTarget(server, golden, database, expect, evidence)
