"""How faults are planted, engine by engine, in sessions in which no trigger and no rule has a say."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, cast

from checks.faults.interface import Way
from checks.faults.sqlite_edits import Edit, NothingThere, Part, edited
from checks.interface import Engine
from runner.migrations.inside.refusals import answer_of, refusal
from runner.servers.interface import Database

if TYPE_CHECKING:
    from psycopg import Connection
    from pymongo.database import Database as Documents
    from pymysql.connections import Connection as MariaSession

#: Our statements stay out of the log, and no trigger of anybody's has a say in what is planted.
_PAST_TRIGGERS = "-c log_min_duration_statement=-1 -c log_min_messages=fatal -c session_replication_role=replica"
#: The same of MariaDB, whose CHECKs look away as well.
_PAST_RULES = "SET SESSION sql_log_off = 1, foreign_key_checks = 0, check_constraint_checks = 0"
#: Why a fault was not planted that a query has to show.
UNBROKEN = "no change to the rows that was tried breaks it"
_WRITES = ("INSERT", "UPDATE", "DELETE")


class NotPlanted(Exception):
    """A fault could not be planted, and why: the server's words, or that it changed nothing."""


#: Does the statements of one way, and sees that its query returns a row; raises :class:`NotPlanted`, and then nothing is changed.
Attempt = Callable[[Way, str], None]


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
                raise NotPlanted(UNBROKEN)
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
            raise NotPlanted(UNBROKEN)
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
                raise NotPlanted(UNBROKEN)
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
PLANTERS: Mapping[Engine, Callable[[Database], AbstractContextManager[Attempt]]] = {
    Engine.POSTGRESQL: _on_postgresql,
    Engine.SQLITE: _on_sqlite,
    Engine.MARIADB: _on_mariadb,
    Engine.MONGODB: _on_mongodb,
}

#: The engines that faults can be planted on.
ENGINES = frozenset(PLANTERS)
