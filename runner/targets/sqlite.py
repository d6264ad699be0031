"""One SQLite database at one revision, as checks see it.

A sealed database is never touched: reading happens on one clone of it, writing on another, each made when it is first wanted and
removed at the end. A file that was given is read where it is, and never written to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager

from sqlalchemy import Select, exists, literal_column, select
from sqlalchemy import table as core_table

from checks.declared.candidates import CheckCandidate, UniqueCandidate
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.interface import Engine
from checks.schema.model import Catalogue
from checks.schema.names import TableName
from checks.schema.sqlite import read
from checks.targets import ReadBack, ReadSession, Role, Sandbox
from runner.errors import UsageError
from runner.servers.interface import Address, Database, Golden, Server
from runner.targets.relational import RelationalTargetBase
from runner.targets.sqlite_reading_back import read_back
from runner.targets.sqlite_sandbox import SqliteSandbox
from runner.targets.sqlite_sessions import Limit, Session, SqliteReadSession, opened
from runner.targets.sqlite_spelling import spelled

#: Seconds after which a statement of a check is ended.
LIMIT = 300.0


class SqliteTarget(RelationalTargetBase[Session]):
    """A relational target on SQLite. ``statement_timeout`` is in seconds; a database's own goes before it."""

    engine = Engine.SQLITE

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
        super().__init__(server, golden, database, expect, evidence, leave_out)
        self._limit = Limit(database.statement_timeout or statement_timeout, given=database.statement_timeout is not None)
        self._to_read: Database | None = None
        self._to_write: dict[str, Database] = {}

    @property
    def expect(self) -> Expectations:
        """What the settings declare, spelled as the tables are: SQLite's names know no case."""
        return spelled(self._declared, self.catalogue)

    def _read(self) -> Catalogue:
        with self._opened() as session, session.limited():
            return read(session.connection, self._leave_out)

    def _look(self) -> frozenset[TableName]:
        with self._opened() as session, session.limited():
            tables = self.catalogue.tables
            return frozenset(table.name for table in tables if session.connection.scalar(_holds_rows(table.name)))

    def _stop(self, reader: Session) -> None:
        reader.stop()

    @contextmanager
    def rows(self) -> Iterator[ReadSession]:
        """A session that cannot write."""
        with self._opened() as session:
            yield SqliteReadSession(session)

    @contextmanager
    def sandbox(self, role: Role = Role.ADMIN) -> Iterator[Sandbox]:  # noqa: ARG002 - SQLite has no roles
        """Copies on which foreign keys are enforced. Raises UsageError where nothing may be written."""
        if self._golden is None:
            raise UsageError(f"nothing may be written to '{self._database.name}': the file was given to be read only")
        sandbox = SqliteSandbox(lambda: self._writing("filled"), lambda: self._writing("empty"), self.catalogue)
        with closing(sandbox):
            yield sandbox

    def read_back(self, declared: Sequence[CheckCandidate | UniqueCandidate]) -> Sequence[ReadBack] | None:
        """Constraints as SQLite keeps them; ``None`` where nothing may be written."""
        if self._golden is None:
            return None
        with self._writing("empty") as session:
            return read_back(session, self.catalogue, declared)

    @contextmanager
    def _opened(self) -> Iterator[Session]:
        with opened(self._reading(), read_only=True, limit=self._limit) as session, self._registered(session):
            yield session

    def _reading(self) -> Address:
        with self._lock:
            if self._to_read is None:
                self._to_read = self._cloned()
            return self._to_read.private

    def _writing(self, which: str) -> AbstractContextManager[Session]:
        with self._lock:
            if which not in self._to_write:
                self._to_write[which] = self._cloned()
            return opened(self._to_write[which].private, read_only=False, limit=self._limit)


def _holds_rows(name: TableName) -> Select[tuple[bool]]:
    return select(exists(select(literal_column("1")).select_from(core_table(name.name))))
