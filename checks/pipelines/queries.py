"""What checks of declared queries on documents share: which were looked into, their plans in words, and what would serve them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from checks.declared.documents import DocumentQuery
from checks.document_targets import DocumentTarget
from checks.measured import Examined, QueryTiming
from checks.pipelines.equality_sort_range import advised
from checks.schema.collections import CollectionIndex
from checks.schema.indexes import create

#: MongoDB's code for what the user may not do.
_DENIED = "13"


@dataclass(frozen=True)
class LookedInto:
    """A declared query with what the server looked at for it, or the reason why that is not known."""

    query: DocumentQuery
    examined: Examined | None
    returned: int = 0
    gap: str = ""


def looked_into(target: DocumentTarget) -> Iterator[LookedInto]:
    """Every declared query, in their order."""
    timings = {timing.name: timing for timing in target.evidence.queries}
    for query in target.expect.documents.queries:
        timing = timings.get(query.name)
        gap = _gap(query, timing, target)
        yield LookedInto(query, timing.examined if timing and not gap else None, timing.rows if timing else 0, gap)


def _gap(query: DocumentQuery, timing: QueryTiming | None, target: DocumentTarget) -> str:
    if timing is None:
        return "not measured"
    if timing.failure:
        return "permission denied" if timing.code == _DENIED else "it did not end, see query-limit"
    return "" if timing.examined is not None and query.collection in target.filled else "no documents"


def plan_in_words(examined: Examined | None) -> str:
    """``; companies is read from end to end (COLLSCAN); the index companies.by_name is used``, empty where nothing is known."""
    if examined is None:
        return ""
    said = ""
    if scanned := examined.scanned:
        said += f"; {' and '.join(scanned)} {'is' if len(scanned) == 1 else 'are'} read from end to end (COLLSCAN)"
    if used := [index.label for index in examined.indexes]:
        said += f"; the {'index' if len(used) == 1 else 'indexes'} {' and '.join(used)} {'is' if len(used) == 1 else 'are'} used"
    return said


def serving(query: DocumentQuery, examined: Examined | None, target: DocumentTarget) -> str:
    """The command that builds what the query lacks by the rule equality, sort, range; empty where that is not one index."""
    for name in examined.scanned if examined and examined.scanned else (query.collection,):
        index = advised(query, name)
        collection = target.collections.collection.get(name)
        if index is not None and collection is not None and not _is_there(index, collection.indexes):
            return f"Build the index that serves it, fields of equality first, then the sort, then ranges: {create(name, index)}"
    return ""


def _is_there(index: CollectionIndex, others: tuple[CollectionIndex, ...]) -> bool:
    return any(other.keys[: len(index.keys)] == index.keys and not other.hidden for other in others)
