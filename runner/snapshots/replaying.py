"""Base as it comes to stand on a server: from the cache where it was replayed before, else replayed and kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner import git
from runner.applying import Applied, SuperuserRefused, apply
from runner.errors import DbproofError
from runner.gathering import counted
from runner.migrations.interface import Project, Revision
from runner.plan import Plan
from runner.progress import Stage
from runner.servers.interface import Database, Server
from runner.servers.keeping import Keeping, keeping_of
from runner.snapshots import resting, store
from runner.snapshots.store import Damaged, Told
from runner.steps import Building, load_start, project_in

#: What took less, in seconds, is not worth fifty megabytes: a server from the cache takes a third of a second to start.
WORTH = 2.0


@dataclass(frozen=True)
class Replayed:
    """Base's database before any rows are loaded, with what is known of how it came to be."""

    server: Server
    database: Database
    revisions: Mapping[str, Revision] = field(default_factory=dict)
    applied: Applied = field(default_factory=Applied)


def replayed(building: Building, base: git.Base, files: Callable[[], Path], server: Server, database: Database) -> Replayed:
    """Base on ``server``, or on another one from the cache. ``files`` lays base's files out where they are needed.

    Raises DbproofError, SuperuserRefused.
    """
    plan = building.plan
    with plan.progress.stage("base") as stage:
        kept = _kept(building, base, server) if plan.adapter is not None else None
        if kept is not None and (again := kept.again()) is not None:
            stage.say(f"{counted(len(again.revisions), 'revision')} from the cache")
            return again
        began = time.monotonic()
        try:
            one = _replayed(building, files(), server, database, stage)
        except SuperuserRefused as refused:
            if kept is not None and time.monotonic() - began > WORTH:
                kept.keep_refusal(refused)
            raise
        worth = time.monotonic() - began > WORTH and one.applied.failure is None
        stage.say(counted(len(one.revisions), "revision") + (kept.keep(one) if kept is not None and worth else ""))
        return one


def _replayed(building: Building, root: Path, server: Server, database: Database, stage: Stage) -> Replayed:
    plan, project = building.plan, project_in(building, root)
    since = load_start(building, root, server, database)
    revisions = revisions_of(plan, project)
    applied = Applied()
    if plan.adapter is not None and project is not None and any(project.directory.glob("*")):
        applied = apply(plan.backend, plan.adapter, project, server, database, building.role, say=stage.say, since=since)
    return Replayed(server, database, revisions, applied)


def revisions_of(plan: Plan, project: Project | None) -> Mapping[str, Revision]:
    """The revisions of a checkout, by their ids; none where it has no such folder."""
    if plan.adapter is None or project is None or not project.directory.is_dir() or not any(project.directory.iterdir()):
        return {}
    return {revision.id: revision for revision in plan.adapter.revisions(project)}


def _kept(building: Building, base: git.Base, server: Server) -> _Kept | None:
    """Base's place in the cache; ``None`` for a server that cannot be kept."""
    keeping = keeping_of(server)
    if keeping is None:
        return None
    why = resting.why_not(building.plan.settings, building.plan.root)
    return _Kept(building, keeping, "" if why else resting.name(building, base, keeping.build), why)


@dataclass(frozen=True)
class _Kept:
    """A place in the cache; ``why`` there is none, which leaves the ``name`` empty."""

    building: Building
    keeping: Keeping
    name: str
    why: str

    def again(self) -> Replayed | None:
        """Base from there, ``None`` where it is not. What cannot be used is removed, and said. Raises SuperuserRefused."""
        try:
            found = store.found(self.name) if self.name else None
            if found is None:
                return None
            if found.told.refused is not None:
                raise SuperuserRefused(found.told.refused)
            return self._started(found)
        except (Damaged, DbproofError, OSError) as failed:
            why = failed.message if isinstance(failed, DbproofError) else str(failed)
            self.building.notes.append(f"The snapshot of base in the cache was of no use ({why}), so base was replayed.")
            store.drop(self.name)
            return None

    def _started(self, found: store.Snapshot) -> Replayed:
        plan = self.building.plan
        server = self.building.stack.enter_context(self.keeping.again(found.data, [plan.name]))
        database = server.database(plan.name)
        for address in (*database.addresses.values(), database.private):
            plan.hide(address.password)
        told = found.told
        return Replayed(server, database, {one.id: one for one in told.revisions}, Applied(told.recording, told.seconds))

    def keep(self, one: Replayed) -> str:
        """Keep it; what is to be said of that."""
        if self.why:
            return f"; not kept: {self.why}"
        told = Told(tuple(one.revisions.values()), one.applied.recording, one.applied.seconds)
        try:
            done = store.keep(self.name, told, lambda place: self.keeping.keep(one.server, place))
        except (DbproofError, OSError) as failed:
            why = failed.message if isinstance(failed, DbproofError) else (failed.strerror or type(failed).__name__)
            return f"; not kept: {why}"
        return "; kept, the next run skips this" if done else ""

    def keep_refusal(self, refused: SuperuserRefused) -> None:
        """Keep that base needs a superuser, which took as long to find out."""
        if self.name:
            try:
                store.keep(self.name, Told(refused=refused.needed), None)
            except OSError:
                return
