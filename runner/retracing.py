"""What a service recorded while a job migrated it by itself: which file made what, and what the server refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from checks.evidence import Evidence, MigrationFailure, Statement
from checks.schema.names import ObjectKind
from runner.backends.interface import Backend
from runner.gathering import counted
from runner.recorder.matching import placed, sql_files
from runner.recorder.recording import Recording, ServerError
from runner.servers.interface import Database, Server

#: What a session is told after a statement of its transaction was refused: the cause is the error before it.
_ABORTED = "25P02"


@dataclass(frozen=True)
class Retraced:
    """The evidence of a database that somebody else made, and sentences for people about it."""

    evidence: Evidence
    notes: tuple[str, ...] = ()


def retrace(backend: Backend, server: Server, database: Database, root: Path) -> Retraced:
    """Read the whole log of a service, and find what made one database in the SQL files below ``root``.

    Statements are found by all their words; those of programs that write their SQL themselves stand in no file.
    """
    recording = placed(backend.recording(server, database, 0, (), ()), sql_files(root), root, _changes)
    made = backend.provenance(database, [recording], {})
    folders = frozenset(PurePosixPath(one.place.file).parent for one in made.values())
    changing = tuple(one for one in recording.statements if _changes(one))
    evidence = Evidence(statements=changing, provenance=made, failure=_failure(recording, folders))
    return Retraced(evidence, tuple(_notes(recording)))


def _failure(recording: Recording, folders: frozenset[PurePosixPath]) -> MigrationFailure | None:
    """The last statement of a migration that was refused and never went through afterwards.

    Migrations are what stands in the folders of the files that made something: tests and seeds may be refused on purpose.
    """
    placed_errors = [error for error in recording.errors if error.place and error.code != _ABORTED]
    if not placed_errors:
        return None
    through = {_plain(one.text) for one in recording.statements if not one.undone}
    refused = [error for error in placed_errors if _plain(error.statement) not in through]
    ours = [error for error in refused if error.place and PurePosixPath(error.place.file).parent in folders]
    return _as_failure(ours[-1]) if ours else None


def _plain(text: str) -> str:
    """A statement without what differs between senders: the line breaks, and the semicolon at its end."""
    return " ".join(text.split()).rstrip("; ")


def _as_failure(error: ServerError) -> MigrationFailure:
    return MigrationFailure(None, error.place, error.statement, error.code, error.said, error.detail)


def _notes(recording: Recording) -> Iterator[str]:
    making = [one for one in recording.statements if not one.undone and _makes(one)]
    if not recording.sessions:
        yield "No session of the job's came to this database since the service started: has it been migrated?"
    elif not making:
        yield "No statement was recorded that made something: a database made from template0 has no recorder."
    elif untraced := [one for one in making if one.place is None]:
        verb = "stands" if len(untraced) == 1 else "stand"
        yield (
            f"{counted(len(untraced), 'statement')} of {len(making)} that made something {verb} in no SQL file here"
            f" (programs that write their SQL themselves cannot be traced to a line): {_excerpt(untraced[0])}"
        )


def _changes(statement: Statement) -> bool:
    """Whether it did more than read or write rows, of which a test suite does very much."""
    return bool(statement.made or statement.dropped or statement.rewrites)


def _makes(statement: Statement) -> bool:
    return any(thing.kind in (ObjectKind.TABLE, ObjectKind.CONSTRAINT, ObjectKind.INDEX) for thing in statement.made)


def _excerpt(statement: Statement) -> str:
    line = " ".join(statement.text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
