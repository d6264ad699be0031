"""Measures the declared queries on MongoDB, with values from real documents, and what the server looks at for them."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from checks.declared.documents import DocumentQuery
from checks.measured import Examined, QueryTiming
from checks.targets import StatementFailed
from runner.measure.explained import examined
from runner.measure.runs import HOPELESS, PATIENCE, RUNS, SAMPLING, WARM_UPS
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session
from runner.targets.mongodb_sessions import explained, failed, refuse_writing

if TYPE_CHECKING:
    from pymongo.database import Database as Documents

#: The server's code for a command that was stopped by its limit of time.
STOPPED = "50"
#: How many of the runs are looked into.
_EXPLAINED = 3
#: How much longer than the limit of time the answer is waited for.
_GRACE = 15.0

_PLACEHOLDER = re.compile(r"\{(?P<collection>[^{}.\s]+)\.(?P<path>[^{}\s]+)\}")


@dataclass(frozen=True)
class Placeholder:
    """A field whose values a query is run with, written ``"{companies.company_name}"`` in the place of a value."""

    collection: str
    path: str


Values = Mapping[Placeholder, Any]


def measure(database: Database, queries: Sequence[DocumentQuery]) -> tuple[QueryTiming, ...]:
    """One timing a query, in their order; call it while nothing else runs.

    A query that fails does not end the others: its timing carries the server's words and code.
    """
    if not queries:
        return ()
    longest = max(SAMPLING, *(timeout_of(query) for query in queries)) + _GRACE
    with session(database.private, answer=longest) as client:
        return tuple(_timing(client[database.name], query) for query in queries)


def timeout_of(query: DocumentQuery) -> float:
    """When a run of it is stopped, in seconds."""
    return max(PATIENCE, HOPELESS * query.limit)


def _timing(documents: Documents[dict[str, Any]], query: DocumentQuery) -> QueryTiming:
    from pymongo.errors import PyMongoError

    try:
        return _measured(documents, query)
    except PyMongoError as error:
        failure = failed(error)
    except StatementFailed as refused:
        failure = refused
    said = f"stopped after {timeout_of(query):g} s" if failure.code == STOPPED else failure.said
    return QueryTiming(query.name, query.category, query.limit, (), 0, said, failure.code)


def _measured(documents: Documents[dict[str, Any]], query: DocumentQuery) -> QueryTiming:
    turns = turns_of(documents, query)
    if not turns:
        return QueryTiming(query.name, query.category, query.limit, (), 0)
    milliseconds = round(timeout_of(query) * 1000)
    runs = [run(documents, query, turn, milliseconds) for turn in turns]
    looked = [
        _per_returned(examined(explained(documents, query.collection, turn, milliseconds, sort=query.sort)), rows)
        for turn, (_, rows) in zip(turns[:_EXPLAINED], runs, strict=False)
    ]
    return QueryTiming(
        query.name,
        query.category,
        query.limit,
        tuple(seconds for seconds, _ in runs[WARM_UPS:]),
        runs[-1][1],
        examined=_most(looked),
    )


def _per_returned(looked: Examined, rows: int) -> Examined:
    return replace(looked, per_returned=max(looked.documents, looked.keys) / max(rows, 1))


def _most(looked: Sequence[Examined]) -> Examined:
    """The most that any of a few runs looked at."""
    return Examined(
        max(one.documents for one in looked),
        max(one.keys for one in looked),
        tuple(sorted({name for one in looked for name in one.scanned})),
        tuple(sorted({index for one in looked for index in one.indexes})),
        max((one.sort for one in looked if one.sort), key=lambda sort: (sort.disk, sort.bytes), default=None),
        max(one.per_returned for one in looked),
        tuple(sorted({name for one in looked for name in one.untold})),
    )


Turn = Mapping[str, Any] | Sequence[Mapping[str, Any]]


def run(documents: Documents[dict[str, Any]], query: DocumentQuery, turn: Turn, milliseconds: int) -> tuple[float, int]:
    """Wall time in seconds from sending the query to its last document, and how many came; none is decoded or kept."""
    from bson.codec_options import CodecOptions
    from bson.raw_bson import RawBSONDocument

    collection = documents.get_collection(query.collection, codec_options=CodecOptions(document_class=RawBSONDocument))
    began = time.perf_counter()
    if isinstance(turn, Mapping):
        rows = sum(1 for _ in collection.find(turn, sort=list(query.sort) or None, max_time_ms=milliseconds))
    else:
        rows = sum(1 for _ in collection.aggregate(list(turn), allowDiskUse=True, maxTimeMS=milliseconds))
    return time.perf_counter() - began, rows


def turns_of(documents: Documents[dict[str, Any]], query: DocumentQuery) -> list[Turn]:
    """The query with the values of each run; none where a placeholder has no value. Raises PyMongoError, or StatementFailed."""
    refuse_writing(query.pipeline or ())
    sampled = _sampled(documents, query)
    if not sampled:
        return []
    return [_with(query, values) for values in itertools.islice(itertools.cycle(sampled), WARM_UPS + RUNS)]


def _sampled(documents: Documents[dict[str, Any]], query: DocumentQuery) -> list[Values]:
    """Values for as many runs as there are documents, at most for each its own; of one collection those of one document."""
    there = set(documents.list_collection_names())
    wanted = [one for one in dict.fromkeys(_placeholders(query.find or query.pipeline)) if one.collection in there]
    names = dict.fromkeys(one.collection for one in wanted)
    by_collection = [_values(documents, [one for one in wanted if one.collection == name]) for name in names]
    if not all(by_collection):
        return []
    longest = max((len(values) for values in by_collection), default=1)
    return [
        {key: value for values in by_collection for key, value in values[turn % len(values)].items()} for turn in range(longest)
    ]


def _values(documents: Documents[dict[str, Any]], wanted: Sequence[Placeholder]) -> list[Values]:
    """Values of documents that have all these fields: spread over the collection, the same in each run of dbproof."""
    fields = {f"value{number}": f"${one.path}" for number, one in enumerate(wanted)}
    pipeline: list[Mapping[str, Any]] = [
        {"$match": {one.path: {"$nin": [None, []]} for one in wanted}},
        {"$bucketAuto": {"groupBy": "$_id", "buckets": WARM_UPS + RUNS, "output": {"first": {"$first": fields}}}},
    ]
    found = documents[wanted[0].collection].aggregate(pipeline, allowDiskUse=True, maxTimeMS=round(SAMPLING * 1000))
    return [{one: _single(row["first"][name]) for name, one in zip(fields, wanted, strict=True)} for row in found]


def _single(value: Any) -> Any:  # noqa: ANN401 - any value of a document
    """The first of an array: a path through one leads to the values of all its elements."""
    return _single(value[0]) if isinstance(value, list) and value else value


def _placeholders(part: object) -> Iterator[Placeholder]:
    """The placeholders in a query, in their order: texts that are nothing else."""
    if isinstance(part, Mapping):
        part = list(part.values())
    if isinstance(part, str) and (found := _PLACEHOLDER.fullmatch(part)):
        yield Placeholder(found["collection"], found["path"])
    elif isinstance(part, Sequence) and not isinstance(part, str | bytes):
        for inner in part:
            yield from _placeholders(inner)


def _with(query: DocumentQuery, values: Values) -> Turn:
    """The filter or pipeline with values in the places of its placeholders."""
    filled: Turn = _filled(query.pipeline if query.pipeline is not None else query.find or {}, values)
    return filled


def _filled(part: Any, values: Values) -> Any:  # noqa: ANN401 - any value of a document
    if isinstance(part, Mapping):
        return {key: _filled(inner, values) for key, inner in part.items()}
    if isinstance(part, list | tuple):
        return [_filled(inner, values) for inner in part]
    if isinstance(part, str) and (found := _PLACEHOLDER.fullmatch(part)):
        return values.get(Placeholder(found["collection"], found["path"]), part)
    return part
