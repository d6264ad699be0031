"""What a MongoDB database is, at a glance: how large, how many collections, documents by the server's own count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from checks.schema.collections import CollectionKind
from runner.errors import ServerFailed
from runner.overview import Overview
from runner.servers.interface import Database
from runner.servers.mongodb.reasons import reason_of
from runner.servers.mongodb.sessions import session

if TYPE_CHECKING:
    from pymongo.database import Database as Documents

_NOUNS = ("collection", "document")
_PATIENCE = 10_000


def overview(database: Database) -> Overview:
    """Questions about the catalogue; no document is read. What the server does not tell this user is left out.

    Raises ServerFailed.
    """
    from pymongo.errors import PyMongoError

    try:
        with session(database.private) as client:
            documents = client[database.name]
            names = [one["name"] for one in documents.list_collections() if one["type"] == CollectionKind.COLLECTION]
            counts = {name: _count(documents, name) for name in names if not name.startswith("system.")}
            size = _size(documents)
    except PyMongoError as error:
        raise ServerFailed(f"the database's catalogue cannot be read: {reason_of(error)}", "Try again.") from None
    rows = {name: count for name, count in counts.items() if count is not None}
    return Overview(size, rows=rows, unknown=len(counts) - len(rows), references=None, nouns=_NOUNS)


def _count(documents: Documents[Any], name: str) -> int | None:
    from pymongo.errors import OperationFailure

    try:
        return documents[name].estimated_document_count(maxTimeMS=_PATIENCE)
    except OperationFailure:
        return None


def _size(documents: Documents[Any]) -> int | None:
    """In bytes: documents and indexes, as they lie on disk."""
    from pymongo.errors import OperationFailure

    try:
        stats = documents.command("dbStats", maxTimeMS=_PATIENCE)
    except OperationFailure:
        return None
    return int(stats["storageSize"]) + int(stats["indexSize"])
