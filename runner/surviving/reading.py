"""Reads the documents of a collection as they are stored, batch by batch, and finds those of another by their ``_id``."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from checks.pipelines.paths import Path, Within, dotted
from runner.surviving.bson_values import opened, options

if TYPE_CHECKING:
    from pymongo.collection import Collection

#: How many documents are looked up at a time.
BATCH = 1000
#: Where the first field of a document begins, its ``_id``: behind the length (bsonspec.org); the kind comes first, then the name.
_FIRST, _NAME = 4, b"_id\x00"
#: How many bytes a value of a kind has; those that begin with their own length have so many in addition to what it says.
_BYTES = {0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16, 0x7F: 0, 0xFF: 0}
_MORE = {0x02: 4, 0x03: 0, 0x04: 0, 0x05: 5, 0x0D: 4, 0x0E: 4}

#: Documents as they are stored, by the bytes of their ``_id``.
Batch = dict[bytes, bytes]


def batches(collection: Collection[Any]) -> Iterator[Batch]:
    """All documents in the order of their ``_id``. Raises PyMongoError."""
    batch: Batch = {}
    for raw in _split(collection.find_raw_batches(batch_size=BATCH, sort=[("_id", 1)], allow_disk_use=True)):
        batch[_key(raw)] = raw
        if len(batch) == BATCH:
            yield batch
            batch = {}
    if batch:
        yield batch


def by_key(collection: Collection[Any], batch: Batch) -> Batch:
    """The documents of a collection that have the keys of a batch. Raises PyMongoError."""
    wanted = {"_id": {"$in": [id_of(key) for key in batch]}}
    return {_key(raw): raw for raw in _split(collection.find_raw_batches(wanted, batch_size=BATCH + 1))}


def id_of(key: bytes) -> Any:  # noqa: ANN401 - what an _id may be
    """An ``_id`` by its bytes."""
    return decoded(struct.pack("<i", len(key) + 5) + key + b"\x00")["_id"]


def decoded(raw: bytes) -> dict[str, Any]:
    """A document with its values as they are stored."""
    decode, known = _decoding()
    return decode(raw, codec_options=known)


def _split(found: Iterable[bytes]) -> Iterator[bytes]:
    for several in found:
        place = 0
        while place < len(several):
            (length,) = struct.unpack_from("<i", several, place)
            yield several[place : place + length]
            place += length


def _key(raw: bytes) -> bytes:
    """The first field with its kind and name: a server stores the ``_id`` in front."""
    kind, start = raw[_FIRST], _FIRST + 1 + len(_NAME)
    if raw[_FIRST + 1 : start] != _NAME or (kind not in _BYTES and kind not in _MORE):
        return _written({"_id": decoded(raw)["_id"]})
    if kind in _BYTES:
        return raw[_FIRST : start + _BYTES[kind]]
    (length,) = struct.unpack_from("<i", raw, start)
    return raw[_FIRST : start + length + _MORE[kind]]


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


def _written(document: Mapping[str, Any]) -> bytes:
    """The fields of a document as they are stored."""
    from bson import encode

    return encode(document, codec_options=options())[_FIRST:-1]


@cache
def _decoding() -> tuple[Callable[..., dict[str, Any]], Any]:
    from bson import decode

    return decode, options()
