"""Copies of collections, in a database of our own, in which checks try writes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from checks.document_targets import Denied, DocumentSession, Stored
from runner.migrations.inside.refusals import refusal, rules
from runner.targets.mongodb_sessions import MongoReadSession, failed

if TYPE_CHECKING:
    from pymongo.database import Database

_INDEX = re.compile(r"index: (?P<name>.+?)(?: collation: \{.*?\})? dup key")


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

    def insert_each(self, collection: str, documents: Sequence[Mapping[str, Any]]) -> Sequence[Stored | Denied]:
        """Insert several in one command, each for itself; the caller's are left as they are."""
        from pymongo.errors import BulkWriteError, PyMongoError

        answers: list[Stored | Denied] = [Stored(1)] * len(documents)
        try:
            if documents:
                self._database[collection].insert_many([dict(one) for one in documents], ordered=False)
        except BulkWriteError as several:
            for one in (several.details or {}).get("writeErrors", ()):
                answers[one["index"]] = self._told(one.get("code"), one)
        except PyMongoError as error:
            raise failed(error) from None
        return answers

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
            answer.append(self._told(refused.code, refused.details or {"errmsg": str(refused)}))
        except PyMongoError as error:
            raise failed(error) from None

    def _told(self, code: int | None, details: Mapping[str, Any]) -> Denied:
        """The server's refusal, with the name of the database that this one stands for."""
        words = str(details.get("errmsg") or "the server refused it")
        said, quoting = refusal(code, words, details)
        index = _INDEX.search(words)
        broken = tuple(dict.fromkeys(rules((details.get("errInfo") or {}).get("details") or {})))
        said = said.replace(f"{self._database.name}.", f"{self._original}.")
        return Denied("" if code is None else str(code), said, index["name"] if index else "", quoting, broken)
