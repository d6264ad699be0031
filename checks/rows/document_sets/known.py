"""What is known of the collections that are filled: what validators, indexes and references say, there or declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from checks.declared.documents import DocumentReference, FieldPath
from checks.jsonschema.denials import with_field
from checks.jsonschema.matching import Schema
from checks.rows.document_sets import wishes
from checks.rows.document_sets.paths import kinds_of, knows
from checks.rows.documents import parts, plain, said
from checks.schema.collections import Collection, CollectionIndex, CollectionKind, Collections
from checks.schema.validators import same

_ID: Schema = with_field("_id", {"not": {"bsonType": ["array", "regex"]}, "$prefer": ["objectId"]})


@dataclass
class Asked:
    """What is asked of one collection's documents, gathered once."""

    schemas: list[Schema]
    opaque: list[Mapping[str, Any]]
    wishes: list[Schema] = field(default_factory=list)


class KnownCollections:
    """The collections of one database, and what is asked of their documents.

    ``tenants`` are the fields that say whose a document is, ``references`` those between collections. With ``mild`` nothing is
    missing or awkward, and up to so many documents each have values of their own.
    """

    def __init__(self, collections: Collections, asked: wishes.DocumentWishes) -> None:
        self.collection = collections.collection
        self.mild = asked.mild
        self.tenants = asked.tenants
        self.references = wishes.first_of_each(asked.expect.references)
        self._expect = asked.expect
        self._elsewhere = asked.elsewhere

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

    def askings(self, collection: Collection, validators: Sequence[Mapping[str, Any]]) -> Sequence[Asked]:
        """All validators together; where they contradict each other, the first alone."""
        series = collection.kind is CollectionKind.TIME_SERIES
        several = [[*map(plain, validators)], *([[plain(validators[0])]] if len(validators) > 1 else [])]
        listed = []
        for some in several:
            each = list(chain.from_iterable(map(parts, some)))
            schemas = [one for one in map(said, each) if one is not None]
            listed.append(Asked([_ID, *schemas], [] if series else [one for one in each if said(one) is None]))
        return listed

    def elsewhere(self, name: str) -> Sequence[tuple[str, FieldPath]]:
        """The references of a collection's documents to other databases, with their fields."""
        found = [(one.label, one.child.path) for one in self._elsewhere]
        return [(label, path) for label, path in found if isinstance(path, FieldPath) and path.collection == name]

    def has(self, name: str, path: str) -> bool:
        """Whether a collection's documents have a field, as far as validators, indexes and references say."""
        collection = self.collection.get(name)
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
            knows(schema, path) for asked in self.askings(collection, self.validators(collection)) for schema in asked.schemas
        )
        return known or path in spoken_of

    def as_child(self, child: FieldPath, parent: FieldPath) -> Sequence[Schema]:
        """What a child's schema says of the types of its parent's key, where nothing else says it."""
        theirs, own = (self._kinds(path) for path in (child, parent))
        kinds = [one for one in theirs if one not in ("null", "array", "object")]
        return [wishes.wished(parent.steps, {"bsonType": kinds})] if kinds and not own else []

    def _kinds(self, path: FieldPath) -> Sequence[str]:
        collection = self.collection.get(path.collection)
        validators = self.validators(collection) if collection else ()
        return next((kinds for one in validators if (kinds := kinds_of(one.get("$jsonSchema", {}), path.dotted.split(".")))), ())

    def of_child(self, name: str) -> Sequence[DocumentReference]:
        """The references of a collection's documents to others."""
        return [one for one in self.references if one.child.collection == name]

    def of_parent(self, name: str) -> Sequence[DocumentReference]:
        """The references of others to a collection's documents."""
        return [one for one in self.references if one.parent.collection == name]
