"""Copies a database under another name on the same server: collections with their options, documents, indexes, views.

Documents go from collection to collection inside the server, past the validators: what violates one is copied too.
"""

from __future__ import annotations

from collections.abc import Collection as Some
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from runner.servers.interface import OURS

if TYPE_CHECKING:
    from typing import Any

    from runner.servers.mongodb.sessions import Client

    Description = Mapping[str, Any]

_SYSTEM = "system."
#: What a description of an index holds that is no part of its definition.
_NOT_DEFINED = frozenset({"ns", "v"})
#: Options with which documents cannot come by ``$merge``: it does not write there, loses their order, or finds no unique index.
_BY_HAND = ("timeseries", "capped", "clusteredIndex", "collation")
#: Options with which a collection has indexes from the beginning.
_WITH_INDEXES = frozenset({"timeseries", "clusteredIndex"})
#: Up to so many documents come after the indexes: to build one on an empty collection takes no time, and on documents it waits
#: for the replica set; from there on building at once is quicker.
_FEW = 10_000
_BATCH = 1000
#: What ``$merge`` says to a document whose ``_id`` is null, which a collection takes all the same.
_NO_KEY = 51132


def copy_database(
    client: Client, source: str, target: str, only: Some[str] | None = None, *, rows: bool = True, indexes: bool = True
) -> None:
    """Copy all collections, or ``only`` some, with or without their documents and indexes. Raises PyMongoError.

    A view is copied as a view; of ``only`` some it may then read what is not there.
    """
    described = [one for one in _described(client, source) if only is None or one["name"] in only]
    for one in described:
        if one["type"] == "view":
            continue
        client[target].command("create", one["name"], **_options(one), comment=OURS)
        first = indexes and rows and client[source][one["name"]].estimated_document_count() <= _FEW
        if first:
            _copy_indexes(client, source, target, one)
        if rows:
            _copy_documents(client, source, target, one)
        if indexes and not first:
            _copy_indexes(client, source, target, one)
    for one in described:
        if one["type"] == "view":
            client[target].command("create", one["name"], **_options(one), comment=OURS)


def _described(client: Client, database: str) -> Sequence[Description]:
    found = client[database].list_collections()
    return [dict(one) for one in found if not one["name"].startswith(_SYSTEM)]


def _options(described: Description) -> dict[str, Any]:
    return {name: value for name, value in described.get("options", {}).items() if name != "uuid"}


def _copy_documents(client: Client, source: str, target: str, described: Description) -> None:
    from pymongo.errors import OperationFailure

    name = described["name"]
    if any(option in described.get("options", {}) for option in _BY_HAND):
        _copy_by_hand(client, source, target, name)
        return
    merge = {"into": {"db": target, "coll": name}, "on": "_id", "whenMatched": "fail", "whenNotMatched": "insert"}
    try:
        client[source].command(
            "aggregate", name, pipeline=[{"$merge": merge}], cursor={}, bypassDocumentValidation=True, allowDiskUse=True
        )
    except OperationFailure as refused:
        if refused.code != _NO_KEY:
            raise
        client[target][name].delete_many({}, comment=OURS)
        _copy_by_hand(client, source, target, name)


def _copy_by_hand(client: Client, source: str, target: str, name: str) -> None:
    """Through here, in batches and in their order, without looking into the documents."""
    from bson.codec_options import CodecOptions
    from bson.raw_bson import RawBSONDocument

    raw: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
    reading = client[source].get_collection(name, codec_options=raw).find(batch_size=_BATCH)
    writing = client[target].get_collection(name, codec_options=raw)
    for batch in _batches(reading):
        writing.insert_many(batch, bypass_document_validation=True)


def _batches(documents: Iterator[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for document in documents:
        batch.append(document)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _copy_indexes(client: Client, source: str, target: str, described: Description) -> None:
    """Build the indexes that are not there with the collection; one without a collation has none, whatever the collection's."""
    name, options = described["name"], described.get("options", {})
    there = {index["name"] for index in client[target][name].list_indexes()} if _WITH_INDEXES & options.keys() else {"_id_"}
    plain = {"collation": {"locale": "simple"}} if "collation" in options else {}
    wanted = [
        plain | {key: value for key, value in index.items() if key not in _NOT_DEFINED}
        for index in client[source][name].list_indexes()
        if index["name"] not in there
    ]
    if wanted:
        client[target].command("createIndexes", name, indexes=wanted)
