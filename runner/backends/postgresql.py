"""PostgreSQL: rows by SQL files, statements from the server's log, probes in clones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from checks.declared.expectations import Expectations
from checks.evidence import Evidence, LoadedFile, Made
from checks.interface import Engine
from checks.measured import QueryTiming
from checks.registries.relational import RELATIONAL
from checks.schema.names import ObjectReference
from checks.targets import RelationalTarget, Role
from runner.data.generated import postgresql as generated
from runner.data.generated.dump import written
from runner.data.generated.expected import referring
from runner.data.generated.filled import Filled, Say, WantedRows, WrittenRows
from runner.data.generated.given import columns_of, try_columns
from runner.data.own import loading
from runner.data.own.loading import NO_PROGRAMS, Programs
from runner.data.own.postgresql import PostgresLoader
from runner.data.own.sources import Entry
from runner.measure import queries
from runner.migrations.interface import Event
from runner.recorder import watching
from runner.recorder.install import watch_locks
from runner.recorder.provenance import resolve
from runner.recorder.reading import read
from runner.recorder.recording import Recording
from runner.servers.interface import Address, Database, Golden, Server
from runner.surviving import postgresql as rows_of_postgresql
from runner.surviving.interface import Surviving
from runner.targets.postgresql import PostgresTarget
from runner.targets.sessions import Manner, PostgresReadSession, opened, sessions
from runner.traffic import postgresql as traffic_of_postgresql
from runner.traffic.interface import Busy
from runner.undoing import postgresql as undoing
from runner.undoing.interface import States

CHECKS = RELATIONAL
states: States[Any] = undoing
traffic: Busy | None = traffic_of_postgresql
surviving: Surviving | None = rows_of_postgresql


def load(
    root: Path, files: Sequence[Entry], database: Database, role: Role, programs: Programs = NO_PROGRAMS
) -> tuple[LoadedFile, ...]:
    """SQL as who migrates, tables by COPY."""
    loader = PostgresLoader(root, database.addresses[role], database.addresses[Role.ADMIN])
    return loading.load(loader, root, files, programs)


def fill(database: Database, wanted: WantedRows, say: Say) -> Filled:
    """By set-based SQL that runs in the server."""
    catalogue = referring(generated.catalogue_of(database.private), wanted.references)
    try_columns(wanted.wishes.given, catalogue, Engine.POSTGRESQL, partial(_ask, database.private))
    wanted_of = wanted.of(tuple(catalogue.table))
    made = generated.generate(database.private, catalogue, wanted_of, wanted.seed, wanted.wishes, say)
    return Filled(made, columns_of(catalogue))


def _ask(address: Address, sql: str) -> None:
    """Let the server read a statement made of the settings', in a session that only reads. Raises StatementFailed."""
    with opened(sessions(address, Manner(read_only=True, ours=True))) as connection:
        PostgresReadSession(connection).raw(sql, 1)


def write_down(database: Database, file: Path) -> WrittenRows:
    """As SQL that psql loads."""
    size = written(database.private, generated.catalogue_of(database.private), file)
    return WrittenRows(size, f"psql --single-transaction -f {file}")


def heed(database: Database) -> None:
    """Record locks from now on."""
    with psycopg.connect(**database.private.keywords(), autocommit=True) as connection:
        watch_locks(connection, True)


def watched(database: Database) -> AbstractContextManager[Database]:
    """Through a relay that asks the server for its counters after each message."""
    return watching.watched(database)


def arrived(server: Server, database: Database, mark: int, told: Sequence[Event]) -> bool:  # noqa: ARG001 - the log says it
    """Whether the server's log has a session of the project's."""
    return bool(read(server.log(mark), database.name).sessions)


def recording(
    server: Server,
    database: Database,
    mark: int,
    told: Sequence[Event],  # noqa: ARG001 - the log says it
    after: Sequence[Recording],
) -> Recording:
    """What the server's log says."""
    return read(server.log(mark), database.name, tuple(after))


def provenance(
    database: Database, recordings: Sequence[Recording], revisions: Mapping[str, str]
) -> Mapping[ObjectReference, Made]:
    """By OID, under the names of today."""
    with psycopg.connect(**database.private.keywords(), autocommit=True) as connection:
        return resolve(connection, *recordings, revisions=revisions)


def measure(database: Database, expect: Expectations) -> tuple[QueryTiming, ...]:
    """Every declared query, several times with values from real rows."""
    return queries.measure(database, expect.queries)


def weigh(database: Database, expect: Expectations, evidence: Evidence) -> Evidence:  # noqa: ARG001 - every engine is told
    """The same: nothing is weighed here yet."""
    return evidence


def target(
    server: Server, golden: Golden | None, database: Database, expect: Expectations, evidence: Evidence
) -> AbstractContextManager[RelationalTarget]:
    """A target that reads on one clone and writes on another."""
    return PostgresTarget(server, golden, database, expect, evidence)
