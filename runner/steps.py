"""The steps that every database takes, at base as at head: a server, an address that is proven, migrations, rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from checks.evidence import LoadedFile, MigrationFailure, Place, SuperuserNeeded
from checks.targets import Role
from runner.applying import NOTHING, REFUSED, Applied, SuperuserRefused, apply
from runner.data.own.programs import ProjectPrograms, unmigrated
from runner.errors import ToolFailed, UsageError
from runner.filling import filled_on_head, reasons
from runner.gathering import counted, said_loaded
from runner.migrations.address import prove
from runner.migrations.interface import Branched, Project, Revision
from runner.plan import Plan
from runner.recorder.recording import Recording
from runner.servers.interface import Address, Database, Server
from runner.settings.loading import LoadSettings
from runner.settings.model import MigrationSettings

#: Characters of a place in a stage's line.
_PLACE = 40


@dataclass
class Building:
    """One attempt, as one role; servers live on ``stack`` until the checks are done.

    ``base_works`` says that base's files were read and applied: what keeps head's from that is the change.
    """

    plan: Plan
    role: Role
    needed: SuperuserNeeded | None
    stack: ExitStack
    notes: list[str] = field(default_factory=list)
    revisions: Sequence[Revision] = ()
    base_works: bool = False

    @property
    def migrations(self) -> MigrationSettings | None:
        """How the repository's migrations are applied, where it has any."""
        return self.plan.settings.migrations

    @property
    def files(self) -> Sequence[LoadSettings]:
        """Where the repository's own rows stand, or what makes them."""
        return self.plan.settings.data.load


@contextmanager
def standing(plan: Plan) -> Iterator[Address]:
    """Head, migrated and filled, open to be worked with: the address of its owner. Raises as :func:`stood`."""
    with stood(plan, fill=True) as (database, role):
        yield database.addresses[role]


@contextmanager
def stood(plan: Plan, *, fill: bool) -> Iterator[tuple[Database, Role]]:
    """Head, migrated, with its own rows and (``fill``) those that are made, and who migrated it.

    Raises DbproofError, also where migrating fails.
    """
    with ExitStack() as stack:
        building = Building(plan, Role.OWNER, None, stack)
        try:
            database = _stand(building, fill)
        except SuperuserRefused as refused:
            stack.close()
            building = as_superuser(building, refused)
            database = _stand(building, fill)
        yield database, building.role


def as_superuser(building: Building, refused: SuperuserRefused) -> Building:
    """The second attempt: the project has been read and its address is proven."""
    return Building(building.plan, Role.ADMIN, refused.needed, building.stack, revisions=building.revisions)


def _stand(building: Building, fill: bool) -> Database:
    server, database = start(building)
    project = read_project(building, server, database)
    since = load_start(building, building.plan.root, server, database)
    failure = migrate(building, project, server, database, (), since=since).failure
    failure = failure or next((file.refused for file in load_rows(building, server, database) if file.refused), None)
    if failure is not None:
        raise ToolFailed(f"{failure.place or building.plan.name}: {failure.code} {failure.said}", "`dbproof run` says more.")
    if fill:
        for line in reasons(filled_on_head(building.plan, server, database).filled):
            building.plan.progress.note("not filled", line)
    return database


def read_project(building: Building, server: Server, database: Database) -> Project | None:
    """Head's project with its revisions read, and the address proven before anything is applied. Raises UsageError."""
    _dump_of(building.plan)
    adapter, project = building.plan.adapter, project_in(building, building.plan.root)
    if adapter is not None and project is not None and building.needed is None:
        where = f"databases.{building.plan.name}.migrations"
        if not project.directory.is_dir():
            raise UsageError(f"{where}.directory: there is no folder {project.settings.directory}", "Paths start at the root.")
        with building.plan.progress.stage("address") as stage:
            stage.say(prove(adapter, project, server, database, building.plan.backend.arrived, building.role))
        building.revisions = adapter.revisions(project)
        building.notes += cast("Branched", adapter).faults(project) if hasattr(adapter, "faults") else []
        if not building.revisions and adapter.FILES_ONLY:
            remedy = getattr(adapter, "DIRECTORY", "Correct `directory` or `files`.")
            raise UsageError(f"{where}: no migrations in {project.settings.directory}", remedy)
    return project


def start(building: Building) -> tuple[Server, Database]:
    """A fresh server that lives as long as the building, with the empty database on it."""
    plan = building.plan
    with plan.progress.stage("server") as stage:
        server = building.stack.enter_context(plan.provision())
        database = server.create(plan.name)
        for address in (*database.addresses.values(), database.private):
            plan.hide(address.password)
        _run_before(plan, database)
        stage.say(f"{server.engine.label} {server.version} ready")
    return server, database


def _run_before(plan: Plan, database: Database) -> None:
    for file in plan.backend.load(plan.root, plan.settings.before, database, Role.ADMIN):
        if file.refused:
            where = file.refused.place or file.file
            raise UsageError(f"databases.{plan.name}.before: {where}: {file.refused.said}", "Correct the file, or leave it out.")


def load_start(building: Building, root: Path, server: Server, database: Database) -> int | None:
    """Load the dump that the settings' ``start_from`` names, as this checkout has it; a mark from before, ``None`` without one.

    Base may not have it yet: then its migrations start from nothing. Raises UsageError, SuperuserRefused.
    """
    plan, name = building.plan, _dump_of(building.plan)
    if name is None or not (root / name).is_file():
        return None
    where = f"databases.{plan.name}.start_from"
    mark = server.mark()
    for file in plan.backend.load(root, [name], database, building.role):
        if (refused := file.refused) is None:
            continue
        if refused.code in REFUSED and building.role is Role.OWNER:
            raise SuperuserRefused(SuperuserNeeded(refused.place, None, refused.statement, refused.said, refused.code))
        raise UsageError(
            f"{where}: {refused.place or file.file}: {refused.said}",
            "Make the dump anew from the version of the server that is used here, without owners and privileges "
            "(`pg_dump --no-owner --no-privileges`), and with the rows of the migration tool's own table.",
        )
    return mark


def _dump_of(plan: Plan) -> str | None:
    """The dump that the settings name, ``None`` where they name none; it has to be there, as base may lack it."""
    name = plan.settings.start_from
    if name is not None and not (plan.root / name).is_file():
        raise UsageError(
            f"databases.{plan.name}.start_from: there is no file {name}", "The path starts at the repository's root."
        )
    return name


def project_in(building: Building, root: Path, applied: frozenset[str] = frozenset()) -> Project | None:
    """The project as it stands in one checkout; ``applied`` are the revisions that its database holds already."""
    settings = building.migrations
    if settings is None:
        return None
    plan = building.plan
    return Project(root, root / settings.directory, settings, plan.root, applied, plan.name, plan.settings_file)


def migrate(
    building: Building,
    project: Project | None,
    server: Server,
    database: Database,
    after: tuple[Recording, ...],
    name: str = "migrate",
    since: int | None = None,
) -> Applied:
    """Apply what the database does not hold yet; where that fails the failure is part of what is given.

    ``after`` are base's recordings: on top of those all is new, and is watched.
    """
    adapter = building.plan.adapter
    if adapter is None or project is None:
        return Applied()
    watched = building.plan.backend.watched(database) if after else nullcontext(database)
    brought = {one.place.file: one.id for one in building.revisions} if building.base_works else NOTHING
    with building.plan.progress.stage(name) as stage, watched as at:
        applied = apply(building.plan.backend, adapter, project, server, at, building.role, after, stage.say, since, brought)
        new = [one for one in building.revisions if one.id not in project.applied]
        said = counted(len(new), "revision" if not project.applied else "new revision")
        if not building.revisions and not adapter.FILES_ONLY:
            said = "by the project's own program"
        (stage.failed if applied.failure else stage.say)(f"{said}, {_stopped(applied.failure)}" if applied.failure else said)
    return applied


def _stopped(failure: MigrationFailure) -> str:
    return f"stopped at {_near(failure.place) or failure.revision or 'the first error'}"


def _near(place: Place | None) -> str:
    """A place that fits a stage's line: of a long path its end."""
    if place is None:
        return ""
    return str(place) if len(str(place)) <= _PLACE else f"…{str(place)[1 - _PLACE :]}"


def load_rows(building: Building, server: Server, database: Database) -> tuple[LoadedFile, ...]:
    """Load head's own rows, where the settings name any."""
    if not building.files:
        return ()
    with building.plan.progress.stage("data") as stage:
        root = building.plan.root
        programs = programs_of(building, root, server, database)
        loaded = building.plan.backend.load(root, building.files, database, building.role, programs)
        (stage.failed if any(file.refused for file in loaded) else stage.say)(said_loaded(loaded))
    return loaded


def programs_of(building: Building, root: Path, server: Server, database: Database) -> ProjectPrograms:
    """What starts the project's own programs that make rows, as one checkout has them."""
    project = project_in(building, root) or unmigrated(root, building.plan.root)
    return ProjectPrograms(project, building.plan.backend, server, database, database.addresses[building.role])
