"""Which indexes MongoDB takes for the same, and which it does not have beside each other."""

from __future__ import annotations

from dataclasses import replace

from checks.schema.collections import CollectionIndex
from checks.schema.indexes import differences

#: From this version on unique and plain, sparse and whole indexes stand beside each other on the same keys (its manual,
#: "Compatibility Changes in MongoDB 5.0").
BESIDE_SINCE = (5, 0)


def is_text(index: CollectionIndex) -> bool:
    """Whether words are looked up by it."""
    return "text" in dict(index.keys).values()


def alike(held: CollectionIndex, wanted: CollectionIndex) -> bool:
    """Whether MongoDB takes two indexes for the same: but for the name, whether it is hidden, and when its documents expire."""
    told = replace(held, hidden=wanted.hidden, expire_after_seconds=wanted.expire_after_seconds)
    return not any(differences(wanted, told))


def clash(held: CollectionIndex, wanted: CollectionIndex, version: tuple[int, ...]) -> bool:
    """Whether the server refuses to have both under two names (codes 85 and 86)."""
    if is_text(held) and is_text(wanted):
        return True
    if version >= BESIDE_SINCE:
        return alike(held, wanted)
    return alike(
        CollectionIndex("", held.keys, collation=held.collation), CollectionIndex("", wanted.keys, collation=wanted.collation)
    )
