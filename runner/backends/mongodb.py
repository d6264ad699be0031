"""MongoDB: documents by JSON files, statements as programs tell them or from the server's log, probes on copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from checks.declared.expectations import Expectations
from checks.document_targets import DocumentTarget
from checks.evidence import Evidence, LoadedFile, Made
from checks.measured import QueryTiming
from checks.registries.documents import DOCUMENTS
from checks.schema.mongodb import read
from checks.schema.names import ObjectReference
from checks.targets import Role
from runner.data.documents import load_documents
from runner.data.generated import mongodb as generated
from runner.data.generated.documents_file import written
from runner.data.generated.filled import Filled, Say, WantedRows, WrittenRows
from runner.data.own.loading import NO_PROGRAMS, Programs
from runner.data.own.sources import Entry
from runner.errors import ServerFailed
from runner.measure import mongodb as queries
from runner.measure.mongodb_gains import measure_gains
from runner.measure.mongodb_writes import measure_writes
from runner.migrations.interface import Event
from runner.recorder import mongodb as recorder
from runner.recorder.recording import Recording
from runner.servers.interface import Database, Golden, Server
from runner.servers.mongodb.server import owner_of
from runner.servers.mongodb.sessions import session
from runner.surviving import mongodb as documents_of_mongodb
from runner.surviving.interface import SurvivingDocuments
from runner.targets.mongodb import MongoTarget
from runner.targets.mongodb_sessions import failed
from runner.traffic.interface import Busy
from runner.undoing import mongodb as states_of_documents

CHECKS = DOCUMENTS
states = states_of_documents
traffic: Busy | None = None
surviving: SurvivingDocuments | None = documents_of_mongodb


def load(
    root: Path, files: Sequence[Entry], database: Database, role: Role, programs: Programs = NO_PROGRAMS
) -> tuple[LoadedFile, ...]:
    """Files of documents, each into the collection that it is named after."""
    with session(database.addresses[role]) as client:
        return load_documents(root, files, client[database.name], programs)


def fill(database: Database, wanted: WantedRows, say: Say) -> Filled:
    """With documents that are written here and sent in batches. Raises ServerFailed where the server is lost."""
    from pymongo.errors import PyMongoError

    try:
        with session(database.private) as client:
            collections = read(client[database.name])
        names = generated.fillable(collections)
        made = generated.generate(database.private, collections, wanted.of(names), wanted.seed, wanted.wishes, say)
    except PyMongoError as error:
        said = failed(error).said
        raise ServerFailed(f"database {database.name}: documents cannot be made: {said}", "Look at the server's log.") from None
    return Filled(made, dict.fromkeys(names, ()))


def write_down(database: Database, file: Path) -> WrittenRows:
    """As a directory of Extended JSON, one file a collection. Raises OSError, and ServerFailed where the server is lost."""
    from pymongo.errors import PyMongoError

    try:
        return written(database.private, database.name, file)
    except PyMongoError as error:
        said = failed(error).said
        raise ServerFailed(f"database {database.name}: documents cannot be read: {said}", "Look at the server's log.") from None


def heed(database: Database) -> None:
    """Nothing: MongoDB's log has no locks to record."""


def watched(database: Database) -> AbstractContextManager[Database]:
    """As it is: its log is all that it says."""
    return nullcontext(database)


def arrived(server: Server, database: Database, mark: int, told: Sequence[Event]) -> bool:
    """Whether the server's log has a session of the project's, or its program told of one."""
    return recorder.arrived(recording(server, database, mark, told, ()), told)


def recording(server: Server, database: Database, mark: int, told: Sequence[Event], after: Sequence[Recording]) -> Recording:
    """What the program told of its commands, else what the server's log says."""
    return recorder.record(server.log(mark), database.name, owner_of(database.name), told, after)


def provenance(
    database: Database, recordings: Sequence[Recording], revisions: Mapping[str, str]
) -> Mapping[ObjectReference, Made]:
    """By name: what made or changed an object last."""
    with session(database.private) as client:
        return recorder.resolve(recordings, read(client[database.name]), revisions)


def measure(database: Database, expect: Expectations) -> tuple[QueryTiming, ...]:
    """Every declared query, several times with values from real documents."""
    return queries.measure(database, expect.documents.queries)


def weigh(database: Database, expect: Expectations, evidence: Evidence) -> Evidence:
    """What indexes gain the declared queries, and what writes cost where they have a limit. Raises ServerFailed."""
    from pymongo.errors import PyMongoError

    try:
        with session(database.private) as client:
            gains = measure_gains(client[database.name], expect.documents.queries, evidence.queries)
            writes = measure_writes(client, database.name) if expect.documents.limits.of_writes else ()
    except PyMongoError as error:
        said = failed(error).said
        raise ServerFailed(
            f"database {database.name}: its writes cannot be measured: {said}", "Look at the server's log."
        ) from None
    return replace(evidence, gains=gains, writes=writes)


def target(
    server: Server, golden: Golden | None, database: Database, expect: Expectations, evidence: Evidence
) -> AbstractContextManager[DocumentTarget]:
    """A target that reads the sealed database and writes on copies."""
    return MongoTarget(server, golden, database, expect, evidence)
