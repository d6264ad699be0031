"""What the comparison of base's rows with head's asks of an engine, and what it gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from checks.evidence import Statement
from checks.schema.model import Catalogue, Column, Table
from checks.schema.names import TableName
from checks.survivals import Survival
from runner.servers.interface import Database
from runner.surviving.tally import Tally
from runner.surviving.values import Family, family


@dataclass(frozen=True)
class Followed:
    """A column of base and the one of head that it is now."""

    was: Column
    now: Column

    @property
    def retyped(self) -> bool:
        """Whether its values have another type, or an enum other labels."""
        was, now = self.was, self.now
        return (was.base or was.type, was.enum_labels) != (now.base or now.type, now.enum_labels)

    @property
    def families(self) -> tuple[Family, Family]:
        """What its values were, and what they are."""
        was, now = (family(one.base or one.type, enum=bool(one.enum_labels)) for one in (self.was, self.now))
        return was, now


@dataclass(frozen=True)
class Pairing:
    """A table of base, the one of head that it is now, and the columns to compare; ``key`` are those that name a row."""

    was: Table
    now: Table
    columns: tuple[Followed, ...]
    key: tuple[Followed, ...] = ()

    @property
    def others(self) -> tuple[Followed, ...]:
        """The columns that are no part of the key."""
        return tuple(one for one in self.columns if one not in self.key)

    def tally(self, one: Followed) -> Tally:
        """To count in what became of one column."""
        return Tally(*one.families, [each.was.name for each in self.key])


@dataclass
class Compared:
    """Rows before and after, those missing and extra, and the columns of which something changed, by base's name of them."""

    before: int = 0
    after: int = 0
    missing: int = 0
    extra: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    keyed: bool = True


@dataclass(frozen=True)
class Content:
    """What a table held: how many rows, and by column how many values that are not NULL and whether there are several."""

    rows: int
    values: Mapping[str, int] = field(default_factory=dict)
    varied: frozenset[str] = frozenset()

    @classmethod
    def counted(cls, columns: Sequence[Column], answer: Sequence[int]) -> Content:
        """From a query's one row: how many rows, then of each column how many values, and whether some differ."""
        rows, *found = answer
        names = [one.name for one in columns]
        values, varied = dict(zip(names, found[::2], strict=True)), dict(zip(names, found[1::2], strict=True))
        return cls(rows, values, frozenset(name for name in names if varied[name] or 0 < values[name] < rows))


@dataclass(frozen=True)
class Renames:
    """What each table of base is called on head, and its columns, as far as that is known for certain.

    ``unread`` are tables that cannot be compared, and why.
    """

    tables: Mapping[TableName, TableName] = field(default_factory=dict)
    columns: Mapping[TableName, Mapping[str, str]] = field(default_factory=dict)
    unread: Mapping[TableName, str] = field(default_factory=dict)


class Rows(Protocol):
    """Base's rows beside head's, for as long as both are open. Every method raises ServerFailed."""

    def renames(self, before: Catalogue, after: Catalogue, statements: Sequence[Statement]) -> Renames:
        """What is known of names: by the server's own numbers of things, else by the new migrations' ``statements``."""
        ...

    def compared(self, pairing: Pairing) -> Compared:
        """What became of a table's rows: by digests first, row by row only where these differ."""
        ...

    def content(self, table: Table, columns: Sequence[Column]) -> Content:
        """What a table of base held."""
        ...


class Surviving(Protocol):
    """A module per engine with tables; the module itself is the implementation."""

    @property
    def READS_SEALED(self) -> bool:
        """Whether a sealed database can be read where it is."""
        ...

    def opened(self, base: Database, head: Database) -> AbstractContextManager[Rows]:
        """Both databases, to be read. Raises ServerFailed."""
        ...


@runtime_checkable
class SurvivingDocuments(Protocol):
    """The module of an engine with documents."""

    def documents(self, base: Database, head: Database, refilled: frozenset[TableName]) -> Iterator[Survival]:
        """What became of the documents of every collection of base, both sealed and read where they are.

        ``refilled`` are head's collections without documents but those that were made after migrating. Raises ServerFailed.
        """
        ...
