"""One ``apply`` of a migration tool on one of our databases: what the tool told, what the server saw, why it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from checks.evidence import MigrationFailure, Place, SuperuserNeeded
from checks.interface import Engine
from checks.targets import Role
from runner.backends.interface import Backend
from runner.data.load import failure as failure_of
from runner.errors import UnreadableFile
from runner.migrations.address import never_applied, went_elsewhere
from runner.migrations.interface import Adapter, Began, Broke, Came, Elsewhere, Ended, Event, Project, Ran
from runner.recorder.matching import placed, sql_files
from runner.recorder.recording import Recording, ServerError
from runner.servers.interface import Database, Server

if TYPE_CHECKING:
    from runner.hanging import Hanging
    from runner.hanging_mariadb import Looks

#: Of a run that brings no files of its own.
NOTHING: Mapping[str, str] = {}
#: What servers say to a user who lacks a right: PostgreSQL, MongoDB, MariaDB.
REFUSED = frozenset({"42501", "13", "1044", "1142", "1227"})


class SuperuserRefused(Exception):
    """The owner lacks a right (42501, MongoDB's 13): everything begins again from base as superuser."""

    def __init__(self, needed: SuperuserNeeded) -> None:
        super().__init__(needed.said)
        self.needed = needed


@dataclass(frozen=True)
class Applied:
    """What came of it. ``seconds`` are the durations of the revisions that ended well, where the tool tells of them."""

    recording: Recording = field(default_factory=Recording)
    seconds: Mapping[str, float] = field(default_factory=dict)
    failure: MigrationFailure | None = None


def apply(
    backend: Backend,
    adapter: Adapter,
    project: Project,
    server: Server,
    database: Database,
    role: Role,
    after: tuple[Recording, ...] = (),
    say: Callable[[str], None] = lambda _: None,
    since: int | None = None,
    brought: Mapping[str, str] = NOTHING,
) -> Applied:
    """Apply everything in one go, as the project itself does.

    ``after`` are the recordings that went before in this database or in what it was cloned from; ``say`` hears which revision is
    under way. What is recorded begins at ``since``, a mark of the server's, where something came before. One of the files that a
    change has ``brought`` (with its revision) fails where no server takes it; any other ends the run. Raises WrongAddress
    where the tool went elsewhere or nothing came, SuperuserRefused where the owner's rights did not do.
    """
    mark = server.mark()
    with _looking(database, project, server) as looks:
        heard = _listen(adapter.apply(project, database.addresses[role]), database, say, brought)
    recording = backend.recording(server, database, mark if since is None else since, heard.told, after)
    if adapter.NAME == "command":
        recording = placed(recording, sql_files(project.directory), project.root)
    if heard.broke is None:
        # Files that we send ourselves: nothing arrives only where there is nothing to do.
        if not adapter.FILES_ONLY and not backend.arrived(server, database, mark, heard.told):
            raise never_applied(database)
        return Applied(recording, heard.seconds)
    failure = _explained(failure_of(heard.broke), recording)
    if failure.timed_out and not failure.statement:
        failure = _at_its_deadline(failure, looks.told(server, mark) if looks else _hanging(server, database, mark))
    if failure.code in REFUSED and role is Role.OWNER:
        raise SuperuserRefused(SuperuserNeeded(failure.place, failure.revision, failure.statement, failure.said, failure.code))
    return Applied(recording, heard.seconds, failure)


@dataclass
class _Heard:
    """What a tool told while it applied: ``told`` is what only it can say where no server keeps a log."""

    seconds: dict[str, float] = field(default_factory=dict)
    broke: Broke | None = None
    told: list[Event] = field(default_factory=list)


def _listen(events: Iterator[Event], database: Database, say: Callable[[str], None], brought: Mapping[str, str]) -> _Heard:
    heard = _Heard()
    try:
        _hear(heard, events, database, say)
    except UnreadableFile as failed:
        if failed.file not in brought:
            raise
        heard.broke = Broke(brought[failed.file], Place(failed.file, failed.line), "", failed.said)
    return heard


def _hear(heard: _Heard, events: Iterator[Event], database: Database, say: Callable[[str], None]) -> None:
    with closing(cast("Any", events)):
        for event in events:
            match event:
                case Elsewhere():
                    raise went_elsewhere(event, database)
                case Began():
                    say(event.revision)
                case Ended():
                    heard.seconds[event.revision] = event.seconds
                case Broke():
                    heard.broke = event
                case Came() | Ran():
                    heard.told.append(event)
                case _:
                    pass


def _explained(failure: MigrationFailure, recording: Recording) -> MigrationFailure:
    """The failure with the server's own record of it, where the tool's words are not the server's already."""
    error = recording.errors[-1] if recording.errors else None
    if error is None or failure.timed_out or (failure.code and failure.code != error.code):
        return failure
    return replace(
        failure,
        place=failure.place or error.place,
        statement=failure.statement or error.statement,
        code=failure.code or error.code,
        said=failure.said if failure.code else _words(failure, error),
        detail=failure.detail or error.detail,
    )


def _looking(database: Database, project: Project, server: Server) -> AbstractContextManager[Looks | None]:
    """Looks at what is under way before the deadline, where the server does not tell afterwards."""
    if server.engine is not Engine.MARIADB:
        return nullcontext()
    from runner.hanging_mariadb import looking

    return looking(database, project.settings.timeout)


def _hanging(server: Server, database: Database, mark: int) -> Hanging | None:
    if server.engine is not Engine.POSTGRESQL:
        return None
    from runner.hanging import hanging

    return hanging(server, database, mark)


def _at_its_deadline(failure: MigrationFailure, found: Hanging | None) -> MigrationFailure:
    """The failure with what the server was still doing, where the tool cannot tell it any more."""
    from runner.hanging import SHORT

    if found is None:
        return failure
    what = "it" if found.place else f"`{' '.join(found.statement.split())[:SHORT]}`"
    said = f"{failure.said}; {what} {f'waited for {found.waited}' if found.waited else 'ran still'}"
    return replace(failure, place=found.place or failure.place, statement=found.statement, said=said)


def _words(failure: MigrationFailure, error: ServerError) -> str:
    return f"{error.said}\n{failure.said}" if failure.said and failure.said != error.said else error.said
