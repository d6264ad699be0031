"""Which fields the documents of a collection have, at any depth, and how many documents have which types there.

Counted by the server, level by level: the names of an object are read as data, so none need be known before, and what is sent
here are fields and numbers, however many documents there are. A first look at a thousand documents shows how they are built;
the rest is counted in one scan. An object whose keys are data themselves (a price for each day) is one field, ``prices.*``:
told apart by how few documents share a key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Collection as Many
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from checks.document_targets import DocumentSession
from checks.pipelines.paths import Expression, Path, Within, elements, entries, gathered, kind_of, label

#: How many documents are looked at first.
FIRST = 1_000
#: How deep is looked: steps from the document to a field.
DEEPEST = 8
#: How many fields of one collection are told apart.
MOST = 5_000
#: From how many keys on an object may be one whose keys are data, and how many of them a document has then at most, as a share.
KEYS, SHARED = 20, 0.1
#: So many keys are data where there are few documents to tell by; so many are wherever they are.
KEYS_OF_FEW, FEW, KEYS_OF_ANY = 200, 10, 2_000

#: What is no type of a value: nothing is there.
NOTHING = frozenset({"null", "undefined", "missing"})


@dataclass(frozen=True)
class Field:
    """A field, and in how many documents it is of which type (``number`` for every kind of number)."""

    path: Path
    types: Mapping[str, int] = field(hash=False)

    @property
    def label(self) -> str:
        """``lines[].quantity``."""
        return label(self.path)

    @property
    def kinds(self) -> Mapping[str, int]:
        """The types of values that are there, the commonest first."""
        there = ((kind, count) for kind, count in self.types.items() if kind not in NOTHING)
        return dict(sorted(there, key=lambda one: (-one[1], one[0])))

    @property
    def keys_are_data(self) -> bool:
        """Whether it stands for all the values of an object."""
        return self.path[-1] is Within.ANY

    @property
    def rare(self) -> bool:
        """Whether all types but the commonest are so in few documents."""
        common, *others = self.kinds.values()
        return sum(others) <= SHARED * common


class TooMany(Exception):
    """The documents have more different fields than are told apart."""


class _What(Enum):
    """What is asked of a place: the names in an object, the elements of an array, or an object's values whatever their keys."""

    NAMES = "names"
    ELEMENTS = "elements"
    VALUES = "values"


@dataclass(frozen=True)
class _Place:
    """Of an object whose keys are data ``shared`` are the names that many documents have: they alone are no data."""

    path: Path
    what: _What
    shared: frozenset[str] | None = None


Found = dict[Path, dict[str, int]]
_ROOT = _Place((), _What.NAMES)


def fields(collection: str, documents: int, session: DocumentSession) -> Sequence[Field]:
    """Every field, in the order of labels. Raises StatementFailed, and TooMany."""
    first = _Look(collection, session, [{"$limit": FIRST}], min(documents, FIRST))
    first.descend([_ROOT])
    if documents <= FIRST:
        return first.fields
    whole = _Look(collection, session, [], documents, first.maps)
    whole.descend(first.asked)
    return whole.fields


@dataclass
class _Look:
    """One look at documents, that goes deeper as long as there is something below what was found."""

    collection: str
    session: DocumentSession
    which: Sequence[Mapping[str, Any]]
    documents: int
    maps: dict[Path, frozenset[str]] = field(default_factory=dict)
    found: Found = field(default_factory=dict)
    asked: list[_Place] = field(default_factory=list)

    @property
    def fields(self) -> Sequence[Field]:
        """What was found."""
        return sorted((Field(path, types) for path, types in self.found.items()), key=lambda one: one.label)

    def descend(self, places: Sequence[_Place]) -> None:
        """Ask these places together, then those that are below them, and are not asked yet."""
        while places:
            self._ask(places)
            known = set(self.asked)
            places = [one for one in self._below() if one not in known]

    def _ask(self, places: Sequence[_Place]) -> None:
        rows = self._rows(places)
        by_place: dict[int, Found] = defaultdict(lambda: defaultdict(dict))
        for row in rows:
            place = places[row["_id"]["p"]]
            step = row["_id"].get("k", Within.EACH if place.what is _What.ELEMENTS else Within.ANY)
            by_place[row["_id"]["p"]][(*place.path, step)][row["_id"]["t"]] = row["n"]
        again: list[_Place] = []
        for number, place in enumerate(places):
            below = by_place[number]
            plain = place.what is _What.NAMES and place.shared is None
            if plain and self._keys_are_data(place.path, below, cut=len(rows) > MOST):
                self.maps[place.path] = self._shared(place.path, below)
                again.extend(self._in_a_map(place.path))
            else:
                self.asked.append(place)
                self.found.update(below)
        if again:
            self._ask(again)
        elif len(rows) > MOST or len(self.found) > MOST:
            raise TooMany

    def _rows(self, places: Sequence[_Place]) -> Sequence[Mapping[str, Any]]:
        pipeline = [
            *self.which,
            {"$project": {"_id": 0, "x": {"$concatArrays": [_told(number, place) for number, place in enumerate(places)]}}},
            {"$unwind": "$x"},
            {"$group": {"_id": "$x", "n": {"$sum": 1}}},
            {"$sort": {"n": -1}},
            {"$limit": MOST + 1},
        ]
        return list(self.session.aggregate(self.collection, pipeline))

    def _keys_are_data(self, path: Path, below: Found, *, cut: bool) -> bool:
        holders = self._holders(path)
        if cut:
            return len(below) > KEYS_OF_FEW
        shared = sum(max(types.values()) for types in below.values()) / (len(below) * holders or 1)
        few = holders < FEW and len(below) > KEYS_OF_FEW
        return few or len(below) > KEYS_OF_ANY or (len(below) > KEYS and shared < SHARED)

    def _holders(self, path: Path) -> int:
        """How many documents have the object."""
        return self.found[path].get("object", 0) if path else self.documents

    def _shared(self, path: Path, below: Found) -> frozenset[str]:
        least = max(2, SHARED * self._holders(path))
        return frozenset(str(one[-1]) for one, types in below.items() if max(types.values()) >= least)

    def _in_a_map(self, path: Path) -> Iterator[_Place]:
        shared = self.maps[path]
        yield _Place(path, _What.VALUES, shared)
        if shared:
            yield _Place(path, _What.NAMES, shared)

    def _below(self) -> Iterator[_Place]:
        for path, types in self.found.items():
            if len(path) < DEEPEST:
                if "object" in types:
                    yield from self._in_a_map(path) if path in self.maps else (_Place(path, _What.NAMES),)
                if "array" in types:
                    yield _Place(path, _What.ELEMENTS)


def _told(number: int, place: _Place) -> Expression:
    """An array of what a document says of a place: the number of the place, the name, the type."""

    def leaf(value: Expression) -> Expression:
        if place.what is _What.NAMES:
            said = {"p": number, "k": "$$e.k", "t": kind_of("$$e.v")}
            few = {"$slice": [entries(value), KEYS_OF_ANY + 1]}  # with more, the keys are data
            listed = few if place.shared is None else _chosen(value, _among, place.shared)
            return {"$map": {"input": listed, "as": "e", "in": said}}
        if place.what is _What.ELEMENTS:
            return _once({"$map": {"input": elements(value), "as": "e", "in": {"p": number, "t": kind_of("$$e")}}})
        listed = _chosen(value, lambda inside: {"$not": [_among(inside)]}, place.shared or frozenset())
        return _once({"$map": {"input": listed, "as": "e", "in": {"p": number, "t": kind_of("$$e.v")}}})

    return gathered(place.path, leaf)


def _among(names: Expression) -> Expression:
    return {"$in": ["$$e.k", names]}


def _chosen(value: Expression, which: Callable[[Expression], Expression], names: frozenset[str]) -> Expression:
    """The entries of an object by their names."""
    return {"$filter": {"input": entries(value), "as": "e", "cond": which({"$literal": sorted(names)})}}


def _once(entries_of_it: Expression) -> Expression:
    return {"$setUnion": [entries_of_it, []]}


def mixed(found: Many[Field]) -> Iterator[Field]:
    """The fields with values of more than one type.

    Not those inside of what is an object here and an array there: the server's paths go through both.
    """
    torn = {one.path for one in found if {"object", "array"} <= one.kinds.keys()}
    for one in found:
        if len(one.kinds) > 1 and not any(one.path[:length] in torn for length in range(1, len(one.path))):
            yield one
