"""Migrations of base that head has edited or deleted, and the dump they start from: in what that leads databases apart."""

from __future__ import annotations

from dataclasses import dataclass

from checks.evidence import MigrationFailure, Place
from checks.reversals import OF_ROWS, Difference


@dataclass(frozen=True)
class EditedMigration:
    """A migration that base has applied and whose file is another one now, or ``gone``; ``place`` is where it stands, or stood.

    ``differences`` are those between a database that has applied base's files and then head's new ones, as production has, and
    one that was built from head's files alone: what is MISSING only the first has; of rows, how many there are. ``refused`` is
    what the tool says on the first; ``gap`` says why the two could not be compared. Of a ``dump`` that the history starts from
    ``revision`` is its path, and ``refused`` what keeps a database from being built of it.
    """

    revision: str
    place: Place
    gone: bool = False
    differences: tuple[Difference, ...] = ()
    refused: MigrationFailure | None = None
    gap: str = ""
    dump: bool = False

    @property
    def leads_apart(self) -> bool:
        """Whether it is known to, in the schema."""
        return bool(self.refused) or not all(one.kind in OF_ROWS for one in self.differences)
