"""Which index would serve a query, by MongoDB's own rule: fields that must equal something, then the sort, then ranges.

Source: MongoDB's manual, "The ESR (Equality, Sort, Range) Guideline". ``$in`` counts as equality, ``$ne`` and ``$nin`` as ranges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checks.declared.documents import DocumentQuery
from checks.schema.collections import CollectionIndex

_Keys = tuple[tuple[str, int], ...]

_EQUALITY = frozenset({"$eq", "$in"})
_RANGE = frozenset({"$gt", "$gte", "$lt", "$lte", "$ne", "$nin", "$exists", "$type", "$regex", "$mod", "$size", "$all", "$not"})
#: Stages before which a sort is still one of the collection's own documents.
_BEFORE_A_SORT = frozenset({"$match", "$sort"})


def advised(query: DocumentQuery, collection: str) -> CollectionIndex | None:
    """The index that a query wants on a collection that it reads; ``None`` where no single one would do."""
    if collection != query.collection:
        return _of_a_lookup(query.pipeline or (), collection)
    keys = _keys(*_asked(query))
    return _named(keys) if keys else None


def _asked(query: DocumentQuery) -> tuple[Sequence[Mapping[str, Any]], _Keys]:
    """The filters that a query begins with, and the order that it wants its documents in."""
    if query.pipeline is None:
        return [query.find or {}], query.sort
    filters: list[Mapping[str, Any]] = []
    sort: _Keys = ()
    for stage in query.pipeline:
        if not stage.keys() <= _BEFORE_A_SORT:
            break
        filters.append(stage.get("$match", {}))
        sort = sort or _sorted(stage.get("$sort", {}))
    return filters, sort


def _sorted(given: object) -> _Keys:
    keys = tuple(given.items()) if isinstance(given, Mapping) else ()
    return tuple((str(name), int(kind)) for name, kind in keys if kind in (1, -1))


def _keys(filters: Sequence[Mapping[str, Any]], sort: _Keys) -> _Keys:
    """Equality, sort, range; none where a filter asks in a way that no single index of fields serves."""
    asked = [one for query in filters for one in _fields(query)]
    if any(kind is None for _, kind in asked):
        return ()
    equality = tuple((name, 1) for name, kind in asked if kind == "equality")
    ranges = tuple((name, 1) for name, kind in asked if kind == "range")
    keys: dict[str, int] = {}
    for name, direction in (*equality, *sort, *ranges):
        keys.setdefault(name, direction)
    return tuple(keys.items())


def _fields(query: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str | None]]:
    """Each field that a filter asks for, with how; without one where it asks in another way (``$or``, ``$text``, ``$expr``)."""
    for name, asked in query.items():
        if name == "$and" and isinstance(asked, Sequence):
            for part in asked:
                yield from _fields(part, prefix)
        elif name == "$comment":
            continue
        elif name.startswith("$"):
            yield name, None
        else:
            yield from _field(prefix + name, asked)


def _field(name: str, asked: object) -> Iterator[tuple[str, str | None]]:
    if not isinstance(asked, Mapping) or not any(str(key).startswith("$") for key in asked):
        yield name, "equality"
        return
    operators = asked.keys() - {"$options", "$comment"}
    inner = asked.get("$elemMatch")
    if operators == {"$elemMatch"} and isinstance(inner, Mapping) and not any(key.startswith("$") for key in inner):
        yield from _fields(inner, f"{name}.")
    elif operators & _EQUALITY:
        yield name, "equality"
    else:
        yield name, "range" if operators <= _RANGE else None


def _of_a_lookup(pipeline: Sequence[Mapping[str, Any]], collection: str) -> CollectionIndex | None:
    """The index of a ``$lookup`` by equality: on the other collection's field."""
    for stage in pipeline:
        looked_up = stage.get("$lookup")
        if isinstance(looked_up, Mapping) and looked_up.get("from") == collection and looked_up.get("foreignField"):
            return _named(((str(looked_up["foreignField"]), 1),))
    return None


def _named(keys: _Keys) -> CollectionIndex:
    """An index under the name that the server would give it."""
    return CollectionIndex(name="_".join(f"{name}_{direction}" for name, direction in keys), keys=keys)
