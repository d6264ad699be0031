"""Compares the documents of one collection in two databases, by their ``_id``, batch by batch: memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pymongo.collection import Collection
    from pymongo.database import Database

#: How many documents are looked up at a time.
BATCH = 1000


@dataclass
class Unlike:
    """How many documents are there no more, are there in addition, or hold something else, with the ``fields`` concerned."""

    missing: int = 0
    extra: int = 0
    changed: int = 0
    fields: set[str] = field(default_factory=set)


def unlike(before: Database[Any], after: Database[Any], name: str) -> Unlike:
    """What became of the documents of a collection. Raises PyMongoError."""
    found, seen = Unlike(), 0
    for batch in _batches(before[name]):
        now = _by_key(after[name], batch)
        for key, raw in batch.items():
            if key not in now:
                found.missing += 1
                continue
            seen += 1
            if not _reordered(raw.raw, now[key].raw):
                _compare(found, _read(raw.raw), _read(now[key].raw))
    found.extra = after[name].count_documents({}) - seen
    return found


def canonical(document: Mapping[str, Any]) -> bytes:
    """A document as BSON with its fields in the order of their names, at every depth."""
    from bson import encode

    return encode(_sorted(document), codec_options=_options())


def _reordered(was: bytes, now: bytes) -> bool:
    """Whether two documents are surely the same but for the order of their fields; cheap, and strict about types.

    Another order of fields has the same bytes in other places. Dictionaries are equal in any order, but so are 1 and 1.0,
    whose bytes differ.
    """
    if was == now:
        return True
    return len(was) == len(now) and sum(was) == sum(now) and _read(was) == _read(now)


def _compare(found: Unlike, was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    if canonical(was) == canonical(now):
        return
    found.changed += 1
    names = was.keys() | now.keys()
    found.fields.update(name for name in names if not _same(name, was, now))


def _same(name: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    if (name in was) != (name in now):
        return False
    return canonical({name: was[name]}) == canonical({name: now[name]})


def _sorted(value: Any) -> Any:  # noqa: ANN401 - what a document may hold
    if isinstance(value, Mapping):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value


def _batches(collection: Collection[Any]) -> Iterator[dict[bytes, Any]]:
    batch: dict[bytes, Any] = {}
    for raw in collection.with_options(codec_options=_raw()).find(batch_size=BATCH):
        batch[_key(raw)] = raw
        if len(batch) == BATCH:
            yield batch
            batch = {}
    if batch:
        yield batch


def _by_key(collection: Collection[Any], batch: Mapping[bytes, Any]) -> dict[bytes, Any]:
    ids = [raw["_id"] for raw in batch.values()]
    return {_key(raw): raw for raw in collection.with_options(codec_options=_raw()).find({"_id": {"$in": ids}})}


def _key(raw: Any) -> bytes:  # noqa: ANN401 - a raw document
    from bson import encode

    return encode({"_id": raw["_id"]}, codec_options=_options())


def _read(raw: bytes) -> dict[str, Any]:
    from bson import decode

    return decode(raw, codec_options=_options())


@cache
def _options() -> Any:  # noqa: ANN401 - of bson, which is not loaded at import
    """Values as they are stored: dates that Python has no name for as numbers, text that is no UTF-8 with U+FFFD."""
    from bson.binary import UuidRepresentation
    from bson.codec_options import CodecOptions, DatetimeConversion

    return CodecOptions(
        datetime_conversion=DatetimeConversion.DATETIME_AUTO,
        unicode_decode_error_handler="replace",
        uuid_representation=UuidRepresentation.STANDARD,
        tz_aware=True,
    )


@cache
def _raw() -> Any:  # noqa: ANN401 - of bson, which is not loaded at import
    from bson.raw_bson import RawBSONDocument

    return _options().with_options(document_class=RawBSONDocument)
