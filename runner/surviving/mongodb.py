"""Base's documents beside head's on two servers of MongoDB.

Each digests its collections itself (``dbHash``), so that what a migration left alone costs one scan inside either server. Only
the documents of the others come here, batch by batch, found on head by their ``_id``. A collection that was renamed is known by
the number that the server gave it, which a fork keeps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from checks.pipelines.keys import shown
from checks.pipelines.paths import Path, label
from checks.schema.collections import Collection, CollectionKind, Collections
from checks.schema.mongodb import read
from checks.schema.names import TableName
from checks.survivals import ColumnSurvival, Survival
from runner.errors import ServerFailed
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session
from runner.surviving.fields import Fields, KeysAreData
from runner.surviving.reading import batches, by_key, decoded, exists, id_of
from runner.surviving.tally import SAMPLE
from runner.targets.mongodb_sessions import failed

if TYPE_CHECKING:
    from pymongo.database import Database as Documents


def documents(base: Database, head: Database, refilled: frozenset[TableName]) -> Iterator[Survival]:
    """What became of the documents of every collection of base; views hold none. Raises ServerFailed."""
    from pymongo.errors import PyMongoError

    try:
        with session(base.private) as first, session(head.private) as second:
            yield from _Both(_side(first[base.name]), _side(second[head.name]), {one.name for one in refilled}).all()
    except PyMongoError as error:
        raise ServerFailed(f"the documents could not be compared: {failed(error).said}") from None


@dataclass(frozen=True)
class _Side:
    """A database with its collections, their numbers and their digests, as far as the server tells them."""

    database: Documents[Any]
    collections: Collections
    numbers: Mapping[str, Any]
    digests: Mapping[str, str]

    def count(self, name: str) -> int:
        """How many documents a collection has; exact."""
        return self.database[name].count_documents({})


def _side(database: Documents[Any]) -> _Side:
    found = Collections(tuple(one for one in read(database).all if one.kind is not CollectionKind.VIEW), database.name)
    numbers = {one["name"]: one.get("info", {}).get("uuid") for one in database.list_collections()}
    return _Side(database, found, numbers, _digests(database, found))


def _digests(database: Documents[Any], collections: Collections) -> Mapping[str, str]:
    """Of those that hold documents; nothing where the server does not offer it."""
    from pymongo.errors import OperationFailure

    names = [one.name for one in collections.all if one.kind is CollectionKind.COLLECTION]
    try:
        return dict(database.command("dbHash", collections=names)["collections"]) if names else {}
    except OperationFailure:
        return {}


@dataclass
class _Compared:
    """The documents of one collection so far."""

    before: int = 0
    missing: int = 0
    fields: Fields = field(default_factory=Fields)
    keys: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Both:
    """Base beside head; ``emptied`` are head's collections without documents but those made after migrating."""

    base: _Side
    head: _Side
    emptied: set[str]

    def all(self) -> Iterator[Survival]:
        """Every collection of base, in the order of names."""
        renamed = self._renamed()
        for one in self.base.collections.all:
            yield self._one(one, renamed)

    def _renamed(self) -> Mapping[str, str]:
        """What base's collections are called on head, of those that have the same number there."""
        by_number = {number: name for name, number in self.head.numbers.items() if number is not None}
        found = ((name, by_number.get(number)) for name, number in self.base.numbers.items() if number is not None)
        return {name: now for name, now in found if now in self.head.collections.collection and now is not None}

    def _one(self, one: Collection, renamed: Mapping[str, str]) -> Survival:
        taken = {now for was, now in renamed.items() if was != one.name}
        now = renamed.get(one.name) or (one.name if one.name not in taken else None)
        then = self.head.collections.collection.get(now) if now is not None else None
        if then is None:
            return self._gone(one)
        if CollectionKind.TIME_SERIES in (one.kind, then.kind):
            return self._by_numbers(one, then)
        return self._kept(one, then)

    def _gone(self, one: Collection) -> Survival:
        """Dropped, or all that it held is in a collection that is new."""
        count = self.base.count(one.name)
        new = [each for each in self.head.collections.all if each.name not in self.base.collections.collection]
        for then in new if count and one.kind is CollectionKind.COLLECTION else ():
            if then.kind is CollectionKind.COLLECTION and self.head.count(then.name) >= count:
                found = self._kept(one, then)
                if found.keyed and not found.missing and not found.columns:
                    return found
        return Survival(_named(one.name), None, count, missing=count)

    def _by_numbers(self, one: Collection, then: Collection) -> Survival:
        """Measurements of a time series have no key, and many are stored as one document."""
        before, after = self.base.count(one.name), self.head.count(then.name)
        after = 0 if then.name in self.emptied else after
        missing, extra = max(0, before - after), max(0, after - before)
        return Survival(_named(one.name), _named(then.name), before, after, missing, extra, keyed=False)

    def _kept(self, one: Collection, then: Collection) -> Survival:
        known = Survival(_named(one.name), _named(then.name))
        if then.name in self.emptied:
            before = self.base.count(one.name)
            return replace(known, before=before, missing=before)
        digest = self.base.digests.get(one.name)
        if digest is not None and digest == self.head.digests.get(then.name):
            number = self.base.count(one.name)
            return replace(known, before=number, after=number)
        return self._read(one.name, then.name, known)

    def _read(self, was: str, now: str, known: Survival) -> Survival:
        found = self._compared(was, now)
        after = self.head.count(now)
        if found.missing == found.before and found.before and after:
            return self._without_keys(was, now, replace(known, before=found.before, after=after))
        return replace(
            known,
            before=found.before,
            after=after,
            missing=found.missing,
            extra=after - found.before + found.missing,
            columns=tuple(found.fields.columns(self._dropped(found.fields, now))),
            keys=tuple(found.keys),
        )

    def _compared(self, was: str, now: str) -> _Compared:
        found = _Compared()
        while True:
            try:
                self._through(was, now, found)
            except KeysAreData:
                found = _Compared(fields=found.fields.again())
            else:
                return found

    def _through(self, was: str, now: str, found: _Compared) -> None:
        for batch in batches(self.base.database[was]):
            there = by_key(self.head.database[now], batch)
            found.before += len(batch)
            for key, raw in batch.items():
                other = there.get(key)
                if other is None:
                    found.missing += 1
                    if len(found.keys) < SAMPLE:
                        found.keys.append(f"_id={_Key(key)}")
                elif raw != other:
                    found.fields.take(_Key(key), decoded(raw), decoded(other))

    def _dropped(self, fields: Fields, now: str) -> set[Path]:
        """The fields that are lost, and in no document of head's."""
        lost = {path for path, one in fields.tallies.items() if one.lost}
        return lost - exists(self.head.database[now], lost)

    def _without_keys(self, was: str, now: str, known: Survival) -> Survival:
        """No ``_id`` is there any more: they were rewritten, so numbers say what became of the documents."""
        missing, extra = max(0, known.before - known.after), max(0, known.after - known.before)
        return replace(known, missing=missing, extra=extra, keyed=False, columns=tuple(self._gone_fields(was, now)))

    def _gone_fields(self, was: str, now: str) -> Iterator[ColumnSurvival]:
        """The names that documents of base have with a value, and none of head's has."""
        value = {"$and": [{"$ne": ["$x.k", "_id"]}, {"$not": [{"$in": [{"$type": "$x.v"}, ["null", "undefined"]]}]}]}
        names: list[Mapping[str, Any]] = [
            {"$project": {"x": {"$objectToArray": "$$ROOT"}}},
            {"$unwind": "$x"},
            {"$match": {"$expr": value}},
            {"$group": {"_id": "$x.k", "n": {"$sum": 1}}},
        ]
        held = {one["_id"]: one["n"] for one in self.base.database[was].aggregate(names)}
        left = {one["_id"] for one in self.head.database[now].aggregate(names)}
        for name in sorted(held.keys() - left):
            yield ColumnSurvival(label((name,)), "", None, values=held[name])


@dataclass(frozen=True)
class _Key:
    """An ``_id`` that is read only where it is shown."""

    stored: bytes

    def __str__(self) -> str:
        return shown(id_of(self.stored))


def _named(collection: str) -> TableName:
    return TableName("", collection)
