"""What the relational targets share: what is read once, the clones that end with them, and readers that can be stopped."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import RLock
from types import TracebackType
from typing import Generic, Self, TypeVar

from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.schema.model import Catalogue
from checks.schema.names import TableName
from checks.targets import StatementFailed
from runner.servers.interface import Database, Golden, Server

#: What reads: a session, or the driver under it.
ReaderT = TypeVar("ReaderT")


class RelationalTargetBase(ABC, Generic[ReaderT]):
    """A relational target, for the length of a context; several threads may share it.

    ``golden`` is the sealed form of ``database``; without one, ``database`` itself is read. ``leave_out`` names tables that are
    not judged (a migration tool's own, under a name of the project's).
    """

    def __init__(
        self,
        server: Server,
        golden: Golden | None,
        database: Database,
        expect: Expectations,
        evidence: Evidence,
        leave_out: frozenset[TableName] = frozenset(),
    ) -> None:
        self._declared = expect
        self.evidence = evidence
        self._server = server
        self._golden = golden
        self._database = database
        self._leave_out = leave_out
        self._lock = RLock()
        self._clones = ExitStack()
        self._reading_now: set[ReaderT] = set()
        self._ended = False
        self._catalogue: Catalogue | None = None
        self._filled: frozenset[TableName] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool | None:
        self._ended = True
        for reader in tuple(self._reading_now):  # of a check that still reads in another thread when all is stopped
            self._stop(reader)
        return self._clones.__exit__(kind, error, trace)

    @property
    def expect(self) -> Expectations:
        """What the settings declare."""
        return self._declared

    @property
    def catalogue(self) -> Catalogue:
        """Every table that is judged, read once. Raises StatementFailed or ServerFailed."""
        with self._lock:
            if self._catalogue is None:
                self._catalogue = self._read()
            return self._catalogue

    @property
    def filled(self) -> frozenset[TableName]:
        """The tables that hold at least one row (a partitioned table: in any of its partitions), looked at once.

        One that cannot be looked into is taken for one that holds rows: whoever reads it meets the refusal itself.
        """
        with self._lock:
            if self._filled is None:
                self._filled = self._look()
            return self._filled

    @abstractmethod
    def _read(self) -> Catalogue:
        """The catalogue, from the database."""

    @abstractmethod
    def _look(self) -> frozenset[TableName]:
        """The tables that hold a row, from the database."""

    @abstractmethod
    def _stop(self, reader: ReaderT) -> None:
        """End a reader that another thread waits on."""

    @contextmanager
    def _registered(self, reader: ReaderT) -> Iterator[ReaderT]:
        """A reader that is stopped where the target ends before it does. Raises StatementFailed where it has ended already."""
        self._reading_now.add(reader)
        try:
            if self._ended:
                raise StatementFailed("the run was stopped")
            yield reader
        finally:
            self._reading_now.discard(reader)

    def _cloned(self) -> Database:
        """A copy of our own, which ends with the target; the database itself where it was given."""
        if self._golden is None:
            return self._database
        return self._clones.enter_context(self._server.clone(self._golden))
