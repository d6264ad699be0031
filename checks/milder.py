"""Milder rows, as frozen data: what new migrations were tried on where rows that were made from the schema stopped them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MilderRows:
    """How many rows were made in how many tables, without any in those that were ``left_out`` (by their labels).

    No value of theirs is awkward; as far as the schema allows it, none is missing and none comes twice.
    """

    rows: int
    tables: int
    left_out: tuple[str, ...] = ()
