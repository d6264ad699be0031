"""What a document database holds: its collections with their validators and indexes, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from checks.schema.names import ObjectKind, ObjectReference


class ValidationLevel(StrEnum):
    """Which writes a validator looks at: none, those to documents that were valid before, all."""

    OFF = "off"
    MODERATE = "moderate"
    STRICT = "strict"


class ValidationAction(StrEnum):
    """What a validator does with a document that it does not like."""

    ERROR = "error"
    WARN = "warn"
    ERROR_AND_LOG = "errorAndLog"

    @property
    def refuses(self) -> bool:
        """Whether the document is not written (``errorAndLog``, of MongoDB 8.1 and later, refuses it too)."""
        return self is not ValidationAction.WARN


class CollectionKind(StrEnum):
    """What stands behind a collection's name. A view and a time series take no validator of their own."""

    COLLECTION = "collection"
    VIEW = "view"
    TIME_SERIES = "timeseries"


@dataclass(frozen=True)
class CollectionIndex:
    """An index. ``keys`` are its fields in order, each with 1, -1 or the kind of index (``text``, ``2dsphere``, ``hashed``).

    ``options`` are the server's further words about it (``weights`` of a text index, for one).
    """

    name: str
    keys: tuple[tuple[str, int | str], ...]
    unique: bool = False
    sparse: bool = False
    partial_filter: Mapping[str, Any] | None = field(default=None, hash=False)
    expire_after_seconds: int | None = None
    collation: Mapping[str, Any] | None = field(default=None, hash=False)
    hidden: bool = False
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of its fields, in order."""
        return tuple(name for name, _ in self.keys)


@dataclass(frozen=True)
class Collection:
    """A collection. ``validator`` is ``None`` where there is none; ``documents`` is the server's own count (0 of a view).

    ``options`` are what it was made with besides its validator (``capped``, ``size``, ``collation``, ``timeseries``,
    ``clusteredIndex``; ``viewOn`` and ``pipeline`` of a view). ``indexes`` are in the order of their names, ``_id_`` included.
    Of a collection that is not ``readable`` (the user of a given address lacks the right) indexes and documents are not known.
    """

    name: str
    validator: Mapping[str, Any] | None = field(default=None, hash=False)
    validation_level: ValidationLevel = ValidationLevel.STRICT
    validation_action: ValidationAction = ValidationAction.ERROR
    indexes: tuple[CollectionIndex, ...] = ()
    documents: int = 0
    kind: CollectionKind = CollectionKind.COLLECTION
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    readable: bool = True

    @cached_property
    def index(self) -> Mapping[str, CollectionIndex]:
        """Indexes by name."""
        return {index.name: index for index in self.indexes}

    @property
    def reference(self) -> ObjectReference:
        """What provenance is kept under."""
        return collection_reference(self.name)


@dataclass(frozen=True)
class Collections:
    """Every collection that is judged, in the order of names: the server's own and those of migration tools are left out.

    ``database`` is the name of the database that holds them.
    """

    all: tuple[Collection, ...] = ()
    database: str = ""

    @cached_property
    def collection(self) -> Mapping[str, Collection]:
        """Collections by name."""
        return {collection.name: collection for collection in self.all}


def collection_reference(collection: str) -> ObjectReference:
    """What provenance of a collection is kept under."""
    return ObjectReference(ObjectKind.COLLECTION, "", collection)


def validator_reference(collection: str) -> ObjectReference:
    """What provenance of a collection's validator is kept under."""
    return ObjectReference(ObjectKind.VALIDATOR, "", collection)


def index_reference(collection: str, index: str) -> ObjectReference:
    """What provenance of an index of a collection is kept under."""
    return ObjectReference(ObjectKind.INDEX, "", collection, index)
