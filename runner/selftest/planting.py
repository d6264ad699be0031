"""Plants faults on a copy of a sealed database, and hands the copy to the checks as they are handed any other.

What an engine needs for it stands in its own function; everything else is the engine's ordinary clone and target.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.faults.interface import Fault, Way
from checks.faults.sqlite_edits import Edit, NothingThere, Part, edited
from checks.interface import Engine
from checks.targets import Target
from runner.backends.interface import Backend
from runner.migrations.inside.refusals import answer_of, refusal
from runner.plan import Built
from runner.servers.interface import Database, Golden, Server

if TYPE_CHECKING:
    from psycopg import Connection
    from pymongo.database import Database as Documents
    from pymysql.connections import Connection as MariaSession

#: Our statements stay out of the log, and no trigger of anybody's has a say in what is planted.
_PAST_TRIGGERS = "-c log_min_duration_statement=-1 -c log_min_messages=fatal -c session_replication_role=replica"
#: The same of MariaDB, whose CHECKs look away as well.
_PAST_RULES = "SET SESSION sql_log_off = 1, foreign_key_checks = 0, check_constraint_checks = 0"
_UNBROKEN = "no change to the rows that was tried breaks it"
_WRITES = ("INSERT", "UPDATE", "DELETE")


class NotPlanted(Exception):
    """A fault could not be planted, and why: the server's words, or that it changed nothing."""


#: Does the statements of one way, and sees that its query returns a row; raises :class:`NotPlanted`, and then nothing is changed.
Attempt = Callable[[Way, str], None]


@dataclass(frozen=True)
class Planted:
    """A copy with the ``faults`` that stand in it, and those that were ``refused``, with the reason."""

    target: Target
    faults: Sequence[Fault]
    refused: Mapping[Fault, str]


@dataclass(frozen=True)
class Ground:
    """Where faults are planted: a sealed database, and what its checks go by."""

    backend: Backend
    built: Built
    expect: Expectations
    evidence: Evidence

    @contextmanager
    def planted(self, choices: Sequence[Sequence[Fault]], enough: Callable[[], bool] = lambda: False) -> Iterator[Planted]:
        """A copy with one fault of each choice, as far as they can be planted and touch no table in common.

        No more are planted once one is and there are ``enough``.
        """
        server = self.built.server
        with server.clone(self.built.golden) as copy:
            with _PLANTERS[server.engine](copy) as attempt:
                faults, refused = _fitting(choices, attempt, enough)
            with (
                _sealed(server, copy) as (as_it_stands, golden),
                self.backend.target(as_it_stands, golden, copy, self.expect, self.evidence) as target,
            ):
                yield Planted(target, faults, refused)


def _fitting(
    choices: Sequence[Sequence[Fault]], attempt: Attempt, enough: Callable[[], bool]
) -> tuple[Sequence[Fault], Mapping[Fault, str]]:
    """Plant of each choice the first that stands apart from those before."""
    standing: list[Fault] = []
    refused: dict[Fault, str] = {}
    for faults in choices:
        if standing and enough():
            break
        for fault in faults:
            if not _stands_apart(fault, standing):
                continue
            try:
                _first(fault, attempt)
            except NotPlanted as failed:
                refused[fault] = str(failed)
            else:
                standing.append(fault)
                break
    return standing, refused


def _stands_apart(fault: Fault, others: Sequence[Fault]) -> bool:
    return all(fault.touches and other.touches and not fault.touches & other.touches for other in others)


def _first(fault: Fault, attempt: Attempt) -> None:
    """The first way that leads to the fault; the last one's reason where none does."""
    reason = "nobody knows how"
    for way in fault.ways:
        try:
            return attempt(way, fault.shows)
        except NotPlanted as failed:
            reason = str(failed)
    raise NotPlanted(_UNBROKEN if fault.shows else reason)


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


@contextmanager
def _on_postgresql(copy: Database) -> Iterator[Attempt]:
    with _past_triggers(copy) as connection:
        yield lambda way, shows: _try_on_postgresql(connection, way, shows)


def _past_triggers(copy: Database) -> Connection[Any]:
    """A session that no trigger has a say in; on a given server we may have no right to that, and plant less."""
    import psycopg

    from runner.servers.postgresql.sessions import ours

    try:
        return psycopg.connect(**ours(copy.private, _PAST_TRIGGERS).keywords(), autocommit=True, prepare_threshold=None)
    except psycopg.OperationalError:
        return psycopg.connect(**copy.private.keywords(), autocommit=True, prepare_threshold=None)


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


@contextmanager
def _on_sqlite(copy: Database) -> Iterator[Attempt]:
    from runner.servers.sqlite.sessions import session

    with session(copy.private) as connection:
        for pragma in ("foreign_keys = off", "ignore_check_constraints = on", "legacy_alter_table = on", "writable_schema = on"):
            connection.execute(f"PRAGMA {pragma}")
        yield lambda way, shows: _try_on_sqlite(copy, connection, way, shows)


def _try_on_sqlite(copy: Database, connection: sqlite3.Connection, way: Way, shows: str) -> None:
    before = [statement for statement in way if isinstance(statement, Edit)] and _texts(connection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        rows = [_edit(connection, one) if isinstance(one, Edit) else connection.execute(str(one)).rowcount for one in way]
        _has_effect(way, rows)
        if shows and not connection.execute(shows).fetchmany(1):
            raise NotPlanted(_UNBROKEN)
        connection.execute("COMMIT")
        _read_again(copy, connection, before)
    except (sqlite3.Error, NothingThere) as refused:
        raise NotPlanted(str(refused)) from None
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _texts(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return connection.execute("SELECT sql, name FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL").fetchall()


def _read_again(copy: Database, connection: sqlite3.Connection, before: list[Any]) -> None:
    """See that SQLite can read the texts that were written; else put back what stood there, and raise SQLite's words."""
    from runner.servers.sqlite.sessions import session

    if not before:
        return
    try:
        with session(copy.private) as another:
            another.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except sqlite3.Error:
        connection.executemany("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", before)
        raise


def _edit(connection: sqlite3.Connection, edit: Edit) -> int:
    """Write the text of a table, or of an index, anew, and tell other sessions to read it again."""
    what = ("index", edit.column) if edit.part is Part.INDEX else ("table", edit.table.name)
    (text,) = connection.execute("SELECT sql FROM sqlite_master WHERE type = ? AND name = ?", what).fetchone()
    new = edit.text if edit.part is Part.INDEX else edited(text, edit)
    changed = connection.execute("UPDATE sqlite_master SET sql = ? WHERE type = ? AND name = ?", [new, *what])
    (version,) = connection.execute("PRAGMA schema_version").fetchone()
    connection.execute(f"PRAGMA schema_version = {version + 1}")
    return changed.rowcount


@contextmanager
def _on_mariadb(copy: Database) -> Iterator[Attempt]:
    from runner.servers.mariadb.sessions import session

    with session(copy.private, first=_PAST_RULES) as driver:
        yield lambda way, shows: _try_on_mariadb(driver, way, shows)


def _try_on_mariadb(driver: MariaSession[Any], way: Way, shows: str) -> None:
    """Rows that were changed in vain are put back; what was changed of a table stays."""
    import pymysql

    driver.begin()
    try:
        with driver.cursor() as cursor:
            _has_effect(way, [cursor.execute(str(statement)) for statement in way])
            if shows and not cursor.execute(shows):
                raise NotPlanted(_UNBROKEN)
        driver.commit()
    except pymysql.err.Error as refused:
        raise NotPlanted(str(refused.args[-1])) from None
    finally:
        driver.rollback()


@contextmanager
def _on_mongodb(copy: Database) -> Iterator[Attempt]:
    from runner.servers.mongodb.sessions import session

    with session(copy.private) as client:
        yield lambda way, _: _try_on_mongodb(client[copy.name], way)


def _try_on_mongodb(database: Documents[dict[str, Any]], way: Way) -> None:
    """One command after the other; a document that is not taken fails no command, and is told beside."""
    from pymongo.errors import PyMongoError

    for statement in way:
        try:
            answer = database.command(dict(cast("Mapping[str, Any]", statement)))
        except PyMongoError as refused:
            raise NotPlanted(answer_of(refused)[1]) from None
        if wrong := answer.get("writeErrors"):
            raise NotPlanted(refusal(wrong[0].get("code"), str(wrong[0].get("errmsg")), wrong[0])[0])
        if answer.get("n") == 0:
            raise NotPlanted("there is no document for it")


def _has_effect(way: Way, rows: list[int]) -> None:
    """What writes rows last has to find some, and an INSERT has to insert."""
    for number, (statement, count) in enumerate(zip(way, rows, strict=True), 1):
        writes = isinstance(statement, str) and statement.startswith(_WRITES if number == len(way) else "INSERT")
        if writes and not count:
            raise NotPlanted("there is no row for it")


#: How each engine plants.
_PLANTERS: Mapping[Engine, Callable[[Database], AbstractContextManager[Attempt]]] = {
    Engine.POSTGRESQL: _on_postgresql,
    Engine.SQLITE: _on_sqlite,
    Engine.MARIADB: _on_mariadb,
    Engine.MONGODB: _on_mongodb,
}

#: The engines that faults can be planted on.
ENGINES = frozenset(_PLANTERS)
