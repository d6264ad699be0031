"""Copies of collections, in a database of our own, in which checks try writes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from checks.targets import Denied, DocumentSession, Stored
from runner.migrations.inside.refusals import refusal
from runner.targets.mongodb_sessions import MongoReadSession, failed

if TYPE_CHECKING:
    from pymongo.database import Database
    from pymongo.errors import OperationFailure

_INDEX = re.compile(r"index: (?P<name>.+?) dup key")


class MongoScratch:
    """Writes to one database, each write for itself: what is denied changes nothing.

    ``original`` is the name of the database that it stands for, by which the server's words are told; ``mark`` is a comment that
    its reads carry.
    """

    def __init__(self, database: Database[dict[str, Any]], original: str, seconds: float, mark: str) -> None:
        self._database = database
        self._original = original
        self._seconds = seconds
        self._mark = mark

    def insert(self, collection: str, document: Mapping[str, Any]) -> Stored | Denied:
        """Insert one document; the caller's is left as it is."""
        with self._answer() as answer:
            self._database[collection].insert_one(dict(document))
            answer.append(Stored(1))
        return answer[0]

    def update(self, collection: str, query: Mapping[str, Any], change: Mapping[str, Any]) -> Stored | Denied:
        """Update one document by operators; none that matches is 0 documents."""
        with self._answer() as answer:
            answer.append(Stored(self._database[collection].update_one(query, change).matched_count))
        return answer[0]

    def delete(self, collection: str, query: Mapping[str, Any]) -> Stored | Denied:
        """Delete every document that matches."""
        with self._answer() as answer:
            answer.append(Stored(self._database[collection].delete_many(query).deleted_count))
        return answer[0]

    def documents(self) -> DocumentSession:
        """Reads what the scratch holds."""
        return MongoReadSession(self._database, self._seconds, self._mark)

    @contextmanager
    def _answer(self) -> Iterator[list[Stored | Denied]]:
        """Where the answer of a write is put; the server's refusal is one, anything else raises StatementFailed."""
        from pymongo.errors import OperationFailure, PyMongoError

        answer: list[Stored | Denied] = []
        try:
            yield answer
        except OperationFailure as refused:
            denied = _denied(refused)
            said = denied.said.replace(f"{self._database.name}.", f"{self._original}.")
            answer.append(replace(denied, said=said))
        except PyMongoError as error:
            raise failed(error) from None


def _denied(refused: OperationFailure) -> Denied:
    details = refused.details or {}
    words = str(details.get("errmsg") or refused)
    said, quoting = refusal(refused.code, words, details)
    index = _INDEX.search(words)
    return Denied("" if refused.code is None else str(refused.code), said, index["name"] if index else "", quoting)
