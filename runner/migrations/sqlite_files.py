"""SQL files on SQLite, sent as SQLite's shell sends them, with what each statement did to the schema.

``statement`` sends each alone, ``file`` puts a transaction round all of them. ``whole`` is the same as ``statement``: SQLite has
no messages of several statements, and its own ``sqlite3_exec`` takes one after the other.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator
from pathlib import Path

from checks.evidence import Place
from checks.evidence import Statement as Executed
from runner.migrations.inside.schema_changes import Watch, is_harmless
from runner.migrations.interface import Broke, Came, Event, Ran, SchemaRow
from runner.migrations.sql_files import SqlFile, Transaction, needs_client, refuse_nul, utf8
from runner.migrations.sqlite_statements import split
from runner.migrations.statements import MetaCommand, Statement
from runner.servers.interface import Address
from runner.servers.sqlite.sessions import code_of, session

_LONGEST = 10_000
_INTERRUPTED = "SQLITE_INTERRUPT"
#: SQLite looks at the clock after so many steps of its virtual machine.
_STEPS = 10_000


def read(path: Path, name: str) -> SqlFile:
    """Read and split a file; raises ToolFailed where SQLite could not take it, or only its shell could."""
    text = utf8(path, name, "SQLite")
    refuse_nul(text.encode("utf-8"), name, "SQLite")
    file = SqlFile(name, text, split(text))
    command = next((piece for piece in file.pieces if isinstance(piece, MetaCommand)), None)
    if command is not None:
        raise needs_client(name, command, "the sqlite3 shell", "sqlite3")
    return file


def apply_file(on: Address, file: SqlFile, transaction: Transaction, deadline: float) -> Generator[Event, None, Broke | None]:
    """Apply a file in a session of its own; tells what it did, gives why it stopped, or ``None``."""
    with session(on) as connection:
        yield Came()
        connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS)
        watch = Watch(connection)
        if transaction == "file" and (broke := _sent(connection, file, None, "BEGIN")):
            return broke
        for statement in file.statements:
            began, before = time.monotonic(), connection.total_changes
            if broke := _sent(connection, file, statement, statement.text):
                return broke
            seconds, rows = time.monotonic() - began, connection.total_changes - before
            if ran := effect(statement.text, Place(file.name, statement.line), seconds, watch, rows):
                yield ran
        return _sent(connection, file, None, "COMMIT") if transaction == "file" else None


def _sent(connection: sqlite3.Connection, file: SqlFile, statement: Statement | None, text: str) -> Broke | None:
    place = Place(file.name, statement.line if statement else None)
    try:
        for _ in connection.execute(text):
            pass
    except (sqlite3.Error, sqlite3.Warning) as failure:
        timed_out = code_of(failure) == _INTERRUPTED
        said = "not finished at the deadline" if timed_out else str(failure)
        code = "" if timed_out else code_of(failure)
        return Broke(None, place, text[:_LONGEST], said, code, timed_out=timed_out)
    return None


def effect(text: str, place: Place, seconds: float, watch: Watch, rows: int) -> Ran | None:
    """What a statement did to the schema, else how many rows it changed; nothing where it did neither."""
    change = None if is_harmless(text) else watch.look()
    executed = Executed(text[:_LONGEST], place, seconds=seconds)
    if change:
        gone = tuple((kind, name) for kind, name in change["gone"])
        return Ran(executed, gone, tuple(SchemaRow(*row) for row in change["there"]))
    return Ran(executed, rows=rows) if rows > 0 else None
