"""The evidence of one database: what became of each migration, and which statement made each object."""

from __future__ import annotations

from collections.abc import Sequence

from checks.evidence import Evidence, LoadedFile, Migration, MigrationState, SuperuserNeeded
from runner.applying import Applied
from runner.backends.interface import Backend
from runner.migrations.interface import Revision
from runner.servers.interface import Database


def gathered(
    backend: Backend,
    needed: SuperuserNeeded | None,
    revisions: Sequence[Revision],
    applied: Sequence[Applied],
    loaded: tuple[LoadedFile, ...],
    before: frozenset[str] | None,
    database: Database,
) -> Evidence:
    """Everything known of one database; ``before`` are base's revisions, ``None`` where nothing counts as new."""
    last = applied[-1]
    names = {one.place.file: one.id for one in revisions}
    return Evidence(
        migrations=tuple(_migration(one, last, before) for one in revisions),
        statements=last.recording.statements,
        failure=last.failure,
        superuser_needed=needed,
        loaded=loaded,
        provenance=backend.provenance(database, [one.recording for one in applied], names),
    )


def _migration(revision: Revision, applied: Applied, before: frozenset[str] | None) -> Migration:
    return Migration(
        revision=revision.id,
        title=revision.title,
        place=revision.place,
        state=_state(revision, applied, before or frozenset()),
        new=before is not None and revision.id not in before,
        seconds=applied.seconds.get(revision.id),
    )


def _state(revision: Revision, applied: Applied, before: frozenset[str]) -> MigrationState:
    failure = applied.failure
    if failure is None or (failure.on_rows and failure.revision != revision.id):
        return MigrationState.APPLIED
    if failure.revision == revision.id:
        return MigrationState.FAILED
    done = revision.id in applied.seconds or revision.id in before
    return MigrationState.APPLIED if done else MigrationState.PENDING


def counted(number: int, what: str) -> str:
    """``1 revision``, ``2 revisions``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def said_loaded(loaded: Sequence[LoadedFile]) -> str:
    """What came of loading, for a stage's line."""
    refused = next((file.refused for file in loaded if file.refused), None)
    return f"refused at {refused.place}" if refused else f"{counted(len(loaded), 'file')} loaded"
