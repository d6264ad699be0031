"""A project that migrates a database, and what the log says of it."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from checks.evidence import Made, Place, Statement
from checks.schema.names import ObjectKind, ObjectReference
from checks.targets import Role
from runner.recorder.provenance import resolve
from runner.recorder.reading import read
from runner.recorder.recording import Recording
from runner.recorder.stamps import comment
from runner.servers.interface import Database, LogRecord, Server
from runner.servers.postgresql.sessions import session


@dataclass
class Project:
    """A project that migrates a database, and what the log says of it."""

    server: Server
    database: Database
    sessions: ExitStack
    mark: int
    sent: int = 0

    def connect(self, role: Role = Role.ADMIN, **options: Any) -> psycopg.Connection[Any]:
        """A session of the project, in autocommit mode."""
        keywords = {**self.database.addresses[role].keywords(), "autocommit": True, **options}
        return self.sessions.enter_context(closing(psycopg.connect(**keywords)))

    def run(self, *statements: str, role: Role = Role.ADMIN) -> psycopg.Connection[Any]:
        """Send statements one by one over one session, the n-th of all stamped with line n of ``m.sql``, errors or not."""
        connection = self.connect(role)
        for statement in statements:
            self.sent += 1
            self.send(connection, f"{comment(Place('m.sql', self.sent))} {statement}")
        return connection

    def send(self, connection: psycopg.Connection[Any], message: str) -> None:
        """Send one message as it is; an error stays between the server and its log."""
        connection.pgconn.exec_(message.encode())

    def recording(self, after: tuple[Recording, ...] = ()) -> Recording:
        """What the log says so far, with the project's sessions over."""
        self.sessions.close()
        return read(self.server.log(self.mark), self.database.name, after)

    def statements(self) -> tuple[Statement, ...]:
        """The statements so far."""
        return self.recording().statements

    def lines(self) -> dict[ObjectReference, int]:
        """The line of ``m.sql`` that made each object."""
        return {named: made.place.line or 0 for named, made in self.provenance().items()}

    def provenance(self) -> dict[ObjectReference, Made]:
        """What made each object."""
        recording = self.recording()
        with session(self.database.private) as ours:
            return resolve(ours, recording)


def table(name: str, schema: str = "public") -> ObjectReference:
    return ObjectReference(ObjectKind.TABLE, schema, name)


def column(relation: str, name: str, schema: str = "public") -> ObjectReference:
    return ObjectReference(ObjectKind.COLUMN, schema, relation, name)


def constraint(relation: str, name: str, schema: str = "public") -> ObjectReference:
    return ObjectReference(ObjectKind.CONSTRAINT, schema, relation, name)


def index(relation: str, name: str, schema: str = "public") -> ObjectReference:
    return ObjectReference(ObjectKind.INDEX, schema, relation, name)


def logged(message: str, **changes: Any) -> LogRecord:
    """A record of the log, with what is not as in most."""
    record = LogRecord("now", "s", "u", "d", "app", "LOG", "00000", message)
    return replace(record, **changes)
