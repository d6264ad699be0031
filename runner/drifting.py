"""The pass that asks the migration tool whether the application's models are what the migrations make.

It works on a copy of head, as a difference is applied there to see whether it goes away. Where head differs base is asked too, by
base's own files, so that what main has already is known.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import cast

from checks.drift import Drift
from runner import git
from runner.errors import DbproofError
from runner.gathering import counted
from runner.migrations.interface import Modelled
from runner.plan import Built
from runner.steps import Building, project_in

#: The check that judges it.
CHECK = "model-drift"


def drifted(building: Building, head: Built, base: Built | None, applied: frozenset[str]) -> Built:  # noqa: ARG001 - as every pass
    """Head with in what its models differ; the same where the tool knows no models, or where migrating failed."""
    plan = building.plan
    if CHECK not in plan.checks or not hasattr(plan.adapter, "drift") or head.evidence.failure is not None:
        return head
    with plan.progress.stage("models") as stage:
        found = _asked(building, head, plan.root)
        if found is None:
            stage.skipped("the migration tool is given none")
        elif found.gap:
            stage.skipped(found.gap)
        else:
            stage.say(counted(len(found.operations), "difference") if found.operations else "are what the migrations make")
    return replace(head, evidence=replace(head.evidence, drift=found))


def drifted_on_base(building: Building, head: Built, base: Built) -> Built:
    """Base with in what its own models differ, where head's do."""
    found, revision = head.evidence.drift, building.plan.base
    if found is None or not found.operations or base.evidence.failure is not None or not isinstance(revision, git.Base):
        return base
    with git.files_of(building.plan.root, revision) as root:
        return replace(base, evidence=replace(base.evidence, drift=_asked(building, base, root)))


def _asked(building: Building, one: Built, root: Path) -> Drift | None:
    project = project_in(building, root)
    if project is None:
        return None
    tool = cast("Modelled", building.plan.adapter)
    with ExitStack() as stack:
        try:
            copy = stack.enter_context(one.server.clone(one.golden))
            return tool.drift(project, copy.addresses[building.role])
        except DbproofError as error:
            return Drift("", gap=error.message)
