"""The pass that asks the migration tool whether the application's models are what the migrations make.

It works on a copy of head, as a difference is applied there to see whether it goes away; models that are printed as SQL are made
beside it, and the two databases compared. Where head differs base is asked too, by base's own files, so that what main has
already is known.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

from checks.drift import Drift
from runner import git
from runner.errors import DbproofError
from runner.gathering import counted
from runner.migrations import printed_models, prisma
from runner.migrations.interface import Modelled
from runner.plan import Built
from runner.steps import Building, project_in

#: The check that judges it.
CHECK = "model-drift"


def drifted(building: Building, head: Built, base: Built | None, applied: frozenset[str]) -> Built:  # noqa: ARG001 - as every pass
    """Head with in what its models differ; the same where the tool knows no models, or where migrating failed."""
    plan = building.plan
    if CHECK not in plan.checks or not _is_told(building) or head.evidence.incomplete:
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


def _is_told(building: Building) -> bool:
    """Whether there may be models to compare with."""
    told, tool = building.migrations, building.plan.adapter
    return told is not None and (told.models is not None or tool is prisma or hasattr(tool, "drift"))


def _asked(building: Building, one: Built, root: Path) -> Drift | None:
    project, tool = project_in(building, root), building.plan.adapter
    if project is None:
        return None
    try:
        with one.server.clone(one.golden) as copy:
            on = copy.addresses[building.role]
            if project.settings.models is None and tool is not prisma:
                return cast("Modelled", tool).drift(project, on)
            printed = printed_models.by_command(project, on) if project.settings.models else printed_models.by_prisma(project, on)
    except DbproofError as error:
        return Drift("", gap=error.message)
    return _of_sql(building, one, printed)


def _of_sql(building: Building, one: Built, printed: printed_models.Printed | None) -> Drift | None:
    from runner.modelled import compared

    return None if printed is None else compared(one, building.role, printed)
