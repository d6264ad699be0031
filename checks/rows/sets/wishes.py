"""What the planning of rows is to heed beside what a database holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from checks.rows.sets.lists import Readable


@dataclass(frozen=True)
class Wishes:
    """What a plan is to heed beside the catalogue: the columns of tenants, and expressions that are ``given`` for a column, by
    the names of its table and its own (``orders.status``). ``readable`` gives texts for a column that a person will look at.
    With ``mild`` nothing is awkward, and in tables of up to so many rows each has a value everywhere that no other one has."""

    tenants: tuple[str, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict, hash=False)
    readable: Readable | None = field(default=None, hash=False, compare=False)
    mild: int = 0
