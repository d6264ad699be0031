"""What became of base's rows under the new migrations, as frozen data: table by table, column by column, in exact numbers.

Of documents the tables are collections, the rows documents, and the columns fields at any depth, by their labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from checks.schema.names import TableName


class Loss(StrEnum):
    """What became of a value that is not what it was."""

    CUT = "cut"
    ROUNDED = "rounded"
    EMPTIED = "emptied"
    SHIFTED = "moved in time"
    OTHER = "another value"


@dataclass(frozen=True)
class ColumnSurvival:
    """A column of base and what it is now: ``now`` is head's name of it, ``None`` where it is gone.

    ``values`` are the rows in which it held one (only known of a column that is gone). ``changed`` are the rows that are still
    there and hold another value than before, by what became of it in ``losses``; ``filled`` those that held none and do now.
    ``merged`` values of before share one now with another (0 where there are too many to tell). ``retyped`` says that its type
    is another one (``labels`` of an enum included), ``keys`` are those of the first rows, and ``gap`` is why nothing is known.
    """

    name: str
    type: str
    now: str | None
    now_type: str = ""
    values: int = 0
    changed: int = 0
    filled: int = 0
    merged: int = 0
    retyped: bool = False
    losses: Mapping[Loss, int] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    gap: str = ""


@dataclass(frozen=True)
class Survival:
    """A table of base with its rows ``before`` and ``after``; ``now`` is head's name of it, ``None`` where it is gone.

    ``missing`` are rows whose key is not there any more, ``extra`` those whose key was not. Without a key (``keyed``) they are
    how many fewer or more there are, and changed rows are counted by the values that are gone. ``made`` says that its rows were
    made from the schema, and ``milder`` that they are milder ones. ``columns`` are those that are gone and those of which
    something changed; ``gap`` is why nothing can be said of the table.
    """

    table: TableName
    now: TableName | None
    before: int = 0
    after: int = 0
    missing: int = 0
    extra: int = 0
    columns: tuple[ColumnSurvival, ...] = ()
    keyed: bool = True
    made: bool = False
    milder: bool = False
    retyped: bool = False
    keys: tuple[str, ...] = ()
    gap: str = ""


@dataclass(frozen=True)
class Survivals:
    """Every table of base that is judged, with what became of its rows; ``gap`` is why none could be compared."""

    tables: tuple[Survival, ...] = ()
    gap: str = ""
