"""What undoing asks of an engine: to read the state of a database, to compare two, to keep one aside."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from checks.reversals import Difference
from runner.servers.interface import Database

#: What an engine takes for the state of a database; only the engine looks into it.
StateT = TypeVar("StateT")


class States(Protocol[StateT]):
    """A module per engine; the module itself is the implementation. Every function raises ServerFailed."""

    def read(self, database: Database) -> StateT:
        """The state of a database now: its objects, how many rows each holds, and a digest of them."""
        ...

    def differences(
        self, before: StateT, after: StateT, *, live: tuple[Database, Database] | None = None, numbers: bool = False
    ) -> tuple[Difference, ...]:
        """In what a later state differs from an earlier one, in the order of names.

        Rows are compared by their digests; where these differ and ``live`` gives both databases, row by row. With
        ``numbers`` only how many there are counts.
        """
        ...

    def copied(self, database: Database) -> AbstractContextManager[Database]:
        """The database as it is now under another name, for the length of the context."""
        ...

    def clear(self, database: Database) -> None:
        """Take everything out of a database of ours; its users stay."""
        ...
