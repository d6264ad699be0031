"""The commands that bring the indexes of one collection to what is declared, in an order in which the server takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checks.declared.documents import DeclaredIndex
from checks.schema.collections import CollectionIndex, CollectionKind, index_reference
from checks.schema.indexes import differences, keys, options
from runner.declaring.clashes import alike, clash, is_text
from runner.declaring.standing import Standing
from runner.declaring.steps import Policy, Step, StepKind

#: From this version on an index that expires nothing can be told to (its manual, "collMod").
EXPIRY_SINCE = (5, 1)
#: How many indexes a collection takes (its manual, "MongoDB Limits and Thresholds").
MOST_INDEXES = 64
#: From this version on documents of capped collections expire (its manual, "TTL Indexes").
CAPPED_EXPIRY_SINCE = (7, 1)


@dataclass(frozen=True)
class Indexes:
    """The indexes of one collection: what is declared against what is held."""

    name: str
    declared: Sequence[DeclaredIndex]
    standing: Standing
    policy: Policy

    @property
    def held(self) -> Mapping[str, CollectionIndex]:
        """What stands, by name."""
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
        """What has to be gone before, what is changed in place, what is built, and what goes when that stands."""
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
        other = next((held for held in beside if clash(held, index, self.policy.version)), None)
        if (reason := self._unfit(index)) or other is None:
            return reason
        what = "another text index" if is_text(index) else "another index on these keys"
        return f"{self.name} has {what}, {other.name}, which the server does not take beside it; --drop-undeclared drops that"

    def _unfit(self, index: CollectionIndex) -> str:
        """Why the collection takes no such index, whatever else stands."""
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
        return ""


def definition(index: CollectionIndex) -> dict[str, Any]:
    """An index as ``createIndexes`` takes it."""
    return {"key": dict(index.keys), **options(index)}
