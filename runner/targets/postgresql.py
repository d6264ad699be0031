"""One PostgreSQL database at one revision, as checks see it.

A sealed database is never touched: reading happens on one clone of it, writing on another, each made when it is first wanted
and dropped at the end. An address that was given is read where it is, and written to only where the settings say it is
disposable, in transactions that are rolled back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Engine as Sessions

from checks.declared.candidates import CheckCandidate, UniqueCandidate
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.interface import Engine
from checks.schema.model import Catalogue
from checks.schema.names import TableName
from checks.schema.postgresql import read
from checks.targets import ReadBack, ReadSession, Role, Sandbox
from runner.errors import ServerFailed, UsageError
from runner.servers.interface import Database, Golden, Server
from runner.targets.anatomy import Anatomies
from runner.targets.application import PostgresApplication
from runner.targets.filled import filled
from runner.targets.reading_back import read_back
from runner.targets.relational import RelationalTargetBase
from runner.targets.sandbox import PostgresSandbox
from runner.targets.sessions import (
    POLITE_LOCK_TIMEOUT,
    STATEMENT_TIMEOUT,
    Driver,
    Manner,
    PostgresReadSession,
    Watch,
    abandon,
    driver_of,
    opened,
    said_plainly,
    sessions,
)


class PostgresTarget(RelationalTargetBase[Driver]):
    """A relational target on PostgreSQL. ``statement_timeout`` is in seconds; a database's own comes before it."""

    engine = Engine.POSTGRESQL
    #: Told which tables a check begins to read, for whoever shows it.
    watch: Watch

    def __init__(
        self,
        server: Server,
        golden: Golden | None,
        database: Database,
        expect: Expectations,
        evidence: Evidence,
        *,
        leave_out: frozenset[TableName] = frozenset(),
        statement_timeout: float = STATEMENT_TIMEOUT,
    ) -> None:
        super().__init__(server, golden, database, expect, evidence, leave_out)
        self._statement_timeout = database.statement_timeout or statement_timeout
        self.watch = lambda _: None
        self._to_read: Sessions | None = None
        self._to_write: Database | None = None
        self._anatomies: Anatomies | None = None

    def _read(self) -> Catalogue:
        with said_plainly(self._manner(read_only=True)), opened(self._reading()) as connection:
            return read(connection, self._leave_out)

    def _look(self) -> frozenset[TableName]:
        with said_plainly(), opened(self._reading()) as connection:
            return filled(connection, self.catalogue)

    def _stop(self, reader: Driver) -> None:
        abandon(reader)

    @contextmanager
    def rows(self) -> Iterator[ReadSession]:
        """A session that cannot write."""
        with opened(self._reading()) as connection, self._registered(driver_of(connection)):
            yield PostgresReadSession(connection, lambda tables: self.watch(tables))

    @contextmanager
    def sandbox(self, role: Role = Role.ADMIN) -> Iterator[Sandbox]:
        """A transaction that is rolled back. Sandboxes share one clone: open one at a time, they lock what they try.

        That of the application's role is an :class:`checks.tenants.application.Application`, where the settings declare one.
        Raises UsageError where nothing may be written.
        """
        database = self._writing()
        if role is Role.APP and self.expect.tenancy is not None:
            with opened(sessions(database.private, self._manner(read_only=False))) as connection:
                connection.begin()
                yield PostgresApplication(connection, self.expect.tenancy)
            return
        address = database.private if role is Role.ADMIN else database.addresses.get(role)
        if address is None:
            raise ServerFailed(f"the database '{database.name}' has no address for the role '{role}'")
        manner = replace(self._manner(read_only=False), ours=self._ours and role is Role.ADMIN)
        with opened(sessions(address, manner)) as connection:
            connection.begin()
            sandbox = PostgresSandbox(connection, self._anatomies)
            yield sandbox
            self._anatomies = sandbox.anatomies if self._ours else None

    def read_back(self, declared: Sequence[CheckCandidate | UniqueCandidate]) -> Sequence[ReadBack] | None:
        """Constraints in the server's own words; ``None`` where nothing may be written."""
        if self._golden is None and not self._server.disposable:
            return None
        manner = self._manner(read_only=False)
        with opened(sessions(self._writing().private, manner)) as connection, said_plainly(manner):
            connection.begin()
            return read_back(connection, declared)

    @property
    def _ours(self) -> bool:
        return self._golden is not None

    def _reading(self) -> Sessions:
        with self._lock:
            if self._to_read is None:
                self._to_read = sessions(self._cloned().private, self._manner(read_only=True))
            return self._to_read

    def _manner(self, *, read_only: bool) -> Manner:
        if self._ours:
            return Manner(read_only, ours=True, statement_timeout=self._statement_timeout)
        return Manner(
            read_only,
            ours=False,
            statement_timeout=self._statement_timeout,
            lock_timeout=POLITE_LOCK_TIMEOUT,
            foreign=True,
        )

    def _writing(self) -> Database:
        if self._golden is None and not self._server.disposable:
            raise UsageError(
                f"nothing may be written to the database '{self._database.name}': its address was given",
                "Set 'disposable = true' for a database that may be written to.",
            )
        with self._lock:
            if self._to_write is None:
                self._to_write = self._cloned()
            return self._to_write
