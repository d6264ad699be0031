"""A directory of SQLite files as a server: create, seal, clone, fork. There is no log: what a file shows is all there is."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from checks.interface import Engine
from checks.targets import Role
from runner.errors import ServerFailed
from runner.servers.interface import Address, Database, Golden, LogRecord, Server
from runner.servers.keeping import Keeping
from runner.servers.runs import run_directory
from runner.servers.sqlite.sessions import FOREIGN_KEYS, beside, check_version, connect, session

_OPEN = ".db"
_SEALED = ".sealed"

#: A moment before every file: reading one moves its time of access on from here (``relatime`` sees to that).
_LONG_AGO = 0


@dataclass(frozen=True)
class SqliteServer:
    """The databases in one directory. ``foreign_keys`` is what our own sessions do with that pragma, else SQLite's default."""

    directory: Path
    foreign_keys: bool | None = None
    version: str = sqlite3.sqlite_version
    origin: str = "files of our own, by the SQLite of dbproof's Python"
    engine: Engine = Engine.SQLITE
    disposable: bool = True

    @property
    def keeping(self) -> Keeping:
        """How its databases are kept between runs."""
        return _Keeping(self.foreign_keys)

    def create(self, name: str) -> Database:
        """An empty database (a file of no bytes, as a program's first connection would make it); raises ServerFailed."""
        if self._path(name).exists() or self._path(name, _SEALED).exists():
            raise ServerFailed(f"database {name} exists already", "Give each database a name of its own.")
        self._path(name).touch(0o600)
        return self._named(name)

    def database(self, name: str) -> Database:
        """A database that exists already, sealed or not; raises ServerFailed where it does not."""
        if not (self._path(name).exists() or self._path(name, _SEALED).exists()):
            raise ServerFailed(f"there is no database {name}")
        return self._named(name)

    def seal(self, database: Database) -> Golden:
        """Bring everything into the one file and take it from where its address leads. Raises ServerFailed where it is in use."""
        path = self._path(database.name)
        with session(database.private) as connection:
            _settle(connection, database.name)
        path.rename(self._path(database.name, _SEALED))
        for file in beside(path):
            file.unlink(missing_ok=True)
        return Golden(database)

    def open(self, golden: Golden) -> Database:
        """Put the file back to where its address leads."""
        self._path(golden.database.name, _SEALED).rename(self._path(golden.database.name))
        return self._named(golden.database.name)

    @contextmanager
    def clone(self, golden: Golden) -> Iterator[Database]:
        """A copy of a golden, removed at the end."""
        name = f"{golden.database.name}_{secrets.token_hex(4)}"
        path = self._path(name)
        try:
            shutil.copyfile(self._path(golden.database.name, _SEALED), path)
            yield self._named(name)
        finally:
            for file in (path, *beside(path)):
                file.unlink(missing_ok=True)

    @contextmanager
    def fork(self) -> Iterator[SqliteServer]:
        """A second directory with a copy of every database, sealed ones sealed."""
        with run_directory() as directory:
            self.copy_to(directory)
            yield SqliteServer(directory, self.foreign_keys, self.version, self.origin)

    def copy_to(self, directory: Path) -> None:
        """Copy every database to another directory."""
        for path in self.directory.glob(f"*{_SEALED}"):
            shutil.copyfile(path, directory / path.name)
        for path in self.directory.glob(f"*{_OPEN}"):
            _copy(self._named(path.stem).private, directory / path.name)

    def mark(self) -> int:
        """The beginning, as there is no log. From here on it shows when a file is read or written: see :meth:`touched`."""
        for path in self.directory.glob(f"*{_OPEN}"):
            os.utime(path, ns=(_LONG_AGO, path.stat().st_mtime_ns))
        return 0

    def touched(self, database: Database) -> bool:
        """Whether anybody has read or written a database since the last mark, or may have: not every file system shows it."""
        path = self._path(database.name)
        if any(file.exists() for file in beside(path)) or not _reading_shows(self.directory):
            return True
        return path.exists() and path.stat().st_atime_ns != _LONG_AGO

    @contextmanager
    def unseen(self, database: Database) -> Iterator[None]:
        """Let reading by ourselves not show in :meth:`touched`."""
        path = self._path(database.name)
        before = path.stat().st_atime_ns if path.exists() else None
        yield
        if before is not None and path.exists():
            os.utime(path, ns=(before, path.stat().st_mtime_ns))

    def log(self, since: int = 0) -> Iterator[LogRecord]:  # noqa: ARG002 (the protocol's)
        """Nothing: SQLite keeps none."""
        return iter(())

    def _path(self, name: str, ending: str = _OPEN) -> Path:
        return self.directory / f"{name}{ending}"

    def _named(self, name: str) -> Database:
        theirs = Address("", 0, "", "", str(self._path(name)), scheme="sqlite")
        behaviour = {} if self.foreign_keys is None else {FOREIGN_KEYS: "on" if self.foreign_keys else "off"}
        ours = Address("", 0, "", "", str(self._path(name)), behaviour, scheme="sqlite")
        return Database(name, dict.fromkeys((Role.ADMIN, Role.OWNER), theirs), ours)


@contextmanager
def sqlite_server(foreign_keys: bool | None = None) -> Iterator[SqliteServer]:
    """An empty directory for the length of the context; raises ServerFailed."""
    check_version()
    with run_directory() as directory:
        yield SqliteServer(directory, foreign_keys)


@dataclass(frozen=True)
class _Keeping:
    """Keeps the files. The program that wrote them is the project's, and any SQLite reads them."""

    foreign_keys: bool | None
    build: str = "sqlite"

    def keep(self, server: Server, directory: Path) -> None:
        """Copy them. Raises ServerFailed, OSError."""
        directory.mkdir(mode=0o700)
        cast("SqliteServer", server).copy_to(directory)

    @contextmanager
    def again(self, directory: Path, names: Sequence[str]) -> Iterator[SqliteServer]:  # noqa: ARG002 - files have no owners
        """A directory with copies of them. Raises ServerFailed, OSError."""
        with sqlite_server(self.foreign_keys) as server:
            for path in directory.iterdir():
                shutil.copyfile(path, server.directory / path.name)
            yield server


def _reading_shows(directory: Path) -> bool:
    """Whether the file system notes when a file is read (one that is mounted with ``noatime`` does not)."""
    probe = directory / f"probe-{secrets.token_hex(4)}"
    try:
        probe.write_bytes(b"x")
        os.utime(probe, ns=(_LONG_AGO, probe.stat().st_mtime_ns))
        probe.read_bytes()
        return probe.stat().st_atime_ns != _LONG_AGO
    finally:
        probe.unlink(missing_ok=True)


def _settle(connection: sqlite3.Connection, name: str) -> None:
    """Write the write-ahead log back, and see that nobody is in the middle of something."""
    try:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as failed:
        raise ServerFailed(f"the SQLite database {name} cannot be sealed: {failed}", _IN_USE) from None
    if busy:
        raise ServerFailed(f"the SQLite database {name} cannot be sealed: a session still reads it", _IN_USE)


_IN_USE = "A program that the migrations or the rows started is still at work on it; let it end first."


def _copy(source: Address, target: Path) -> None:
    """By SQLite's own backup, which sees what stands in a write-ahead log and waits for a writer."""
    target.touch(0o600)
    with closing(connect(source, read_only=True)) as ours, closing(sqlite3.connect(target)) as copy:
        ours.backup(copy)
