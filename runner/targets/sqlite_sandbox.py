"""Tries writes on copies of a SQLite database, with foreign keys enforced: a filled one, and one without rows.

SQLite takes no constraint away from a table. So what is tried alone is tried on the copy without rows, CHECKs and triggers, where
the rest is met (see :class:`.sqlite_trials.Alone`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from sqlalchemy import Executable

from checks.schema.model import Catalogue, ForeignKey
from checks.schema.names import ObjectReference, TableName
from checks.targets import Insert, Refused, StatementFailed, Trial, Verdict, Write
from runner.targets.sqlite_sessions import Session
from runner.targets.sqlite_trials import Alone, WithEverything, foreign_key, prepare

#: Opens a session on a copy of our own.
Opens = Callable[[], AbstractContextManager[Session]]


class SqliteSandbox:
    """Sessions on two copies of our own, each opened when it is first wanted; ``close`` must be called."""

    def __init__(self, filled: Opens, empty: Opens, catalogue: Catalogue) -> None:
        self._opens = {"filled": filled, "empty": empty}
        self._open: dict[str, Session] = {}
        self._opened = ExitStack()
        self._catalogue = catalogue

    def close(self) -> None:
        """Close the sessions."""
        self._opened.close()

    @contextmanager
    def trial(self, only: Sequence[ObjectReference] | None = None, tables: Sequence[TableName] = ()) -> Iterator[Trial]:
        """Writes that are undone at the end; with ``only``, on the copy without rows.

        CHECKs cannot be taken apart: where ``only`` names one, all others answer too, each by its name. Raises StatementFailed
        where something that ``only`` names is not there.
        """
        trial: WithEverything | Alone
        if only is None:
            trial = WithEverything(self._session("filled"), self._catalogue)
        else:
            trial = Alone(self._session("empty"), self._catalogue, only, tables)
        try:
            yield trial
        finally:
            trial.end()

    def attempt(self, write: Write, only: ObjectReference | None = None) -> Verdict:
        """A trial of one write.

        SQLite does not say which foreign key refused a row. So it is tried twice: with its parent there it must be taken, without
        it refused; nothing else differs. Raises StatementFailed where a row that has its parent is refused too: that says nothing
        about the key.
        """
        key = None if only is None else foreign_key(self._catalogue, only)
        if key is not None and isinstance(write, Insert):
            self._must_take(write, key)
        with self.trial(None if only is None else [only]) as trial:
            return trial.write(write)

    def _must_take(self, write: Insert, key: ForeignKey) -> None:
        with Alone.ended(self._session("empty"), self._catalogue, [key.reference]) as trial:
            trial.put_parent(key, write.values)
            taken = trial.write(write)
        if isinstance(taken, Refused):
            raise StatementFailed(f"the same row is refused with its parent there, too: {taken.said}", taken.code)

    def rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement on the filled copy; raises StatementFailed."""
        session = self._session("filled")
        with session.limited():
            return [tuple(row) for row in session.connection.execute(statement)]

    def _session(self, which: str) -> Session:
        if which not in self._open:
            session = self._opened.enter_context(self._opens[which]())
            if which == "empty":
                prepare(session, self._catalogue)
            self._open[which] = session
        return self._open[which]
