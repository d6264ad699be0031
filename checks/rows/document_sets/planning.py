"""One collection on its way to a plan: what there is, which fields follow from the document's number, which keys are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from checks.declared.documents import DocumentReference, Step
from checks.jsonschema.matching import Schema
from checks.jsonschema.trying import spoken
from checks.rows.document_sets import wishes
from checks.rows.document_sets.drawing import TENANTS, Drawing
from checks.rows.document_sets.growing import Growing
from checks.rows.document_sets.heeded import Counted, Grown, Heeded, LeftOut
from checks.rows.document_sets.keys import value_of
from checks.rows.document_sets.known import Asked, KnownCollections
from checks.rows.document_sets.paths import arrays_of
from checks.rows.document_sets.plan import Arrays, CollectionPlan, Form, Node
from checks.schema.collections import Collection

#: A form that goes so far is a key without end here.
PLENTY = 10**7
#: Why a collection is left empty.
_NOTHING_FOUND = "no document was found that satisfies the validator"
_ANYTHING: Schema = {}
_DATE: Schema = {"bsonType": "date"}


class Planning:
    """One collection on its way to a plan: a first look at what there is, then decisions, then the tree."""

    def __init__(
        self,
        known: KnownCollections,
        collection: Collection,
        asked: Asked,
        without: frozenset[DocumentReference],
        growing: Callable[[Heeded], Growing],
    ) -> None:
        self._known = known
        self._growing = growing
        self._collection = collection
        self._indexes = known.indexes(collection)
        self._asked = asked
        self._without = without
        self._series, self._time, sources = wishes.of_time_series(collection)
        self._coupled = frozenset(path.split(".")[0] for path in spoken(asked.opaque))
        self._unique = self._unique_keys()
        self._base = Heeded(
            special=dict.fromkeys(self._left_out(), LeftOut()),
            keyed=frozenset(name for key, _, _ in self._unique for name in key) | frozenset(known.tenants),
            pools={**sources, **wishes.pools_of(self._indexes)},
            present=frozenset({self._time} - {""}),
            later=wishes.dates_that_expire(collection, self._time),
            coupled=self._coupled,
            mild=known.mild,
        )
        self._most: int | None = None
        self._limited = ""

    def plan(self) -> CollectionPlan:
        """The plan, or why there is none."""
        name = self._collection.name
        seen = self._seen()
        if seen is None:
            return CollectionPlan(name, reason=_NOTHING_FOUND)
        drawing = Drawing(self._known, name, seen.fields, self._without, self._tenants(seen))
        counted, present = self._decided(seen, drawing)
        heeded = replace(
            self._base,
            special={**self._base.special, **drawing.special(), **{(path, None): one for path, one in counted.items()}},
            present=self._base.present | present,
        )
        root, grown = self._grown(heeded)
        if root is None:
            return CollectionPlan(name, reason=_NOTHING_FOUND)
        draws = drawing.finished(grown, {path: form for path in counted if (form := grown.forms.get(path)) is not None})
        opaque, mild = bool(self._asked.opaque), bool(self._known.mild)
        draws = tuple(replace(draw, missing=0) for draw in draws) if mild else draws
        return CollectionPlan(name, root, draws, self._most, self._limited, opaque, self._coupled, mild=mild)

    def _tenants(self, seen: Grown) -> Mapping[str, tuple[Any, ...]]:
        """A few tenants, the same in all collections where they are told by values of a kind; not where each has one document."""
        alone = {fields for fields, _, _ in self._unique}
        free = {name: form for name in self._known.tenants if (name,) not in alone and (form := seen.forms.get(name))}
        return {name: tuple(value_of(form, one) for one in range(min(TENANTS, form.most))) for name, form in free.items()}

    def _seen(self) -> Grown | None:
        """What there is, with what is wished for beside; wishes that cannot be met are forgotten."""
        first, grown = self._grown(self._base)
        self._asked.wishes = self._wished(grown)
        if not self._asked.wishes:
            return grown if first is not None else None
        root, again = self._grown(self._base)
        if root is not None:
            return again
        self._asked.wishes = []
        return grown if first is not None else None

    def _grown(self, heeded: Heeded) -> tuple[Node | None, Grown]:
        growing = self._growing(heeded)
        series = [self._series] if self._series else []
        root = growing.grow([*self._asked.schemas, *series, *self._asked.wishes])
        return root, growing.grown

    def _wished(self, grown: Grown) -> list[Schema]:
        """Fields that something speaks of and no validator knows."""
        arrays = frozenset(grown.arrays)
        ways: dict[str, Sequence[Step]] = {}
        found: list[Schema] = []
        for reference in self._known.of_child(self._collection.name):
            for path, parent in zip(reference.children, reference.parents, strict=True):
                dbref = wishes.of_dbref(path, parent.collection)
                found += [dbref] if dbref is not None else []
                if dbref is None:
                    ways.setdefault(path.dotted, path.steps)
        for reference in self._known.of_parent(self._collection.name):
            for child, parent in zip(reference.children, reference.parents, strict=True):
                ways.setdefault(parent.dotted, parent.steps)
                found += self._known.as_child(child, parent)
        for name in wishes.indexed(self._indexes):
            ways.setdefault(name, wishes.steps_of(name, arrays | arrays_of(ways.values())))
        unknown = ((path, steps) for path, steps in ways.items() if path not in grown.fields)
        return [*found, *(wishes.wished(steps, _DATE if path in self._base.later else _ANYTHING) for path, steps in unknown)]

    def _left_out(self) -> list[tuple[str, Arrays | None]]:
        """The fields of references that have to stay empty; of a composite key its last is enough."""
        paths = [one.children[-1] for one in self._without]
        paths += [path for _, path in self._known.elsewhere(self._collection.name)]
        return [(path.dotted, tuple(path.arrays)) for path in paths]

    def _unique_keys(self) -> list[tuple[tuple[str, ...], str, bool]]:
        """Fields of which no two documents have the same values, what says so, and whether each document has to have them."""
        name = self._collection.name
        found: dict[tuple[str, ...], tuple[str, bool]] = {("_id",): ("_id_", True)}
        if self._time:
            found[(self._time,)] = ("", True)
        for index in self._indexes:
            if index.unique and not any("$" in one for one in index.fields):
                found.setdefault(index.fields, (index.name, not index.sparse and index.partial_filter is None))
        for reference in self._known.of_parent(name):
            found.setdefault(tuple(path.dotted for path in reference.parents), (reference.label, True))
        ordered = sorted(found.items(), key=lambda one: len(one[0]))
        return [(fields, label, whole) for fields, (label, whole) in ordered]

    def _decided(self, seen: Grown, drawing: Drawing) -> tuple[dict[str, Counted], frozenset[str]]:
        """Of each unique key one field that follows from the document's number, else several that go through all they have."""
        counted: dict[str, Counted] = {}
        present: set[str] = set()
        for fields, label, whole in self._unique:
            present.update(fields if whole else ())
            if any(one in counted and counted[one] == Counted() for one in fields):
                continue
            forms = {one: form for one, form in seen.forms.items() if form and _is_of(one, fields) and one not in drawing.paths}
            best = max(forms, key=lambda one: forms[one].most, default=None)
            if best is not None and forms[best].most >= PLENTY:
                counted[best] = Counted()
                present.add(best)
                continue
            drawn = [one for one in fields if one in drawing.paths]
            room = self._counted_through({one: forms[one] for one in forms if one not in counted}, counted)
            if not drawn:
                self._limit(room, label)
            elif drawing.in_turn(frozenset(drawn), room):
                present.update(drawn)
        return counted, frozenset(present)

    def _counted_through(self, forms: Mapping[str, Form], counted: dict[str, Counted]) -> int:
        """Let fields go through all their values, the one with the most first; gives how many keys that makes."""
        room = 1
        for name in sorted(forms, key=lambda one: -forms[one].most):
            counted[name] = Counted(room, forms[name].most)
            room *= forms[name].most
            if room >= PLENTY:
                break
        return room

    def _limit(self, room: int, label: str) -> None:
        if label and (self._most is None or room < self._most):
            self._most, self._limited = room, f"{label} has no more keys"


def _is_of(path: str, fields: Sequence[str]) -> bool:
    """Whether a field is one of those of a key, or lies in one."""
    return any(path == one or path.startswith(f"{one}.") for one in fields)
