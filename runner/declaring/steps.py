"""From what is declared and what stands to the commands between them. Nothing is asked of a server here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from checks.declared.documents import DeclaredIndex, DeclaredValidator
from checks.evidence import Place
from checks.schema.collections import (
    CollectionIndex,
    CollectionKind,
    ValidationAction,
    ValidationLevel,
    collection_reference,
    index_reference,
    validator_reference,
)
from checks.schema.indexes import differences, keys, options
from checks.schema.names import ObjectReference
from checks.schema.validators import same
from runner.declaring.clashes import alike, clash, is_text
from runner.declaring.standing import Standing

#: From this version on an index that expires nothing can be told to (its manual, "collMod").
EXPIRY_SINCE = (5, 1)
#: How many indexes a collection takes (its manual, "MongoDB Limits and Thresholds").
MOST_INDEXES = 64


class StepKind(StrEnum):
    """What a command is about."""

    CREATE = "create"
    VALIDATOR = "validator"
    BUILD = "build"
    CHANGE = "change"
    DROP = "drop"
    REMOVE = "remove"


@dataclass(frozen=True)
class Step:
    """One command: why, where it is declared, what it makes and drops. ``impossible`` says why no server takes it.

    ``index`` is the definition that a ``BUILD`` builds or a ``CHANGE`` comes to.
    """

    kind: StepKind
    collection: str
    command: Mapping[str, Any] = field(hash=False)
    why: str = ""
    place: Place | None = None
    made: tuple[ObjectReference, ...] = ()
    dropped: tuple[ObjectReference, ...] = ()
    index: CollectionIndex | None = None
    impossible: str = ""

    @property
    def label(self) -> str:
        """``subscriptions`` of a validator, ``subscriptions.company_name_idx`` of an index."""
        name = self.index.name if self.index else self.command.get("index", "")
        return f"{self.collection}.{name}" if name else self.collection


@dataclass(frozen=True)
class Policy:
    """How far the commands go.

    ``drop_undeclared``: other indexes of collections whose indexes are declared go, not only unique ones that a declared one
    stands in for. ``drop_validators``: validators that are not declared go. ``build_first``: what is built is built before
    anything is dropped, where the server (``version``) can have both. ``moderate`` are the collections whose validators are
    attached with the level `moderate`.
    """

    drop_undeclared: bool = False
    drop_validators: bool = False
    build_first: bool = True
    version: tuple[int, ...] = (6, 0)
    moderate: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Steps:
    """The commands in their order, and what is left as it is though it is not what is declared, in words."""

    all: tuple[Step, ...] = ()
    left: tuple[str, ...] = ()


#: For a database that was made from an older declaration of the same repository: nothing else can be in it.
WHOLLY = Policy(drop_undeclared=True, drop_validators=True, build_first=False)


def steps(
    validators: Sequence[DeclaredValidator],
    indexes: Sequence[DeclaredIndex],
    there: Mapping[str, Standing],
    policy: Policy,
) -> Steps:
    """What has to be done, validators first, then collection by collection the indexes."""
    made = [step for declared in validators for step in _validator(declared, there.get(declared.collection), policy)]
    if policy.drop_validators:
        made += _undeclared_validators(validators, there)
    left: list[str] = []
    for name in dict.fromkeys(one.collection for one in indexes):
        planner = _Indexes(name, [one for one in indexes if one.collection == name], there.get(name, Standing(name)), policy)
        made += planner.steps()
        left += planner.left()
    return Steps(tuple(made), tuple(left))


def _validator(declared: DeclaredValidator, held: Standing | None, policy: Policy) -> Iterator[Step]:
    name = declared.collection
    moderate = name in policy.moderate
    rules = {
        "validator": declared.validator,
        "validationLevel": str(ValidationLevel.MODERATE if moderate else ValidationLevel.STRICT),
        "validationAction": "error",
    }
    if held is None:
        made = (collection_reference(name), declared.reference)
        yield Step(StepKind.CREATE, name, {"create": name, **rules}, "the collection, with its validator", declared.place, made)
    elif not _same_rules(held.rules, rules):
        why = _why(held, rules)
        impossible = f"{name} is a {held.kind}, which takes no validator" if held.kind != CollectionKind.COLLECTION else ""
        yield Step(
            StepKind.VALIDATOR,
            name,
            {"collMod": name, **rules},
            why,
            declared.place,
            (declared.reference,),
            impossible=impossible,
        )


def _same_rules(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """``errorAndLog`` refuses as ``error`` does."""
    refuse = {ValidationAction.ERROR, ValidationAction.ERROR_AND_LOG}
    actions = {one["validationAction"], other["validationAction"]}
    alike = len(actions) == 1 or actions <= refuse
    return alike and one["validationLevel"] == other["validationLevel"] and same(one["validator"], other["validator"])


def _why(held: Standing, rules: Mapping[str, Any]) -> str:
    if not held.validator:
        return "its validator: it has none"
    if not same(held.validator, rules["validator"]):
        return "its validator: it has another"
    told = [
        f"{name} is {held.rules[name]}" for name in ("validationLevel", "validationAction") if held.rules[name] != rules[name]
    ]
    return f"its validator: {', '.join(told)}"


def _undeclared_validators(validators: Sequence[DeclaredValidator], there: Mapping[str, Standing]) -> Iterator[Step]:
    kept = {one.collection for one in validators}
    for name, held in there.items():
        if held.validator and name not in kept:
            why = "its validator, which is not declared"
            yield Step(StepKind.VALIDATOR, name, {"collMod": name, "validator": {}}, why, dropped=(validator_reference(name),))


@dataclass(frozen=True)
class _Indexes:
    """The indexes of one collection: what is declared against what is held."""

    name: str
    declared: Sequence[DeclaredIndex]
    standing: Standing
    policy: Policy

    @property
    def held(self) -> Mapping[str, CollectionIndex]:
        return self.standing.indexes

    @property
    def _names(self) -> set[str]:
        return {one.index.name for one in self.declared}

    @property
    def _strangers(self) -> Sequence[CollectionIndex]:
        """What is held and not declared by that name."""
        return [index for name, index in sorted(self.held.items()) if name not in self._names]

    @property
    def _renamed(self) -> Mapping[str, CollectionIndex]:
        """What stands as declared under another name, by the declared one."""
        missing = [one.index for one in self.declared if one.index.name not in self.held]
        return {
            index.name: stranger for index in missing for stranger in self._strangers if not any(differences(index, stranger))
        }

    def steps(self) -> Sequence[Step]:
        changed = [one for one in self.declared if one.index.name in self.held and self._differ(one)]
        mended = [one for one in changed if self._mendable(one)]
        rebuilt = [one for one in changed if one not in mended]
        kept = set() if self.policy.drop_undeclared else self._renamed.keys()
        missing = [one for one in self.declared if one.index.name not in self.held and one.index.name not in kept]
        gone = self._gone()
        first = [one for one in gone if not self.policy.build_first or self._in_the_way(one, [*rebuilt, *missing])]
        last = [one for one in gone if one not in first]
        before = sorted([*(self.held[one.index.name] for one in rebuilt), *first], key=lambda index: index.name)
        building = [one for one in self.declared if one in rebuilt or one in missing]
        drops = {index.name: self._drop(index, rebuilt) for index in (*before, *last)}
        room = MOST_INDEXES - 1 - len(self.held) + len(before)
        return [
            *(drops[index.name] for index in before),
            *(self._mend(one) for one in mended),
            *(self._build(one, number < room, before) for number, one in enumerate(building)),
            *(drops[index.name] for index in last),
        ]

    def left(self) -> Iterator[str]:
        """What stays though the declaration says otherwise."""
        if self.policy.drop_undeclared:
            return
        renamed = {index.name: declared for declared, index in self._renamed.items()}
        gone = {index.name for index in self._gone()}
        for index in self._strangers:
            label = f"{self.name}.{index.name}"
            if index.name in renamed:
                yield f"{label} stays: it is what {self.name}.{renamed[index.name]} is to be, under another name"
            elif index.name not in gone:
                yield f"{label} stays: it is not declared"

    def _differ(self, one: DeclaredIndex) -> bool:
        return any(differences(one.index, self.held[one.index.name]))

    def _mendable(self, one: DeclaredIndex) -> bool:
        """Whether only that differs which ``collMod`` changes in place: hidden, and after how long documents expire."""
        if not self.policy.build_first:
            return False
        held, wanted = self.held[one.index.name], one.index
        expiring = held.expire_after_seconds is not None or self.policy.version >= EXPIRY_SINCE
        if held.expire_after_seconds != wanted.expire_after_seconds and not (
            expiring and wanted.expire_after_seconds is not None
        ):
            return False
        return alike(held, wanted)

    def _gone(self) -> Sequence[CollectionIndex]:
        if self.policy.drop_undeclared:
            return self._strangers
        renamed = {index.name for index in self._renamed.values()}
        fields = {one.index.keys for one in self.declared}
        return [one for one in self._strangers if one.unique and one.keys in fields and one.name not in renamed]

    def _in_the_way(self, old: CollectionIndex, building: Sequence[DeclaredIndex]) -> bool:
        return any(clash(old, one.index, self.policy.version) for one in building)

    def _drop(self, index: CollectionIndex, rebuilt: Sequence[DeclaredIndex]) -> Step:
        place = next((one.place for one in rebuilt if one.index.name == index.name), None)
        instead = next((one.index.name for one in self.declared if one.index.keys == index.keys), None)
        if place is not None or index.name in self._names:
            declared = next(one.index for one in self.declared if one.index.name == index.name)
            why = f"to build it anew: it {', '.join(differences(declared, index))}"
        elif index.unique and instead:
            why = f"it is not declared and unique; {instead} stands in its place"
        else:
            why = "it is not declared"
        command = {"dropIndexes": self.name, "index": index.name}
        return Step(StepKind.DROP, self.name, command, why, place, dropped=(index_reference(self.name, index.name),))

    def _mend(self, one: DeclaredIndex) -> Step:
        held, wanted = self.held[one.index.name], one.index
        change: dict[str, Any] = {"name": wanted.name}
        if held.expire_after_seconds != wanted.expire_after_seconds:
            change["expireAfterSeconds"] = wanted.expire_after_seconds
        if held.hidden != wanted.hidden:
            change["hidden"] = wanted.hidden
        why = f"it {', '.join(differences(wanted, held))}"
        command = {"collMod": self.name, "index": change}
        return Step(StepKind.CHANGE, self.name, command, why, one.place, (one.reference,), index=wanted)

    def _build(self, one: DeclaredIndex, room: bool, before: Sequence[CollectionIndex]) -> Step:
        command = {"createIndexes": self.name, "indexes": [definition(one.index)]}
        why = f"on {keys(one.index)}"
        impossible = self._impossible(one.index, [held for held in self.held.values() if held not in before])
        if not impossible and not room:
            impossible = f"{self.name} has {len(self.held)} indexes beside _id_, and a collection takes {MOST_INDEXES} in all"
        return Step(StepKind.BUILD, self.name, command, why, one.place, (one.reference,), index=one.index, impossible=impossible)

    def _impossible(self, index: CollectionIndex, beside: Sequence[CollectionIndex]) -> str:
        kind = self.standing.kind
        if kind == CollectionKind.VIEW:
            return f"{self.name} is a view, which has no indexes"
        expires = index.expire_after_seconds is not None
        if kind == CollectionKind.TIME_SERIES and (index.unique or expires):
            return f"{self.name} is a time series, whose indexes cannot {'expire' if expires else 'be unique'}"
        if expires and (len(index.keys) > 1 or index.fields == ("_id",)):
            return "only an index on one field, and not on _id, lets documents expire"
        if expires and self.standing.capped and self.policy.version < CAPPED_EXPIRY_SINCE:
            return f"{self.name} is capped: its documents cannot expire"
        if index.unique and ("hashed" in dict(index.keys).values() or any("$**" in name for name in index.fields)):
            return "a hashed index, or one on every field, cannot be unique"
        other = next((held for held in beside if clash(held, index, self.policy.version)), None)
        if other is None:
            return ""
        what = "another text index" if is_text(index) else "another index on these keys"
        return f"{self.name} has {what}, {other.name}, which the server does not take beside it; --drop-undeclared drops that"


#: From this version on documents of capped collections expire (its manual, "TTL Indexes").
CAPPED_EXPIRY_SINCE = (7, 1)


def definition(index: CollectionIndex) -> dict[str, Any]:
    """An index as ``createIndexes`` takes it."""
    return {"key": dict(index.keys), **options(index)}
