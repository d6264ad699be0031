"""The rows that were made from the schema, as reports show them."""

from __future__ import annotations

from dataclasses import dataclass

from checks.evidence import Evidence
from checks.milder import MilderRows as MilderRows


@dataclass(frozen=True)
class ShortTable:
    """A table that did not get all the rows that were wanted, and why."""

    table: str
    rows: int
    wanted: int
    reason: str


@dataclass(frozen=True)
class MadeRows:
    """How many rows were made, in how many tables, and what stayed short of what was wanted.

    ``milder`` are those that the new migrations were tried on under traffic and for what becomes of rows, where the others
    stopped them.
    """

    rows: int
    tables: int
    short: tuple[ShortTable, ...] = ()
    milder: MilderRows | None = None


def made_rows(evidence: Evidence) -> MadeRows | None:
    """What was made, ``None`` where nothing was to be made or nothing was empty."""
    if not evidence.filled and evidence.milder is None:
        return None
    short = (one for one in evidence.filled if one.rows < one.wanted)
    return MadeRows(
        rows=sum(one.rows for one in evidence.filled),
        tables=sum(bool(one.rows) for one in evidence.filled),
        short=tuple(ShortTable(one.table.label(), one.rows, one.wanted, one.reason) for one in short),
        milder=evidence.milder,
    )
