"""SQL files on MariaDB, split and sent as its own client does: one statement after the other, each with its place before it.

``file`` puts a transaction round all of them; every DDL statement commits it, so it holds rows together and nothing else.
``whole`` is the same as ``statement``. DELIMITER is a command of the client and is carried out here; its others are not.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pymysql

from checks.evidence import Place
from runner.migrations.interface import Broke
from runner.migrations.sql_files import SqlFile, Transaction, needs_client, utf8
from runner.migrations.statements import Comment, MetaCommand, Statement
from runner.recorder import stamps
from runner.servers.interface import Address
from runner.servers.mariadb.sessions import close, code_of, connect, values_of, words_of

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

_LONGEST = 10_000
_TOKEN = re.compile(
    r"""(?P<blank>[\s\ufeff]+|--(?=\s|$)[^\n]*|\#[^\n]*|/\*(?![!M]).*?\*/)
    |(?P<closed>'(?:[^'\\]|\\.|'')*+'|"(?:[^"\\]|\\.|"")*+"|`(?:[^`]|``)*+`)
    |(?P<open>/\*(?![!M])|['"`])
    |(?P<plain>.)""",
    re.VERBOSE | re.DOTALL,
)
_DELIMITER = re.compile(r"delimiter[ \t]+(\S+)[^\n]*", re.IGNORECASE)
#: Commands to the client at the beginning of a line: ``source x.sql``, ``\. x.sql``, ``\! ls``, ``system ls``.
_COMMAND = re.compile(r"(?:source|system|tee|pager|connect)[ \t][^\n]*|\\[.!#TPr][^\n]*", re.IGNORECASE)
#: How long the driver waits beyond the deadline for an answer.
_GRACE = 1.0


def read(path: Path, name: str) -> SqlFile:
    """Read and split a file; raises ToolFailed where MariaDB could not take it, or only its client could."""
    text = utf8(path, name, "MariaDB")
    file = SqlFile(name, text, tuple(split(text)))
    command = next((piece for piece in file.pieces if isinstance(piece, MetaCommand)), None)
    if command is not None:
        raise needs_client(name, command, "the mariadb client", "mariadb")
    return file


def split(text: str) -> Iterator[Statement | MetaCommand]:
    """The statements and client commands of a file, in order; DELIMITER decides where they end and is itself left out."""
    delimiter, position, start, end = ";", 0, -1, -1
    while position < len(text):
        if start < 0 and _begins_line(text, position):
            if found := _DELIMITER.match(text, position):
                delimiter, position = found[1], found.end()
                continue
            if found := _COMMAND.match(text, position):
                position = found.end()
                yield MetaCommand(found[0].strip(), text.count("\n", 0, found.start()) + 1)
                continue
        if text.startswith(delimiter, position):
            if start >= 0:
                yield Statement(text[start:end], text.count("\n", 0, start) + 1, start, end)
            start, position = -1, position + len(delimiter)
            continue
        token = _TOKEN.match(text, position)
        assert token is not None  # noqa: S101 - the last branch takes any character
        position = token.end()
        if token.lastgroup == "blank":
            continue
        start = token.start() if start < 0 else start
        position = len(text) if token.lastgroup == "open" else position
        end = position
    if start >= 0:
        yield Statement(text[start:end], text.count("\n", 0, start) + 1, start, end)


def comments(text: str) -> tuple[Comment, ...]:
    """The comments of a file, in order; ``/*!`` begins none, as the server reads on in it."""
    found, position = list[Comment](), 0
    while position < len(text) and (token := _TOKEN.match(text, position)):
        if token.lastgroup == "open":  # it never ends
            break
        position = token.end()
        if token.lastgroup == "blank" and token[0].strip("\ufeff \t\r\n\f\v"):
            found.append(Comment(token[0], token.start(), position))
    return tuple(found)


def _begins_line(text: str, position: int) -> bool:
    return not text[text.rfind("\n", 0, position) + 1 : position].strip()


def apply_file(on: Address, file: SqlFile, transaction: Transaction, deadline: float) -> Broke | None:
    """Apply a file in a session of its own; gives why it stopped, or ``None``."""
    left = max(0.1, deadline - time.monotonic())
    try:
        driver = connect(on, answer=left + _GRACE)
    except (pymysql.err.Error, OSError) as failure:
        return Broke(None, Place(file.name), "", words_of(failure), code_of(failure))
    try:
        if transaction == "file":
            driver.autocommit(False)  # so that what follows a DDL statement, which commits, is a transaction again
        for statement in file.statements:
            if broke := _sent(driver, file, statement, deadline):
                return broke
        if transaction == "file":
            driver.commit()
    finally:
        close(driver)
    return None


def _sent(driver: Driver, file: SqlFile, statement: Statement, deadline: float) -> Broke | None:
    place = Place(file.name, statement.line)
    left = deadline - time.monotonic()
    if left <= 0:
        return Broke(None, place, statement.text[:_LONGEST], _LATE, timed_out=True)
    try:
        with driver.cursor() as cursor:
            cursor.execute(stamps.comment(place) + statement.text)
            while cursor.nextset():
                pass
    except (pymysql.err.Error, OSError) as failure:
        timed_out = not code_of(failure) and time.monotonic() >= deadline
        said = _LATE if timed_out else words_of(failure)
        return Broke(None, place, statement.text[:_LONGEST], said, code_of(failure), values_of(failure), timed_out)
    return None


_LATE = "not finished at the deadline"
