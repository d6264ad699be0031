"""Reads what a MongoDB database holds: collections, validators, indexes, views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from checks.schema.bookkeeping import BOOKKEEPING
from checks.schema.collections import (
    Collection,
    CollectionIndex,
    CollectionKind,
    Collections,
    ValidationAction,
    ValidationLevel,
)
from checks.schema.indexes import read_index

if TYPE_CHECKING:
    from pymongo.database import Database

#: Collections of MongoDB's own, and those in which tools for it keep their books.
_SYSTEM = "system."
_BOOKS = BOOKKEEPING | {
    "changelog", "changelog_lock", "changelogLock", "_migrations", "migrations_changelog", "mongockChangeLog", "pymongo_migrate",
    "migrations_log",
}  # fmt: skip
_VALIDATION = frozenset({"validator", "validationLevel", "validationAction"})
#: Milliseconds that counting measurements may take.
_COUNTING = 10_000
#: The server's code for what the user may not do.
UNAUTHORIZED = 13


def read(database: Database[Any], leave_out: frozenset[str] = frozenset()) -> Collections:
    """Every collection that is judged; raises PyMongoError. What the user may not read is kept, as not readable."""
    listed = {one["name"]: one for one in database.list_collections()}
    judged = sorted(name for name in listed if not name.startswith(_SYSTEM) and name not in _BOOKS | leave_out)
    return Collections(tuple(_collection(database, listed[name]) for name in judged), database.name)


def _collection(database: Database[Any], told: Mapping[str, Any]) -> Collection:
    from pymongo.errors import OperationFailure

    indexes: tuple[CollectionIndex, ...] = ()
    documents, readable = 0, True
    try:
        if told["type"] != CollectionKind.VIEW:
            indexes = tuple(sorted(map(read_index, database[told["name"]].list_indexes()), key=lambda index: index.name))
            documents = _count(database, told)
    except OperationFailure as refused:
        if refused.code != UNAUTHORIZED:
            raise
        readable = False
    options = told.get("options", {})
    return Collection(
        name=told["name"],
        validator=options.get("validator") or None,
        validation_level=ValidationLevel(options.get("validationLevel", ValidationLevel.STRICT)),
        validation_action=ValidationAction(options.get("validationAction", ValidationAction.ERROR)),
        indexes=indexes,
        documents=documents,
        kind=CollectionKind(told["type"]),
        options={name: value for name, value in options.items() if name not in _VALIDATION},
        readable=readable,
    )


def _count(database: Database[Any], told: Mapping[str, Any]) -> int:
    """The count that the server keeps; of a time series, which stores many measurements as one document, they are counted.

    One that takes too long to count is known to hold something, and no more.
    """
    from pymongo.errors import ExecutionTimeout

    if told["type"] == CollectionKind.TIME_SERIES:
        try:
            return database[told["name"]].count_documents({}, maxTimeMS=_COUNTING)
        except ExecutionTimeout:
            return 1
    return database[told["name"]].estimated_document_count()
