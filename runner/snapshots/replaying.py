"""Base as it comes to stand on a server: from the cache where it was replayed before, else replayed and kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from runner.applying import Applied, SuperuserRefused, apply
from runner.gathering import counted
from runner.migrations.interface import Project, Revision
from runner.plan import Plan
from runner.progress import Stage
from runner.servers.interface import Database, Server
from runner.snapshots.kept import Kept, Replayed
from runner.steps import Building, load_start, project_in

#: What took less, in seconds, is not worth fifty megabytes: a server from the cache takes a third of a second to start.
WORTH = 2.0


def replayed(building: Building, kept: Kept | None, files: Callable[[], Path], server: Server, database: Database) -> Replayed:
    """Base on ``server``, or on another one from the cache. ``files`` lays base's files out where they are needed.

    Raises DbproofError, SuperuserRefused.
    """
    plan = building.plan
    with plan.progress.stage("base") as stage:
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
