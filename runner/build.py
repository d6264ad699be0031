"""Builds what is judged: the database at base and at head, each sealed, with the evidence of how it came to be.

Base's own files are applied to a fresh server, filled with base's rows and sealed. Head grows on a fork of that server, so that
the new migrations meet rows, and so that roles they make do not stand in each other's way. Where they fail on rows, head is built
again on a fork that was taken before the rows were loaded; before that on one with the repository's own rows alone, where others
were made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from checks.evidence import LoadedFile, MigrationFailure
from checks.histories import EditedMigration
from checks.targets import Role
from runner import git
from runner.applying import Applied, SuperuserRefused
from runner.data.own.sources import contents, there
from runner.drifting import drifted_on_base
from runner.editing import Standing, compared, edited, edited_dump, more_heads, said
from runner.errors import DbproofError, NoFork, UsageError
from runner.filling import NONE_MADE, Rows, filled_on_base, filled_on_head
from runner.gathering import gathered, said_loaded
from runner.migrations.interface import Project, Revision
from runner.passes import passed
from runner.plan import Built, Pair, Plan
from runner.recorder.recording import Recording
from runner.servers.interface import Database, Golden, Server
from runner.snapshots.kept import Kept, expected
from runner.snapshots.replaying import replayed
from runner.snapshots.resting import touched
from runner.steps import Building, as_superuser, load_rows, load_start, migrate, programs_of, project_in, read_project, start
from runner.untried import BASE_FAILS


@dataclass(frozen=True)
class _Base:
    """Base as it was built, and an ``empty`` fork from before its rows were loaded (``None`` where it has none).

    ``rows`` says where its rows are from, and ``own`` is a fork from before any were made (``None`` where none were).
    """

    built: Built
    revisions: Mapping[str, Revision]
    recording: Recording
    empty: Server | None
    contents: Sequence[object]
    rows: Rows = NONE_MADE
    own: Server | None = None


@contextmanager
def built(plan: Plan) -> Iterator[Pair]:
    """Base and head of one database, for as long as they are judged.

    The database's owner migrates; where that is refused with 42501, all begins again as superuser. Raises DbproofError.
    """
    with ExitStack() as stack:
        building = Building(plan, Role.OWNER, None, stack)
        try:
            pair = _build(building)
        except SuperuserRefused as refused:
            stack.close()
            pair = _build(as_superuser(building, refused))
        yield pair


def _build(building: Building) -> Pair:
    plan = building.plan
    server, database = start(building)
    kept = expected(building, plan.base, server) if isinstance(plan.base, git.Base) else None
    read_project(building, server, database)
    if isinstance(plan.base, git.NoBase):
        head = passed(building, _head_alone(building, server, database), None)
        return Pair(None, head, plan.base.reason, (*building.notes, *_remedy(plan.base)))
    base = _try_base(building, plan.base, kept, server, database)
    if base is not None and (grown := _try_head(building, base, plan.base)) is not None:
        return Pair(drifted_on_base(building, grown, base.built), grown, str(plan.base), tuple(building.notes))
    alone = passed(building, _head_alone(building, *start(building)), None)
    return Pair(None, alone, "base could not be built", tuple(building.notes))


def _try_head(building: Building, built_on: _Base, base: git.Base) -> Built | None:
    """Head on top of base, or ``None`` with a note where that wants a second server and there can be none."""
    try:
        return _head(building, built_on)
    except NoFork as failed:
        building.notes.append(f"Head cannot be built on base {base}, so everything is judged: {failed.message}")
        return None


def _remedy(base: git.NoBase) -> tuple[str, ...]:
    return (f"Compared with nothing: {base.reason}; {base.remedy}.",) if base.remedy else ()


def _try_base(building: Building, base: git.Base, kept: Kept | None, server: Server, database: Database) -> _Base | None:
    """Base, or ``None`` with a note where its files cannot be applied here: then everything is judged."""
    try:
        with ExitStack() as files:
            return _base(building, kept, lru_cache(partial(_laid, files, building.plan.root, base)), server, database)
    except SuperuserRefused:
        raise
    except DbproofError as error:
        building.notes.append(f"Base {base} could not be built, so everything is judged: {error.message}")
        return None


def _laid(files: ExitStack, root: Path, base: git.Base) -> Path:
    return files.enter_context(git.files_of(root, base))


def _base(building: Building, kept: Kept | None, laid: Callable[[], Path], server: Server, database: Database) -> _Base:
    plan = building.plan
    stands = replayed(building, kept, laid, server, database)
    server, database, revisions, applied = stands.server, stands.database, stands.revisions, stands.applied
    building.base_works = applied.failure is None
    root = laid() if building.files else plan.root
    empty = building.stack.enter_context(server.fork()) if building.files and not applied.failure else None
    with plan.progress.stage("data") as stage:
        programs = programs_of(building, root, server, database)
        loaded = plan.backend.load(root, there(root, building.files), database, building.role, programs)
        stage.say(said_loaded(loaded) if building.files else _nothing_to_load(plan))
    evidence = gathered(
        building.plan.backend, building.needed, list(revisions.values()), [applied], loaded, frozenset(), database
    )
    refused = any(file.refused for file in loaded)
    held = [] if refused else contents(root, building.files)
    own, rows = None, NONE_MADE
    if plan.settings.data.makes_rows and not applied.failure:
        own = building.stack.enter_context(server.fork())
        rows = filled_on_base(plan, server, database)
    one = Built(server, server.seal(database), rows.told(evidence))
    return _Base(one, revisions, applied.recording, empty, held, rows, own)


def _nothing_to_load(plan: Plan) -> str:
    return "none set (`data.load`)" if plan.settings.data.makes_rows else "none set (`data.load`, `data.rows`)"


def _head_alone(building: Building, server: Server, database: Database) -> Built:
    """Head on an empty database: nothing counts as new."""
    project = project_in(building, building.plan.root)
    since = load_start(building, building.plan.root, server, database)
    applied = migrate(building, project, server, database, (), since=since)
    return _alone(building, Standing(server, database, applied))


def _alone(building: Building, stands: Standing) -> Built:
    server, database, applied = stands.server, stands.database, stands.applied
    loaded = load_rows(building, server, database)
    evidence = gathered(building.plan.backend, building.needed, building.revisions, [applied], loaded, None, database)
    rows = filled_on_head(building.plan, server, database, complete=applied.failure is None)
    return Built(server, server.seal(database), rows.told(evidence))


def _head(building: Building, base: _Base) -> Built:
    if base.built.evidence.failure is not None:
        return _past_base(building, base)
    building.notes += more_heads(building, base.revisions)
    found, dump = edited(base.revisions, building.revisions), edited_dump(building.plan)
    if not found:
        return _tried_on_base(building, base) if dump is None else _beside_dump(building, base, dump)
    fresh = _fresh(building)
    found = _compared(building, base, found if dump is None else (dump, *found), fresh)
    if any(one.leads_apart or one.gap for one in found if not one.dump):
        building.notes.append(f"{said(found)} Head was built from nothing.")
        head = passed(building, _with_new(_alone(building, fresh), base), None)
    else:
        other = ", and to other rows" if any(one.differences for one in found if not one.dump) else ""
        building.notes.append(f"{said(found)} It comes to the same schema{other}.")
        head = _tried_on_base(building, base)
    return replace(head, evidence=replace(head.evidence, edited=found))


def _beside_dump(building: Building, base: _Base, dump: EditedMigration) -> Built:
    """Head on base as ever, where a change edits the dump that the history starts from: production never loads that again."""
    try:
        (dump,) = _compared(building, base, (dump,), _fresh(building))
    except UsageError as failed:  # it does not load
        dump = replace(dump, refused=MigrationFailure(None, dump.place, "", "", failed.message))
    building.notes.append(said((dump,)))
    head = _tried_on_base(building, base)
    return replace(head, evidence=replace(head.evidence, edited=(dump,)))


def _past_base(building: Building, base: _Base) -> Built:
    """Head where base's own migrations fail: nothing new can be tried on it, and nothing it applied be compared."""
    building.notes.append("Base's own migrations fail. Head was built from nothing.")
    head = _with_new(_head_alone(building, *start(building)), base)
    found = tuple(replace(one, gap=BASE_FAILS) for one in edited(base.revisions, building.revisions))
    untold = not head.evidence.migrations and touched(building)
    evidence = replace(head.evidence, base_failed=True, edited=found, untold=untold)
    return passed(building, replace(head, evidence=evidence), None)


def _fresh(building: Building) -> Standing:
    """Head's files applied from nothing, without rows."""
    server, database = start(building)
    since = load_start(building, building.plan.root, server, database)
    project = project_in(building, building.plan.root)
    return Standing(server, database, migrate(building, project, server, database, (), "afresh", since))


def _compared(
    building: Building, base: _Base, found: tuple[EditedMigration, ...], fresh: Standing
) -> tuple[EditedMigration, ...]:
    """With what they lead to, on a copy of base without rows where there is one."""
    on_base = _grown(building, base.empty or base.own or base.built.server, base)
    names = {one.place.file: one.id for one in building.revisions}
    there = building.plan.backend.provenance(fresh.database, [fresh.applied.recording], names)
    made = {of: one.revision for of, one in {**base.built.evidence.provenance, **there}.items()}
    return compared(building, found, on_base, _on_top(building, base), base.recording, fresh, made)


def _tried_on_base(building: Building, base: _Base) -> Built:
    head = _head_on_base(building, base)
    return passed(building, head, _beneath(building, head, base), frozenset(base.revisions))


def _beneath(building: Building, head: Built, base: _Base) -> Built:
    """What head was grown on: base, or where the new migrations failed on rows, base without those."""
    failure = head.evidence.failure
    if failure is None or not failure.on_rows or (bare := base.own if failure.invented else base.empty) is None:
        return base.built
    server = building.stack.enter_context(bare.fork())
    return replace(base.built, server=server, golden=server.seal(server.database(base.built.golden.database.name)))


def _head_on_base(building: Building, base: _Base) -> Built:
    server, database = _grown(building, base.built.server, base)
    applied = migrate(building, _on_top(building, base), server, database, (base.recording,))
    if applied.failure is not None and base.rows.invented:
        base, server, database, applied = _without_made_rows(building, base, applied)
    if base.empty is None:
        return _finished(building, base, server, database, applied, load_rows(building, server, database))
    if applied.failure is not None and not applied.failure.invented:
        return _again(building, base, applied, (server, database))
    if contents(building.plan.root, building.files) != base.contents:
        grown = None if applied.failure else (server, server.seal(database))
        return replace(_again(building, base, applied, None), grown=grown)
    return _finished(building, base, server, database, applied, base.built.evidence.loaded)


def _without_made_rows(building: Building, base: _Base, first: Applied) -> tuple[_Base, Server, Database, Applied]:
    """Head on the repository's own rows alone: the new migrations failed on rows of which some were made.

    Where they fail there too, that is the verdict; else they failed on made rows, and what is judged has none of base's.
    """
    if base.own is None:
        raise AssertionError("there are made rows, and no fork from before")
    server, database = _grown(building, base.own, base)
    second = migrate(building, _on_top(building, base), server, database, (base.recording,), "without")
    alone = replace(base, rows=replace(base.rows, filled=(), invented=frozenset()))
    if second.failure is not None or first.failure is None:
        return alone, server, database, second
    failure = replace(first.failure, on_rows=True, invented=True)
    return alone, server, database, replace(second, failure=failure)


def _on_top(building: Building, base: _Base) -> Project | None:
    return project_in(building, building.plan.root, frozenset(base.revisions))


def _grown(building: Building, from_server: Server, base: _Base) -> tuple[Server, Database]:
    """A fork with base's database open again, and the locks of what is new watched."""
    server = building.stack.enter_context(from_server.fork())
    database = server.database(base.built.golden.database.name)
    database = server.open(Golden(database)) if from_server is base.built.server else database
    building.plan.backend.heed(database)
    return server, database


def _again(building: Building, base: _Base, first: Applied, kept: tuple[Server, Database] | None) -> Built:
    """Head on an empty copy: the new migrations failed on base's rows, or head has other rows than base.

    The verdict on migrating is the first one's, on rows; ``kept`` is where that stopped, and what is judged if this fails too.
    """
    if base.empty is None:
        raise AssertionError("head is built again only where base had rows")
    server, database = _grown(building, base.empty, base)
    second = migrate(building, _on_top(building, base), server, database, (base.recording,), "copy")
    if second.failure is not None and kept is not None:
        return _finished(building, base, *kept, first, base.built.evidence.loaded)
    failure = replace(first.failure, on_rows=True) if first.failure else None
    told = replace(second, failure=failure, recording=second.recording)
    base = replace(base, rows=NONE_MADE)
    return _finished(building, base, server, database, told, load_rows(building, server, database))


def _finished(
    building: Building, base: _Base, server: Server, database: Database, applied: Applied, loaded: tuple[LoadedFile, ...]
) -> Built:
    recordings = [Applied(base.recording), applied]
    evidence = gathered(
        building.plan.backend, building.needed, building.revisions, recordings, loaded, frozenset(base.revisions), database
    )
    rows = filled_on_head(building.plan, server, database, base.rows, complete=not evidence.incomplete)
    return Built(server, server.seal(database), rows.told(evidence), refilled=rows.refilled)


def _with_new(head: Built, base: _Base) -> Built:
    migrations = tuple(replace(one, new=one.revision not in base.revisions) for one in head.evidence.migrations)
    return replace(head, evidence=replace(head.evidence, migrations=migrations))
