"""An engine's SQL, as far as rows are made in it, and a statement that is being written."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from checks.rows.sets.plan import Form, Numbered
from checks.rows.shapes import Value
from checks.schema.model import Column, Table
from checks.schema.names import TableName

#: The row's number, among columns that may be called anything else.
NUMBER = "dbproof_n"


@dataclass(frozen=True)
class Statement:
    """A statement with the values of its placeholders."""

    sql: str
    values: Sequence[Any] = ()


@dataclass(frozen=True)
class Keys:
    """The keys of a parent's rows, numbered in a temporary table: how many there are, and by which ``shared`` columns.

    Without a ``name`` there is no such table: the parent's only column is ``made``, of the numbers from 1 to ``rows``.
    """

    name: str
    columns: tuple[str, ...]
    rows: int
    shared: tuple[str, ...] = ()
    made: MadeKeys | None = None


@dataclass(frozen=True)
class MadeKeys:
    """A column of a table whose rows have the numbers from 1 on, without a gap, each its key by ``source``."""

    table: Table
    source: Numbered
    rows: int


@dataclass(frozen=True)
class Language:
    """What an engine's SQL has of its own.

    All text that it gives stands in a statement with placeholders; where the driver wants that, a percent sign is doubled there.

    ``placeholder`` is where a value stands, ``modulo`` the operator of the remainder. ``kept`` are the columns that ``numbers``
    gives, the row's number among them: what gives a row for each number (and seed), to be read FROM. ``plain`` is SQL of the
    catalogue's, in which nothing is a placeholder. ``chance`` is a whole number from 0 on, other ones for each salt. ``cast`` is
    an expression as a value of the column's type, ``formula`` what a generated column is computed by. ``picked`` is the value of
    a list whose place, from 0 on, an expression gives; ``numbered`` the value that the row's number becomes. ``fenced`` is a
    subquery whose columns are made once, however often they are asked for. ``keeps_order`` says that a join gives rows in the
    order of what is joined to.
    """

    placeholder: str
    modulo: str
    kept: tuple[str, ...]
    quoted: Callable[[str], str]
    table_name: Callable[[TableName], str]
    plain: Callable[[str], str]
    numbers: Callable[[range, int], str]
    chance: Callable[[int], str]
    cast: Callable[[str, Column], str]
    formula: Callable[[str, Column], str]
    picked: Callable[[Sequence[Value], str, Column, Writing], str]
    numbered: Callable[[Form, Column, Writing], str]
    fenced: Callable[[str], str]
    keeps_order: bool = False


@dataclass
class Writing:
    """A statement that is being written."""

    language: Language
    table: Table
    seed: int
    values: list[Any] = field(default_factory=list)
    #: Whether rows are among those that have certain values.
    certain: bool = True

    def salt(self, what: str) -> int:
        """A number for each column and purpose, so that they do not go together."""
        return zlib.crc32(f"{self.seed}/{self.table.name.label()}/{what}".encode())

    def chance(self, what: str, below: int | str) -> str:
        """A whole number from 0 on and below this one, by chance."""
        return f"({self.language.chance(self.salt(what))} {self.language.modulo} {below})"

    def parameter(self, value: object) -> str:
        """Where this value is to stand."""
        self.values.append(value)
        return self.language.placeholder

    @property
    def alias(self) -> str:
        """The table's own name without its schema, as conditions know it."""
        return self.language.quoted(self.table.name.name)
