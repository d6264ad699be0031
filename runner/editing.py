"""Base's migrations that head has edited or deleted: to what that leads where they were applied, and where they were not.

So of the dump that they start from.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from checks.evidence import MigrationFailure, Place
from checks.histories import EditedMigration
from checks.reversals import OF_ROWS, Difference
from checks.schema.names import ObjectReference
from runner import git
from runner.applying import Applied
from runner.errors import DbproofError
from runner.gathering import counted
from runner.migrations.interface import Branched, Project, Revision
from runner.plan import Plan
from runner.recorder.recording import Recording
from runner.servers.interface import Database, Server
from runner.steps import Building, migrate, project_in
from runner.undoing.relational import as_dumped


@dataclass(frozen=True)
class Standing:
    """A database as migrations left it, on its server."""

    server: Server
    database: Database
    applied: Applied


def edited(base: Mapping[str, Revision], head: Sequence[Revision]) -> tuple[EditedMigration, ...]:
    """Base's migrations that head has no more, or not as they were, in base's order; repeatable ones may change and go."""
    now = {one.id: one for one in head}
    found = [one for one in base.values() if one.id not in now or now[one.id].digest != one.digest]
    return tuple(
        EditedMigration(one.id, now[one.id].place if one.id in now else one.place, gone=one.id not in now)
        for one in found
        if one.id in now or not one.repeatable
    )


def edited_dump(plan: Plan) -> EditedMigration | None:
    """The dump that the settings name (``start_from``), where head has another one than base; nothing has been compared."""
    if plan.settings.start_from is None or not isinstance(plan.base, git.Base):
        return None
    name = posixpath.normpath(plan.settings.start_from)
    return EditedMigration(name, Place(name), dump=True) if git.changed(plan.root, plan.base, name) else None


def more_heads(building: Building, base: Mapping[str, Revision]) -> list[str]:
    """A note where a change brings a head beside base's: the tool is told `heads` here, and many a deploy says `head`."""
    tool, project = building.plan.adapter, project_in(building, building.plan.root)
    if project is None or not base or not hasattr(tool, "heads"):
        return []
    branched = cast("Branched", tool)
    before, now = branched.heads(project, base), branched.heads(project)
    if len(now) <= max(1, len(before)):
        return []
    return [
        f"There are {len(now)} heads now ({', '.join(now)}), where base has {counted(len(before), 'head')}: `upgrade heads` was "
        f"run here, and `upgrade head` refuses that. `{branched.MERGING}` joins them."
    ]


def said(found: Sequence[EditedMigration]) -> str:
    """What was found, for a note."""
    changed = [one.place.file for one in found if not one.gone and not one.dump]
    gone = [one.place.file for one in found if one.gone]
    dump = next((_said_of_dump(one) for one in found if one.dump), "")
    first = f"Changed since base, though base has applied it: {_named(changed)}." if changed else ""
    second = f"Gone since base, though base has applied it: {_named(gone)}." if gone else ""
    return " ".join(filter(None, (dump, first, second)))


def _said_of_dump(one: EditedMigration) -> str:
    first = f"The dump {one.place.file} is another one than base's"
    if one.gap:
        return f"{first}, and was not compared: {one.gap}."
    return f"{first}, and leads to another schema." if one.leads_apart else f"{first}, and comes to the same schema."


def _named(files: Sequence[str]) -> str:
    return ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")


def compared(
    building: Building,
    found: tuple[EditedMigration, ...],
    on_base: tuple[Server, Database],
    project: Project | None,
    recording: Recording,
    fresh: Standing,
    made: Mapping[ObjectReference, str | None],
) -> tuple[EditedMigration, ...]:
    """With what they lead to. ``on_base`` holds what base applied, and gets head's new ones as ``project`` tells them.

    ``recording`` is base's, ``fresh`` came from head's files alone, and ``made`` says which revision made an object.
    Raises SuperuserRefused.
    """
    if (stopped := fresh.applied.failure) is not None:
        gap = "head's files do not apply from nothing"
        return tuple(replace(one, refused=stopped) if one.dump else replace(one, gap=gap) for one in found)
    server, database = on_base
    try:
        applied = migrate(building, project, server, database, (recording,), "on base")
        if applied.failure is not None:
            return _stopped(found, applied.failure)
        with building.plan.progress.stage("edited") as stage:
            dumped = any(one.dump for one in found)
            apart = state_differences(building.plan, database, fresh.database, dumped=dumped)
            same = "the same schema" if dumped else "the same schema, as many rows"
            (stage.failed if apart else stage.say)(
                f"{_counted(found)} changed: {counted(len(apart), 'difference') if apart else same}"
            )
    except DbproofError as failed:
        return tuple(replace(one, gap=failed.message) for one in found)
    return _attributed(found, apart, made)


def _counted(found: Sequence[EditedMigration]) -> str:
    migrations = sum(not one.dump for one in found)
    dump = ["the dump"] if migrations < len(found) else []
    return " and ".join([*dump, *([f"{counted(migrations, 'migration')} of base"] if migrations else [])])


def _stopped(found: Sequence[EditedMigration], failure: MigrationFailure) -> tuple[EditedMigration, ...]:
    """The first migration is what they stop for; a dump has no part in that, as it is not loaded there."""
    gap = "not compared, the migrations stop on a database that has applied them"
    first = next((one for one in found if not one.dump), None)
    return tuple(replace(one, refused=failure) if one is first else replace(one, gap=gap) for one in found)


def state_differences(plan: Plan, before: Database, after: Database, *, dumped: bool = False) -> tuple[Difference, ...]:
    """In what the second database's schema and numbers of rows differ from the first's. Raises DbproofError.

    ``dumped`` leaves out what dumps do, rows among it.
    """
    states = plan.backend.states
    if states is None:
        raise DbproofError(f"states of {plan.settings.engine.label} are not compared yet")
    was, now = (states.read(one, numbers=True) for one in (before, after))
    if not dumped:
        return states.differences(was, now, numbers=True)
    found = states.differences(as_dumped(was), as_dumped(now), numbers=True)
    return tuple(one for one in found if one.kind not in OF_ROWS)


def _attributed(
    found: tuple[EditedMigration, ...], apart: Sequence[Difference], made: Mapping[ObjectReference, str | None]
) -> tuple[EditedMigration, ...]:
    """Each difference to the migration that made its object, where that is one of them; the others to the first."""
    names = [one.revision for one in found]
    held: dict[str, list[Difference]] = {}
    for each in apart:
        maker = made.get(each.of)
        held.setdefault(maker if maker is not None and maker in names else names[0], []).append(each)
    return tuple(replace(one, differences=tuple(held.get(one.revision, ()))) for one in found)
