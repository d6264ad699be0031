"""What undoing asks of an engine: to read the state of a database, to compare two, to keep one aside."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from checks.reversals import Difference
from runner.servers.interface import Database, Server

#: What an engine takes for the state of a database; only the engine looks into it.
StateT = TypeVar("StateT")


class States(Protocol[StateT]):
    """A module per engine; the module itself is the implementation. Every function raises ServerFailed."""

    def read(self, database: Database, *, numbers: bool = False) -> StateT:
        """The state of a database now: its objects, how many rows each holds, and, without ``numbers``, a digest of them."""
        ...

    def differences(
        self, before: StateT, after: StateT, *, live: tuple[Database, Database] | None = None, numbers: bool = False
    ) -> tuple[Difference, ...]:
        """In what a later state differs from an earlier one, in the order of names.

        Rows are compared by their digests; where these differ and ``live`` gives both databases, row by row. With
        ``numbers`` only how many there are counts.
        """
        ...

    def copied(self, database: Database, server: Server) -> AbstractContextManager[Database]:
        """A database of a server as it is now, elsewhere, for the length of the context; programs may be connected to it."""
        ...

    @property
    def clear(self) -> Callable[[Database], None] | None:
        """Takes everything out of a database of ours; its users stay. ``None`` where nothing is undone without a base."""
        ...
