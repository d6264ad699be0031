"""Builds what is judged: the database at base and at head, each sealed, with the evidence of how it came to be.

Base's own files are applied to a fresh server, filled with base's rows and sealed. Head grows on a fork of that server, so that
the new migrations meet rows, and so that roles they make do not stand in each other's way. Where they fail on rows, head is built
again on a fork that was taken before the rows were loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg

from checks.evidence import LoadedFile, MigrationFailure, SuperuserNeeded
from checks.targets import Role
from runner import git
from runner.applying import Applied, SuperuserRefused, apply
from runner.data.load import load, read_all
from runner.errors import DbproofError, ToolFailed, UsageError
from runner.gathering import counted, gathered, said_loaded
from runner.migrations.address import prove
from runner.migrations.interface import Adapter, Project, Revision
from runner.plan import Built, Pair, Plan
from runner.recorder.install import watch_locks
from runner.recorder.recording import Recording
from runner.servers.interface import Address, Database, Golden, Server
from runner.settings.model import MigrationSettings


@dataclass
class _Building:
    """One attempt, as one role; servers live on ``stack`` until the checks are done."""

    plan: Plan
    role: Role
    needed: SuperuserNeeded | None
    stack: ExitStack
    notes: list[str] = field(default_factory=list)
    revisions: Sequence[Revision] = ()

    @property
    def migrations(self) -> MigrationSettings | None:
        return self.plan.settings.migrations

    @property
    def files(self) -> Sequence[str]:
        return self.plan.settings.data.load


@dataclass(frozen=True)
class _Base:
    """Base as it was built, and an ``empty`` fork from before its rows were loaded (``None`` where it has none)."""

    built: Built
    revisions: Mapping[str, Revision]
    recording: Recording
    empty: Server | None
    contents: Sequence[bytes | None]


@contextmanager
def built(plan: Plan) -> Iterator[Pair]:
    """Base and head of one database, for as long as they are judged.

    The database's owner migrates; where that is refused with 42501, all begins again as superuser. Raises DbproofError.
    """
    with ExitStack() as stack:
        try:
            pair = _build(_Building(plan, Role.OWNER, None, stack))
        except SuperuserRefused as refused:
            stack.close()
            pair = _build(_Building(plan, Role.ADMIN, refused.needed, stack))
        yield pair


@contextmanager
def standing(plan: Plan) -> Iterator[Address]:
    """Head, migrated and filled, open to be worked with: the address of its owner.

    Raises DbproofError, also where migrating fails.
    """
    with ExitStack() as stack:
        building = _Building(plan, Role.OWNER, None, stack)
        try:
            database = _stand(building)
        except SuperuserRefused as refused:
            stack.close()
            building = _Building(plan, Role.ADMIN, refused.needed, stack)
            database = _stand(building)
        yield database.addresses[building.role]


def _stand(building: _Building) -> Database:
    server, database = _server(building)
    project = _read_project(building, server, database)
    failure = _migrate(building, project, server, database, ()).failure
    failure = failure or next((file.refused for file in _load_head(building, database) if file.refused), None)
    if failure is not None:
        raise ToolFailed(f"{failure.place or building.plan.name}: {failure.code} {failure.said}", "`dbproof run` says more.")
    return database


def _read_project(building: _Building, server: Server, database: Database) -> Project | None:
    """Head's project with its revisions read, and the address proven before anything is applied."""
    adapter, project = building.plan.adapter, _project(building, building.plan.root)
    if adapter is not None and project is not None:
        building.revisions = _revisions_here(building, adapter, project)
        with building.plan.progress.stage("address") as stage:
            stage.say(prove(adapter, project, server, database, building.role))
    return project


def _revisions_here(building: _Building, adapter: Adapter, project: Project) -> Sequence[Revision]:
    where = f"databases.{building.plan.name}.migrations"
    if not project.directory.is_dir():
        raise UsageError(f"{where}.directory: there is no folder {project.settings.directory}", "Paths start at the root.")
    revisions = adapter.revisions(project)
    if not revisions and adapter.FILES_ONLY:
        raise UsageError(f"{where}: no migrations in {project.settings.directory}", "Correct `directory` or `files`.")
    return revisions


def _build(building: _Building) -> Pair:
    plan = building.plan
    server, database = _server(building)
    _read_project(building, server, database)
    if isinstance(plan.base, git.NoBase):
        head = _head_alone(building, server, database)
        return Pair(None, head, plan.base.reason, (*building.notes, *_remedy(plan.base)))
    base = _try_base(building, plan.base, server, database)
    if base is None:
        return Pair(None, _head_alone(building, *_server(building)), "base could not be built", tuple(building.notes))
    return Pair(base.built, _head(building, base), str(plan.base), tuple(building.notes))


def _remedy(base: git.NoBase) -> tuple[str, ...]:
    return (f"Compared with nothing: {base.reason}; {base.remedy}.",) if base.remedy else ()


def _server(building: _Building) -> tuple[Server, Database]:
    plan = building.plan
    with plan.progress.stage("server") as stage:
        server = building.stack.enter_context(plan.provision())
        database = server.create(plan.name)
        for address in (*database.addresses.values(), database.private):
            plan.hide(address.password)
        _run_before(plan, database)
        stage.say(f"PostgreSQL {server.version} ready")
    return server, database


def _run_before(plan: Plan, database: Database) -> None:
    for file in load(plan.root, plan.settings.before, database.addresses[Role.ADMIN]):
        if file.refused:
            where = file.refused.place or file.file
            raise UsageError(f"databases.{plan.name}.before: {where}: {file.refused.said}", "Correct the file, or leave it out.")


def _project(building: _Building, root: Path, applied: frozenset[str] = frozenset()) -> Project | None:
    settings = building.migrations
    if settings is None:
        return None
    return Project(root, root / settings.directory, settings, building.plan.root, applied)


def _try_base(building: _Building, base: git.Base, server: Server, database: Database) -> _Base | None:
    """Base, or ``None`` with a note where its files cannot be applied here: then everything is judged."""
    try:
        with git.files_of(building.plan.root, base) as root:
            return _base(building, root, server, database)
    except SuperuserRefused:
        raise
    except DbproofError as error:
        building.notes.append(f"Base {base} could not be built, so everything is judged: {error.message}")
        return None


def _base(building: _Building, root: Path, server: Server, database: Database) -> _Base:
    plan = building.plan
    project = _project(building, root)
    revisions = _revisions_of(plan, project)
    with plan.progress.stage("base") as stage:
        applied = Applied()
        if plan.adapter is not None and project is not None and any(project.directory.glob("*")):
            applied = apply(plan.adapter, project, server, database, building.role, say=stage.say)
        stage.say(counted(len(revisions), "revision"))
    empty = building.stack.enter_context(server.fork()) if building.files and not applied.failure else None
    with plan.progress.stage("data") as stage:
        present = [file for file in building.files if (root / file).is_file()]
        loaded = load(root, present, database.addresses[building.role])
        stage.say(said_loaded(loaded) if building.files else "none set (`data.load`)")
    evidence = gathered(building.needed, list(revisions.values()), [applied], loaded, frozenset(), database)
    refused = any(file.refused for file in loaded)
    contents = [] if refused else read_all(root, building.files)
    return _Base(Built(server, server.seal(database), evidence), revisions, applied.recording, empty, contents)


def _revisions_of(plan: Plan, project: Project | None) -> Mapping[str, Revision]:
    if plan.adapter is None or project is None or not project.directory.is_dir() or not any(project.directory.iterdir()):
        return {}
    return {revision.id: revision for revision in plan.adapter.revisions(project)}


def _head_alone(building: _Building, server: Server, database: Database) -> Built:
    """Head on an empty database: nothing counts as new."""
    project = _project(building, building.plan.root)
    applied = _migrate(building, project, server, database, ())
    loaded = _load_head(building, database)
    evidence = gathered(building.needed, building.revisions, [applied], loaded, None, database)
    return Built(server, server.seal(database), evidence)


def _head(building: _Building, base: _Base) -> Built:
    if why := _from_nothing(building, base):
        building.notes.append(f"{why} Head was built from nothing.")
        return _with_new(_head_alone(building, *_server(building)), base)
    server, database = _grown(building, base.built.server, base)
    applied = _migrate(building, _on_top(building, base), server, database, (base.recording,))
    if base.empty is None:
        return _finished(building, base, server, database, applied, _load_head(building, database))
    if applied.failure is not None:
        return _again(building, base, applied, (server, database))
    if read_all(building.plan.root, building.files) != base.contents:
        return _again(building, base, applied, None)
    return _finished(building, base, server, database, applied, base.built.evidence.loaded)


def _from_nothing(building: _Building, base: _Base) -> str:
    """Why head cannot grow on base, or nothing where it can: base's own migrations did not end, or are not head's any more."""
    now = {one.id: one for one in building.revisions}
    changed = [one.place.file for one in base.revisions.values() if one.id in now and now[one.id].digest != one.digest]
    gone = [one.place.file for one in base.revisions.values() if one.id not in now]
    if base.built.evidence.failure is not None:
        return "Base's own migrations fail."
    if changed:
        return f"Changed since base, though base has applied it: {_named(changed)}."
    return f"Gone since base, though base has applied it: {_named(gone)}." if gone else ""


def _named(files: Sequence[str]) -> str:
    return ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")


def _on_top(building: _Building, base: _Base) -> Project | None:
    return _project(building, building.plan.root, frozenset(base.revisions))


def _grown(building: _Building, from_server: Server, base: _Base) -> tuple[Server, Database]:
    """A fork with base's database open again, and the locks of what is new watched."""
    server = building.stack.enter_context(from_server.fork())
    database = server.database(base.built.golden.database.name)
    database = server.open(Golden(database)) if from_server is base.built.server else database
    with psycopg.connect(**database.private.keywords(), autocommit=True) as connection:
        watch_locks(connection, True)
    return server, database


def _again(building: _Building, base: _Base, first: Applied, kept: tuple[Server, Database] | None) -> Built:
    """Head on an empty copy: the new migrations failed on base's rows, or head has other rows than base.

    The verdict on migrating is the first one's, on rows; ``kept`` is where that stopped, and what is judged if this fails too.
    """
    if base.empty is None:
        raise AssertionError("head is built again only where base had rows")
    server, database = _grown(building, base.empty, base)
    second = _migrate(building, _on_top(building, base), server, database, (base.recording,), "copy")
    if second.failure is not None and kept is not None:
        return _finished(building, base, *kept, first, base.built.evidence.loaded)
    failure = replace(first.failure, on_rows=True) if first.failure else None
    told = replace(second, failure=failure, recording=second.recording)
    return _finished(building, base, server, database, told, _load_head(building, database))


def _migrate(
    building: _Building,
    project: Project | None,
    server: Server,
    database: Database,
    after: tuple[Recording, ...],
    name: str = "migrate",
) -> Applied:
    adapter = building.plan.adapter
    if adapter is None or project is None:
        return Applied()
    with building.plan.progress.stage(name) as stage:
        applied = apply(adapter, project, server, database, building.role, after, stage.say)
        new = [one for one in building.revisions if one.id not in project.applied]
        said = counted(len(new), "revision" if not project.applied else "new revision")
        (stage.failed if applied.failure else stage.say)(f"{said}, {_stopped(applied.failure)}" if applied.failure else said)
    return applied


def _stopped(failure: MigrationFailure) -> str:
    return f"stopped at {failure.place or failure.revision or 'the first error'}"


def _load_head(building: _Building, database: Database) -> tuple[LoadedFile, ...]:
    if not building.files:
        return ()
    with building.plan.progress.stage("data") as stage:
        loaded = load(building.plan.root, building.files, database.addresses[building.role])
        (stage.failed if any(file.refused for file in loaded) else stage.say)(said_loaded(loaded))
    return loaded


def _finished(
    building: _Building, base: _Base, server: Server, database: Database, applied: Applied, loaded: tuple[LoadedFile, ...]
) -> Built:
    recordings = [Applied(base.recording), applied]
    evidence = gathered(building.needed, building.revisions, recordings, loaded, frozenset(base.revisions), database)
    return Built(server, server.seal(database), evidence)


def _with_new(head: Built, base: _Base) -> Built:
    migrations = tuple(replace(one, new=one.revision not in base.revisions) for one in head.evidence.migrations)
    return replace(head, evidence=replace(head.evidence, migrations=migrations))
