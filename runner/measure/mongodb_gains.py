"""What indexes gain a declared query: it is run with them and with them hidden, turn by turn, on a copy."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

from checks.declared.documents import DocumentQuery
from checks.documents.index_gain import FEW
from checks.measured import IndexGain, QueryTiming, UsedIndex
from checks.targets import StatementFailed
from runner.measure.mongodb import STOPPED, Turn, run, timeout_of, turns_of
from runner.targets.mongodb_sessions import failed

if TYPE_CHECKING:
    from pymongo.database import Database as Documents

#: How many pairs are measured where a gain is declared and where it is only shown; after so many seconds no further one is begun.
_PAIRS, _PAIRS_TO_SHOW = 9, 5
_ENOUGH = 5.0
#: How many seconds gains may take together that nobody declared.
_TO_SHOW = 10.0
_ID = "_id_"


def measure_gains(
    documents: Documents[dict[str, Any]], queries: Sequence[DocumentQuery], timings: Sequence[QueryTiming]
) -> tuple[IndexGain, ...]:
    """One gain for each query that used an index on enough documents. ``documents`` is a copy: its indexes are hidden and shown.

    What the server refuses is part of what is given; raises PyMongoError where it cannot be reached.
    """
    by_name = {timing.name: timing for timing in timings}
    return tuple(_gains(documents, [(query, by_name[query.name]) for query in queries if query.name in by_name]))


def _gains(documents: Documents[dict[str, Any]], measured: Sequence[tuple[DocumentQuery, QueryTiming]]) -> Iterator[IndexGain]:
    began = time.monotonic()
    for query, timing in sorted(measured, key=lambda pair: pair[0].gain is None):
        used = tuple(index for index in timing.examined.indexes if index.name != _ID) if timing.examined else ()
        wanted = query.gain is not None or time.monotonic() - began < _TO_SHOW
        if wanted and used and timing.seconds and any(_many(documents, index.collection) for index in used):
            yield _gain(documents, query, timing, used)


def _many(documents: Documents[dict[str, Any]], collection: str) -> bool:
    return documents[collection].estimated_document_count() >= FEW


def _gain(
    documents: Documents[dict[str, Any]], query: DocumentQuery, timing: QueryTiming, used: tuple[UsedIndex, ...]
) -> IndexGain:
    from pymongo.errors import OperationFailure

    pairs: list[tuple[float, float]] = []
    began = time.monotonic()
    indexes = _Indexes(documents, {index.collection for index in used})
    try:
        turns = islice(cycle(turns_of(documents, query)), _PAIRS_TO_SHOW if query.gain is None else _PAIRS)
        for number, turn in enumerate(turns):
            pairs.append(_pair(indexes, query, turn, hidden_first=bool(number % 2)))
            if time.monotonic() - began > _ENOUGH:
                break
    except StatementFailed as refused:
        return IndexGain(query.name, used, failure=refused.said)
    except OperationFailure as refused:
        if (failure := failed(refused)).code == STOPPED:
            return IndexGain(query.name, used, ((statistics.median(timing.seconds), timeout_of(query)),), stopped=True)
        return IndexGain(query.name, used, failure=failure.said)
    finally:
        indexes.hide(hidden=False)
    return IndexGain(query.name, used, tuple(pairs))


class _Indexes:
    """Every index of some collections that can be hidden and is not: one that is left would serve in the place of another."""

    def __init__(self, documents: Documents[dict[str, Any]], collections: set[str]) -> None:
        self.documents = documents
        self._hidden = False
        self._names = [
            (name, index["name"])
            for name in sorted(collections)
            for index in documents[name].list_indexes()
            if index["name"] != _ID and not index.get("hidden") and not index.get("clustered")
        ]

    def hide(self, *, hidden: bool) -> None:
        """Hide or show all of them, where they are not so already."""
        if hidden is not self._hidden:
            self._hidden = hidden  # said first: where one cannot be hidden, those before it are shown again
            for collection, name in self._names:
                change = {"name": name, "hidden": hidden}
                self.documents.command({"collMod": collection, "index": change, "writeConcern": {"w": 1}})


def _pair(indexes: _Indexes, query: DocumentQuery, turn: Turn, *, hidden_first: bool) -> tuple[float, float]:
    """Seconds with the indexes and without them; each way is run once before, as a hidden index makes the server plan anew."""
    seconds: dict[bool, float] = {}
    for hidden in (hidden_first, not hidden_first):
        indexes.hide(hidden=hidden)
        run(indexes.documents, query, turn, round(timeout_of(query) * 1000))
        seconds[hidden], _ = run(indexes.documents, query, turn, round(timeout_of(query) * 1000))
    return seconds[False], seconds[True]
