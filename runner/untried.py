"""Why passes cannot try the new migrations: said of each that would have, so that none reads as if nothing were new.

What a pass sees later takes the place of what is said here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from checks.evidence import Evidence, Migration
from checks.previous import Previous
from checks.reversals import Reversal
from checks.survivals import Survivals
from checks.traffic import Traffic
from runner.migrations.interface import Reversible
from runner.plan import Built
from runner.steps import Building, project_in

BASE_FAILS = "base's own migrations fail"
_FAILED = "the new migrations failed"
_FAILED_ON_ROWS = "the new migrations failed on rows"
_FROM_NOTHING = "head was built from nothing, not on base"


def untried(building: Building, head: Built, base: Built | None) -> Built:
    """Head with the reason in its evidence where its new migrations failed, or did not run on base's rows; else the same."""
    evidence = head.evidence
    new = [one for one in evidence.migrations if one.new]
    may_be = evidence.untold or (base is not None and not evidence.migrations)
    if (base is not None and evidence.failure is None) or not (new or may_be):
        return head
    if evidence.failure is not None and evidence.failure.on_rows and not evidence.base_failed:
        return replace(head, evidence=_without_rows(building, evidence))
    why = BASE_FAILS if evidence.base_failed else _FAILED if evidence.failure is not None else _FROM_NOTHING
    return replace(head, evidence=_told(building, evidence, new, why))


def _without_rows(building: Building, evidence: Evidence) -> Evidence:
    """What wants rows is not tried; the other passes have base and head without them."""
    backend = building.plan.backend
    return replace(
        evidence,
        traffic=Traffic(gap=_FAILED_ON_ROWS) if backend.traffic is not None else None,
        survivals=Survivals(gap=_FAILED_ON_ROWS) if backend.surviving is not None else None,
    )


def _told(building: Building, evidence: Evidence, new: Sequence[Migration], why: str) -> Evidence:
    plan, told = building.plan, building.migrations
    asked = told is not None and (told.statements or told.statements_file or told.n_minus_1)
    return replace(
        evidence,
        traffic=Traffic(gap=why) if plan.backend.traffic is not None else None,
        survivals=Survivals(gap=why) if plan.backend.surviving is not None else None,
        reversals=tuple(Reversal(one.revision, gap=why) for one in new) if _can_be_undone(building) else (),
        previous=Previous(gap=why) if asked else None,
    )


def _can_be_undone(building: Building) -> bool:
    tool, project = building.plan.adapter, project_in(building, building.plan.root)
    return project is not None and hasattr(tool, "rehearse") and cast("Reversible", tool).reversible(project)
