"""What a write costs with validators and indexes and without: real documents inserted and updated on copies, turn by turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, TypeVar

from checks.measured import WriteCost
from checks.schema.collections import Collection, CollectionKind
from checks.schema.mongodb import read
from runner.targets.mongodb_sessions import failed

if TYPE_CHECKING:
    from pymongo.collection import Collection as Documents

    from runner.servers.mongodb.sessions import Client

_Document = Mapping[str, Any]
_T = TypeVar("_T")
_Round = tuple[float, float, float, float]

#: Rounds that count at most and at least, how many of them all collections share, and those before them that do not.
_ROUNDS, _FEWEST, _TOGETHER = 40, 12, 1600
_WARM_UPS = 3
#: How many documents a copy has at most, and how many of them are written again.
_MOST = 10_000
_WRITTEN = 14
_BATCH = 1000
#: A copy with everything, without the validator, without the indexes, and without both: in the order of a round.
_WAYS = ((True, True), (False, True), (True, False), (False, False))
#: What a copy is not made with: documents would vanish while it is measured, or a name would stand twice.
_LEFT_OUT = frozenset({"v", "ns", "expireAfterSeconds"})
_VALIDATION = ("validator", "validationLevel", "validationAction")


def measure_writes(client: Client, database: str) -> tuple[WriteCost, ...]:
    """The cost of an insert and of an update for each collection that has documents; ``database`` names a copy of ours.

    Writes are acknowledged by the server's memory (``w: 1``, no journal), so that the disk of this machine takes no part. What
    the server refuses is part of what is given; raises PyMongoError where it cannot be reached.
    """
    collections = [one for one in read(client[database]).all if one.kind is CollectionKind.COLLECTION and one.documents]
    rounds = max(_FEWEST, min(_ROUNDS, _TOGETHER // max(len(collections), 1)))
    return tuple(cost for one in collections for cost in _costs(client, database, one, rounds))


def _costs(client: Client, database: str, collection: Collection, rounds: int) -> Iterator[WriteCost]:
    from pymongo.errors import OperationFailure

    if collection.options.get("capped"):
        yield from (WriteCost(collection.name, kind, gap="capped") for kind in ("insert", "update"))
        return
    copies: Sequence[Documents[_Document]] = ()
    try:
        copies = _copies(client, database, collection)
        yield _inserts(collection.name, copies, rounds)
        yield _updates(collection, copies, rounds)
    except OperationFailure as refused:
        yield WriteCost(collection.name, "write", gap=f"the server refuses the copy: {failed(refused).said}")
    finally:
        for copy in copies:
            copy.drop()


def _copies(client: Client, database: str, collection: Collection) -> Sequence[Documents[_Document]]:
    """The four copies, in the order of a round, each with the same documents."""
    from bson.codec_options import CodecOptions
    from bson.raw_bson import RawBSONDocument
    from pymongo import WriteConcern

    raw: CodecOptions[Any] = client.codec_options.with_options(document_class=RawBSONDocument)
    plain: dict[str, Any] = {"collation": {"locale": "simple"}} if "collation" in collection.options else {}
    source = client[database].get_collection(collection.name, codec_options=raw)
    (described,) = client[database].list_collections(filter={"name": collection.name})
    indexes = [
        plain | {key: value for key, value in index.items() if key not in _LEFT_OUT}
        for index in client[database][collection.name].list_indexes()
        if index["name"] != "_id_" and not index.get("clustered")
    ]
    made: list[Documents[Any]] = []
    for number, (validated, indexed) in enumerate(_WAYS):
        name = f"dbproof_write_{number}"
        client[database].drop_collection(name)
        options = {key: value for key, value in described["options"].items() if validated or key not in _VALIDATION}
        client[database].command("create", name, **{key: value for key, value in options.items() if key != "uuid"})
        if indexed and indexes:
            client[database].command("createIndexes", name, indexes=indexes)
        made.append(client[database].get_collection(name, codec_options=raw, write_concern=WriteConcern(w=1, j=False)))
    reading = iter(source.find(limit=_MOST, batch_size=_BATCH))
    while batch := list(islice(reading, _BATCH)):
        for copy in made:
            copy.insert_many(batch, bypass_document_validation=True)
    return made


def _inserts(name: str, copies: Sequence[Documents[_Document]], rounds: int) -> WriteCost:
    """Each round takes one document out of every copy, and puts it in again."""
    from pymongo.errors import WriteError

    taken: list[_Document] = []
    for document in _spread(copies[0]):
        copies[0].delete_one({"_id": document["_id"]})
        try:
            copies[0].insert_one(document)
            taken.append(document)
        except WriteError:
            copies[0].insert_one(document, bypass_document_validation=True)
    if not taken:
        return WriteCost(name, "insert", gap="no document that is there would be taken")

    def insert(copy: Documents[_Document], document: _Document) -> float:
        copy.delete_one({"_id": document["_id"]})
        return _seconds(lambda: copy.insert_one(document))

    return WriteCost(name, "insert", _rounds(copies, taken, insert, rounds))


@dataclass(frozen=True)
class _Change:
    """A document, and what it is replaced by: another's fields, with its own key and what must be unique."""

    document: _Document
    instead: _Document


def _updates(collection: Collection, copies: Sequence[Documents[_Document]], rounds: int) -> WriteCost:
    """Each round gives one document of every copy another's fields, and takes them back."""
    changes = list(_changes(collection, copies[0]))
    if not changes:
        return WriteCost(collection.name, "update", gap="no document that is there may have another's fields")

    def update(copy: Documents[_Document], change: _Change) -> float:
        key = {"_id": change.document["_id"]}
        took = _seconds(lambda: copy.replace_one(key, change.instead))
        copy.replace_one(key, change.document, bypass_document_validation=True)
        return took

    return WriteCost(collection.name, "update", _rounds(copies, changes, update, rounds))


def _changes(collection: Collection, copy: Documents[_Document]) -> Iterator[_Change]:
    """The changes that everything takes, and that change something."""
    from bson.errors import BSONError
    from pymongo.errors import WriteError

    own = {"_id"} | {name.partition(".")[0] for index in collection.indexes if index.unique for name in index.fields}
    documents = list(_spread(copy))
    for document, other in zip(documents, [*documents[1:], *documents[:1]], strict=True):
        instead = {name: value for name, value in other.items() if name not in own}
        instead |= {name: value for name, value in document.items() if name in own}
        key = {"_id": document["_id"]}
        with suppress(WriteError, BSONError):
            changed = copy.replace_one(key, instead).modified_count
            copy.replace_one(key, document, bypass_document_validation=True)
            if changed:
                yield _Change(document, instead)


def _spread(copy: Documents[_Document]) -> Iterator[_Document]:
    """A few documents from everywhere in a copy, the same in each run."""
    step = max(copy.estimated_document_count() // _WRITTEN, 1)
    return islice(copy.find(sort=[("_id", 1)], batch_size=_BATCH), 0, step * _WRITTEN, step)


def _rounds(
    copies: Sequence[Documents[_Document]], what: Sequence[_T], write: Callable[[Documents[_Document], _T], float], count: int
) -> tuple[_Round, ...]:
    """The seconds of each counted round; the copies come in another order in each, so that none is always the first."""
    rounds: list[_Round] = []
    for number, one in enumerate(islice(cycle(what), _WARM_UPS + count)):
        order = [(number + step) % len(copies) for step in range(len(copies))]
        seconds = {way: write(copies[way], one) for way in order}
        rounds.append((seconds[0], seconds[1], seconds[2], seconds[3]))
    return tuple(rounds[_WARM_UPS:])


def _seconds(way: Callable[[], object]) -> float:
    began = time.perf_counter()
    way()
    return time.perf_counter() - began
