"""What is asked of a generator and what it gives, the same for every engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from checks.declared.references import ExpectedReference
from checks.evidence import FilledTable as FilledTable
from checks.rows.sets.wishes import Wishes
from checks.schema.names import TableName

#: Is told what is being done.
Say = Callable[[str], object]


@dataclass(frozen=True)
class Filled:
    """What came of filling a database: the ``tables`` that were empty and wanted, and all that there are with their columns."""

    tables: tuple[FilledTable, ...] = ()
    known: Mapping[TableName, Collection[str]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows were made."""
        return sum(one.rows for one in self.tables)

    @property
    def with_rows(self) -> tuple[FilledTable, ...]:
        """The tables that got rows."""
        return tuple(one for one in self.tables if one.rows)

    @property
    def short(self) -> tuple[FilledTable, ...]:
        """The tables that did not get all that was wanted."""
        return tuple(one for one in self.tables if one.rows < one.wanted)


@dataclass(frozen=True)
class WantedRows:
    """How many rows each empty table gets: ``tables`` by name (``orders``, ``sales.orders``), ``each`` for all others.

    The same ``seed`` gives the same rows. ``references`` are those that the settings declare.
    """

    each: int = 0
    tables: Mapping[str, int] = field(default_factory=dict)
    seed: int = 1
    wishes: Wishes = field(default_factory=Wishes)
    references: Sequence[ExpectedReference] = ()

    def of(self, names: Collection[TableName]) -> Mapping[TableName, int]:
        """How many rows each of these tables is to have."""
        return {name: self.tables.get(name.label(), self.each) for name in names}


@dataclass(frozen=True)
class WrittenRows:
    """A file that rows were written to: its bytes, and the command that loads it (``psql --single-transaction -f rows.sql``)."""

    bytes: int
    load: str
