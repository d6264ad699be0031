"""What came of new migrations on their way back, as frozen data: in what states of a database differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from checks.evidence import MigrationFailure, Place
from checks.schema.names import ObjectReference


class DifferenceKind(StrEnum):
    """How two states of a database differ in one object; the last three are about what a table or collection holds."""

    MISSING = "missing"
    EXTRA = "extra"
    CHANGED = "changed"
    ROWS_MISSING = "rows missing"
    ROWS_EXTRA = "rows extra"
    ROWS_CHANGED = "rows changed"


#: Differences in what a table or collection holds.
OF_ROWS = frozenset({DifferenceKind.ROWS_MISSING, DifferenceKind.ROWS_EXTRA, DifferenceKind.ROWS_CHANGED})


@dataclass(frozen=True)
class Difference:
    """One object in which a later state differs from an earlier one. ``rows`` is exact, and 0 where no row is concerned.

    ``words`` say how it differs (``is unique, expected not unique``), of changed rows in which fields or columns.
    ``renamed`` says that it differs in its name alone.
    """

    of: ObjectReference
    kind: DifferenceKind
    rows: int = 0
    words: str = ""
    renamed: bool = False


@dataclass(frozen=True)
class Reversal:
    """A migration that was applied, undone and applied again on a copy, and what that left; ``place`` is its way back.

    ``left`` is in what the state after undoing differs from the one before, ``again`` in what applying it again differs from the
    first time (not in what rows hold: a migration may write the time). ``irreversible`` says why there is no way back,
    ``failure`` why a step of the way stopped (``failed_again`` where it was the second time up), ``gap`` why it was not tried.
    ``values_only`` says that going up made, changed and dropped no object and no row: it wrote other values.
    """

    revision: str
    place: Place | None = None
    left: tuple[Difference, ...] = ()
    again: tuple[Difference, ...] = ()
    irreversible: str = ""
    failure: MigrationFailure | None = None
    failed_again: bool = False
    gap: str = ""
    values_only: bool = False


@dataclass(frozen=True)
class SecondRun:
    """What a second run of the migration tool changed, when nothing was pending any more; ``failure`` says that it stopped."""

    changed: tuple[Difference, ...] = ()
    failure: MigrationFailure | None = None
