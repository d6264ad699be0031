"""What was executed on a MongoDB database: as a program told it, else as the server's log has it; and what made each object."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from checks.evidence import Made, Statement
from checks.schema.collections import (
    Collections,
    collection_reference,
    index_reference,
    validator_reference,
)
from checks.schema.names import ObjectKind, ObjectReference
from runner.migrations.inside.refusals import refusal
from runner.migrations.inside.shell import statement
from runner.migrations.interface import Came, Event, Ran
from runner.recorder.recording import Recording, ServerError
from runner.servers.interface import OURS, LogRecord
from runner.servers.mongodb.log import CAME_IN, COMMAND, FAILED, NEW_COLLECTION

_VALIDATION = frozenset({"validator", "validationLevel", "validationAction"})
#: Commands by which drivers look around: that they fail says nothing.
_LOOKING = frozenset(
    {"hello", "isMaster", "ismaster", "listCollections", "listIndexes", "saslStart", "saslContinue", "endSessions"}
)

References = tuple[ObjectReference, ...]
#: What a command made and dropped.
Changed = tuple[list[ObjectReference], list[ObjectReference]]


def record(
    records: Iterable[LogRecord], database: str, owner: str, told: Sequence[Event], after: Sequence[Recording]
) -> Recording:
    """What happened in a database: errors and sessions from the log, statements as the program told them, else from the log."""
    logged = _read(records, database, owner, after)
    ran = tuple(event.statement for event in told if isinstance(event, Ran))
    return replace(logged, statements=ran) if ran else logged


def arrived(recording: Recording, told: Sequence[Event]) -> bool:
    """Whether a session of the project's came: the log knows it, or its program told it."""
    return bool(recording.sessions) or any(isinstance(event, Came | Ran) for event in told)


def resolve(
    recordings: Sequence[Recording], collections: Collections, revisions: Mapping[str, str]
) -> dict[ObjectReference, Made]:
    """The statement that made or changed each object of a database last, as far as a statement with a place did."""
    found: dict[ObjectReference, Made] = {}
    for one in (one for recording in recordings for one in recording.statements if not one.undone):
        for gone in one.dropped:
            _forget(found, gone)
        for made in one.made:
            found.pop(made, None)
            if one.place:
                found[made] = Made(one.place, one.text, one.revision or revisions.get(one.place.file))
    return {reference: found[reference] for reference in _existing(collections) if reference in found}


def _forget(found: dict[ObjectReference, Made], gone: ObjectReference) -> None:
    """An object that was dropped, and what hung on it."""
    for known in list(found):
        if known == gone or (gone.kind is ObjectKind.COLLECTION and known.relation == gone.relation):
            del found[known]


def _existing(collections: Collections) -> Iterator[ObjectReference]:
    for collection in collections.all:
        yield collection.reference
        if collection.validator is not None:
            yield validator_reference(collection.name)
        yield from (index_reference(collection.name, index.name) for index in collection.indexes)


def _read(records: Iterable[LogRecord], database: str, owner: str, after: Sequence[Recording]) -> Recording:
    reading = _Reading(database, owner, _There(after))
    for one in records:
        reading.take(one)
    return reading.recording()


@dataclass
class _Reading:
    """The log of one database, record by record."""

    database: str
    owner: str
    there: _There
    statements: list[Statement] = field(default_factory=list)
    errors: list[ServerError] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)
    implied: dict[str, list[str]] = field(default_factory=dict)
    open: dict[str, list[int]] = field(default_factory=dict)

    def take(self, one: LogRecord) -> None:
        """Enter one record; what is not the project's, or about another database, is left out."""
        if one.message == CAME_IN and (one.user, one.database) == (self.owner, self.database):
            self.sessions.add(one.session)
        elif one.message == NEW_COLLECTION and one.database == self.database:
            self.implied.setdefault(one.session, []).append(one.detail)
        elif one.message in (COMMAND, FAILED) and one.application != OURS and one.session.startswith("conn"):
            self._command(one, json.loads(one.sent))

    def recording(self) -> Recording:
        """All that was entered."""
        return Recording(tuple(self.statements), tuple(self.errors), frozenset(self.sessions))

    def _command(self, one: LogRecord, command: dict[str, Any]) -> None:
        name = next(iter(command), "")
        transaction = _transaction(command)
        if name in ("commitTransaction", "abortTransaction"):
            self._end(transaction, undone=name == "abortTransaction" or one.message == FAILED)
        if one.database != self.database:
            return
        self.sessions.add(one.session)
        implied = self.implied.pop(one.session, [])
        if one.message == FAILED:
            self._failed(one, name, command, transaction)
            return
        made, dropped = self.there.changed(name, command, implied)
        if made or dropped:
            self.open.setdefault(transaction, []).append(len(self.statements))
            self.statements.append(Statement(statement(command), seconds=one.seconds, made=made, dropped=dropped))

    def _failed(self, one: LogRecord, name: str, command: Mapping[str, Any], transaction: str) -> None:
        if name in _LOOKING:
            return
        said, quoting = refusal(int(one.code or 0), one.detail, {})
        self.errors.append(ServerError(one.code, said, quoting, statement(command), None, one.session, one.severity))
        if transaction:
            self._end(transaction, undone=True)

    def _end(self, transaction: str, *, undone: bool) -> None:
        for number in self.open.pop(transaction, []):
            self.statements[number] = replace(self.statements[number], undone=undone)


def _transaction(command: Mapping[str, Any]) -> str:
    """What a command's transaction is known by; empty for a command outside of any."""
    return f"{command.get('lsid')} {command.get('txnNumber')}" if command.get("autocommit") is False else ""


class _There:
    """Which collections and indexes there are while commands are gone through in order."""

    def __init__(self, after: Sequence[Recording]) -> None:
        self._indexes: dict[str, set[str]] = {}
        for one in (one for recording in after for one in recording.statements if not one.undone):
            for gone in one.dropped:
                if gone.kind is ObjectKind.COLLECTION:
                    self._indexes.pop(gone.relation, None)
                else:
                    self._indexes.get(gone.relation, set()).discard(gone.name)
            for made in one.made:
                self._indexes.setdefault(made.relation, set()).update({made.name} - {""})

    def changed(self, name: str, command: Mapping[str, Any], implied: Sequence[str]) -> tuple[References, References]:
        """What a command made and dropped; ``implied`` are collections that the server made for it."""
        first = str(command.get(name, ""))
        new = [one for one in implied if one not in self._indexes and not one.startswith(("system.", "tmp."))]
        for one in new:
            self._indexes[one] = set()
        made = [collection_reference(one) for one in new if one != first or name != "create"]
        dropped: list[ObjectReference] = []
        do = _CHANGES.get(name)
        if do is not None:
            more, gone = do(self, first, command)
            made, dropped = [*made, *more], gone
        return tuple(made), tuple(dropped)

    def create(self, first: str, command: Mapping[str, Any]) -> Changed:
        self._indexes.setdefault(first, set())
        return [collection_reference(first), *([validator_reference(first)] if command.get("validator") else [])], []

    def modify(self, first: str, command: Mapping[str, Any]) -> Changed:
        index = command.get("index")
        made = [index_reference(first, str(index["name"]))] if index and "name" in index else []
        if not _VALIDATION & command.keys():
            return made, []
        if command.get("validator", True):
            return [*made, validator_reference(first)], []
        return made, [validator_reference(first)]

    def index(self, first: str, command: Mapping[str, Any]) -> Changed:
        known = self._indexes.setdefault(first, set())
        names = [str(one.get("name")) for one in command.get("indexes", ())]
        new = [one for one in names if one not in known]
        known.update(new)
        return [index_reference(first, one) for one in new], []

    def drop_indexes(self, first: str, command: Mapping[str, Any]) -> Changed:
        known, which = self._indexes.get(first, set()), command.get("index", "*")
        names = sorted(known) if which == "*" else which if isinstance(which, list) else [which]
        gone = [one if isinstance(one, str) else "_".join(f"{field}_{kind}" for field, kind in one.items()) for one in names]
        known.difference_update(gone)
        return [], [index_reference(first, one) for one in gone]

    def drop(self, first: str, _: Mapping[str, Any]) -> Changed:
        gone = self._indexes.pop(first, set())
        return [], [
            collection_reference(first),
            validator_reference(first),
            *(index_reference(first, one) for one in sorted(gone)),
        ]

    def aggregate(self, _: str, command: Mapping[str, Any]) -> Changed:
        new = [one for one in _written(command) if one not in self._indexes]
        self._indexes.update({one: set() for one in new})
        return [collection_reference(one) for one in new], []

    def drop_all(self, _: str, command: Mapping[str, Any]) -> Changed:
        return [], [gone for name in list(self._indexes) for gone in self.drop(name, command)[1]]

    def rename(self, first: str, command: Mapping[str, Any]) -> Changed:
        old, new = first.partition(".")[2], str(command["to"]).partition(".")[2]
        kept = self._indexes.get(old, set())
        gone = [*(self.drop(new, command)[1] if command.get("dropTarget") else []), *self.drop(old, command)[1]]
        self._indexes[new] = set(kept)
        made = [collection_reference(new), validator_reference(new), *(index_reference(new, one) for one in sorted(kept))]
        return made, gone


def _written(command: Mapping[str, Any]) -> Iterator[str]:
    """The collections that a pipeline writes to."""
    for stage in command.get("pipeline", ()):
        for target in (stage.get("$out"), stage.get("$merge", {}).get("into")):
            name = target.get("coll") if isinstance(target, Mapping) else target
            if isinstance(name, str):
                yield name


_CHANGES: Mapping[str, Callable[[_There, str, Mapping[str, Any]], Changed]] = {
    "aggregate": _There.aggregate,
    "create": _There.create,
    "collMod": _There.modify,
    "createIndexes": _There.index,
    "dropIndexes": _There.drop_indexes,
    "drop": _There.drop,
    "dropDatabase": _There.drop_all,
    "renameCollection": _There.rename,
}
