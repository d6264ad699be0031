"""MariaDB: rows by SQL files, statements from the server's log, probes on a clone and beside its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from checks.declared.expectations import Expectations
from checks.evidence import Evidence, LoadedFile, Made
from checks.interface import Engine
from checks.measured import QueryTiming
from checks.registries.relational import RELATIONAL
from checks.schema.mariadb import read
from checks.schema.names import ObjectReference
from checks.targets import RelationalTarget, Role
from runner.data.generated import mariadb as generated
from runner.data.generated.expected import referring
from runner.data.generated.filled import Filled, Say, WantedRows, WrittenRows
from runner.data.generated.given import columns_of, try_columns
from runner.data.generated.mariadb_dump import written
from runner.data.own import loading
from runner.data.own.loading import NO_PROGRAMS, Programs
from runner.data.own.mariadb import MariadbLoader
from runner.data.own.sources import Entry
from runner.measure import mariadb_queries
from runner.migrations.interface import Event
from runner.recorder import mariadb as recorder
from runner.recorder import mariadb_watching as watching
from runner.recorder.recording import Recording
from runner.servers.interface import Database, Golden, Server
from runner.servers.mariadb.sessions import rows, session
from runner.servers.names import shortened
from runner.surviving import mariadb as rows_of_mariadb
from runner.surviving.interface import Surviving
from runner.targets.mariadb import MariadbTarget
from runner.traffic import mariadb as traffic_of_mariadb
from runner.traffic.interface import Busy
from runner.undoing import mariadb as undoing
from runner.undoing.interface import States

CHECKS = RELATIONAL
states: States[Any] = undoing
traffic: Busy | None = traffic_of_mariadb
surviving: Surviving | None = rows_of_mariadb


def load(
    root: Path, files: Sequence[Entry], database: Database, role: Role, programs: Programs = NO_PROGRAMS
) -> tuple[LoadedFile, ...]:
    """Each file in one transaction."""
    return loading.load(MariadbLoader(database.addresses[role]), root, files, programs)


def fill(database: Database, wanted: WantedRows, say: Say) -> Filled:
    """By set-based SQL that runs in the server."""
    catalogue = referring(generated.catalogue_of(database.private), wanted.references)
    try_columns(wanted.wishes.given, catalogue, Engine.MARIADB, partial(generated.ask, database.private))
    rows_of = wanted.of(tuple(catalogue.table))
    made = generated.generate(database.private, catalogue, rows_of, wanted.seed, wanted.wishes, say)
    return Filled(made, columns_of(catalogue))


def write_down(database: Database, file: Path) -> WrittenRows:
    """As SQL that the mariadb client loads."""
    size = written(database.private, generated.catalogue_of(database.private), file)
    return WrittenRows(size, f"mariadb DATABASE < {file}")


def heed(database: Database) -> None:
    """Nothing: what is recorded of locks begins where new migrations are watched."""


def watched(database: Database) -> AbstractContextManager[Database]:
    """By a relay in front of the server, which has its counters read between statements."""
    return watching.watched(database)


def arrived(server: Server, database: Database, mark: int, told: Sequence[Event]) -> bool:
    """Whether the server's log has a session of the project's."""
    return bool(recording(server, database, mark, told, ()).sessions)


def recording(
    server: Server,
    database: Database,
    mark: int,
    told: Sequence[Event],  # noqa: ARG001 - the log says it
    after: Sequence[Recording],
) -> Recording:
    """What the server's log says, and of new migrations its counters and its slow log."""
    with session(database.private) as driver:
        timed = watching.timed(driver, database.name)
    version = tuple(int(part) for part in server.version.split("."))
    return recorder.read(server.log(mark), database.name, shortened(database.name, "_owner"), after, version, timed)


def provenance(
    database: Database, recordings: Sequence[Recording], revisions: Mapping[str, str]
) -> Mapping[ObjectReference, Made]:
    """By name: what made or changed an object last."""
    with session(database.private) as driver:
        return recorder.resolve(recordings, read(lambda query: rows(driver, query)), revisions)


def measure(database: Database, expect: Expectations) -> tuple[QueryTiming, ...]:
    """Every declared query, several times with values from real rows."""
    return mariadb_queries.measure(database, expect.queries)


def weigh(database: Database, expect: Expectations, evidence: Evidence) -> Evidence:  # noqa: ARG001 - every engine is told
    """The same: nothing is weighed here yet."""
    return evidence


def target(
    server: Server, golden: Golden | None, database: Database, expect: Expectations, evidence: Evidence
) -> AbstractContextManager[RelationalTarget]:
    """A target that reads the sealed database and writes on a clone."""
    return MariadbTarget(server, golden, database, expect, evidence)
