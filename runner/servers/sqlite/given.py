"""A SQLite file that is given by its URL: only ever read, and left as it was, with nothing new beside it."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from checks.interface import Engine
from checks.targets import Role
from runner.errors import DbproofError, ServerFailed, UsageError
from runner.servers.interface import Address, Database, Server
from runner.servers.looked_at import LookedAt
from runner.servers.sqlite.sessions import FOREIGN_KEYS, IMMUTABLE, beside, check_version, session

_FORM = re.compile(r"sqlite3?(?:\+\w+)?:(?://(?P<host>[^/?]*)(?:/(?P<path>[^?]*))?|(?P<plain>[^?]*))(?:\?.*)?", re.DOTALL)
_HEADER = b"SQLite format 3\0"
#: The byte of the header that says 2 where the file is written through a write-ahead log (fileformat2.html, 1.3).
_WRITE_VERSION = 18


@contextmanager
def given_file(url: str, foreign_keys: bool | None = None, statement_timeout: float | None = None) -> Iterator[Server]:
    """The given file for the length of the context; a statement is ended after ``statement_timeout`` seconds.

    Raises UsageError for a URL that names no file, ServerFailed for a file that cannot be read.
    """
    check_version()
    path = located(url)
    logged = _looked_at(path)
    before = {file for file in beside(path) if file.exists()}
    behaviour = {} if foreign_keys is None else {FOREIGN_KEYS: "on" if foreign_keys else "off"}
    address = _address(path, behaviour, logged)
    try:
        _greeted(address)
        yield GivenFile(path, address, statement_timeout)
    finally:
        if logged and not before:
            _tidied(path)


def located(url: str) -> Path:
    """The file that a URL names: ``sqlite:////srv/app.db``, ``sqlite:///app.db`` from here, ``sqlite+aiosqlite:///…``."""
    found = _FORM.fullmatch(url.strip())
    if found is None or found["host"]:
        raise UsageError("the given address cannot be read as one of a SQLite file", _FORMS)
    name = (found["path"] if found["plain"] is None else found["plain"]) or ""
    name = name.removeprefix("file:")
    if name in {"", ":memory:"} or "mode=memory" in url:
        raise UsageError("the given address names a SQLite database in memory, in which nobody else can look", _FORMS)
    path = Path(name)
    return (path if path.exists() else Path(unquote(name))).absolute()


_FORMS = "Write it as sqlite:////absolute/path/app.db, or sqlite:///app.db for a file in the current directory."


def _looked_at(path: Path) -> bool:
    """Whether the file is written through a write-ahead log. Raises ServerFailed where it is no database."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as refused:
        raise ServerFailed(
            f"the given SQLite file cannot be read: {(refused.strerror or 'no reason given').lower()}: {path}",
            "Correct the path (it starts in the current directory where it has three slashes), or make it readable.",
        ) from None
    if not header:
        raise ServerFailed(f"the given SQLite file is empty: {path}", "Name the file that the application writes to.")
    if not header.startswith(_HEADER):
        raise ServerFailed(
            f"the given file is not a SQLite database: {path}", "Correct the path; an encrypted database cannot be read either."
        )
    return header[_WRITE_VERSION] == 2


def _address(path: Path, behaviour: Mapping[str, str], logged: bool) -> Address:
    extra = dict(behaviour)
    if logged and _cannot_be_shared(path):
        if (log := beside(path)[0]).exists() and log.stat().st_size:
            raise ServerFailed(
                f"the given SQLite file has changes in {log.name} that cannot be read from a directory that is read-only",
                "Copy the database together with the files beside it to a directory of your own, and give that one.",
            )
        extra[IMMUTABLE] = "1"
    return Address("", 0, "", "", str(path), extra, scheme="sqlite")


def _cannot_be_shared(path: Path) -> bool:
    """Whether the index of the write-ahead log, without which no session opens the file, neither is there nor can be made."""
    index = beside(path)[1]
    return not os.access(index if index.exists() else path.parent, os.W_OK)


def _greeted(address: Address) -> None:
    try:
        with session(address, read_only=True) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as failed:
        raise _said(failed, address) from None


def _said(failed: sqlite3.Error, address: Address) -> DbproofError:
    code = getattr(failed, "sqlite_errorname", "")
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return ServerFailed(
            f"the given SQLite file is locked: {address.database}",
            "Another program holds it while it writes; try again when that is done.",
        )
    return ServerFailed(f"the given SQLite file cannot be read: {failed}: {address.database}", "See whether the file is whole.")


def _tidied(path: Path) -> None:
    """Let the last of our sessions take away the log that only our reading made: by SQLite itself, which sees who else is there.

    A session that only reads leaves an empty log and its index behind (wal.html, "Read-Only Databases").
    """
    log = beside(path)[0]
    if not log.exists() or log.stat().st_size:
        return
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        return


@dataclass(frozen=True)
class GivenFile(LookedAt):
    """A file that is only looked at; what would write is refused."""

    READ_ONLY = ("a given SQLite file is only read", "Leave `url_env` out: dbproof makes files of its own.")

    path: Path
    private: Address
    statement_timeout: float | None
    version: str = sqlite3.sqlite_version
    origin: str = "given"
    engine: Engine = Engine.SQLITE
    disposable: bool = False

    def database(self, name: str) -> Database:  # noqa: ARG002 (the URL names the one database that there is)
        """The database that the URL names, whatever it is called in the settings."""
        theirs = Address("", 0, "", "", str(self.path), scheme="sqlite")
        return Database(self.path.name, {Role.ADMIN: theirs}, self.private, self.statement_timeout)
