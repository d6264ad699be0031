"""The repository's own documents: files of JSON, loaded in order, each into the collection that it is named after.

``companies.jsonl`` (or ``.ndjson``) holds one document a line; ``companies.json`` holds the same, or one array of documents.
Both are Extended JSON: ``{"$oid": …}``, ``{"$date": …}``, ``{"$numberDecimal": …}`` stand for BSON's own types.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from checks.evidence import LoadedFile, MigrationFailure, Place
from runner.errors import UsageError
from runner.migrations.inside.refusals import refusal

if TYPE_CHECKING:
    from bson.raw_bson import RawBSONDocument
    from pymongo.database import Database

#: How many documents go to the server at once.
BATCH = 1_000

_BLANK = " \t\r\n\ufeff"


class _Refused(Exception):
    def __init__(self, failure: MigrationFailure) -> None:
        super().__init__(failure.said)
        self.failure = failure


@dataclass(frozen=True)
class _Document:
    line: int
    content: dict[str, Any]


def load_documents(root: Path, files: Sequence[str], database: Database[dict[str, Any]]) -> tuple[LoadedFile, ...]:
    """Load files (paths relative to ``root``) up to the first that is refused; the rest are not tried.

    A refused file leaves no document. Raises UsageError for a missing file, PyMongoError where the server does not answer.
    """
    missing = [file for file in files if not (root / file).is_file()]
    if missing:
        raise UsageError(f"there is no file {missing[0]} in {root}", "Paths in `load` start at the repository's root.")
    return tuple(_loaded(root, files, database))


def _loaded(root: Path, files: Sequence[str], database: Database[dict[str, Any]]) -> Iterator[LoadedFile]:
    refused = False
    for file in files:
        failure = None if refused else _load(root / file, file, database)
        refused = refused or failure is not None
        yield LoadedFile(file, failure)


def _load(path: Path, file: str, database: Database[dict[str, Any]]) -> MigrationFailure | None:
    """Load one file; gives why it was refused, or ``None``."""
    collection = database[PurePosixPath(file).stem]
    inserted: list[Any] = []
    try:
        for several in _batches(_documents(path, file)):
            _insert(several, file, collection, inserted)
    except _Refused as refused:
        for ids in _batches(iter(inserted)):
            collection.delete_many({"_id": {"$in": list(ids)}})
        return refused.failure
    return None


def _insert(documents: Sequence[_Document], file: str, collection: Any, inserted: list[Any]) -> None:  # noqa: ANN401
    from pymongo.errors import BulkWriteError

    encoded = [_encoded(one, file, collection.name) for one in documents]
    try:
        collection.insert_many(encoded)
    except BulkWriteError as error:
        first = error.details["writeErrors"][0]
        said, detail = refusal(first["code"], str(first["errmsg"]), first)
        inserted += [one.content["_id"] for one in documents[: first["index"]]]
        line = documents[first["index"]].line
        raise _Refused(_failure(file, line, collection.name, said, str(first["code"]), detail)) from None
    inserted += [one.content["_id"] for one in documents]


def _encoded(document: _Document, file: str, collection: str) -> RawBSONDocument:
    """The document as it is sent; what is no BSON is refused here, where its line is known."""
    from bson import ObjectId, encode
    from bson.errors import BSONError
    from bson.raw_bson import RawBSONDocument

    document.content.setdefault("_id", ObjectId())
    try:
        encoded = encode(document.content)
    except (BSONError, OverflowError) as error:
        raise _Refused(_failure(file, document.line, collection, f"is not BSON: {error}")) from None
    if len(encoded) > _LARGEST:
        said = f"the document has {len(encoded)} bytes, and the server takes {_LARGEST}"
        raise _Refused(_failure(file, document.line, collection, said))
    return RawBSONDocument(encoded)


#: The largest document that a server takes, in bytes.
_LARGEST = 16 * 1024 * 1024

_T = TypeVar("_T")


def _batches(items: Iterator[_T]) -> Iterator[list[_T]]:
    while several := list(islice(items, BATCH)):
        yield several


def _failure(file: str, line: int, collection: str, said: str, code: str = "", detail: str = "") -> MigrationFailure:
    return MigrationFailure(None, Place(file, line), f"db.{collection}.insertOne(…)", code, said, detail)


def _documents(path: Path, file: str) -> Iterator[_Document]:
    """The documents of a file with the lines that they begin at; raises _Refused where it is no JSON."""
    with path.open(encoding="utf-8-sig") as lines:
        try:
            first = _first(lines)
            lines.seek(0)
            yield from _array(lines.read(), file, path.stem) if first == "[" else _lines(lines, file, path.stem)
        except UnicodeDecodeError as wrong:
            raise _Refused(_failure(file, 1, path.stem, f"is not UTF-8: {wrong.reason}")) from None


def _first(lines: Iterable[str]) -> str:
    """The first character that is not blank."""
    return next((line.strip(_BLANK)[0] for line in lines if line.strip(_BLANK)), "")


def _lines(lines: Iterable[str], file: str, collection: str) -> Iterator[_Document]:
    decoder = _decoder()
    for number, line in enumerate(lines, 1):
        if text := line.strip(_BLANK):
            yield _decoded(decoder, text, 0, number, file, collection)[0]


def _array(text: str, file: str, collection: str) -> Iterator[_Document]:
    decoder = _decoder()
    position, line = text.index("[") + 1, 1 + text.count("\n", 0, text.index("["))
    while True:
        start = _skip(text, position, _BLANK + ",")
        line += text.count("\n", position, start)
        if text[start : start + 1] == "]":
            return
        document, end = _decoded(decoder, text, start, line, file, collection)
        yield document
        line += text.count("\n", start, end)
        position = end


def _skip(text: str, position: int, blank: str) -> int:
    while position < len(text) and text[position] in blank:
        position += 1
    return position


def _decoded(decoder: json.JSONDecoder, text: str, start: int, line: int, file: str, collection: str) -> tuple[_Document, int]:
    """The document at a position, and where it ends; on a line of its own nothing may stand behind it."""
    from bson.errors import BSONError

    try:
        content, end = decoder.raw_decode(text, start)
        if start == 0 and text[end:].strip():
            raise json.JSONDecodeError("Extra data", text, end)
    except json.JSONDecodeError as wrong:
        at = line + text.count("\n", start, wrong.pos)
        raise _Refused(_failure(file, at, collection, f"is not JSON: {wrong.msg} (column {wrong.colno})")) from None
    except (BSONError, ValueError, TypeError) as wrong:
        raise _Refused(_failure(file, line, collection, f"is not Extended JSON: {wrong}")) from None
    if not isinstance(content, dict):
        raise _Refused(_failure(file, line, collection, "expected a document, an object in braces"))
    return _Document(line, content), end


def _decoder() -> json.JSONDecoder:
    from bson.json_util import DEFAULT_JSON_OPTIONS, object_pairs_hook

    return json.JSONDecoder(object_pairs_hook=lambda pairs: object_pairs_hook(pairs, DEFAULT_JSON_OPTIONS))
