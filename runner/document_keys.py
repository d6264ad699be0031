"""The keys that documents have at declared paths, found here and not by the server: one document at a time is looked at."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from checks.declared.documents import DocumentReference, FieldPath, Step


def not_followed(rule: DocumentReference) -> str:
    """Why the children of a parent cannot be asked for by a filter; empty where they can."""
    arrays = [list(path.arrays) for path in (*rule.children, *rule.parents)]
    if any(len(found) != len(set(found)) for found in arrays):
        return "arrays in arrays are not followed"
    return "keys of several fields in arrays are not followed" if rule.further and any(arrays) else ""


def filter_of(paths: Sequence[FieldPath], key: Sequence[Any]) -> dict[str, Any]:
    """The filter of the documents that have a key."""
    return {path.dotted: value for path, value in zip(paths, key, strict=True)}


def keys_of(document: Mapping[str, Any], paths: Sequence[FieldPath]) -> list[tuple[Any, ...]]:
    """The keys that a document has, each with a value of every field; only a single field lies in arrays."""
    if len(paths) == 1:
        return [(value,) for value in _values(document, paths[0]) if value is not None]
    key = tuple(first_of(document, path) for path in paths)
    return [key] if None not in key else []


def first_of(document: Mapping[str, Any], path: FieldPath) -> Any:  # noqa: ANN401 - whatever a document holds
    """The value at a path, the first where an array lies in between; ``None`` where there is none."""
    return next(_values(document, path), None)


def _values(document: Any, path: FieldPath) -> Iterator[Any]:  # noqa: ANN401 - whatever a document holds
    found: Iterator[Any] = iter((document,))
    for step in path.steps:
        found = itertools.chain.from_iterable(map(_inside(step.name), found))
        for _ in range(step.each):
            found = itertools.chain.from_iterable(one if isinstance(one, list) else (one,) for one in found)
    return found


def _inside(name: str) -> Callable[[Any], Iterator[Any]]:
    from bson import DBRef

    def inside(value: Any) -> Iterator[Any]:  # noqa: ANN401 - whatever a document holds
        value = value.as_doc() if isinstance(value, DBRef) else value
        if isinstance(value, Mapping) and name in value:
            yield value[name]

    return inside


def has_all(parent: Mapping[str, Any], fields: Sequence[str]) -> bool:
    """Whether a document has a value of each field that can be an argument of a program."""
    for name in fields:
        value = first_of(parent, FieldPath("", tuple(map(Step, name.split(".")))))
        if value is None or isinstance(value, Mapping | list) or "\0" in str(value):
            return False
    return True
