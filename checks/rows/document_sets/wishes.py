"""What references, indexes and collections of a kind want of documents beside the validator, as schemas and values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from checks.declared.across import CrossReference
from checks.declared.documents import DBREF_KEY, DocumentExpectations, DocumentReference, FieldPath, Step
from checks.jsonschema.matching import Schema
from checks.rows.sets.wishes import Wishes
from checks.schema.collections import Collection, CollectionIndex

#: Places on earth.
_POINTS = tuple((float(longitude), float(latitude)) for longitude in range(-170, 180, 50) for latitude in range(-80, 90, 20))
_EARTH: tuple[Any, ...] = tuple({"type": "Point", "coordinates": list(point)} for point in _POINTS)
_FLAT: tuple[Any, ...] = tuple(list(point) for point in _POINTS)
#: What the server takes for a document's own language, where a text index is.
_LANGUAGES = ("english", "french", "german", "none")
#: Where measurements come from, if nothing else is said of it.
_SOURCES = tuple(f"source {number}" for number in range(1, 13))


@dataclass(frozen=True)
class DocumentWishes(Wishes):
    """What is to be heeded of documents beside what the server holds: ``expect`` is what is declared of them.

    ``elsewhere`` are references to other databases, whose keys are not known here.
    """

    expect: DocumentExpectations = field(default_factory=DocumentExpectations)
    elsewhere: tuple[CrossReference, ...] = ()


def wished(steps: Sequence[Step], inner: Schema) -> Schema:
    """A schema in which a field is known, at the end of a way through sub-documents and arrays."""
    schema = inner
    for step in reversed(steps):
        for _ in range(step.each):
            schema = {"items": schema}
        schema = {"properties": {step.name: schema}}
    return schema


def of_dbref(path: FieldPath, parent: str) -> Schema | None:
    """The sub-document that a driver takes for a reference, where the field is the key in one."""
    if path.steps[-1].name != DBREF_KEY:
        return None
    inner: Schema = {
        "bsonType": "object",
        "required": ["$ref", DBREF_KEY],
        "properties": {"$ref": {"enum": [parent]}, DBREF_KEY: {"not": {"bsonType": "null"}}},
    }
    return wished(path.steps[:-1], inner)


def steps_of(dotted: str, arrays: frozenset[str]) -> tuple[Step, ...]:
    """The way to a field of an index, through what are known to be arrays."""
    names = dotted.split(".")
    return tuple(Step(name, int(".".join(names[:end]) in arrays)) for end, name in enumerate(names, 1))


def indexed(indexes: Sequence[CollectionIndex]) -> Iterator[str]:
    """The fields of indexes that have a name of their own."""
    for index in indexes:
        yield from (name for name in index.fields if "$" not in name and index.name != "_id_")


def pools_of(indexes: Sequence[CollectionIndex]) -> dict[str, tuple[Any, ...]]:
    """Values that indexes want in fields: places where places are, languages that the server knows."""
    pools: dict[str, tuple[Any, ...]] = {}
    for index in indexes:
        for name, kind in index.keys:
            if kind in ("2dsphere", "2d", "geoHaystack"):
                pools[name] = _EARTH if kind == "2dsphere" else _FLAT
            elif kind == "text":
                pools[str(index.options.get("language_override", "language"))] = _LANGUAGES
    return pools


def of_time_series(collection: Collection) -> tuple[Schema | None, str, dict[str, tuple[Any, ...]]]:
    """What a time series asks of its documents, its field of time, and values of the field that says where they come from."""
    series = collection.options.get("timeseries")
    if not series:
        return None, "", {}
    time, meta = str(series["timeField"]), series.get("metaField")
    schema: Schema = {"required": [time], "properties": {time: {"bsonType": "date"}, **({str(meta): {}} if meta else {})}}
    return schema, time, {str(meta): _SOURCES} if meta else {}


def dates_that_expire(collection: Collection, time: str) -> frozenset[str]:
    """Fields whose dates the server deletes documents by."""
    listed = {name for index in collection.indexes if index.expire_after_seconds is not None for name in index.fields}
    return frozenset(listed | ({time} if time and "expireAfterSeconds" in collection.options else set()))


def is_encrypted(collection: Collection, validators: Sequence[Any]) -> bool:
    """Whether values of it are encrypted before they are sent, which nobody can do for their owner."""
    return "encryptedFields" in collection.options or any(map(_encrypts, validators))


def _encrypts(value: Any) -> bool:  # noqa: ANN401 - whatever a validator holds
    if isinstance(value, dict):
        return any(
            (name in ("encrypt", "encryptMetadata") and isinstance(inner, dict) and "bsonType" not in value) or _encrypts(inner)
            for name, inner in value.items()
        )
    return isinstance(value, list) and any(map(_encrypts, value))


def first_of_each(references: Sequence[DocumentReference]) -> tuple[DocumentReference, ...]:
    """References without those that are declared twice."""
    return tuple(dict.fromkeys(references))
