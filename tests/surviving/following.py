"""What became of rows, as a test writes it down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from checks.survivals import Survival


def told(survivals: Iterable[Survival]) -> dict[str, Any]:
    """By table what is not as it was: its name, its rows, its columns; a table of which nothing changed is left out."""
    return {one.table.name: found for one in survivals if (found := _told(one))}


def _told(one: Survival) -> dict[str, Any]:
    if one.gap:
        return {"gap": one.gap}
    if one.now is None:
        return {"gone": one.before}
    columns: dict[str, Any] = {}
    for column in one.columns:
        if column.now is None:
            columns[column.name] = f"gone, {column.values}"
        elif column.changed or column.filled:
            kinds = {loss.value: number for loss, number in column.losses.items()}
            columns[column.name] = (column.changed, column.filled, kinds, column.merged)
    named = {"now": one.now.name} if one.now != one.table else {}
    rows = {"missing": one.missing, "extra": one.extra} if one.missing or one.extra else {}
    return {**named, **rows, **columns}
