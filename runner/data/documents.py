"""The repository's own documents, loaded file by file into collections: JSON, Parquet, BSON, archives of mongodump.

``companies.jsonl`` (or ``.ndjson``) holds one document a line; ``companies.json`` holds the same, or one array of documents.
Both are Extended JSON: ``{"$oid": …}``, ``{"$date": …}``, ``{"$numberDecimal": …}`` stand for BSON's own types.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks.evidence import LoadedFile, MigrationFailure
from checks.interface import Engine
from runner.data.own.document_files import Document, documents
from runner.data.own.loading import DEADLINE, NO_PROGRAMS, Programs, distinct
from runner.data.own.records import BATCH as BATCH
from runner.data.own.refusing import LATE, Refused, refused
from runner.data.own.sources import Entry, RowFile, resolved
from runner.migrations.inside.refusals import refusal

if TYPE_CHECKING:
    from bson import ObjectId
    from pymongo.database import Database

#: Bytes that go to the server at once, and the largest document that it takes.
_BYTES = 16 * 1024 * 1024
_LARGEST = 16 * 1024 * 1024


def load_documents(
    root: Path, files: Sequence[Entry], database: Database[dict[str, Any]], programs: Programs = NO_PROGRAMS
) -> tuple[LoadedFile, ...]:
    """Load files (paths relative to ``root``) up to the first that is refused; the rest are not tried.

    A refused file leaves no document. Raises UsageError for a missing file, PyMongoError where the server does not answer.
    """
    deadline = time.monotonic() + DEADLINE
    return distinct(_loaded(root, files, database, programs, deadline))


def _loaded(
    root: Path, files: Sequence[Entry], database: Database[dict[str, Any]], programs: Programs, deadline: float
) -> Iterator[LoadedFile]:
    broken = False
    for group in resolved(root, files, Engine.MONGODB):
        if group.command is not None:
            failure = None if broken else programs.command(group.command)
            broken = broken or failure is not None
            yield LoadedFile(group.names[0], failure)
        for file in group.files:
            failure = None if broken else _load(file, database, deadline)
            broken = broken or failure is not None
            yield LoadedFile(file.name, failure)


def _load(file: RowFile, database: Database[dict[str, Any]], deadline: float) -> MigrationFailure | None:
    """Load one file; gives why it was refused, or ``None``."""
    inserted = _Inserted()
    try:
        for several in _batches(_encoded(file, inserted)):
            if time.monotonic() > deadline:
                raise refused(file.name, several[0].line, LATE, timed_out=True)
            _insert(several, file, database, inserted)
    except Refused as wrong:
        _take_back(file, database, inserted)
        return wrong.failure
    return None


@dataclass
class _Inserted:
    """How many documents were inserted, and the keys that were made for those that had none: by their first nine bytes."""

    number: int = 0
    collections: set[str] = field(default_factory=set)
    prefixes: list[bytes] = field(default_factory=list)
    _made: int = 0

    def key(self) -> ObjectId:
        """A key that is nobody else's."""
        from bson import ObjectId

        if self._made % (1 << 24) == 0:
            self.prefixes.append(int(time.time()).to_bytes(4, "big") + os.urandom(5))
        self._made += 1
        return ObjectId(self.prefixes[-1] + ((self._made - 1) % (1 << 24)).to_bytes(3, "big"))


def _take_back(file: RowFile, database: Database[dict[str, Any]], inserted: _Inserted) -> None:
    """Delete what a refused file has inserted: by the keys that were made, and by those that its documents have, read again."""
    from bson import ObjectId

    for name in inserted.collections:
        for prefix in inserted.prefixes:
            ends = {"$gte": ObjectId(prefix + bytes(3)), "$lte": ObjectId(prefix + b"\xff" * 3)}
            database[name].delete_many({"_id": ends})
    again = islice(_encoded(file, _Inserted()), inserted.number)
    for several in _batches(again):
        keys = [one.content["_id"] for one in several]
        database[several[0].collection].delete_many({"_id": {"$in": keys}})


def _encoded(file: RowFile, inserted: _Inserted) -> Iterator[Document]:
    """The documents as they are sent; what is no BSON is refused here, where its line is known."""
    from bson import encode
    from bson.errors import BSONError
    from bson.raw_bson import RawBSONDocument

    for one in documents(file):
        content = one.content
        if not isinstance(content, RawBSONDocument) or "_id" not in content:
            plain = dict(content) if "_id" in content else {"_id": inserted.key(), **content}
            try:
                content = RawBSONDocument(encode(plain))
            except (BSONError, OverflowError) as wrong:
                raise _refused(file, one, f"is not BSON: {wrong}") from None
        if len(content.raw) > _LARGEST:
            raise _refused(file, one, f"the document has {len(content.raw)} bytes, and the server takes {_LARGEST}")
        yield Document(one.line, one.collection, content)


def _batches(items: Iterator[Document]) -> Iterator[list[Document]]:
    """As many documents of one collection as one message takes; so what has been inserted is always the beginning of a file."""
    several: list[Document] = []
    size = 0
    for one in items:
        length = len(one.content.raw)
        full = len(several) == BATCH or size + length > _BYTES
        if several and (full or one.collection != several[0].collection):
            yield several
            several, size = [], 0
        several.append(one)
        size += length
    if several:
        yield several


def _insert(several: Sequence[Document], file: RowFile, database: Database[dict[str, Any]], inserted: _Inserted) -> None:
    from pymongo.errors import BulkWriteError, InvalidName

    name = several[0].collection
    inserted.collections.add(name)
    try:
        database[name].insert_many([one.content for one in several])
    except BulkWriteError as error:
        first = error.details["writeErrors"][0]
        inserted.number += first["index"]
        said, detail = refusal(first["code"], str(first["errmsg"]), first)
        raise _refused(file, several[first["index"]], said, str(first["code"]), detail) from None
    except InvalidName as wrong:
        raise _refused(file, several[0], str(wrong)) from None
    inserted.number += len(several)


def _refused(file: RowFile, one: Document, said: str, code: str = "", detail: str = "") -> Refused:
    statement = f"db.{one.collection}.insertOne(…)"
    return refused(file.name, one.line, said, statement=statement, code=code, detail=detail)
