"""Base's migrations that head has edited or deleted: to what that leads where they were applied, and where they were not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from checks.histories import EditedMigration
from checks.reversals import Difference, DifferenceKind
from checks.schema.names import ObjectReference
from runner.applying import Applied
from runner.errors import DbproofError
from runner.gathering import counted
from runner.migrations.interface import Branched, Project, Revision
from runner.plan import Plan
from runner.recorder.recording import Recording
from runner.servers.interface import Database, Server
from runner.steps import Building, migrate, project_in

#: In what two databases of one history are compared: not in what their tables hold.
_OF_SCHEMA = frozenset({DifferenceKind.MISSING, DifferenceKind.EXTRA, DifferenceKind.CHANGED})


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
    changed = [one.place.file for one in found if not one.gone]
    gone = [one.place.file for one in found if one.gone]
    first = f"Changed since base, though base has applied it: {_named(changed)}." if changed else ""
    second = f"Gone since base, though base has applied it: {_named(gone)}." if gone else ""
    return " ".join(filter(None, (first, second)))


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
    if fresh.applied.failure is not None:
        return tuple(replace(one, gap="head's files do not apply from nothing") for one in found)
    server, database = on_base
    try:
        applied = migrate(building, project, server, database, (recording,), "on base")
        if applied.failure is not None:
            return (replace(found[0], refused=applied.failure), *_left(found[1:]))
        with building.plan.progress.stage("edited") as stage:
            apart = schema_differences(building.plan, database, fresh.database)
            text = f"{counted(len(found), 'migration')} of base changed: "
            (stage.failed if apart else stage.say)(
                text + (f"{counted(len(apart), 'difference')}" if apart else "the same schema")
            )
    except DbproofError as failed:
        return tuple(replace(one, gap=failed.message) for one in found)
    return _attributed(found, apart, made)


def _left(found: Sequence[EditedMigration]) -> list[EditedMigration]:
    return [replace(one, gap="not compared, the migrations stop on a database that has applied them") for one in found]


def schema_differences(plan: Plan, before: Database, after: Database) -> tuple[Difference, ...]:
    """In what the second database's schema differs from the first's. Raises DbproofError."""
    states = plan.backend.states
    if states is None:
        raise DbproofError(f"states of {plan.settings.engine.label} are not compared yet")
    found = states.differences(states.read(before, numbers=True), states.read(after, numbers=True), numbers=True)
    return tuple(one for one in found if one.kind in _OF_SCHEMA)


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
