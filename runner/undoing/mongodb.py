"""The state of a MongoDB database, and in what two of them differ.

Documents are digested inside the server by ``dbHash``, which goes through them in the order of their ``_id``: the order in which
they were written does not matter. Where it is refused or knows nothing of a collection (time series), the documents come through
here, one by one, and their digests are added up. Where two digests differ, the documents themselves are compared: a document
whose fields stand in another order is the same (``$rename`` moves a field to the end).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from checks.reversals import Difference, DifferenceKind
from checks.schema.collections import (
    Collection,
    CollectionKind,
    collection_reference,
    index_reference,
    validator_reference,
)
from checks.schema.indexes import differences as index_differences
from checks.schema.mongodb import read as read_collections
from runner.errors import ServerFailed
from runner.servers.interface import Database, Server
from runner.servers.mongodb.copying import copy_database
from runner.servers.mongodb.sessions import session
from runner.servers.names import shortened
from runner.undoing.documents import Unlike, canonical, unlike

if TYPE_CHECKING:
    from runner.servers.mongodb.sessions import Client

#: Digests that are added up stay below this.
_MODULUS = 1 << 128
#: How many fields are named in which documents differ.
_MOST = 5


@dataclass(frozen=True)
class Held:
    """A collection with a digest of its documents; a view has none."""

    collection: Collection
    digest: str

    @property
    def is_nothing(self) -> bool:
        """Whether MongoDB would make it by itself with the first document: no documents, no validator, no index, no option."""
        one = self.collection
        alone = all(index.name == "_id_" for index in one.indexes)
        return one.kind is CollectionKind.COLLECTION and not (one.documents or one.validator or one.options) and alone


State = Mapping[str, Held]


def read(database: Database, *, numbers: bool = False) -> State:  # noqa: ARG001 - digests cost next to nothing here
    """Every collection that is judged, with its digest. Raises ServerFailed."""
    with _session(database) as client:
        collections = read_collections(client[database.name]).all
        hashes = _hashes(client, database.name)
        return {one.name: Held(one, _digest(client, database.name, one, hashes)) for one in collections}


@contextmanager
def copied(database: Database, server: Server | None = None) -> Iterator[Database]:  # noqa: ARG001 - a session is enough
    """A copy on the same server, dropped at the end. Raises ServerFailed."""
    name = shortened(database.name, f"_{secrets.token_hex(4)}")
    with _session(database) as client:
        try:
            copy_database(client, database.name, name)
            yield replace(database, name=name, private=replace(database.private, database=name))
        finally:
            client.drop_database(name)


def clear(database: Database) -> None:
    """Drop the database; users are kept apart from it. Raises ServerFailed."""
    with _session(database) as client:
        client.drop_database(database.name)


@contextmanager
def _session(database: Database) -> Iterator[Client]:
    from pymongo.errors import PyMongoError

    try:
        with session(database.private) as client:
            yield client
    except PyMongoError as error:
        raise ServerFailed(f"the state of database {database.name} could not be read: {error}") from None


def _hashes(client: Client, name: str) -> Mapping[str, str]:
    """What ``dbHash`` says of each collection; nothing where the server does not offer it (mongos, some hosted ones)."""
    from pymongo.errors import OperationFailure

    try:
        return dict(client[name].command("dbHash")["collections"])
    except OperationFailure:
        return {}


def _digest(client: Client, database: str, one: Collection, hashes: Mapping[str, str]) -> str:
    if one.kind is CollectionKind.VIEW:
        return ""
    if one.kind is CollectionKind.COLLECTION and one.name in hashes:
        return hashes[one.name]
    return f"{_added_up(client, database, one.name):032x}"


def _added_up(client: Client, database: str, name: str) -> int:
    total = 0
    for document in client[database][name].find():
        total += int.from_bytes(hashlib.md5(canonical(document), usedforsecurity=False).digest())
    return total % _MODULUS


def differences(
    before: State, after: State, *, live: tuple[Database, Database] | None = None, numbers: bool = False
) -> tuple[Difference, ...]:
    """In what the later state differs. Raises ServerFailed."""
    return tuple(_differences(before, after, live, numbers))


def _differences(before: State, after: State, live: tuple[Database, Database] | None, numbers: bool) -> Iterator[Difference]:
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was is None or now is None:
            one = was or now
            if one is not None and not one.is_nothing:
                kind = DifferenceKind.EXTRA if was is None else DifferenceKind.MISSING
                yield Difference(collection_reference(name), kind, one.collection.documents)
            continue
        yield from _of_structure(was.collection, now.collection)
        if numbers:
            yield from _of_numbers(was.collection, now.collection)
        elif was.digest != now.digest:
            yield from _of_documents(was.collection, now.collection, live)


def _of_structure(was: Collection, now: Collection) -> Iterator[Difference]:
    if (was.kind, was.options) != (now.kind, now.options):
        names = sorted(was.options.keys() | now.options.keys())
        changed = ", ".join(name for name in names if was.options.get(name) != now.options.get(name))
        yield Difference(was.reference, DifferenceKind.CHANGED, words=f"has other options ({changed or now.kind.value})")
    yield from _of_validators(was, now)
    for name in sorted(was.index.keys() | now.index.keys()):
        reference = index_reference(was.name, name)
        if name not in now.index:
            yield Difference(reference, DifferenceKind.MISSING)
        elif name not in was.index:
            yield Difference(reference, DifferenceKind.EXTRA)
        elif words := ", ".join(index_differences(was.index[name], now.index[name])):
            yield Difference(reference, DifferenceKind.CHANGED, words=words)


def _of_validators(was: Collection, now: Collection) -> Iterator[Difference]:
    reference = validator_reference(was.name)
    if was.validator is None or now.validator is None:
        if was.validator != now.validator:
            yield Difference(reference, DifferenceKind.EXTRA if was.validator is None else DifferenceKind.MISSING)
    elif was.validator != now.validator:
        yield Difference(reference, DifferenceKind.CHANGED, words="is another one")
    elif (was.validation_level, was.validation_action) != (now.validation_level, now.validation_action):
        words = f"has level {now.validation_level.value} and action {now.validation_action.value}"
        expected = f"{was.validation_level.value} and {was.validation_action.value}"
        yield Difference(reference, DifferenceKind.CHANGED, words=f"{words}, expected {expected}")


def _of_numbers(was: Collection, now: Collection) -> Iterator[Difference]:
    more = now.documents - was.documents
    if more:
        kind = DifferenceKind.ROWS_EXTRA if more > 0 else DifferenceKind.ROWS_MISSING
        yield Difference(was.reference, kind, abs(more))


def _of_documents(was: Collection, now: Collection, live: tuple[Database, Database] | None) -> Iterator[Difference]:
    if live is None or was.kind is not CollectionKind.COLLECTION:
        yield from list(_of_numbers(was, now)) or [Difference(was.reference, DifferenceKind.ROWS_CHANGED)]
        return
    with _session(live[0]) as first, _session(live[1]) as second:
        found = unlike(first[live[0].name], second[live[1].name], was.name)
    yield from _said(was, found)


def _said(was: Collection, found: Unlike) -> Iterator[Difference]:
    if found.missing:
        yield Difference(was.reference, DifferenceKind.ROWS_MISSING, found.missing)
    if found.extra:
        yield Difference(was.reference, DifferenceKind.ROWS_EXTRA, found.extra)
    if found.changed:
        yield Difference(was.reference, DifferenceKind.ROWS_CHANGED, found.changed, _fields(sorted(found.fields)))


def _fields(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{', '.join(names[:_MOST])}{more}"
