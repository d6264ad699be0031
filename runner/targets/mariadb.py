"""One MariaDB database at one revision, as checks see it.

A sealed database is read where it is, in read-only transactions; writing happens on a clone, a server of its own that is made
when it is first wanted and ends with the target. A database that was given is read where it is, and never written to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import RLock
from types import TracebackType

from sqlalchemy import exists, literal_column, select
from sqlalchemy import table as core_table

from checks.candidates import CheckCandidate, UniqueCandidate
from checks.evidence import Evidence
from checks.expectations import Expectations
from checks.interface import Engine
from checks.schema.mariadb import read
from checks.schema.model import Catalogue
from checks.schema.names import TableName
from checks.targets import ReadBack, ReadSession, Role, Sandbox, StatementFailed
from runner.errors import UsageError
from runner.servers.interface import Address, Database, Golden, Server
from runner.targets.mariadb_reading_back import read_back
from runner.targets.mariadb_sandbox import MariadbSandbox
from runner.targets.mariadb_sessions import Limit, MariadbReadSession, Session, opened

#: Seconds after which a statement of a check is ended.
LIMIT = 300.0


class MariadbTarget:
    """A relational target on MariaDB, for the length of a context; several threads may share it.

    ``golden`` is the sealed form of ``database``; without one nothing is written. ``leave_out`` names tables that are not judged.
    ``statement_timeout`` is in seconds; a database's own goes before it.
    """

    engine = Engine.MARIADB

    def __init__(
        self,
        server: Server,
        golden: Golden | None,
        database: Database,
        expect: Expectations,
        evidence: Evidence,
        *,
        leave_out: frozenset[TableName] = frozenset(),
        statement_timeout: float = LIMIT,
    ) -> None:
        self.expect = expect
        self.evidence = evidence
        self._server = server
        self._golden = golden
        self._database = database
        self._leave_out = leave_out
        self._limit = Limit(database.statement_timeout or statement_timeout, given=database.statement_timeout is not None)
        self._lock = RLock()
        self._clones = ExitStack()
        self._reading_now: set[Session] = set()
        self._ended = False
        self._to_write: Database | None = None
        self._catalogue: Catalogue | None = None
        self._filled: frozenset[TableName] | None = None

    def __enter__(self) -> MariadbTarget:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool | None:
        self._ended = True
        for session in tuple(self._reading_now):  # of a check that still reads in another thread when all is stopped
            session.stop()
        return self._clones.__exit__(kind, error, trace)

    @property
    def catalogue(self) -> Catalogue:
        """Every table that is judged, read once. Raises StatementFailed or ServerFailed."""
        with self._lock:
            if self._catalogue is None:
                with self._opened() as session, session.said_plainly():
                    self._catalogue = read(session.all, self._leave_out)
            return self._catalogue

    @property
    def filled(self) -> frozenset[TableName]:
        """The tables that hold at least one row, looked at once.

        One that cannot be looked into is taken for one that holds rows: whoever reads it meets the refusal itself.
        """
        with self._lock:
            if self._filled is None:
                with self._opened() as session:
                    self._filled = frozenset(table.name for table in self.catalogue.tables if _holds_rows(session, table.name))
            return self._filled

    @contextmanager
    def rows(self) -> Iterator[ReadSession]:
        """A session that cannot write."""
        with self._opened() as session:
            yield MariadbReadSession(session)

    @contextmanager
    def sandbox(self, role: Role = Role.ADMIN) -> Iterator[Sandbox]:  # noqa: ARG002 - roles decide nothing about constraints
        """Transactions that are rolled back, and tables of our own beside. Raises UsageError where nothing may be written."""
        with opened(self._writing(), read_only=False, limit=self._limit) as session:
            yield MariadbSandbox(session, self.catalogue)

    def read_back(self, declared: Sequence[CheckCandidate | UniqueCandidate]) -> Sequence[ReadBack] | None:
        """Constraints as MariaDB keeps them; ``None`` where nothing may be written."""
        if self._golden is None:
            return None
        with opened(self._writing(), read_only=False, limit=self._limit) as session:
            return read_back(session, declared)

    @contextmanager
    def _opened(self) -> Iterator[Session]:
        with opened(self._database.private, read_only=True, limit=self._limit) as session:
            self._reading_now.add(session)
            try:
                if self._ended:
                    raise StatementFailed("the run was stopped")
                yield session
            finally:
                self._reading_now.discard(session)

    def _writing(self) -> Address:
        if self._golden is None:
            raise UsageError(f"nothing may be written to '{self._database.name}': its address was given")
        with self._lock:
            if self._to_write is None:
                self._to_write = self._clones.enter_context(self._server.clone(self._golden))
            return self._to_write.private


def _holds_rows(session: Session, name: TableName) -> bool:
    source = core_table(name.name, schema=name.schema or None)
    try:
        return bool(session.rows(select(exists(select(literal_column("1")).select_from(source))))[0][0])
    except StatementFailed as failure:
        if not failure.code:
            raise
        return True
