"""A parent and a child that refers to it, for tables that are empty: key columns only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checks.rows.missing import Candidates, NoValue, fitting
from checks.schema.model import Catalogue, ForeignKey

Row = Mapping[str, str]


@dataclass(frozen=True)
class Pair:
    """Rows of a reference, each value as text that its column reads.

    ``parent`` holds the key that is referred to, ``child`` the columns that refer to it (with a key of its own in a table that
    refers to itself), ``other`` a key that no row has.
    """

    parent: Row
    child: Row
    other: Row


def pair(key: ForeignKey, catalogue: Catalogue, candidates: Candidates) -> Pair:
    """A parent, a child and a key that neither has. Raises NoValue where not enough values can be thought of."""
    wanted = 3 if key.table == key.parent else 2
    values = [fitting(key, name, catalogue, candidates) for name in key.columns]
    keys = [tuple(some[min(number, len(some) - 1)] for some in values) for number in range(wanted)]
    if len({tuple(value.casefold() for value in one) for one in keys}) < wanted:
        raise NoValue(f"fewer than {wanted} keys can be thought of")
    parent, other = _by(key.parent_columns, keys[0]), _by(key.parent_columns, keys[1])
    own = _by(key.parent_columns, keys[2]) if wanted > 2 else {}
    child = {**own, **_by(key.columns, keys[0])}
    if own and all(child[name] == value for name, value in parent.items()):
        raise NoValue("a row always refers to itself")
    return Pair(parent, child, other)


def _by(names: Sequence[str], values: Sequence[str]) -> Row:
    return dict(zip(names, values, strict=True))
