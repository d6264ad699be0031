"""What the server would refuse of each command, and what a command would do to documents: read only, counted exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from checks.declared.documents import DeclaredValidator, DocumentExpectations
from checks.declared.expectations import Expectations
from checks.document_targets import DocumentTarget
from checks.documents import document_violates_validator
from checks.evidence import Evidence
from checks.interface import Finding, Json, NotProven
from checks.pipelines.keys import shown
from checks.schema.collections import Collection, CollectionIndex, CollectionKind, Collections
from checks.targets import StatementFailed
from runner.declaring import pipelines
from runner.declaring.clashes import is_text
from runner.declaring.standing import Standing
from runner.declaring.steps import Step, StepKind
from runner.gathering import counted

if TYPE_CHECKING:
    from pymongo.database import Database

Given = Mapping[str, Any]


class RefusalKind(StrEnum):
    """Why a command is not sent: what the server, or we, would refuse."""

    IMPOSSIBLE = "impossible"
    RULES = "rules"
    DOCUMENTS = "documents"
    DUPLICATES = "duplicates"
    ARRAYS = "arrays"
    LANGUAGE = "language"
    EXPIRES = "expires"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Refusal:
    """One reason, with what to do about it. ``documents`` is exact; ``values`` are key values, for ``show_values`` only."""

    kind: RefusalKind
    message: str
    remedy: str = ""
    documents: int | None = None
    evidence: Mapping[str, Json] = field(default_factory=dict, hash=False)
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Audited:
    """A command with what would be refused of it, and what else is to be known."""

    step: Step
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Looking:
    """Where an audit looks: the database itself, and a target of it for the checks that know how to count.

    ``seconds`` end one command. ``expiring`` are the indexes (``sessions.seen_at_ttl``) that may remove documents;
    ``shard_keys`` are those of sharded collections.
    """

    database: Database[dict[str, Any]]
    target: DocumentTarget
    seconds: float
    expiring: frozenset[str] = frozenset()
    shard_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


def audit(steps: Sequence[Step], there: Mapping[str, Standing], looking: Looking) -> Iterator[Audited]:
    """Each command with what it would meet, in their order. What cannot be looked at is a refusal too."""
    for step in steps:
        if step.impossible:
            yield Audited(step, (Refusal(RefusalKind.IMPOSSIBLE, step.impossible),))
            continue
        try:
            yield _audited(step, there.get(step.collection), looking)
        except StatementFailed as failure:
            yield Audited(step, (_unknown(failure),))


def _unknown(failure: StatementFailed) -> Refusal:
    slow = failure.code == _TOO_SLOW
    remedy = "Give it more time with --statement-timeout." if slow else "Ask as a user who may read the collection."
    return Refusal(RefusalKind.UNKNOWN, f"its documents could not be looked at: {failure.gap or failure.said}", remedy)


#: The server's code for what took longer than it was given.
_TOO_SLOW = "50"


def _audited(step: Step, held: Standing | None, looking: Looking) -> Audited:
    if step.kind in (StepKind.CREATE, StepKind.VALIDATOR) and step.command.get("validator"):
        return Audited(step, tuple(_of_validator(step, held, looking)))
    if step.kind in (StepKind.BUILD, StepKind.CHANGE) and step.index is not None and held is not None:
        return _of_index(step, step.index, looking)
    return Audited(step)


def _of_validator(step: Step, held: Standing | None, looking: Looking) -> Iterator[Refusal]:
    wrong = _not_understood(step, looking)
    if wrong is not None:
        yield wrong
    elif held is not None and step.command.get("validationLevel") != "off":
        yield from _of_documents(step, looking)


def _not_understood(step: Step, looking: Looking) -> Refusal | None:
    """What the server makes of a validator, asked with a filter that no document matches."""
    from bson import ObjectId

    if taken := sorted(_operators(step.command["validator"]) & _NOT_IN_VALIDATORS):
        return Refusal(RefusalKind.RULES, f"a validator may not contain {' or '.join(taken)}", "Say it in another way.")
    query = {"$and": [{"_id": ObjectId()}, {"$nor": [step.command["validator"]]}]}
    try:
        with looking.target.documents() as session:
            any(session.find(step.collection, query, limit=1))
    except StatementFailed as failure:
        if failure.gap or failure.code in _NOT_ABOUT_THE_QUERY:
            raise
        return Refusal(RefusalKind.RULES, f"the server does not understand the validator: {failure.said}", "Correct the schema.")
    return None


#: What a query may contain and a validator may not (MongoDB's manual, "Specify Validation With Query Operators").
_NOT_IN_VALIDATORS = frozenset({"$near", "$nearSphere", "$text", "$where", "$function"})


def _operators(query: object) -> frozenset[str]:
    """The operators of a query, without what stands in a schema, where such a name is a field's."""
    if isinstance(query, Mapping):
        inner = [_operators(part) for key, part in query.items() if key != "$jsonSchema"]
        return frozenset(key for key in query if key.startswith("$")).union(*inner)
    return frozenset[str]().union(*map(_operators, query)) if isinstance(query, list | tuple) else frozenset()


#: Not authorized, too slow: these say nothing about a validator.
_NOT_ABOUT_THE_QUERY = frozenset({"", "13", _TOO_SLOW})


def _of_documents(step: Step, looking: Looking) -> Iterator[Refusal]:
    declared = DeclaredValidator(step.collection, step.command["validator"], step.place)
    target = cast("DocumentTarget", _AsDeclared(looking.target, declared))
    for judged in document_violates_validator.run(target):
        if isinstance(judged, Finding):
            remedy = (
                "Correct them first, in a migration; or --moderate attaches the validator with the level `moderate`, which lets"
                " documents that break it already stay so."
            )
            yield Refusal(RefusalKind.DOCUMENTS, judged.message, remedy, judged.count, judged.evidence, judged.values)
        elif isinstance(judged, NotProven) and step.collection in target.filled:
            yield Refusal(RefusalKind.UNKNOWN, f"its documents could not be looked at: {judged.reason}")


@dataclass(frozen=True)
class _AsDeclared:
    """One collection of a target, as if it had no validator and a new one were declared: so the new one alone is judged."""

    whole: DocumentTarget
    declared: DeclaredValidator
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def expect(self) -> Expectations:
        return Expectations(documents=DocumentExpectations(validators=(self.declared,)))

    @property
    def collections(self) -> Collections:
        held = self.whole.collections.collection.get(self.declared.collection)
        name = self.declared.collection
        kind = held.kind if held else CollectionKind.COLLECTION
        return Collections((Collection(name, kind=kind, documents=held.documents if held else 0),))

    @property
    def filled(self) -> frozenset[str]:
        with self.whole.documents() as session:
            some = any(True for _ in session.find(self.declared.collection, {}, {"_id": 1}, limit=1))
        return frozenset({self.declared.collection}) if some else frozenset()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a target can
        return getattr(self.whole, name)


def _of_index(step: Step, index: CollectionIndex, looking: Looking) -> Audited:
    refusals: list[Refusal] = []
    notes: list[str] = []
    if step.kind is StepKind.BUILD:
        key = looking.shard_keys.get(step.collection, ())
        if index.unique and key and index.fields[: len(key)] != key:
            why = f"{step.collection} is sharded by {', '.join(key)}: a unique index has to begin with that"
            return Audited(step, (Refusal(RefusalKind.IMPOSSIBLE, why),))
        refusals += _not_indexable(step, index, looking)
        if "2dsphere" in dict(index.keys).values():
            notes.append("what is no place on earth is refused by the server (16755), and is not counted beforehand")
    if index.expire_after_seconds is not None:
        refusal, note = _expiring(step, index, looking)
        refusals += [refusal] if refusal else []
        notes += [note] if note else []
    return Audited(step, tuple(refusals), tuple(notes))


def _not_indexable(step: Step, index: CollectionIndex, looking: Looking) -> Iterator[Refusal]:
    if index.unique:
        yield from _duplicates(step, index, looking)
    stages = pipelines.arrays(index)
    if stages and (count := _count(step, stages, looking)):
        message = f"{counted(count, 'document')} of {step.collection} would have arrays in two fields of it, or in a hashed one"
        yield Refusal(RefusalKind.ARRAYS, message, "Index one array only.", count)
    if is_text(index) and (count := _count(step, pipelines.foreign_languages(index), looking)):
        message = f"{counted(count, 'document')} of {step.collection} say in `language` what is no language of a text index"
        yield Refusal(RefusalKind.LANGUAGE, message, "Rename that field, or write a language that MongoDB knows.", count)


def _duplicates(step: Step, index: CollectionIndex, looking: Looking) -> Iterator[Refusal]:
    if not pipelines.countable(index):
        yield Refusal(RefusalKind.UNKNOWN, f"whether documents are alike in {', '.join(index.fields)} cannot be counted")
        return
    found: Given = next(_aggregated(step, pipelines.duplicates(index), looking, index.collation), {"all": []})
    if not found["all"]:
        return
    groups, documents = int(found["all"][0]["groups"]), int(found["all"][0]["documents"])
    many = "one value of" if groups == 1 else f"{groups} values of"
    yield Refusal(
        RefusalKind.DUPLICATES,
        f"{documents} documents of {step.collection} share {many} {', '.join(index.fields)}, which is to be unique",
        "Decide which of them stays; dbproof deletes none.",
        documents,
        {"groups": groups},
        tuple(f"{_key(index, one['_id'])} ({one['documents']})" for one in found["sample"]),
    )


def _key(index: CollectionIndex, values: Sequence[object]) -> str:
    return ", ".join(f"{name}={shown(value)}" for name, value in zip(index.fields, values, strict=True))


def _expiring(step: Step, index: CollectionIndex, looking: Looking) -> tuple[Refusal | None, str]:
    query = pipelines.expired(index, looking.now)
    with looking.target.documents() as session:
        count = session.count(step.collection, query)
    if not count:
        return None, ""
    removed = f"MongoDB would remove {counted(count, 'document')} of {step.collection} within a minute or two"
    if step.label in looking.expiring:
        return None, f"{removed}; --expire {step.label} says that it may"
    return Refusal(
        RefusalKind.EXPIRES,
        f"{removed}: their {index.fields[0]} is older than {_span(index.expire_after_seconds or 0)}",
        f"Where they are to go, say so with --expire {step.label}.",
        count,
    ), ""


def _span(seconds: int) -> str:
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _count(step: Step, stages: Sequence[Given], looking: Looking) -> int:
    return int(next(_aggregated(step, stages, looking), {"documents": 0})["documents"])


def _aggregated(step: Step, stages: Sequence[Given], looking: Looking, collation: Given | None = None) -> Iterator[Given]:
    """By the collation of the index, which a session of the checks has no word for."""
    from runner.targets.mongodb_sessions import refuse_writing, said_plainly

    refuse_writing(stages)
    told: dict[str, Any] = {"allowDiskUse": True, "maxTimeMS": max(1, round(looking.seconds * 1000))}
    if collation:
        told["collation"] = dict(collation)
    with said_plainly():
        yield from looking.database[step.collection].aggregate(list(stages), **told)
