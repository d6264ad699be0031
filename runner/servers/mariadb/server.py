"""A running MariaDB server: its databases, goldens, clones and its log.

MariaDB has no template databases. A clone is a second server on a copy of the data directory, so that everything is in it as it
was (rows that break constraints, statistics, routines, the history of versioned tables), whatever it is: 0.3 s with 26 MB, 0.7 s
with 170 MB. Written table by table within the server a copy took 0.2 s for 8 tables without rows, 1.2 s for 40 tables with
100 000 rows, and knew only what it had been taught. Tablespaces cannot be imported without such a copy of the schema.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from checks.interface import Engine
from checks.targets import Role
from runner.errors import ServerFailed
from runner.servers.interface import OURS, Address, Database, Golden, LogRecord
from runner.servers.keeping import Keeping
from runner.servers.mariadb.sessions import quoted, rows, session
from runner.servers.names import NAME_LIMIT, shortened

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

_PATIENCE = 10.0

#: How a statement of ours begins that is in the log for what it says there: what new migrations have moved.
MOVED = "SET @dbproof_moved = "

#: So much is read of a statement in the log, in characters: bulk inserts are long.
LONGEST = 100_000
_LOG = """
SELECT event_time, user_host, thread_id, command_type, left(argument, %s) FROM mysql.general_log
LIMIT 18446744073709551615 OFFSET %s
"""

#: Databases that every server has.
TAKEN = frozenset({"mysql", "information_schema", "performance_schema", "sys"})

#: Makes a second server with everything that one holds; the flag is for one whose sessions are looked at while they work.
Fork = Callable[["MariadbServer", bool], AbstractContextManager["MariadbServer"]]


@dataclass
class MariadbServer:
    """A server of which we are the superuser.

    ``admin`` is what tools connect to as superuser, ``private`` how our own sessions do, by a socket. ``passwords`` are those of
    the owners made here, by user; ``keeping`` is how its databases are kept between runs.
    """

    version: str
    origin: str
    admin: Address
    private: Address
    forked: Fork
    passwords: dict[str, str] = field(default_factory=dict, repr=False)
    engine: Engine = Engine.MARIADB
    disposable: bool = True
    keeping: Keeping | None = None

    def create(self, name: str) -> Database:
        """An empty database with its owner, who may do anything in it; raises ServerFailed where it exists."""
        if len(name) > NAME_LIMIT:
            raise ServerFailed(f"database name {name} is longer than {NAME_LIMIT} characters", "Choose a shorter one.")
        owner = shortened(name, "_owner")
        password = self.passwords.get(owner, secrets.token_urlsafe(24))
        with session(self.private) as driver:
            if _exists(driver, name):
                raise ServerFailed(f"database {name} exists already on {self.origin}", "Give each database a name of its own.")
            rows(driver, f"CREATE DATABASE {quoted(name)}")
            rows(driver, "CREATE OR REPLACE USER %s@'%%' IDENTIFIED BY %s", (owner, password))
            rows(driver, f"GRANT ALL PRIVILEGES ON {_pattern(name)}.* TO %s@'%%'", (owner,))
        self.passwords[owner] = password
        return self._named(name, owner)

    def database(self, name: str) -> Database:
        """A database that exists already; raises ServerFailed where it does not."""
        with session(self.private) as driver:
            if not _exists(driver, name):
                raise ServerFailed(f"there is no database {name} on {self.origin}")
        return self._named(name, shortened(name, "_owner"))

    def seal(self, database: Database) -> Golden:
        """Take the owner's rights, end what the project still does in it, and gather statistics.

        MariaDB cannot refuse connections to one database, and a superuser's password stays good.
        """
        owner = shortened(database.name, "_owner")
        with session(self.private) as driver:
            if owner in self.passwords:
                rows(driver, f"REVOKE ALL PRIVILEGES ON {_pattern(database.name)}.* FROM %s@'%%'", (owner,))
            _end_sessions(driver, database.name, owner)
        with session(database.private) as driver:
            _analyse(driver)
        return Golden(database)

    def open(self, golden: Golden) -> Database:
        """Take the seal off; the name is that of the golden, on this server (which may be a fork of the golden's)."""
        name = golden.database.name
        owner = shortened(name, "_owner")
        if owner in self.passwords:
            with session(self.private) as driver:
                rows(driver, f"GRANT ALL PRIVILEGES ON {_pattern(name)}.* TO %s@'%%'", (owner,))
        return self.database(name)

    @contextmanager
    def clone(self, golden: Golden) -> Iterator[Database]:
        """The database on a second server, which ends with the context, open to its owner."""
        with self.fork() as copied:
            yield copied.open(golden)

    def take_over(self, name: str) -> None:
        """Give the owner of a database that was not made here a new password, so that it can come in."""
        owner, password = shortened(name, "_owner"), secrets.token_urlsafe(24)
        with session(self.private) as driver:
            rows(driver, "ALTER USER %s@'%%' IDENTIFIED BY %s", (owner, password))
        self.passwords[owner] = password

    def fork(self) -> AbstractContextManager[MariadbServer]:
        """A second server with everything this one holds, users included."""
        return self.forked(self, False)

    def observed(self) -> AbstractContextManager[MariadbServer]:
        """The same with its performance schema, from which it is told what sessions do: 0.1 s and 75 MB more."""
        return self.forked(self, True)

    def mark(self) -> int:
        """A position in the log: everything logged so far stands before it."""
        with session(self.private) as driver:
            return int(rows(driver, "SELECT count(*) FROM mysql.general_log")[0][0])

    def log(self, since: int = 0) -> Iterator[LogRecord]:
        """The records from a mark up to now, in order, complete: the server writes each before it does what it says.

        ``message`` is the kind of command (``Query``, ``Connect``, ``Quit``), ``sent`` its text. Our own sessions are left out,
        but for what they say of the project's (:data:`MOVED`).
        """
        with session(self.private) as driver:
            found = rows(driver, _LOG, (LONGEST, since))
        for when, who, thread, kind, said in found:
            user = _text(who).partition("[")[0]
            theirs = user != OURS and not _text(said).startswith(f"{OURS}@")
            if theirs or (user == OURS and _text(said).startswith(MOVED)):
                yield LogRecord(str(when), str(thread), user, "", "", "LOG", "", _text(kind), sent=_text(said))

    def _named(self, name: str, owner: str) -> Database:
        addresses = {Role.ADMIN: replace(self.admin, database=name)}
        if owner in self.passwords:
            addresses[Role.OWNER] = replace(self.admin, database=name, user=owner, password=self.passwords[owner])
        return Database(name, addresses, replace(self.private, database=name))


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _pattern(name: str) -> str:
    """A database's name in a GRANT, where ``_`` and ``%`` would stand for others too; the driver takes ``%%`` for ``%``."""
    escaped = name.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
    return quoted(escaped).replace("%", "%%")


def _exists(driver: Driver, name: str) -> bool:
    return bool(rows(driver, "SELECT 1 FROM information_schema.schemata WHERE binary schema_name = %s", (name,)))


def _end_sessions(driver: Driver, name: str, owner: str) -> None:
    """End everybody else's sessions in a database and wait until they are gone; raises ServerFailed after 10 s."""
    deadline = time.monotonic() + _PATIENCE
    query = "SELECT id FROM information_schema.processlist WHERE (db = %s OR user = %s) AND id <> connection_id()"
    while found := rows(driver, query, (name, owner)):
        if time.monotonic() > deadline:
            raise ServerFailed(f"sessions in database {name} did not end within {_PATIENCE:.0f} s", "See what they wait for.")
        for (number,) in found:
            with suppress(_errors().OperationalError):  # it is gone already
                rows(driver, f"KILL HARD CONNECTION {int(number)}")
        time.sleep(0.005)


def _errors() -> Any:  # noqa: ANN401 - the driver's module, imported where a server runs
    import pymysql

    return pymysql.err


def _analyse(driver: Driver) -> None:
    tables = rows(
        driver,
        "SELECT table_name FROM information_schema.tables WHERE table_schema = database() AND table_type = 'BASE TABLE'"
        " AND engine IN ('InnoDB', 'Aria', 'MyISAM')",
    )
    if tables:
        rows(driver, f"ANALYZE NO_WRITE_TO_BINLOG TABLE {', '.join(quoted(name) for (name,) in tables)}")
