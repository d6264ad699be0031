"""What was measured of queries and writes, in seconds, as frozen data: the runner measures, checks judge it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class UsedIndex:
    """An index that a query used."""

    collection: str
    name: str

    @property
    def label(self) -> str:
        """``subscriptions.company_name_idx``."""
        return f"{self.collection}.{self.name}"


@dataclass(frozen=True)
class MemorySort:
    """A sort that no index gave: by which fields (``("status", "-at")``), of how many bytes, and whether it went to disk."""

    fields: tuple[str, ...]
    bytes: int
    disk: bool = False


@dataclass(frozen=True)
class Examined:
    """What MongoDB looked at for one run of a query: documents and index keys, and the collections ``scanned`` without an index.

    ``per_returned`` is the larger of the two for each document that came back (for a query that gave none, all of it).
    ``untold`` are the collections that it looked into without telling how.
    """

    documents: int
    keys: int
    scanned: tuple[str, ...] = ()
    indexes: tuple[UsedIndex, ...] = ()
    sort: MemorySort | None = None
    per_returned: float = 0.0
    untold: tuple[str, ...] = ()

    @property
    def gap(self) -> str:
        """Why the figures are not all, empty where they are."""
        return f"this server does not tell how it reads {', '.join(self.untold)}" if self.untold else ""


@dataclass(frozen=True)
class IndexGain:
    """A query in interleaved pairs: seconds with its ``indexes``, and with all indexes hidden but that of ``_id``, on a copy.

    ``failure`` holds the server's words where it did not run without them, and then there are no pairs. ``stopped`` says that it
    was stopped without them: the only pair then holds the limit of time.
    """

    query: str
    indexes: tuple[UsedIndex, ...]
    pairs: tuple[tuple[float, float], ...] = ()
    failure: str = ""
    stopped: bool = False


@dataclass(frozen=True)
class WriteCost:
    """One kind of write to a collection (``insert``, ``update``), measured on copies with the same documents in turn.

    Each round holds the seconds with everything, without the validator, without the indexes (but that of ``_id``), and without
    both. ``gap`` says why nothing was measured.
    """

    collection: str
    kind: str
    rounds: tuple[tuple[float, float, float, float], ...] = ()
    gap: str = ""


@dataclass(frozen=True)
class QueryTiming:
    """One declared query, measured: seconds of each counted run after the warm-up, in order; ``rows`` it returned.

    ``failure`` holds the server's words where the query did not run to its end, and then ``seconds`` is empty; a query that was
    stopped well past its limit has the server's code for that (57014, MongoDB's 50). Both are empty where a placeholder's column
    has no value. ``examined`` is the most that any of a few runs looked at, where the engine says so.
    """

    name: str
    category: str
    limit: float
    seconds: tuple[float, ...]
    rows: int
    failure: str = ""
    code: str = ""
    examined: Examined | None = None
