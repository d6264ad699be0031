"""What a server offers: databases, sealed goldens, clones, forks of the whole cluster, and its log.

Roles on every server of ours: ``ADMIN`` is the superuser ``postgres``, ``OWNER`` is ``<database>_owner`` (owns the database,
runs the migrations, no superuser). Sessions of dbproof itself carry the application name :data:`OURS`; every other session is
the project's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from checks.interface import Engine
from checks.targets import Role

#: The application name of dbproof's own sessions, by which the log tells them from the project's.
OURS = "dbproof"


@dataclass(frozen=True)
class Wanted:
    """The server that a database asks for. ``version`` is a major version, perhaps with more behind it (``16``, ``16.4``).

    ``url`` is a given server's and a secret. ``standing`` says that the database in it is to be looked at as it stands, and
    ``statement_timeout`` after how many seconds a statement of the look is ended. ``extensions`` are those that the migrations
    create, ``preload`` the libraries that must be loaded at start, ``foreign_keys`` what sessions of SQLite do with that pragma.
    """

    engine: Engine
    version: str | None = None
    image: str | None = None
    url: str | None = field(default=None, repr=False)
    disposable: bool = False
    standing: bool = False
    statement_timeout: float | None = None
    preload: tuple[str, ...] = ()
    extensions: frozenset[str] = frozenset()
    foreign_keys: bool | None = None


@dataclass(frozen=True)
class Address:
    """Where to connect and as whom. ``host`` may be the directory of a Unix socket; of MongoDB, with port 0, several hosts.

    ``scheme`` is what a URL of this engine begins with. Of SQLite ``database`` is the whole path of the file, without host and
    user; ``extra`` then says how our own sessions behave (``foreign_keys``) and is no part of the URL.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    extra: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    scheme: str = "postgresql"

    def keywords(self) -> dict[str, Any]:
        """What ``psycopg.connect`` takes, without what is empty: ``extra`` are further parameters (``sslmode``, ``options``)."""
        named = {"host": self.host, "port": self.port, "user": self.user, "password": self.password, "dbname": self.database}
        return {key: value for key, value in {**named, **self.extra}.items() if value}

    def url(self, scheme: str | None = None) -> str:
        """A URL with every part percent-encoded, for example ``postgresql+asyncpg://…`` with that scheme.

        A file's path is not encoded (``sqlite:////tmp/app.db``): SQLAlchemy and others take it as it stands.
        """
        if self.scheme == "sqlite":
            return f"{scheme or self.scheme}:///{self.database}"
        user, password, database = (quote(part, safe="") for part in (self.user, self.password, self.database))
        query = f"?{urlencode(self.extra, quote_via=quote)}" if self.extra else ""
        who = f"{user}:{password}@" if password else f"{user}@" if user else ""
        return f"{scheme or self.scheme}://{who}{self._place()}/{database}{query}"

    def _place(self) -> str:
        """Host and port; without a port ``host`` names several, each with its own."""
        if not self.port:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Database:
    """A database on a server. ``addresses`` are what users' tools get (loopback TCP); ``private`` is ours, as superuser.

    ``statement_timeout`` ends statements that read it, in seconds; ``None`` for as long as its kind of target allows.
    """

    name: str
    addresses: Mapping[Role, Address]
    private: Address
    statement_timeout: float | None = None


@dataclass(frozen=True)
class Golden:
    """A sealed database: nobody can connect to it, and clones are made from it."""

    database: Database


@dataclass(frozen=True)
class LogRecord:
    """One entry of the server's log. ``sent`` is the client's statement text, where the server gave it.

    ``seconds`` is how long it took, where the server says so apart from its message.
    """

    time: str
    session: str
    user: str
    database: str
    application: str
    severity: str
    code: str
    message: str
    detail: str = ""
    sent: str = ""
    line: int = 0
    seconds: float | None = None


class Server(Protocol):
    """A running server, ours for the length of a context."""

    @property
    def engine(self) -> Engine: ...
    @property
    def version(self) -> str:
        """The server's version as it says itself: ``15.18``."""
        ...

    @property
    def origin(self) -> str:
        """Where it came from, for people: a directory of binaries, ``docker postgres:17``, ``given``."""
        ...

    @property
    def disposable(self) -> bool:
        """Whether anything may be written; false for a given URL that does not say ``disposable``."""
        ...

    def create(self, name: str) -> Database:
        """An empty database with its owner, carrying the recorder."""
        ...

    def database(self, name: str) -> Database:
        """A database that exists already (in a fork: one of the original's)."""
        ...

    def seal(self, database: Database) -> Golden:
        """VACUUM ANALYZE, then refuse connections, so that it can be cloned."""
        ...

    def open(self, golden: Golden) -> Database:
        """Take the seal off (in a fork, to migrate on)."""
        ...

    def clone(self, golden: Golden) -> AbstractContextManager[Database]:
        """A copy of a golden with its owner, ACL and database settings, dropped at the end."""
        ...

    def fork(self) -> AbstractContextManager[Server]:
        """A second server with everything this one holds, roles included."""
        ...

    def mark(self) -> int:
        """A position in the log: everything logged so far stands before it."""
        ...

    def log(self, since: int = 0) -> Iterator[LogRecord]:
        """The records from a mark up to now, in order, complete (it waits until the log has caught up)."""
        ...
