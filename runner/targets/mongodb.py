"""One MongoDB database at one revision, as checks see it.

A sealed database is read as it is, by sessions that only read; writes are tried on copies of collections under another name.
An address that was given is read where it is, and copies are made beside it only where the settings say it is disposable.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any

from checks.declared.expectations import Expectations
from checks.document_targets import DocumentSession, Scratch
from checks.evidence import Evidence
from checks.interface import Engine
from checks.schema.collections import CollectionKind, Collections
from checks.schema.mongodb import read
from checks.targets import StatementFailed
from runner.errors import UsageError
from runner.servers.interface import OURS, Database, Golden, Server
from runner.servers.mongodb.copying import copy_database
from runner.servers.mongodb.sessions import session
from runner.servers.names import shortened
from runner.targets.mongodb_scratch import MongoScratch
from runner.targets.mongodb_sessions import MongoReadSession, end_reads, said_plainly

if TYPE_CHECKING:
    from runner.servers.mongodb.sessions import Client

#: Seconds after which a command of a check is ended by the server (code 50).
STATEMENT_TIMEOUT = 300.0
#: How much longer the answer is waited for.
_GRACE = 15.0


class MongoTarget:
    """A document target on MongoDB, for the length of a context; several threads may share it.

    ``golden`` is the sealed form of ``database``; without one, ``database`` was given. ``leave_out`` names collections that are
    not judged. ``statement_timeout`` is in seconds; a database's own comes before it.
    """

    engine = Engine.MONGODB

    def __init__(
        self,
        server: Server,
        golden: Golden | None,
        database: Database,
        expect: Expectations,
        evidence: Evidence,
        *,
        leave_out: frozenset[str] = frozenset(),
        statement_timeout: float = STATEMENT_TIMEOUT,
    ) -> None:
        self.expect = expect
        self.evidence = evidence
        self._server = server
        self._golden = golden
        self._database = database
        self._leave_out = leave_out
        self._seconds = database.statement_timeout or statement_timeout
        self._lock = RLock()
        self._sessions = ExitStack()
        self._mark = f"{OURS}:{secrets.token_hex(8)}"
        self._ended = False

    def __enter__(self) -> MongoTarget:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool | None:
        self._ended = True
        if "_opened" in self.__dict__:  # a check may still read in another thread when all is stopped
            end_reads(self._opened, self._mark)
        return self._sessions.__exit__(kind, error, trace)

    @property
    def collections(self) -> Collections:
        """Every collection that is judged, read once. Raises StatementFailed."""
        with self._lock:
            return self._collections

    @cached_property
    def _collections(self) -> Collections:
        with said_plainly():
            return read(self._client[self._database.name], self._leave_out)

    @property
    def filled(self) -> frozenset[str]:
        """The collections that hold at least one document, and the views that give one, looked at once."""
        with self._lock:
            return self._filled

    @cached_property
    def _filled(self) -> frozenset[str]:
        return frozenset(
            one.name
            for one in self.collections.all
            if one.documents or (one.kind is CollectionKind.VIEW and one.readable and self._gives(one.name))
        )

    def _gives(self, view: str) -> bool:
        with suppress(StatementFailed), self.documents() as documents:
            return any(documents.find(view, {}, limit=1))
        return False

    @contextmanager
    def documents(self) -> Iterator[DocumentSession]:
        """A session that only reads."""
        yield MongoReadSession(self._client[self._database.name], self._seconds, self._mark)

    def storage(self, collection: str, *, full: bool) -> Mapping[str, Any]:
        """What the server's ``validate`` says of a collection. Raises StatementFailed, also where nothing may be kept out."""
        if not self.writable:
            raise StatementFailed("it keeps writers out", gap="the database was given to be read only")
        with said_plainly():
            database = self._client[self._database.name]
            return database.command("validate", collection, full=full, comment=self._mark)

    @property
    def writable(self) -> bool:
        """Whether copies may be made beside the database: it is ours, or disposable."""
        return self._golden is not None or self._server.disposable

    @contextmanager
    def scratch(self, names: Sequence[str], *, rows: bool = False, indexes: bool = True) -> Iterator[Scratch]:
        """Copies of collections in a database of our own, dropped at the end. Raises UsageError where nothing may be written."""
        if not self.writable:
            raise UsageError(
                f"nothing may be written beside the database '{self._database.name}': its address was given",
                "Set 'disposable = true' for a server that may be written to.",
            )
        name = shortened(self._database.name, f"_{secrets.token_hex(4)}")
        client = self._client
        try:
            with said_plainly():
                copy_database(client, self._database.name, name, frozenset(names), rows=rows, indexes=indexes)
            yield MongoScratch(client[name], self._database.name, self._seconds, self._mark)
        finally:
            _drop(client, name)

    @property
    def _client(self) -> Client:
        with self._lock:
            if self._ended:
                raise StatementFailed("the run was stopped")
            return self._opened

    @cached_property
    def _opened(self) -> Client:
        return self._sessions.enter_context(session(self._database.private, answer=self._seconds + _GRACE))


def _drop(client: Client, name: str) -> None:
    from pymongo.errors import PyMongoError

    with suppress(PyMongoError):  # a dead server holds no copies
        client.drop_database(name)
