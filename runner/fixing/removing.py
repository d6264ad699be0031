"""Removes the documents that were made, as far as nobody has changed them since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from runner.declaring.applying import Site
from runner.errors import ServerFailed
from runner.fixing.batches import batches, said
from runner.fixing.ledger import Entry, unchanged
from runner.targets.mongodb_sessions import said_plainly

if TYPE_CHECKING:
    from bson.raw_bson import RawBSONDocument


@dataclass(frozen=True)
class Removed:
    """What came of undoing: documents that were removed, those that somebody has changed since, those that are gone."""

    removed: int = 0
    changed: int = 0
    gone: int = 0


def undo(place: Site, entries: Iterator[Entry]) -> Removed:
    """Remove the documents that were made and are as they were made."""
    total = Removed()
    with said_plainly():
        for batch in batches(entries):
            for name in dict.fromkeys(entry.collection for entry in batch):
                one = _undone(place, name, [entry for entry in batch if entry.collection == name])
                total = Removed(total.removed + one.removed, total.changed + one.changed, total.gone + one.gone)
    return total


def _undone(place: Site, name: str, entries: Sequence[Entry]) -> Removed:
    """Remove those that are unchanged, unless somebody changes one at this moment."""
    from pymongo import DeleteOne
    from pymongo.errors import BulkWriteError

    there = _found(place, name, entries)
    found = [(entry, document) for entry in entries if (document := there.get(_identity(entry.identity))) is not None]
    removing = [
        DeleteOne({"_id": entry.identity, "$expr": {"$eq": [_WHOLE, {"$literal": document}]}})
        for entry, document in found
        if unchanged(document, entry)
    ]
    try:
        removed = place.database[name].bulk_write(removing, ordered=False).deleted_count if removing else 0
    except BulkWriteError as error:
        raise ServerFailed(f"{name}: {next(said(error), 'some documents could not be removed')}") from None
    return Removed(removed, len(found) - removed, len(entries) - len(found))


#: A document as it stands; MongoDB 5.0 compares `$$ROOT` by itself with nothing.
_WHOLE: Mapping[str, Any] = {"$mergeObjects": ["$$ROOT"]}


def _found(place: Site, name: str, entries: Sequence[Entry]) -> Mapping[bytes, RawBSONDocument]:
    from bson.codec_options import CodecOptions
    from bson.raw_bson import RawBSONDocument

    options: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
    raw = place.database.get_collection(name, codec_options=options)
    listed = cast("Iterator[RawBSONDocument]", raw.find({"_id": {"$in": [entry.identity for entry in entries]}}))
    return {_identity(one["_id"]): one for one in listed}


def _identity(value: object) -> bytes:
    from bson import encode

    return encode({"_id": value})
