"""Plans how collections are filled, from their validators and indexes and from what is declared; no server is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from checks.declared.documents import DocumentReference, FieldPath, Step
from checks.jsonschema.denials import with_field
from checks.jsonschema.matching import Fits, Matching, Schema, UnknownPattern
from checks.jsonschema.trying import spoken
from checks.rows.document_sets import wishes
from checks.rows.document_sets.drawing import TENANTS, Drawing
from checks.rows.document_sets.growing import Growing
from checks.rows.document_sets.heeded import Counted, Grown, Heeded, LeftOut
from checks.rows.document_sets.keys import value_of
from checks.rows.document_sets.paths import arrays_of, kinds_of, knows
from checks.rows.document_sets.plan import Arrays, CollectionPlan, Form, Member, Node, ObjectOf, OneOf
from checks.rows.document_sets.writing import sampled
from checks.rows.documents import parts, plain, said
from checks.schema.collections import Collection, CollectionIndex, CollectionKind, Collections
from checks.schema.validators import same

#: A form that goes so far is a key without end here.
PLENTY = 10**7
#: Documents that stand for others where fields go together in a way that only the server knows.
EXAMPLES = 200
_ANYTHING: Schema = {}
_DATE: Schema = {"bsonType": "date"}
_ID: Schema = with_field("_id", {"not": {"bsonType": ["array", "regex"]}, "$prefer": ["objectId"]})


@dataclass
class _Asked:
    """What is asked of one collection's documents, gathered once."""

    schemas: list[Schema]
    opaque: list[Mapping[str, Any]]
    wishes: list[Schema] = field(default_factory=list)


class Planner:
    """Plans one database. ``fits`` says of patterns that only the server can read whether a text fits them."""

    def __init__(self, collections: Collections, asked: wishes.DocumentWishes, seed: int, fits: Fits | None = None) -> None:
        self._collections = collections
        self._expect = asked.expect
        self._tenants = asked.tenants
        self.mild = asked.mild
        self._elsewhere = asked.elsewhere
        self._seed = seed
        self._matching = Matching(fits)
        self._grown: dict[str, Growing] = {}
        self._known: dict[str, dict[str, Node | Form | None]] = {}
        self.references = wishes.first_of_each(asked.expect.references)

    def planned(self, name: str, without: frozenset[DocumentReference] = frozenset()) -> CollectionPlan:
        """How a collection is filled, or why it is not; ``without`` are references whose fields have to stay empty."""
        collection = self._collections.collection[name]
        if collection.kind is CollectionKind.VIEW:
            return CollectionPlan(name, reason="is a view")
        validators = self.validators(collection)
        if wishes.is_encrypted(collection, validators):
            return CollectionPlan(name, reason="holds encrypted fields, which only the application can write")
        try:
            return self._plan(collection, validators, without)
        except UnknownPattern as pattern:
            return CollectionPlan(name, reason=f"the pattern {pattern} is known to the server only")

    def validators(self, collection: Collection) -> Sequence[Mapping[str, Any]]:
        """The attached validator, and the declared one where that is another."""
        declared = [one.validator for one in self._expect.validators if one.collection == collection.name]
        attached = [collection.validator] if collection.validator else []
        return [*attached, *(one for one in declared if not any(same(one, other) for other in attached))]

    def unjudged(self, collection: Collection) -> Sequence[Mapping[str, Any]]:
        """Those of the validators by which the server refuses nothing when a document is inserted."""
        if collection.kind is not CollectionKind.COLLECTION:
            return ()
        heard = collection.validation_action.refuses and collection.validation_level != "off"
        return [one for one in self.validators(collection) if not (heard and one is collection.validator)]

    def indexes(self, collection: Collection) -> Sequence[CollectionIndex]:
        """The indexes that are there, and those that are declared beside."""
        declared = (one.index for one in self._expect.indexes if one.collection == collection.name)
        there = {index.name for index in collection.indexes}
        return [*collection.indexes, *(one for one in declared if one.name not in there)]

    def coupled(self, plan: CollectionPlan, documents: Sequence[Mapping[str, Any]]) -> CollectionPlan:
        """The same plan with the fields that only the server can judge taken together from documents that it took."""
        growing = self._grown[plan.collection]
        free = plan.root.members if isinstance(plan.root, ObjectOf) else ()
        varied = {one.name: one for one in free if one.name not in plan.coupled}
        nodes = [_example(growing, document, varied) for document in documents[:EXAMPLES]]
        return replace(plan, root=OneOf(tuple(nodes)))

    def _plan(
        self, collection: Collection, validators: Sequence[Mapping[str, Any]], without: frozenset[DocumentReference]
    ) -> CollectionPlan:
        for asked in self._askings(collection, validators):
            plan = _Planning(self, collection, asked, without).plan()
            if not plan.reason:
                return plan
        label = next((label for label, _ in self.elsewhere(collection.name)), "")
        return replace(plan, reason=f"{label} refers to another database, whose keys are not known here") if label else plan

    def _askings(self, collection: Collection, validators: Sequence[Mapping[str, Any]]) -> Sequence[_Asked]:
        """All validators together; where they contradict each other, the first alone."""
        series = collection.kind is CollectionKind.TIME_SERIES
        several = [[*map(plain, validators)], *([[plain(validators[0])]] if len(validators) > 1 else [])]
        listed = []
        for some in several:
            each = list(chain.from_iterable(map(parts, some)))
            schemas = [one for one in map(said, each) if one is not None]
            listed.append(_Asked([_ID, *schemas], [] if series else [one for one in each if said(one) is None]))
        return listed

    def growing(self, name: str, heeded: Heeded) -> Growing:
        """What grows the tree of a collection; the last one is remembered."""
        self._grown[name] = Growing(self._matching, heeded, sampled, f"{self._seed}/{name}", self._known.setdefault(name, {}))
        return self._grown[name]

    @property
    def tenants(self) -> tuple[str, ...]:
        """The fields that say whose a document is."""
        return self._tenants

    def elsewhere(self, name: str) -> Sequence[tuple[str, FieldPath]]:
        """The references of a collection's documents to other databases, with their fields."""
        found = [(one.label, one.child.path) for one in self._elsewhere]
        return [(label, path) for label, path in found if isinstance(path, FieldPath) and path.collection == name]

    def has(self, name: str, path: str) -> bool:
        """Whether a collection's documents have a field, as far as validators, indexes and references say."""
        collection = self._collections.collection.get(name)
        if collection is None or collection.kind is CollectionKind.VIEW:
            return False
        spoken_of = chain(
            (one for index in self.indexes(collection) for one in index.fields),
            (
                one.dotted
                for reference in self.references
                for one in (*reference.children, *reference.parents)
                if one.collection == name
            ),
        )
        known = any(
            knows(schema, path) for asked in self._askings(collection, self.validators(collection)) for schema in asked.schemas
        )
        return known or path in spoken_of

    def as_child(self, child: FieldPath, parent: FieldPath) -> Sequence[Schema]:
        """What a child's schema says of the types of its parent's key, where nothing else says it."""
        theirs, own = (self._kinds(path) for path in (child, parent))
        kinds = [one for one in theirs if one not in ("null", "array", "object")]
        return [wishes.wished(parent.steps, {"bsonType": kinds})] if kinds and not own else []

    def _kinds(self, path: FieldPath) -> Sequence[str]:
        collection = self._collections.collection.get(path.collection)
        validators = self.validators(collection) if collection else ()
        return next((kinds for one in validators if (kinds := kinds_of(one.get("$jsonSchema", {}), path.dotted.split(".")))), ())

    def of_child(self, name: str) -> Sequence[DocumentReference]:
        """The references of a collection's documents to others."""
        return [one for one in self.references if one.child.collection == name]

    def of_parent(self, name: str) -> Sequence[DocumentReference]:
        """The references of others to a collection's documents."""
        return [one for one in self.references if one.parent.collection == name]


class _Planning:
    """One collection on its way to a plan: a first look at what there is, then decisions, then the tree."""

    def __init__(self, planner: Planner, collection: Collection, asked: _Asked, without: frozenset[DocumentReference]) -> None:
        self._planner = planner
        self._collection = collection
        self._indexes = planner.indexes(collection)
        self._asked = asked
        self._without = without
        self._series, self._time, sources = wishes.of_time_series(collection)
        self._coupled = frozenset(path.split(".")[0] for path in spoken(asked.opaque))
        self._unique = self._unique_keys()
        self._base = Heeded(
            special=dict.fromkeys(self._left_out(), LeftOut()),
            keyed=frozenset(name for key, _, _ in self._unique for name in key) | frozenset(planner.tenants),
            pools={**sources, **wishes.pools_of(self._indexes)},
            present=frozenset({self._time} - {""}),
            later=wishes.dates_that_expire(collection, self._time),
            coupled=self._coupled,
            mild=planner.mild,
        )
        self._most: int | None = None
        self._limited = ""

    def plan(self) -> CollectionPlan:
        name = self._collection.name
        seen = self._seen()
        if seen is None:
            return CollectionPlan(name, reason=self._why())
        drawing = Drawing(self._planner, name, seen.fields, self._without, self._tenants(seen))
        counted, present = self._decided(seen, drawing)
        heeded = replace(
            self._base,
            special={**self._base.special, **drawing.special(), **{(path, None): one for path, one in counted.items()}},
            present=self._base.present | present,
        )
        root, grown = self._grown(heeded)
        if root is None:
            return CollectionPlan(name, reason=self._why())
        draws = drawing.finished(grown, {path: form for path in counted if (form := grown.forms.get(path)) is not None})
        opaque, mild = bool(self._asked.opaque), bool(self._planner.mild)
        draws = tuple(replace(draw, missing=0) for draw in draws) if mild else draws
        return CollectionPlan(name, root, draws, self._most, self._limited, opaque, self._coupled, mild=mild)

    def _why(self) -> str:
        return "no document was found that satisfies the validator"

    def _tenants(self, seen: Grown) -> Mapping[str, tuple[Any, ...]]:
        """A few tenants, the same in all collections where they are told by values of a kind; not where each has one document."""
        alone = {fields for fields, _, _ in self._unique}
        free = {name: form for name in self._planner.tenants if (name,) not in alone and (form := seen.forms.get(name))}
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
        growing = self._planner.growing(self._collection.name, heeded)
        series = [self._series] if self._series else []
        root = growing.grow([*self._asked.schemas, *series, *self._asked.wishes])
        return root, growing.grown

    def _wished(self, grown: Grown) -> list[Schema]:
        """Fields that something speaks of and no validator knows."""
        arrays = frozenset(grown.arrays)
        ways: dict[str, Sequence[Step]] = {}
        found: list[Schema] = []
        for reference in self._planner.of_child(self._collection.name):
            for path, parent in zip(reference.children, reference.parents, strict=True):
                dbref = wishes.of_dbref(path, parent.collection)
                found += [dbref] if dbref is not None else []
                if dbref is None:
                    ways.setdefault(path.dotted, path.steps)
        for reference in self._planner.of_parent(self._collection.name):
            for child, parent in zip(reference.children, reference.parents, strict=True):
                ways.setdefault(parent.dotted, parent.steps)
                found += self._planner.as_child(child, parent)
        for name in wishes.indexed(self._indexes):
            ways.setdefault(name, wishes.steps_of(name, arrays | arrays_of(ways.values())))
        unknown = ((path, steps) for path, steps in ways.items() if path not in grown.fields)
        return [*found, *(wishes.wished(steps, _DATE if path in self._base.later else _ANYTHING) for path, steps in unknown)]

    def _left_out(self) -> list[tuple[str, Arrays | None]]:
        """The fields of references that have to stay empty; of a composite key its last is enough."""
        paths = [one.children[-1] for one in self._without]
        paths += [path for _, path in self._planner.elsewhere(self._collection.name)]
        return [(path.dotted, tuple(path.arrays)) for path in paths]

    def _unique_keys(self) -> list[tuple[tuple[str, ...], str, bool]]:
        """Fields of which no two documents have the same values, what says so, and whether each document has to have them."""
        name = self._collection.name
        found: dict[tuple[str, ...], tuple[str, bool]] = {("_id",): ("_id_", True)}
        if self._time_is_key():
            found[(self._time,)] = ("", True)
        for index in self._indexes:
            if index.unique and not any("$" in one for one in index.fields):
                found.setdefault(index.fields, (index.name, not index.sparse and index.partial_filter is None))
        for reference in self._planner.of_parent(name):
            found.setdefault(tuple(path.dotted for path in reference.parents), (reference.label, True))
        ordered = sorted(found.items(), key=lambda one: len(one[0]))
        return [(fields, label, whole) for fields, (label, whole) in ordered]

    def _time_is_key(self) -> bool:
        return bool(self._time)

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


def _example(growing: Growing, document: Mapping[str, Any], varied: Mapping[str, Member]) -> ObjectOf:
    """One document, of which all fields vary that nothing else hangs on; keys are what they were to be."""
    held = {
        name: Member(name, node) for name, value in document.items() if (node := growing.template(value, name, ())) is not None
    }
    return ObjectOf(tuple({**held, **varied}.values()))
