"""What commands made and dropped, while they are gone through in order: collections, validators, indexes."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Set, Tuple

Reference = Dict[str, str]

#: Commands that write documents, and so make the collection where there is none.
WRITES = frozenset({"insert", "update", "findAndModify", "findandmodify"})
#: The index that comes and goes with its collection.
_OWN = "_id_"


def changed(name: str, command: Mapping[str, Any], reply: Mapping[str, Any]) -> bool:
    """Whether a command changed or deleted documents that were there, or wrote what a pipeline gave."""
    if name == "update":
        return bool(reply.get("nModified"))
    if name == "delete":
        return bool(reply.get("n"))
    if name in ("findAndModify", "findandmodify"):
        return bool((reply.get("lastErrorObject") or {}).get("n"))
    return name == "aggregate" and any(True for _ in _out(command))


class Effects:
    """Knows which collections and indexes there are."""

    def __init__(self) -> None:
        self._there: Dict[str, Set[str]] = {}

    def done(self, name: str, command: Mapping[str, Any], reply: Mapping[str, Any]) -> Tuple[List[Reference], List[Reference]]:
        """What a command that went well made and dropped; ``reply`` is the server's answer to it."""
        first = str(next(iter(command.values()), ""))
        made: List[Reference] = []
        dropped: List[Reference] = []
        if name == "create":
            made += self._new(first)
            made += _validator(first) if command.get("validator") else []
        elif name == "collMod":
            side = made if "validator" not in command or command["validator"] else dropped
            side += _validator(first) if _CHANGES_VALIDATOR & command.keys() else []
            made += [_index(first, _named(command["index"]))] if "index" in command else []
        elif name == "createIndexes":
            made += self._implied(first) + self._indexed(first, command, reply)
        elif name == "dropIndexes":
            dropped += self._without_indexes(first, command["index"])
        elif name == "drop":
            dropped += self._gone(first)
        elif name == "dropDatabase":
            dropped += [one for collection in list(self._there) for one in self._gone(collection)]
        elif name == "renameCollection":
            old, new = first.partition(".")[2], str(command["to"]).partition(".")[2]
            kept = self._there.get(old, set())
            dropped += self._gone(new) if command.get("dropTarget") else []
            dropped += self._gone(old)
            self._there[new] = kept
            made += [_collection(new), *_validator(new), *(_index(new, one) for one in sorted(kept))]
        elif name == "aggregate":
            made += [one for target in _out(command) for one in self._implied(target)]
        elif name in WRITES:
            made += self._implied(first) if _wrote(name, reply) else []
        return made, dropped

    def know(self, collections: Mapping[str, Any]) -> None:
        """What was there before the first file: names, with the names of their indexes."""
        for name, indexes in collections.items():
            self._there[name] = set(indexes) - {_OWN}

    def _new(self, collection: str) -> List[Reference]:
        self._there.setdefault(collection, set())
        return [_collection(collection)]

    def _implied(self, collection: str) -> List[Reference]:
        """A collection that comes into being because something is written to it."""
        return [] if collection in self._there or collection.startswith("system.") else self._new(collection)

    def _indexed(self, collection: str, command: Mapping[str, Any], reply: Mapping[str, Any]) -> List[Reference]:
        if reply.get("numIndexesBefore") == reply.get("numIndexesAfter") and "numIndexesBefore" in reply:
            return []
        names = [str(one.get("name")) for one in command["indexes"]]
        new = [name for name in names if name not in self._there[collection]]
        self._there[collection].update(new)
        return [_index(collection, name) for name in new]

    def _without_indexes(self, collection: str, which: Any) -> List[Reference]:
        known = self._there.get(collection, set())
        names = sorted(known) if which == "*" else which if isinstance(which, list) else [_named({"name": which})]
        known.difference_update(names)
        return [_index(collection, str(name)) for name in names]

    def _gone(self, collection: str) -> List[Reference]:
        indexes = self._there.pop(collection, set())
        return [_collection(collection), *_validator(collection), *(_index(collection, name) for name in sorted(indexes))]


_CHANGES_VALIDATOR = frozenset({"validator", "validationLevel", "validationAction"})


def _collection(name: str) -> Reference:
    return {"kind": "collection", "relation": name, "name": ""}


def _validator(collection: str) -> List[Reference]:
    return [{"kind": "validator", "relation": collection, "name": ""}]


def _index(collection: str, name: str) -> Reference:
    return {"kind": "index", "relation": collection, "name": name}


def _named(index: Mapping[str, Any]) -> str:
    """The name of an index that may be given by its keys: then it is the one that drivers make of them."""
    keys = index.get("name") or index.get("keyPattern")
    return keys if isinstance(keys, str) else "_".join(f"{field}_{kind}" for field, kind in dict(keys or {}).items())


def _out(command: Mapping[str, Any]) -> Iterator[str]:
    """The collections that a pipeline writes to."""
    for stage in command.get("pipeline") or ():
        for name in ("$out", "$merge"):
            target = stage.get(name)
            target = target.get("into", target.get("coll")) if isinstance(target, Mapping) else target
            if isinstance(target, Mapping):
                target = target.get("coll")
            if isinstance(target, str):
                yield target


def _wrote(name: str, reply: Mapping[str, Any]) -> bool:
    if name == "insert":
        return bool(reply.get("n"))
    if name == "update":
        return bool(reply.get("upserted"))
    return bool((reply.get("lastErrorObject") or {}).get("upserted"))
