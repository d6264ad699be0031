"""What is looked at: the database as it stands, or a copy with what a service of ours recorded of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from checks.evidence import Evidence
from checks.interface import Need
from runner.backends.interface import Backend
from runner.errors import ServerFailed
from runner.gathering import counted
from runner.progress import Progress
from runner.retracing import retrace
from runner.scheduler import Checks
from runner.servers.interface import Database, Golden, Server
from runner.servers.postgresql.recorded import RecordedServer

#: What the checks need that judge nothing but how a database came to be.
_HISTORY = frozenset({Need.EVIDENCE})
#: What the checks do without of a database that was given to be read only.
_ONLY_READ = {Need.SANDBOX: "the database was given to be read only"}


@dataclass(frozen=True)
class Place:
    """Where is looked: a database on a server, and the repository that may have made it."""

    backend: Backend
    server: Server
    database: Database
    root: Path
    progress: Progress


@dataclass(frozen=True)
class Sight:
    """What is judged: the database itself, or where it may be tried upon a sealed copy of it (``golden``)."""

    database: Database
    golden: Golden | None = None
    evidence: Evidence = field(default_factory=Evidence)
    missing: Mapping[Need, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def sight_of(place: Place, stack: ExitStack) -> Sight:
    """The database as it stands; of a service of ours a copy, with what the service recorded."""
    if not isinstance(place.server, RecordedServer):
        return Sight(place.database, missing={} if place.server.disposable else _ONLY_READ)
    with place.progress.stage("record") as stage:
        retraced = retrace(place.backend, place.server, place.database, place.root)
        evidence = retraced.evidence
        traced = counted(len(evidence.provenance), "object")
        stage.say(f"{counted(len(evidence.statements), 'statement')} of DDL, {traced} traced to files")
    try:
        golden = stack.enter_context(place.server.copied(place.database))
    except ServerFailed as busy:
        return Sight(place.database, None, retraced.evidence, {Need.SANDBOX: busy.message}, retraced.notes)
    return Sight(golden.database, golden, retraced.evidence, {}, retraced.notes)


def that_apply(backend: Backend, sight: Sight) -> Checks:
    """The checks that ask more than how a database came to be: a record says whether that failed, and no more.

    Nothing is compared with a base here, so what a change took away is not asked either.
    """
    told = {"migration-failed"} if sight.evidence.statements else frozenset[str]()
    asked = {name: check for name, check in backend.CHECKS.items() if Need.BASE not in check.NEEDS}
    return {name: check for name, check in asked.items() if check.NEEDS != _HISTORY or name in told}
