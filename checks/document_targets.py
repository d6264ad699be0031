"""What a check of a document database is handed: reading, and copies in which anything may be tried, as protocols."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from checks.schema.collections import Collections
from checks.targets import Target


class DocumentSession(Protocol):
    """A session that reads documents and cannot write: a stage that writes (``$out``, ``$merge``) is refused.

    Every call raises :class:`checks.targets.StatementFailed` with the server's words and code, also while results are read.
    """

    def aggregate(
        self, collection: str, pipeline: Sequence[Mapping[str, Any]], *, collation: Mapping[str, Any] | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """The documents that a pipeline gives, one by one; stages may use the disk. ``collation`` instead of the collection's."""
        ...

    def find(
        self,
        collection: str,
        query: Mapping[str, Any],
        projection: Mapping[str, Any] | None = None,
        *,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = 0,
    ) -> Iterator[Mapping[str, Any]]:
        """The documents that match, one by one; ``limit`` 0 is all."""
        ...

    def count(self, collection: str, query: Mapping[str, Any] | None = None) -> int:
        """How many documents match, counted exactly."""
        ...

    def explain(self, collection: str, query: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """The server's plan of a find (a mapping) or a pipeline (a sequence), with ``executionStats``."""
        ...


@dataclass(frozen=True)
class Stored:
    """The write went through and touched this many documents."""

    documents: int


@dataclass(frozen=True)
class Denied:
    """The server refused: its numeric code as text (``121`` a validator, ``11000`` a unique index) and its words.

    ``index`` is the index of a duplicate key, empty for anything else. ``detail`` may quote values of documents. ``broken`` are
    the rules of a validator that the server names (5.0 and later), like ``status: enum``.
    """

    code: str
    said: str
    index: str = ""
    detail: str = ""
    broken: tuple[str, ...] = ()


class Scratch(Protocol):
    """Copies of collections, under their own names in a database of our own, in which anything may be tried."""

    def insert(self, collection: str, document: Mapping[str, Any]) -> Stored | Denied:
        """Insert one document; it stays until the scratch ends, or until it is deleted."""
        ...

    def insert_each(self, collection: str, documents: Sequence[Mapping[str, Any]]) -> Sequence[Stored | Denied]:
        """Insert several in one command, each for itself: those that are taken are there when the next comes."""
        ...

    def update(self, collection: str, query: Mapping[str, Any], change: Mapping[str, Any]) -> Stored | Denied:
        """Update one document by operators (``$set``, ``$unset``)."""
        ...

    def delete(self, collection: str, query: Mapping[str, Any]) -> Stored | Denied:
        """Delete every document that matches."""
        ...

    def documents(self) -> DocumentSession:
        """Reads what the scratch holds."""
        ...


class DocumentTarget(Target, Protocol):
    """A document database at one revision, with what is known and what may be done."""

    @property
    def collections(self) -> Collections:
        """What the database holds."""
        ...

    @property
    def filled(self) -> frozenset[str]:
        """The collections that hold at least one document."""
        ...

    def documents(self) -> AbstractContextManager[DocumentSession]:
        """A read-only session."""
        ...

    def storage(self, collection: str, *, full: bool) -> Mapping[str, Any]:
        """What the server's own look at a collection's storage (``validate``) says; it keeps writers out meanwhile.

        Raises StatementFailed.
        """
        ...

    @property
    def writable(self) -> bool:
        """Whether there is a scratch: not of a database that was given to be read only."""
        ...

    def scratch(self, names: Sequence[str], *, rows: bool = False, indexes: bool = True) -> AbstractContextManager[Scratch]:
        """Collections of these names with the real ones' options, validators and indexes, empty or (``rows``) filled.

        Without ``indexes`` there is only the one on ``_id``. What happens in it is gone when the context ends. Where the database
        was given to be read only there is none.
        """
        ...
