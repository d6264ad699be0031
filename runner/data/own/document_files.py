"""Documents as files hold them: Extended JSON, Parquet, BSON as mongodump writes it, and its archives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

from runner.data.own import json_files, parquet
from runner.data.own.refusing import refused
from runner.data.own.sources import RowFile
from runner.data.own.texts import raw
from runner.errors import UsageError
from runner.settings.loading import Format

if TYPE_CHECKING:
    from bson.raw_bson import RawBSONDocument

#: What an archive begins with, and what ends a part of it (mongo-tools, ``common/archive``).
_MAGIC = (0x8199E26D).to_bytes(4, "little")
_END = b"\xff\xff\xff\xff"
#: A document of BSON has at least its length and its end.
_LEAST = 5


@dataclass(frozen=True, slots=True)
class Document:
    """A document and its collection. ``line`` counts from 1: a text's line, else the number of the document."""

    line: int
    collection: str
    content: Any


def documents(file: RowFile) -> Iterator[Document]:
    """The documents of a file, one at a time. Raises Refused for what is not the format."""
    if file.format is Format.PARQUET:
        for record in parquet.rows(file):
            values = zip(record.columns, map(_bson, record.values), strict=True)
            yield Document(record.line, file.table, dict(values))
    elif file.format is Format.BSON:
        with raw(file) as (stream, _):
            for number, one in enumerate(_raw_documents(stream, file), 1):
                yield Document(number, file.table, one)
    elif file.format is Format.ARCHIVE:
        yield from _archived(file)
    else:
        for line, content in json_files.objects(file, _decoder(), "Extended JSON"):
            yield Document(line, file.table, content)


def _decoder() -> json.JSONDecoder:
    from bson.json_util import DEFAULT_JSON_OPTIONS, object_pairs_hook

    return json.JSONDecoder(object_pairs_hook=lambda pairs: object_pairs_hook(pairs, DEFAULT_JSON_OPTIONS))


def _bson(value: Any) -> Any:  # noqa: ANN401 - whatever a file holds
    """A value of Parquet as a driver stores it: a date as midnight, a decimal with all its digits."""
    from bson import Decimal128

    if isinstance(value, Decimal):
        return Decimal128(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, dict):
        return {name: _bson(one) for name, one in value.items()}
    return [_bson(one) for one in value] if isinstance(value, list) else value


def _raw_documents(stream: IO[bytes], file: RowFile) -> Iterator[RawBSONDocument]:
    """Documents up to the end of a stream."""
    number = 0
    while start := stream.read(4):
        number += 1
        yield _raw_document(start, stream, file, number)


def _raw_document(start: bytes, stream: IO[bytes], file: RowFile, number: int) -> RawBSONDocument:
    from bson.errors import BSONError
    from bson.raw_bson import RawBSONDocument

    length = int.from_bytes(start, "little", signed=True)
    if len(start) < 4 or length < _LEAST or length > _LONGEST:
        raise refused(file.name, number, "is not BSON: no document begins here")
    content = start + stream.read(length - 4)
    if len(content) < length or content[-1]:
        raise refused(file.name, number, "is not BSON: the document does not end")
    try:
        return RawBSONDocument(content)
    except BSONError as wrong:
        raise refused(file.name, number, f"is not BSON: {wrong}") from None


#: More than a server ever stores in a document, with what its commands add to one.
_LONGEST = 64 * 1024 * 1024


def _archived(file: RowFile) -> Iterator[Document]:
    """The documents of an archive: parts, each with a header that names its collection, one after the other or in turns."""
    with raw(file) as (stream, _):
        if stream.read(4) != _MAGIC:
            raise refused(file.name, None, "is no archive of mongodump")
        names = {(one["db"], one["collection"]) for one in _part(stream, file) if "collection" in one}
        _hold_one_database(names, file)
        number = 0
        while header := next(found := _part(stream, file), None):
            collection = str(header.get("collection", ""))
            for content in found:
                number += 1
                if not collection.startswith("system."):
                    yield Document(number, collection, content)


def _hold_one_database(names: set[tuple[str, str]], file: RowFile) -> None:
    found = sorted({database for database, _ in names if database not in ("admin", "config", "local")})
    if len(found) > 1:
        raise UsageError(
            f"{file.name} holds several databases: {', '.join(found)}", "Make an archive of one: mongodump --archive --db NAME."
        )


def _part(stream: IO[bytes], file: RowFile) -> Iterator[RawBSONDocument]:
    """The documents of a part of an archive, up to its end."""
    number = 0
    while (start := stream.read(4)) != _END:
        if not start and not number:
            return
        number += 1
        yield _raw_document(start, stream, file, number)
