"""What an explanation of MongoDB's says, of whatever shape: what was looked at, by which indexes, and what was sorted.

The shapes are those of the manual's "Explain Results": a find of the classic engine and of the slot-based one (``queryPlan``
within ``winningPlan``, "explainVersion 2"); a pipeline that the query engine runs whole or in part (``$cursor`` in ``stages``);
stages that carry figures of their own (``$lookup``), hold pipelines (``$facet``) or explanations (``$unionWith``); views and time
series by what lies under them; and sharded collections (``shards``, a list of a find's and a mapping of a pipeline's).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.measured import Examined, MemorySort, UsedIndex

_Mapping = Mapping[str, Any]

#: What repeats the query's own words, in which a field may have any name.
_WORDS = frozenset({"command", "parsedQuery", "optimizedPipeline", "filter", "rejectedPlans"})
#: Stages that hold plans or stages; the words of all others are the query's own.
_HOLDING = frozenset({"$cursor", "$unionWith"})
#: Where names are free, and each stands for a part.
_NAMED = frozenset({"$facet", "shards"})
#: Where a time series keeps its measurements.
_BUCKETS = "system.buckets."
#: A lookup of the slot-based engine that the inner side has no index for.
_JOINS = frozenset({"NestedLoopJoin", "HashJoin"})


def examined(explanation: _Mapping) -> Examined:
    """What the server looked at for the one execution that it tells of."""
    counted = [(_number(part, "totalDocsExamined"), _number(part, "totalKeysExamined")) for part in _totals(explanation)]
    plan = list(_plan(explanation, ""))
    patterns = [pattern for stage, _ in plan if (pattern := _pattern(stage)) is not None]
    return Examined(
        documents=sum(documents for documents, _ in counted),
        keys=sum(keys for _, keys in counted),
        scanned=tuple(sorted({name for stage, namespace in plan for name in _scanned(stage, namespace)})),
        indexes=tuple(sorted({index for stage, namespace in plan for index in _indexes(stage, namespace)})),
        sort=_sort(list(_sorts(explanation)), patterns),
        untold=tuple(sorted({name for stage, _ in plan for name in _untold(stage)})),
    )


def _number(part: _Mapping, key: str) -> int:
    found = part.get(key, 0)
    return int(found) if isinstance(found, int | float) else 0


def _totals(part: object) -> Iterator[_Mapping]:
    """Every part that counts what was examined, but none within another: a stage's figures are in those of its plan."""
    if isinstance(part, Mapping) and "totalDocsExamined" in part:
        yield part
        return
    for inner in _inside(part):
        yield from _totals(inner)


def _inside(part: object, *besides: str) -> Iterator[object]:
    """The parts of a part that are the server's words, without those named ``besides``."""
    if isinstance(part, list):
        yield from part
    elif isinstance(part, Mapping):
        for name, inner in part.items():
            if name in _NAMED and isinstance(inner, Mapping):
                yield from inner.values()
            elif name in _HOLDING or not (name.startswith("$") or name in _WORDS or name in besides):
                yield inner


def _plan(part: object, namespace: str) -> Iterator[tuple[_Mapping, str]]:
    """Every stage of winning plans and of pipelines, with the namespace that it reads."""
    if isinstance(part, Mapping):
        namespace = str(part.get("namespace", namespace))
        yield part, namespace
    for inner in _inside(part, "executionStats"):
        yield from _plan(inner, namespace)


def _scanned(stage: _Mapping, namespace: str) -> Iterator[str]:
    """The collections that a stage reads without an index; a part of a clustered collection is found by its key."""
    if stage.get("stage") == "COLLSCAN" and namespace and not {"minRecord", "maxRecord"} & stage.keys():
        yield _collection(namespace)
    if str(stage.get("stage")).startswith("EQ_LOOKUP") and stage.get("strategy") in _JOINS:
        yield _collection(str(stage.get("foreignCollection", "")))
    if stage.get("collectionScans") and isinstance(looked_up := stage.get("$lookup"), Mapping):
        yield _from(looked_up)


def _untold(stage: _Mapping) -> Iterator[str]:
    """The collection of a lookup that carries no figures: before 5.0 none does, and ``$graphLookup`` never does."""
    for name in ("$lookup", "$graphLookup"):
        if isinstance(looked_up := stage.get(name), Mapping) and "totalDocsExamined" not in stage:
            yield _from(looked_up)


def _indexes(stage: _Mapping, namespace: str) -> Iterator[UsedIndex]:
    if stage.get("stage") == "IDHACK":
        yield UsedIndex(_collection(namespace), "_id_")
    elif isinstance(stage.get("stage"), str) and stage.get("indexName"):
        yield UsedIndex(_collection(str(stage.get("foreignCollection", namespace))), str(stage["indexName"]))
    if isinstance(looked_up := stage.get("$lookup"), Mapping):
        yield from (UsedIndex(_from(looked_up), str(name)) for name in stage.get("indexesUsed", ()))


def _collection(namespace: str) -> str:
    return namespace.partition(".")[2].removeprefix(_BUCKETS)


def _from(looked_up: _Mapping) -> str:
    """The collection of a ``$lookup``, which may name its database too."""
    source = looked_up.get("from")
    return str(source.get("coll", "")) if isinstance(source, Mapping) else str(source)


def _sorts(part: object) -> Iterator[_Mapping]:
    """Every sort that was executed: a plan's stage (``SORT``, slot-based ``sort``), or a pipeline's with its own figures."""
    if isinstance(part, Mapping) and "usedDisk" in part and ("$sort" in part or str(part.get("stage")).upper() == "SORT"):
        yield part
    for inner in _inside(part, "queryPlanner"):
        yield from _sorts(inner)


def _pattern(stage: _Mapping) -> tuple[str, ...] | None:
    """The fields of a sort as an index would be declared: ``("status", "-at")``."""
    sort = stage.get("$sort")
    keys = sort.get("sortKey") if isinstance(sort, Mapping) else stage.get("sortPattern")
    if not isinstance(keys, Mapping):
        return None
    return tuple(f"-{name}" if isinstance(kind, int | float) and kind < 0 else str(name) for name, kind in keys.items())


def _sort(found: list[_Mapping], patterns: list[tuple[str, ...]]) -> MemorySort | None:
    """The sorts of a query as one, by the first of them and the largest."""
    if not found:
        return None
    sizes = [max(_number(one, "totalDataSizeSorted"), _number(one, "totalDataSizeSortedBytesEstimate")) for one in found]
    return MemorySort(patterns[0] if patterns else (), max(sizes), any(one["usedDisk"] for one in found))
