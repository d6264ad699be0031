"""What indexes gain a declared query: it is run with them and with them hidden, turn by turn, on a copy."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

from checks.declared.documents import DocumentQuery
from checks.documents.index_gain import FEW
from checks.evidence import IndexGain, QueryTiming, UsedIndex
from checks.targets import StatementFailed
from runner.measure.mongodb import STOPPED, Turn, run, timeout_of, turns_of
from runner.targets.mongodb_sessions import failed

if TYPE_CHECKING:
    from pymongo.database import Database as Documents

#: How many pairs are measured, and after how many seconds no further one is begun.
_PAIRS = 9
_ENOUGH = 5.0
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
    for query, timing in measured:
        used = tuple(index for index in timing.examined.indexes if index.name != _ID) if timing.examined else ()
        if used and timing.seconds and any(documents[index.collection].estimated_document_count() >= FEW for index in used):
            yield _gain(documents, query, timing, used)


def _gain(
    documents: Documents[dict[str, Any]], query: DocumentQuery, timing: QueryTiming, used: tuple[UsedIndex, ...]
) -> IndexGain:
    from pymongo.errors import OperationFailure

    pairs: list[tuple[float, float]] = []
    began = time.monotonic()
    all_there = _indexes(documents, {index.collection for index in used})
    try:
        for number, turn in zip(range(_PAIRS), cycle(turns_of(documents, query)), strict=False):
            pairs.append(_pair(documents, query, turn, all_there, hidden_first=bool(number % 2)))
            if time.monotonic() - began > _ENOUGH:
                break
    except StatementFailed as refused:
        return IndexGain(query.name, used, failure=refused.said)
    except OperationFailure as refused:
        if (failure := failed(refused)).code == STOPPED:
            return IndexGain(query.name, used, ((statistics.median(timing.seconds), timeout_of(query)),), stopped=True)
        return IndexGain(query.name, used, failure=failure.said)
    finally:
        _hide(documents, all_there, hidden=False)
    return IndexGain(query.name, used, tuple(pairs))


def _indexes(documents: Documents[dict[str, Any]], collections: set[str]) -> tuple[UsedIndex, ...]:
    """Every index of these collections that can be hidden and is not: one that is left would serve in the place of another."""
    return tuple(
        UsedIndex(name, index["name"])
        for name in sorted(collections)
        for index in documents[name].list_indexes()
        if index["name"] != _ID and not index.get("hidden") and not index.get("clustered")
    )


def _pair(
    documents: Documents[dict[str, Any]], query: DocumentQuery, turn: Turn, indexes: tuple[UsedIndex, ...], *, hidden_first: bool
) -> tuple[float, float]:
    """Seconds with the indexes and without them; each way is run once before, as a hidden index makes the server plan anew."""
    seconds: dict[bool, float] = {}
    for hidden in (hidden_first, not hidden_first):
        _hide(documents, indexes, hidden=hidden)
        run(documents, query, turn, round(timeout_of(query) * 1000))
        seconds[hidden], _ = run(documents, query, turn, round(timeout_of(query) * 1000))
    return seconds[False], seconds[True]


def _hide(documents: Documents[dict[str, Any]], indexes: tuple[UsedIndex, ...], *, hidden: bool) -> None:
    for index in indexes:
        change = {"name": index.name, "hidden": hidden}
        documents.command({"collMod": index.collection, "index": change, "writeConcern": {"w": 1}})
