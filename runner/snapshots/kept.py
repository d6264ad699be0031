"""Base's place in the cache: a server from what lies there, started while the address is proven, and base put there."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from runner import git
from runner.applying import Applied, SuperuserRefused
from runner.errors import DbproofError
from runner.migrations.interface import Revision
from runner.servers.interface import Database, Server
from runner.servers.keeping import Keeping, keeping_of
from runner.snapshots import resting, store
from runner.snapshots.store import Damaged, Told
from runner.steps import Building


@dataclass(frozen=True)
class Replayed:
    """Base's database before any rows are loaded, with what is known of how it came to be."""

    server: Server
    database: Database
    revisions: Mapping[str, Revision] = field(default_factory=dict)
    applied: Applied = field(default_factory=Applied)


@dataclass(frozen=True)
class Kept:
    """A place in the cache; ``why`` there is none, which leaves the ``name`` empty. ``coming`` is what comes from there."""

    building: Building
    keeping: Keeping
    name: str
    why: str
    coming: Future[tuple[Server, Told] | None]

    def again(self) -> Replayed | None:
        """Base from there, ``None`` where it is not. What cannot be used is removed, and said. Raises SuperuserRefused."""
        plan = self.building.plan
        try:
            came = self.coming.result()
            if came is None:
                return None
            server, told = came
            database = server.database(plan.name)
        except (Damaged, DbproofError, OSError) as failed:
            why = failed.message if isinstance(failed, DbproofError) else str(failed)
            self.building.notes.append(f"The snapshot of base in the cache was of no use ({why}), so base was replayed.")
            store.drop(self.name)
            return None
        for address in (*database.addresses.values(), database.private):
            plan.hide(address.password)
        return Replayed(server, database, {one.id: one for one in told.revisions}, Applied(told.recording, told.seconds))

    def keep(self, one: Replayed) -> str:
        """Put base there; what is to be said of that."""
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


def expected(building: Building, base: git.Base, server: Server) -> Kept | None:
    """Base's place in the cache, ``None`` for a server that cannot be kept. What lies there begins to be made a server of.

    That goes on beside what comes next, and is waited for before the building ends.
    """
    keeping, plan = keeping_of(server), building.plan
    if keeping is None or plan.adapter is None:
        return None
    try:
        why = resting.why_not(plan.settings, plan.root)
        name = "" if why else resting.name(building, base, keeping.build)
    except (DbproofError, OSError):  # what is wrong is said where it is needed
        return None
    # Nothing interrupts a thread: signals come to the main one, which waits for this one before it takes anything down.
    started = building.stack.enter_context(ExitStack())
    side = building.stack.enter_context(ThreadPoolExecutor(1, "base"))
    return Kept(building, keeping, name, why, side.submit(_come, name, keeping, plan.name, started))


def _come(name: str, keeping: Keeping, database: str, started: ExitStack) -> tuple[Server, Told] | None:
    """A server from the cache. Raises Damaged, DbproofError, OSError, SuperuserRefused."""
    found = store.found(name) if name else None
    if found is None:
        return None
    if found.told.refused is not None:
        raise SuperuserRefused(found.told.refused)
    return started.enter_context(keeping.again(found.data, [database])), found.told
