"""Plans what brings a given database to what is declared, or back, and sends it: the story of ``dbproof apply``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from checks.declared.documents import DocumentExpectations
from checks.declared.expectations import Expectations
from checks.document_targets import DocumentTarget
from checks.evidence import Evidence
from runner.declaring import rights, undoing
from runner.declaring.audit import Audited, Looking, RefusalKind, audit
from runner.declaring.comparing import steps
from runner.declaring.plan import Plan
from runner.declaring.standing import Standing, standing
from runner.declaring.steps import Policy, StepKind, Steps
from runner.declaring.undoing import Undo
from runner.errors import UsageError
from runner.servers.interface import Database as Given
from runner.servers.interface import Server, Wanted
from runner.servers.mongodb.sessions import session
from runner.servers.registry import provision
from runner.targets.mongodb import MongoTarget
from runner.targets.mongodb_sessions import said_plainly

if TYPE_CHECKING:
    from pymongo.database import Database

#: Seconds that one command of an audit may take, where nothing else is said, and that an index may be built for.
LOOKING = 300.0
BUILDING = 24 * 3600.0


@dataclass(frozen=True)
class Asked:
    """How far a plan may go: see :class:`Policy`; ``expiring`` are the indexes that may remove documents."""

    drop_undeclared: bool = False
    moderate: bool = False
    expiring: frozenset[str] = frozenset()
    seconds: float = LOOKING


@dataclass(frozen=True)
class Site:
    """A given database that is to be changed: its server's version, a session for commands, a target for counting."""

    name: str
    version: str
    database: Database[dict[str, Any]]
    target: DocumentTarget
    shard_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def release(self) -> tuple[int, ...]:
        """``(6, 0)``."""
        return tuple(int(part) for part in self.version.split(".")[:2] if part.isdigit())


@contextmanager
def site(wanted: Wanted, seconds: float = LOOKING) -> Iterator[Site]:
    """A given database for the length of the context. What its server refuses meanwhile comes out as StatementFailed.

    Raises UsageError for a bad address, ServerFailed where none answers.
    """
    from pymongo import ReadPreference, WriteConcern

    with provision(replace(wanted, standing=True, statement_timeout=seconds)) as server:
        given = server.database("")
        with session(given.private, answer=BUILDING) as client, _target(server, given) as target, said_plainly():
            # Whatever the URL says: what is compared is read where it is written, and a write is known to have come through.
            database = client.get_database(
                given.name, read_preference=ReadPreference.PRIMARY, write_concern=WriteConcern(w="majority")
            )
            yield Site(given.name, server.version, database, target, _shard_keys(database))


def _target(server: Server, given: Given) -> MongoTarget:
    return MongoTarget(server, None, given, Expectations(), Evidence())


def _shard_keys(database: Database[dict[str, Any]]) -> Mapping[str, tuple[str, ...]]:
    """The keys of sharded collections, where the address is a router's and its user may read them."""
    from pymongo.errors import OperationFailure

    if database.client.admin.command("hello").get("msg") != "isdbgrid":
        return {}
    prefix = f"{database.name}."
    try:
        listed = list(database.client["config"]["collections"].find({"_id": {"$gt": prefix, "$lt": f"{database.name}/"}}))
    except OperationFailure:
        return {}
    return {one["_id"].removeprefix(prefix): tuple(one["key"]) for one in listed if one.get("key") and not one.get("dropped")}


def planned(place: Site, declared: DocumentExpectations, asked: Asked) -> Plan:
    """What brings the database to what is declared. With ``moderate`` validators that documents break get that level.

    Raises StatementFailed where the database cannot be read.
    """
    there = standing(place.database)
    policy = Policy(drop_undeclared=asked.drop_undeclared, version=place.release)
    plan = _audited(place, steps(declared.validators, declared.indexes, there, policy), there, asked)
    broken = frozenset(
        one.step.collection
        for one in plan.refused
        if one.step.kind is StepKind.VALIDATOR and {refusal.kind for refusal in one.refusals} == {RefusalKind.DOCUMENTS}
    )
    if not asked.moderate or not broken:
        return plan
    lenient = steps(declared.validators, declared.indexes, there, replace(policy, moderate=broken))
    told = {(one.step.kind, one.step.label): one for one in plan.audited}
    again = [replace(told[step.kind, step.label], step=step) for step in lenient.all]
    return replace(plan, audited=tuple(_softened(one, broken) for one in again), left=lenient.left)


def _softened(one: Audited, lenient: Collection[str]) -> Audited:
    """What documents break of a validator is no refusal of these collections, but to be known."""
    if one.step.collection not in lenient:
        return one
    soft = [refusal for refusal in one.refusals if refusal.kind is RefusalKind.DOCUMENTS]
    hard = tuple(refusal for refusal in one.refusals if refusal not in soft)
    return replace(one, refusals=hard, notes=(*one.notes, *(refusal.message for refusal in soft)))


def undone(place: Site, undo: Undo, asked: Asked) -> Plan:
    """What leads back to what an undo file says. Raises UsageError for the file of another database."""
    if undo.database != place.name:
        raise UsageError(
            f"--undo: the file is of the database {undo.database}, and the address leads to {place.name}",
            "Name the address that it was applied to.",
        )
    there = standing(place.database)
    made = [name for name, was in undo.collections.items() if was is None and name in there]
    filled = {name for name in made if place.database[name].find_one({}, {"_id": 1}) is not None}
    return _undoing(_audited(place, undoing.back(undo, there, filled, place.release), there, asked))


def undone_without_file(place: Site, declared: DocumentExpectations, asked: Asked) -> Plan:
    """What takes the declaration away again where no file says what was there before."""
    there = standing(place.database)
    taken = undoing.without_file(declared.validators, declared.indexes, there)
    return _undoing(_audited(place, taken, there, asked))


def _audited(place: Site, made: Steps, there: Mapping[str, Standing], asked: Asked) -> Plan:
    looking = Looking(place.database, place.target, asked.seconds, asked.expiring, place.shard_keys)
    needed = [(rights.ACTIONS[step.kind], step.collection) for step in made.all]
    audited = tuple(audit(made.all, there, looking))
    return Plan(place.name, place.version, audited, there, made.left, _lacking(place, needed))


def _undoing(plan: Plan) -> Plan:
    """A validator that was there before may be broken, as it was then."""
    names = {one.step.collection for one in plan.audited}
    return replace(plan, audited=tuple(_softened(one, names) for one in plan.audited), undoing=True)


def _lacking(place: Site, needed: Sequence[tuple[str, str]]) -> rights.Lacking | None:
    status = place.database.command({"connectionStatus": 1, "showPrivileges": True})
    return rights.lacking(status, place.name, needed)
