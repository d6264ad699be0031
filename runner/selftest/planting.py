"""Plants one fault on a copy of a sealed database, and hands the copy to the checks as they are handed any other.

What an engine needs for it stands in its own function; everything else is the engine's ordinary clone and target.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from checks.evidence import Evidence
from checks.expectations import Expectations
from checks.faults.interface import Fault, Way
from checks.faults.sqlite_edits import Edit, NothingThere, edited
from checks.interface import Engine
from checks.targets import Target
from runner.backends.interface import Backend
from runner.plan import Built
from runner.servers.interface import Database, Golden, Server

if TYPE_CHECKING:
    from psycopg import Connection

#: Our statements stay out of the log, and no trigger of anybody's has a say in what is planted.
_PAST_TRIGGERS = "-c log_min_duration_statement=-1 -c log_min_messages=fatal -c session_replication_role=replica"
_UNBROKEN = "no change to the rows that was tried breaks it"
_WRITES = ("INSERT", "UPDATE", "DELETE")


class NotPlanted(Exception):
    """A fault could not be planted, and why: the server's words, or that it changed nothing."""


@dataclass(frozen=True)
class Ground:
    """Where faults are planted: a sealed database, and what its checks go by."""

    backend: Backend
    built: Built
    expect: Expectations
    evidence: Evidence

    @contextmanager
    def planted(self, fault: Fault) -> Iterator[Target]:
        """A copy with the fault in it, as a target; raises :class:`NotPlanted`."""
        server = self.built.server
        with server.clone(self.built.golden) as copy:
            _PLANTERS[server.engine](copy, fault)
            with (
                _sealed(server, copy) as (as_it_stands, golden),
                self.backend.target(as_it_stands, golden, copy, self.expect, self.evidence) as target,
            ):
                yield target


@dataclass(frozen=True)
class _AsItStands:
    """A server on which a copy stands for its own copies: it is thrown away, so it is read and written to itself."""

    server: Server
    copy: Database

    def clone(self, golden: Golden) -> AbstractContextManager[Database]:  # noqa: ARG002 - there is only this one
        return nullcontext(self.copy)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a server has
        return getattr(self.server, name)


@contextmanager
def _sealed(server: Server, copy: Database) -> Iterator[tuple[Server, Golden]]:
    """SQLite's sandbox empties the tables that it writes to, so there reading and writing need copies of their own."""
    if server.engine is not Engine.SQLITE:
        yield cast("Server", _AsItStands(server, copy)), Golden(copy)
        return
    golden = server.seal(copy)
    try:
        yield server, golden
    finally:
        server.open(golden)


def _plant_on_postgresql(copy: Database, fault: Fault) -> None:
    import psycopg

    from runner.servers.postgresql.sessions import ours

    with psycopg.connect(**ours(copy.private, _PAST_TRIGGERS).keywords(), autocommit=True, prepare_threshold=None) as connection:
        _first(fault, lambda way: _try_on_postgresql(connection, way, fault.shows))


def _try_on_postgresql(connection: Connection[Any], way: Way, shows: str) -> None:
    import psycopg

    try:
        with connection.transaction():
            rows = [_executed(connection, str(statement)) for statement in way]
            _has_effect(way, rows)
            if shows and not connection.execute(shows.encode()).fetchmany(1):
                raise NotPlanted(_UNBROKEN)
    except psycopg.Error as refused:
        raise NotPlanted(refused.diag.message_primary or str(refused)) from None


def _executed(connection: Connection[Any], statement: str) -> int:
    return connection.execute(statement.encode()).rowcount


def _plant_on_sqlite(copy: Database, fault: Fault) -> None:
    from runner.servers.sqlite.sessions import session

    with session(copy.private) as connection:
        for pragma in ("foreign_keys = off", "ignore_check_constraints = on", "legacy_alter_table = on", "writable_schema = on"):
            connection.execute(f"PRAGMA {pragma}")
        _first(fault, lambda way: _try_on_sqlite(connection, way, fault.shows))
    with session(copy.private) as connection:  # a text that SQLite cannot read would fail here, not in the check
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        except sqlite3.Error as refused:
            raise NotPlanted(str(refused)) from None


def _try_on_sqlite(connection: sqlite3.Connection, way: Way, shows: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        rows = [_edit(connection, one) if isinstance(one, Edit) else connection.execute(str(one)).rowcount for one in way]
        _has_effect(way, rows)
        if shows and not connection.execute(shows).fetchmany(1):
            raise NotPlanted(_UNBROKEN)
        connection.execute("COMMIT")
    except (sqlite3.Error, NothingThere) as refused:
        raise NotPlanted(str(refused)) from None
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _edit(connection: sqlite3.Connection, edit: Edit) -> int:
    """Write a table's text anew, and tell other sessions to read it again."""
    (text,) = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", [edit.table.name]).fetchone()
    changed = connection.execute(
        "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", [edited(text, edit), edit.table.name]
    )
    (version,) = connection.execute("PRAGMA schema_version").fetchone()
    connection.execute(f"PRAGMA schema_version = {version + 1}")
    return changed.rowcount


def _plant_on_mongodb(copy: Database, fault: Fault) -> None:
    from pymongo.errors import PyMongoError

    from runner.servers.mongodb.sessions import session

    with session(copy.private) as client:
        for statement in fault.ways[0]:
            try:
                answer = client[copy.name].command(dict(cast("Mapping[str, Any]", statement)))
            except PyMongoError as refused:
                raise NotPlanted(str(refused)) from None
            if answer.get("n") == 0:
                raise NotPlanted("it changed nothing")


def _first(fault: Fault, attempt: Callable[[Way], None]) -> None:
    """The first way that leads to the fault; the last one's reason where none does."""
    reason = "nobody knows how"
    for way in fault.ways:
        try:
            return attempt(way)
        except NotPlanted as failed:
            reason = str(failed)
    raise NotPlanted(_UNBROKEN if fault.shows else reason)


def _has_effect(way: Way, rows: list[int]) -> None:
    """A last statement that writes rows has to find some."""
    if way and isinstance(way[-1], str) and way[-1].startswith(_WRITES) and not rows[-1]:
        raise NotPlanted("there is no row for it")


#: How each engine plants.
_PLANTERS: Mapping[Engine, Callable[[Database, Fault], None]] = {
    Engine.POSTGRESQL: _plant_on_postgresql,
    Engine.SQLITE: _plant_on_sqlite,
    Engine.MONGODB: _plant_on_mongodb,
}

#: The engines that faults can be planted on.
ENGINES = frozenset(_PLANTERS)
