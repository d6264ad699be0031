"""One MariaDB database at one revision, as checks see it.

A sealed database is read where it is, in read-only transactions; writing happens on a clone, a server of its own that is made
when it is first wanted and ends with the target. A database that was given is read where it is, and never written to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import exists, literal_column, select
from sqlalchemy import table as core_table

from checks.declared.candidates import CheckCandidate, UniqueCandidate
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
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
from runner.targets.relational import RelationalTargetBase

#: Seconds after which a statement of a check is ended.
LIMIT = 300.0


class MariadbTarget(RelationalTargetBase[Session]):
    """A relational target on MariaDB. Without ``golden`` nothing is written.

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
        super().__init__(server, golden, database, expect, evidence, leave_out)
        self._limit = Limit(database.statement_timeout or statement_timeout, given=database.statement_timeout is not None)
        self._to_write: Database | None = None

    def _read(self) -> Catalogue:
        with self._opened() as session, session.said_plainly():
            return read(session.all, self._leave_out)

    def _look(self) -> frozenset[TableName]:
        with self._opened() as session:
            return frozenset(table.name for table in self.catalogue.tables if _holds_rows(session, table.name))

    def _stop(self, reader: Session) -> None:
        reader.stop()

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
        with opened(self._database.private, read_only=True, limit=self._limit) as session, self._registered(session):
            yield session

    def _writing(self) -> Address:
        if self._golden is None:
            raise UsageError(f"nothing may be written to '{self._database.name}': its address was given")
        with self._lock:
            if self._to_write is None:
                self._to_write = self._cloned()
            return self._to_write.private


def _holds_rows(session: Session, name: TableName) -> bool:
    source = core_table(name.name, schema=name.schema or None)
    try:
        return bool(session.rows(select(exists(select(literal_column("1")).select_from(source))))[0][0])
    except StatementFailed as failure:
        if not failure.code:
            raise
        return True
