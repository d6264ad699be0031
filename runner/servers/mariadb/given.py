"""A MariaDB server that is given by its URL: only read from, in read-only transactions with limits of time.

Nothing said here carries the URL or the driver's words about it, which repeat hosts and users.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from checks.interface import Engine
from checks.targets import Role
from runner.errors import ServerFailed, UsageError
from runner.servers.interface import Address, Database, Server, Wanted
from runner.servers.looked_at import LookedAt
from runner.servers.mariadb.provider import OLDEST
from runner.servers.mariadb.sessions import code_of, rows, session

if TYPE_CHECKING:
    from pymysql.err import Error

#: Seconds that one statement of a look may take, where nothing else is said.
STATEMENT_TIMEOUT = 60.0
_USUAL_PORT = 3306
#: What a URL may say beyond the place, by the names that drivers have for it, and what PyMySQL calls it.
_OPTIONS = {"ssl_ca": "ssl_ca", "ssl-ca": "ssl_ca", "ssl_cert": "ssl_cert", "ssl_key": "ssl_key", "unix_socket": "unix_socket"}
_REASONS = {
    "1045": "it does not accept the user and password",
    "1044": "its user may not use that database",
    "1049": "it does not know the database",
    "1040": "it has no room for another session",
    "1130": "it does not let this machine in",
    "1203": "it has no room for another session of this user",
    "1698": "it does not accept the user and password",
}
_BY_WORDS = (
    ("Name or service not known", "its host name is not known (special characters of a password must be percent-encoded)"),
    ("nodename nor servname", "its host name is not known (special characters of a password must be percent-encoded)"),
    ("Temporary failure in name resolution", "its host name cannot be looked up from here"),
    ("refused", "nothing listens at its address"),
    ("timed out", "it did not answer in time"),
    ("unreachable", "its address cannot be reached from here"),
    ("No route to host", "its address cannot be reached from here"),
    ("No such file", "there is no such socket here"),
    ("SSL", "it and the URL do not agree on encryption, or its certificate is not accepted"),
)


@contextmanager
def given_server(wanted: Wanted) -> Iterator[Server]:
    """The given server for the length of the context.

    Raises UsageError for a bad URL, for one that names no database and where it may be written to, ServerFailed where nothing
    answers or what answers is no MariaDB.
    """
    address = parsed(wanted.url or "")
    if wanted.disposable:
        raise UsageError(
            "a given MariaDB server is only read: `disposable` means nothing for it",
            "Leave `url_env` and `disposable` out: dbproof starts a server of its own to write to.",
        )
    yield GivenServer(_greeted(address), address, wanted.statement_timeout or STATEMENT_TIMEOUT)


def parsed(url: str) -> Address:
    """The address in a URL (``mysql://``, ``mariadb+pymysql://``, …); raises UsageError that does not repeat it."""
    try:
        found = urlsplit(url.strip())
        host, port = found.hostname or "", found.port or _USUAL_PORT
        options = {_OPTIONS[name]: value for name, value in parse_qsl(found.query) if name in _OPTIONS}
    except ValueError:
        raise UsageError(_UNREADABLE, _FORM) from None
    database = unquote(found.path.lstrip("/"))
    if not database or "/" in database:
        raise UsageError("the given database URL names no database (it is not repeated here, as it may hold a password)", _FORM)
    host = options.pop("unix_socket", "") or host or "localhost"
    return Address(host, port, unquote(found.username or ""), unquote(found.password or ""), database, options, scheme="mysql")


_UNREADABLE = "the given database URL cannot be read (it is not repeated here, as it may hold a password)"
_FORM = "Write it as mysql://user:password@host:port/database, special characters percent-encoded."


def _greeted(address: Address) -> str:
    import pymysql

    try:
        with session(address) as driver:
            version = str(rows(driver, "SELECT version()")[0][0])
    except (pymysql.err.Error, OSError, RuntimeError) as error:
        raise ServerFailed(
            f"the given database server cannot be reached: {reason_of(error)}", "Check the URL and that the server is up."
        ) from None
    if "MariaDB" not in version:
        raise ServerFailed(
            f"the given database server is MySQL {version.partition('-')[0]}, whose catalogues dbproof does not read",
            "MariaDB's can be read.",
        )
    number = version.removeprefix("5.5.5-").partition("-")[0]
    if tuple(int(part) for part in number.split(".")[:2]) < OLDEST:
        raise ServerFailed(
            f"the given database server is MariaDB {number}, older than dbproof reads", "MariaDB 10.6 and later are read."
        )
    return number


def reason_of(error: Error | OSError | RuntimeError) -> str:
    """Why a connection came to nothing, without what the driver repeats of the address."""
    said = str(error)
    by_words = next((reason for pattern, reason in _BY_WORDS if pattern in said), "the connection failed")
    return _REASONS.get(code_of(error), by_words)


@dataclass(frozen=True)
class GivenServer(LookedAt):
    """A server that is only looked at; what would write is refused."""

    version: str
    address: Address
    statement_timeout: float = STATEMENT_TIMEOUT
    origin: str = "given"
    engine: Engine = Engine.MARIADB
    disposable: bool = False

    def database(self, name: str) -> Database:  # noqa: ARG002 (the URL names the one database that there is)
        """The database that the URL names, whatever it is called in the settings."""
        return Database(self.address.database, {Role.ADMIN: self.address}, self.address, self.statement_timeout)
