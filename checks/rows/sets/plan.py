"""How a table is filled: for each column where its values come from, and what its rows have to meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from checks.rows.shapes import Value
from checks.rows.terms import Condition
from checks.schema.model import ForeignKey, Table


class Series(Enum):
    """What a row's number is made into, so that no two rows have the same."""

    NUMBER = "number"
    TEXT = "text"
    UUID = "uuid"
    MOMENT = "moment"
    DAY = "day"
    SPAN = "span"
    BYTES = "bytes"
    JSON = "json"


@dataclass(frozen=True)
class Form:
    """How a number becomes a value that no other number becomes.

    A number or moment is ``start`` plus so many ``step`` (seconds of moments); a text has the number between ``before`` and
    ``after``, in at least ``width`` digits, and with ``alphabet`` these ten letters stand for the digits. ``most`` is how many
    different values there are, ``None`` without end.
    """

    series: Series
    start: str = "0"
    step: str = "1"
    before: str = ""
    after: str = ""
    width: int = 0
    alphabet: str = ""
    most: int | None = None


@dataclass(frozen=True)
class Numbered:
    """A column whose value follows from the row's number."""

    column: str
    form: Form


@dataclass(frozen=True)
class Pooled:
    """Columns that take their values together from a list, by chance that the seed decides. ``nulls`` in a hundred are NULL.

    The first so many (``certain``) come up in turn too, in one of four of the first rows. Of ``numbered``
    columns the list says only whether they are NULL; their values follow from the row's number.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    nulls: int = 0
    numbered: Mapping[str, Form] = field(default_factory=dict, hash=False)
    certain: int = 0


@dataclass(frozen=True)
class Referred:
    """The columns of a reference: a parent that is there.

    Few parents have many children, and many have few, unless each may have one only (``once``). ``shared`` columns have their
    value already: the parent has the same in the column of its own. ``carried`` columns are no part of the reference and are
    as the parent's. ``nulls`` in a hundred have none.
    """

    key: ForeignKey
    once: bool = False
    shared: Mapping[str, str] = field(default_factory=dict, hash=False)
    carried: Mapping[str, str] = field(default_factory=dict, hash=False)
    nulls: int = 0

    @property
    def taken(self) -> Mapping[str, str]:
        """The columns that get their value by it, with the parent's that they get it from."""
        own = zip(self.key.columns, self.key.parent_columns, strict=True)
        return {**{mine: theirs for mine, theirs in own if mine not in self.shared}, **self.carried}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that get their value by it."""
        return tuple(self.taken)


@dataclass(frozen=True)
class Computed:
    """A column that an expression of the others gives, in the engine's own language."""

    column: str
    expression: str


Source = Numbered | Pooled | Referred | Computed


@dataclass(frozen=True)
class Mended:
    """Rows that break one of the ``conditions`` take the list's values, which go together, in the place of their own."""

    source: Pooled
    conditions: tuple[Condition, ...]


def columns_of_source(source: Source) -> tuple[str, ...]:
    """The columns that get their values from it."""
    return (source.column,) if isinstance(source, Numbered | Computed) else source.columns


@dataclass(frozen=True)
class TablePlan:
    """How one table is filled.

    ``sources`` are in the order in which they can be worked out. What they give is ``mended`` (then what is computed follows);
    rows that still do not meet ``conditions`` are left out. ``later`` are references that are filled in when all tables have
    rows. ``most`` is how many rows the table has room for, because of ``limited``. ``guarded`` says that keys may meet by
    accident. A table with a ``reason`` is left empty.
    """

    table: Table
    sources: tuple[Source, ...] = ()
    conditions: tuple[Condition, ...] = ()
    later: tuple[Referred, ...] = ()
    most: int | None = None
    limited: str = ""
    guarded: bool = False
    reason: str = ""
    mended: tuple[Mended, ...] = ()
