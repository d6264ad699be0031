"""What the pass asks of an engine: to apply new migrations with other sessions beside them, and to tell what those met."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from checks.evidence import Statement
from checks.traffic import Traffic
from runner.servers.interface import Database, Server

#: Applies the new migrations to the database, in one go as the project does.
Apply = Callable[[], None]


class Watching(Protocol):
    """A copy of base in which the new migrations run once, while others work on the tables that they touch."""

    def watched(self, apply: Apply, revisions: Mapping[str, str], *, long: bool) -> Traffic:
        """What was seen while ``apply`` ran. ``revisions`` names the revision of each migration file.

        ``long`` says whether a long transaction is in the way. Raises DbproofError.
        """
        ...


class Busy(Protocol):
    """An engine that new migrations can be watched on while others work; a module itself is the implementation."""

    def copied(self, server: Server) -> AbstractContextManager[Server]:
        """A second server with everything this one holds, on which others can be watched."""
        ...

    def prepared(self, server: Server, database: Database, statements: Sequence[Statement]) -> Watching | None:
        """Prepare a copy of base; ``None`` where ``statements`` (the verdict's) touch no table that it has."""
        ...
