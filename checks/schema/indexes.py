"""Indexes of collections: read from the server's words, compared with what is declared, put into the server's words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from checks.schema.collections import CollectionIndex

#: What the server fills in where a collation does not say it (its manual, "Collation", default values).
_COLLATION = {
    "caseLevel": False,
    "caseFirst": "off",
    "strength": 3,
    "numericOrdering": False,
    "alternate": "non-ignorable",
    "maxVariable": "punct",
    "normalization": False,
    "backwards": False,
}


_KNOWN = frozenset({
    "v", "ns", "key", "name", "unique", "sparse", "hidden", "partialFilterExpression", "expireAfterSeconds", "collation",
})  # fmt: skip


def read_index(told: Mapping[str, Any]) -> CollectionIndex:
    """An index as ``listIndexes`` tells of it. A text index is given by the fields it was made on."""
    expires = told.get("expireAfterSeconds")
    return CollectionIndex(
        name=str(told["name"]),
        keys=tuple(_read_keys(told)),
        unique=bool(told.get("unique")),
        sparse=bool(told.get("sparse")),
        partial_filter=told.get("partialFilterExpression"),
        expire_after_seconds=None if expires is None else int(expires),
        collation=told.get("collation"),
        hidden=bool(told.get("hidden")),
        options={key: value for key, value in told.items() if key not in _KNOWN},
    )


def _read_keys(told: Mapping[str, Any]) -> Iterator[tuple[str, int | str]]:
    for name, kind in told["key"].items():
        if name == "_fts":
            yield from ((field, "text") for field in told.get("weights", {}))
        elif name != "_ftsx":
            yield name, kind if isinstance(kind, str) else int(kind)


def differences(declared: CollectionIndex, found: CollectionIndex) -> Iterator[str]:
    """What differs, in words that say what is there first: ``is unique, expected not unique``."""
    if declared.keys != found.keys:
        yield f"is on {keys(found)}, expected on {keys(declared)}"
    for name in ("unique", "sparse", "hidden"):
        if getattr(declared, name) != getattr(found, name):
            yield f"is {name}, expected not {name}" if getattr(found, name) else f"is not {name}, expected {name}"
    if declared.partial_filter != found.partial_filter:
        yield f"holds {_which(found.partial_filter)}, expected {_which(declared.partial_filter)}"
    if declared.expire_after_seconds != found.expire_after_seconds:
        yield f"expires {_after(found.expire_after_seconds)}, expected {_after(declared.expire_after_seconds)}"
    if not same_collation(declared.collation, found.collation):
        yield f"has the collation {_locale(found.collation)}, expected {_locale(declared.collation)}"


def keys(index: CollectionIndex) -> str:
    """``(company_name, -created_at)``."""
    return f"({', '.join(_key(name, kind) for name, kind in index.keys)})"


def options(index: CollectionIndex) -> Mapping[str, Any]:
    """The options of ``createIndex``, in the server's own words."""
    named: dict[str, Any] = {"name": index.name}
    named |= {name: True for name in ("unique", "sparse", "hidden") if getattr(index, name)}
    if index.partial_filter is not None:
        named["partialFilterExpression"] = index.partial_filter
    if index.expire_after_seconds is not None:
        named["expireAfterSeconds"] = index.expire_after_seconds
    return named | ({"collation": index.collation} if index.collation is not None else {})


def _key(name: str, kind: int | str) -> str:
    if isinstance(kind, str):
        return f"{name} {kind}"
    return f"-{name}" if kind < 0 else name


def _which(partial: Mapping[str, Any] | None) -> str:
    return "every document" if partial is None else f"only documents with {dict(partial)}"


def _after(seconds: int | None) -> str:
    return "never" if seconds is None else f"after {seconds} s"


def same_collation(declared: Mapping[str, Any] | None, found: Mapping[str, Any] | None) -> bool:
    """Whether two collations are one, whether what they leave out is filled in or not; ``None`` compares bytes."""
    if declared is None or found is None:
        return declared == found or "simple" in ((declared or {}).get("locale"), (found or {}).get("locale"))
    wanted = {**_COLLATION, **declared}
    return all(found.get(name, _COLLATION.get(name)) == value for name, value in wanted.items() if name != "version")


def _locale(collation: Mapping[str, Any] | None) -> str:
    return "of plain bytes" if collation is None else ", ".join(f"{name} {value}" for name, value in collation.items())


def create(collection: str, index: CollectionIndex) -> str:
    """The shell's command that builds an index."""
    fields = ", ".join(f"{_bare(name)}: {json.dumps(kind)}" for name, kind in index.keys)
    said = ", ".join(f"{_bare(name)}: {json.dumps(value, default=str)}" for name, value in options(index).items())
    return f"{_on(collection)}.createIndex({{{fields}}}, {{{said}}})"


def drop(collection: str, name: str) -> str:
    """The shell's command that drops an index."""
    return f"{_on(collection)}.dropIndex({json.dumps(name)})"


def _on(collection: str) -> str:
    plain = collection.replace("_", "").isalnum()
    return f"db.{collection}" if plain else f"db.getCollection({json.dumps(collection)})"


def _bare(name: str) -> str:
    return name if name.replace("_", "").isalnum() else json.dumps(name)
