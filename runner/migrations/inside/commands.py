"""Hears every command that pymongo sends, and tells those that make, change or drop something, with their places.

MongoDB's own log says nothing of the kind, so that what a program of the project's did is known from inside it alone. Of commands
that change or delete documents each line of the project's tells once.
"""

from __future__ import annotations

import threading
from typing import Any, Callable, Dict, Mapping, Optional, Set, Tuple

from .effects import WRITES, Effects, changed
from .place import Place, Places
from .shell import statement
from .telling import tell

#: Commands that a failure never stands for: what drivers send around the project's own.
_READS = frozenset({
    "find", "getMore", "count", "distinct", "explain", "ping", "hello", "isMaster", "ismaster", "endSessions", "killCursors",
    "listCollections", "listIndexes", "connectionStatus", "buildInfo", "buildinfo", "commitTransaction", "abortTransaction",
})  # fmt: skip
_SCHEMA = frozenset({"create", "collMod", "createIndexes", "dropIndexes", "drop", "renameCollection", "dropDatabase"})


def listener(places: Places, database: str, otherwise: Callable[[], Optional[Place]] = lambda: None) -> Any:
    """What is given to ``pymongo.monitoring.register``; ``database`` is ours, ``otherwise`` where the stack shows no place."""
    from pymongo import monitoring

    class Commands(_Heard, monitoring.CommandListener):
        pass

    return Commands(places, database, otherwise)


class _Heard:
    """Tells of the commands to one database. Several threads may send some."""

    def __init__(self, places: Places, database: str, otherwise: Callable[[], Optional[Place]]) -> None:
        self._places = places
        self._otherwise = otherwise
        self._database = database
        self._sent: Dict[int, Tuple[Mapping[str, Any], Optional[Place], Optional[Place]]] = {}
        self._wrote: Set[Tuple[str, str, Place]] = set()
        self._effects = Effects()
        self._came = False
        self._lock = threading.Lock()
        self._last: Mapping[str, Any] = {}

    @property
    def last(self) -> str:
        """The last command that wrote, for the words of a failure."""
        return statement(self._last) if self._last else ""

    def started(self, event: Any) -> None:
        """Keep the command until it ends; this runs in the caller's own stack."""
        if self._is_ours(event) and event.command_name in _SCHEMA | WRITES | {"aggregate", "delete"}:
            command = dict(event.command)
            self._sent[event.request_id] = command, self._places.now(depth=2), self._otherwise()
            self._last = command
        elif event.command_name not in _READS:  # of one that holds a password pymongo tells the name only
            self._last = dict(event.command) or {event.command_name: 1}

    def succeeded(self, event: Any) -> None:
        """Tell what the command made and dropped."""
        if not self._came:
            self._came = True
            tell("came")
        command, place, otherwise = self._sent.pop(event.request_id, ({}, None, None))
        if not command:
            return
        with self._lock:
            made, dropped = self._effects.done(event.command_name, command, event.reply)
            first = place is not None and self._first(event, command, place)
        if made or dropped or first or event.command_name == "collMod":
            file, line = place or otherwise or (None, None)
            seconds = event.duration_micros / 1_000_000
            tell("ran", text=statement(command), file=file, line=line, seconds=seconds, made=made, dropped=dropped)

    def _first(self, event: Any, command: Mapping[str, Any], place: Place) -> bool:
        """Whether it changed documents, which this place of the project's has not told of this collection yet."""
        if not changed(event.command_name, command, event.reply):
            return False
        here = (event.command_name, str(next(iter(command.values()), "")), place)
        known = here in self._wrote
        self._wrote.add(here)
        return not known

    def failed(self, event: Any) -> None:
        """A command that failed did nothing."""
        self._sent.pop(event.request_id, None)

    def _is_ours(self, event: Any) -> bool:
        if event.command_name == "renameCollection":
            return str(event.command.get("renameCollection", "")).startswith(self._database + ".")
        return bool(event.database_name == self._database)

    def know(self, collections: Mapping[str, Any]) -> None:
        """What was there before the first file: names, with the names of their indexes."""
        self._effects.know(collections)
