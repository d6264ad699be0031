"""Reads the documents of a collection as they are stored, batch by batch, and finds those of another by their ``_id``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from checks.pipelines.paths import Path, Within, dotted
from runner.surviving.bson_values import opened, options

if TYPE_CHECKING:
    from pymongo.collection import Collection

#: How many documents are looked up at a time.
BATCH = 1000


def batches(collection: Collection[Any]) -> Iterator[dict[bytes, Any]]:
    """All documents in the order of their ``_id``, by the bytes of it. Raises PyMongoError."""
    batch: dict[bytes, Any] = {}
    for raw in collection.with_options(codec_options=_raw()).find(batch_size=BATCH, sort=[("_id", 1)], allow_disk_use=True):
        batch[key_of(raw)] = raw
        if len(batch) == BATCH:
            yield batch
            batch = {}
    if batch:
        yield batch


def by_key(collection: Collection[Any], batch: Mapping[bytes, Any]) -> dict[bytes, Any]:
    """The documents of a collection that have the keys of a batch. Raises PyMongoError."""
    ids = [raw["_id"] for raw in batch.values()]
    found = collection.with_options(codec_options=_raw()).find({"_id": {"$in": ids}}, batch_size=len(ids) + 1)
    return {key_of(raw): raw for raw in found}


def key_of(raw: Any) -> bytes:  # noqa: ANN401 - a raw document
    """The ``_id`` of a document as bytes."""
    from bson import encode

    return encode({"_id": raw["_id"]}, codec_options=options())


def exists(collection: Collection[Any], wanted: set[Path]) -> set[Path]:
    """Which of these fields some document has, be it with null. Raises PyMongoError."""
    plain = {path: name for path in wanted if (name := dotted(path)) is not None and Within.ANY not in path}
    left = dict(plain)
    while left:
        asked = {"$or": [{name: {"$exists": True}} for name in left.values()]}
        document = collection.with_options(codec_options=options()).find_one(asked)
        if document is None:
            return (plain.keys() - left.keys()) | _by_hand(collection, wanted - plain.keys())
        here = {path for path in left if _holds(document, path)}
        if not here:  # a name that is a number, or an array where there was an object
            break
        left = {path: name for path, name in left.items() if path not in here}
    return (plain.keys() - left.keys()) | _by_hand(collection, wanted - (plain.keys() - left.keys()))


def _by_hand(collection: Collection[Any], wanted: set[Path]) -> set[Path]:
    """The same of names that no query can say."""
    found: set[Path] = set()
    for document in collection.with_options(codec_options=options()).find() if wanted else ():
        found |= {path for path in wanted - found if _holds(document, path)}
        if found == wanted:
            break
    return found


def _holds(value: Any, path: Sequence[Any]) -> bool:  # noqa: ANN401 - what a document may hold
    if not path:
        return True
    step, *rest = path
    value = opened(value)
    if step is Within.EACH:
        return isinstance(value, list) and any(_holds(one, rest) for one in value)
    if not isinstance(value, Mapping):
        return False
    if step is Within.ANY:
        return any(_holds(one, rest) for one in value.values())
    return step in value and _holds(value[step], rest)


@cache
def _raw() -> Any:  # noqa: ANN401 - of bson, which is not loaded at import
    from bson.raw_bson import RawBSONDocument

    return options().with_options(document_class=RawBSONDocument)
