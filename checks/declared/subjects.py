"""How declared references are named as subjects, the same in every check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from checks.schema.model import Catalogue, ForeignKey


def references(catalogue: Catalogue) -> Iterator[tuple[str, ForeignKey]]:
    """Every declared reference with a name that no other has: ``orders.buyer_id``.

    Two references from the same columns are told apart by parent and constraint: ``orders.buyer_id -> users (buyer_fkey)``.
    """
    twice = Counter(key.label for key in catalogue.foreign_keys)
    for key in catalogue.foreign_keys:
        yield (key.label if twice[key.label] == 1 else f"{key.label} -> {key.parent.label()} ({key.name})"), key
