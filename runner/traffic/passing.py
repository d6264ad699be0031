"""The pass: on a copy of what base holds the new migrations run once more, with other sessions on the tables that they touch.

It comes after the verdict on migrating and changes nothing of it. One fork of the server, one ``apply`` of everything as the
project does it; a second one where the migrations give up behind a long transaction after their own lock_timeout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

from checks.evidence import Statement
from checks.traffic import Traffic
from runner.applying import Applied, SuperuserRefused, apply
from runner.errors import DbproofError
from runner.gathering import counted
from runner.migrations.interface import Project
from runner.plan import Built
from runner.progress import Stage
from runner.servers.interface import Golden
from runner.steps import Building, project_in
from runner.traffic.weighing import LONGEST

#: The checks that judge it.
CHECKS = frozenset({"blocking-migration", "lock-queue"})

#: What a timeout of locks ends a statement with: PostgreSQL's lock_not_available, MariaDB's ER_LOCK_WAIT_TIMEOUT.
_GAVE_UP = frozenset({"55P03", "1205"})


def under_traffic(building: Building, head: Built, base: Built | None, applied: frozenset[str]) -> Built:
    """Head with what its new migrations do to others, in its evidence; ``applied`` are base's revisions.

    The same where there is no base, nothing new, no row to be blocked, or where migrating failed.
    """
    plan, evidence = building.plan, head.evidence
    project = project_in(building, plan.root, applied)
    if (
        not CHECKS & plan.checks
        or plan.backend.traffic is None
        or base is None
        or project is None
        or evidence.failure is not None
    ):
        return head
    new = [one for one in evidence.migrations if one.new]
    if not evidence.statements or (evidence.migrations and not new):
        return head
    revisions = {one.place.file: one.revision for one in new}
    with plan.progress.stage("traffic") as stage:
        try:
            found = _found(building, head, base, project, revisions)
        except (DbproofError, SuperuserRefused) as failed:
            found = Traffic(gap=failed.message if isinstance(failed, DbproofError) else str(failed))
        _say(stage, found)
    if found is None:
        return head
    return replace(head, evidence=replace(evidence, traffic=_placed(found, evidence.statements)))


def _placed(found: Traffic, statements: Sequence[Statement]) -> Traffic:
    """With the places of the verdict's run, where a program of the project's does not say them and its files do."""
    places = {one.text[:LONGEST].rstrip("; \n"): one.place for one in statements if one.place}
    told = (one if one.place else replace(one, place=places.get(one.text.rstrip("; \n"))) for one in found.statements)
    return replace(found, statements=tuple(told))


def _say(stage: Stage, found: Traffic | None) -> None:
    if found is None:
        stage.say("nothing new keeps others out of a table of base's")
    elif found.gap:
        stage.skipped(found.gap)
    else:
        longest = max((wait.own for one in found.statements for wait in one.waits), default=0.0)
        waited = f", at most {longest * 1000:.0f} ms waited" if longest else ", nobody waited"
        stage.say(f"{counted(len(found.rows) - len(found.unwatched), 'table')} read and written meanwhile{waited}")


def _found(building: Building, head: Built, base: Built, project: Project, revisions: Mapping[str, str]) -> Traffic | None:
    found, done = _once(building, head, base, project, revisions, long=True)
    if found is None or done.failure is None:
        return found
    if done.failure.code in _GAVE_UP:
        found, done = _once(building, head, base, project, revisions, long=False)
        found = replace(found, gave_up=True) if found is not None else None
    if done.failure is not None:
        return Traffic(gap=f"with other sessions beside them the migrations stop: {done.failure.said}")
    return found


def _once(
    building: Building, head: Built, base: Built, project: Project, revisions: Mapping[str, str], *, long: bool
) -> tuple[Traffic | None, Applied]:
    plan = building.plan
    adapter, traffic = plan.adapter, plan.backend.traffic
    if adapter is None or traffic is None:
        raise AssertionError("there are migrations, and an engine to watch them on")
    with ExitStack() as stack:
        server = stack.enter_context(traffic.copied(base.server))
        database = server.open(Golden(server.database(base.golden.database.name)))
        watching = traffic.prepared(server, database, head.evidence.statements)
        if watching is None:
            return None, Applied()
        done: list[Applied] = []

        def once_more() -> None:
            done.append(apply(plan.backend, adapter, project, server, database, building.role))

        return watching.watched(once_more, revisions, long=long), done[0] if done else Applied()
