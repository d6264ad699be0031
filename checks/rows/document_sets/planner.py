"""Plans how collections are filled, from their validators and indexes and from what is declared; no server is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from checks.declared.documents import DocumentReference
from checks.jsonschema.matching import Fits, Matching, UnknownPattern
from checks.rows.document_sets import wishes
from checks.rows.document_sets.growing import Growing
from checks.rows.document_sets.heeded import Heeded
from checks.rows.document_sets.known import KnownCollections
from checks.rows.document_sets.plan import CollectionPlan, Form, Member, Node, ObjectOf, OneOf
from checks.rows.document_sets.planning import Planning
from checks.rows.document_sets.writing import sampled
from checks.schema.collections import Collection, CollectionKind, Collections

#: Documents that stand for others where fields go together in a way that only the server knows.
EXAMPLES = 200


class Planner(KnownCollections):
    """Plans one database. ``fits`` says of patterns that only the server can read whether a text fits them."""

    def __init__(self, collections: Collections, asked: wishes.DocumentWishes, seed: int, fits: Fits | None = None) -> None:
        super().__init__(collections, asked)
        self._seed = seed
        self._matching = Matching(fits)
        self._grown: dict[str, Growing] = {}
        self._known: dict[str, dict[str, Node | Form | None]] = {}

    def planned(self, name: str, without: frozenset[DocumentReference] = frozenset()) -> CollectionPlan:
        """How a collection is filled, or why it is not; ``without`` are references whose fields have to stay empty."""
        collection = self.collection[name]
        if collection.kind is CollectionKind.VIEW:
            return CollectionPlan(name, reason="is a view")
        validators = self.validators(collection)
        if wishes.is_encrypted(collection, validators):
            return CollectionPlan(name, reason="holds encrypted fields, which only the application can write")
        try:
            return self._plan(collection, validators, without)
        except UnknownPattern as pattern:
            return CollectionPlan(name, reason=f"the pattern {pattern} is known to the server only")

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
        for asked in self.askings(collection, validators):
            plan = Planning(self, collection, asked, without, partial(self._growing, collection.name)).plan()
            if not plan.reason:
                return plan
        label = next((label for label, _ in self.elsewhere(collection.name)), "")
        return replace(plan, reason=f"{label} refers to another database, whose keys are not known here") if label else plan

    def _growing(self, name: str, heeded: Heeded) -> Growing:
        """What grows the tree of a collection; the last one is remembered."""
        self._grown[name] = Growing(self._matching, heeded, sampled, f"{self._seed}/{name}", self._known.setdefault(name, {}))
        return self._grown[name]


def _example(growing: Growing, document: Mapping[str, Any], varied: Mapping[str, Member]) -> ObjectOf:
    """One document, of which all fields vary that nothing else hangs on; keys are what they were to be."""
    held = {
        name: Member(name, node) for name, value in document.items() if (node := growing.template(value, name, ())) is not None
    }
    return ObjectOf(tuple({**held, **varied}.values()))
