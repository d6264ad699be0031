"""What every server that is only looked at refuses, whatever its engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, NoReturn

from runner.errors import ServerFailed
from runner.servers.interface import Database, Golden, LogRecord


class LookedAt:
    """A given server that is read and never written to: everything else that :class:`Server` offers raises ServerFailed."""

    #: What it is, and what would let more be done.
    READ_ONLY: ClassVar[tuple[str, str]] = (
        "the given server is read-only",
        "Set `disposable = true` beside `url_env` where anything may be written to that server, or let dbproof start its own.",
    )

    def create(self, name: str) -> NoReturn:
        """Refused."""
        self._refuse(f"database {name} is not made")

    def seal(self, database: Database) -> NoReturn:
        """Refused."""
        self._refuse(f"database {database.name} is not sealed")

    def open(self, golden: Golden) -> NoReturn:
        """Refused."""
        self._refuse(f"database {golden.database.name} is not opened")

    def clone(self, golden: Golden) -> NoReturn:
        """Refused."""
        self._refuse(f"database {golden.database.name} is not copied")

    def fork(self) -> NoReturn:
        """Refused."""
        self._refuse("it is not copied")

    def mark(self) -> int:
        """The beginning: its log is not ours to read."""
        return 0

    def log(self, since: int = 0) -> Iterator[LogRecord]:  # noqa: ARG002 (the protocol's)
        """Nothing: its log is not ours to read."""
        return iter(())

    def _refuse(self, what: str) -> NoReturn:
        said, remedy = self.READ_ONLY
        raise ServerFailed(f"{said}: {what}", remedy)
