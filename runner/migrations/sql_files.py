"""One SQL file, applied as a tool would: in which messages it goes to the server, stamped with its places."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from checks.evidence import Place
from runner.errors import ToolFailed, UnreadableFile
from runner.migrations.interface import Broke
from runner.migrations.simple_query import Refusal, Reply, Session
from runner.migrations.statements import MetaCommand, Statement, split
from runner.recorder import stamps
from runner.recorder.asking import room_after

#: "statement": each statement alone, as ``psql -f``. "file": so too, in one transaction. "whole": the file as one message.
Transaction = Literal["statement", "file", "whole"]

_SYNTAX_ERROR = "42601"
_LONGEST = 10_000
#: psql commands that change nothing on the server: pg_dump writes the first two, scripts begin with the others.
HARMLESS = re.compile(
    r"\\(?:restrict|unrestrict|echo|qecho|warn|timing|pset|encoding\s+['\"]?utf-?8['\"]?\s*$"
    r"|set\s+(?:ON_ERROR_STOP|QUIET|VERBOSITY|ECHO|SHOW_CONTEXT)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SqlFile:
    """A file's text, or a part of it that begins on ``line``, and what that consists of; ``name`` is relative to the root."""

    name: str
    text: str
    pieces: tuple[Statement | MetaCommand, ...]
    line: int = 1

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The statements, psql's own commands left out."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Statement))

    @property
    def needs_psql(self) -> MetaCommand | None:
        """The first command that only psql can carry out."""
        commands = (piece for piece in self.pieces if isinstance(piece, MetaCommand))
        return next((command for command in commands if command.within or not HARMLESS.match(command.text)), None)


def read(path: Path, name: str, transaction: Transaction) -> SqlFile:
    """Read and split a file; raises UnreadableFile where no server could take it.

    psql skips a byte order mark. Tools that send a file whole send the mark too, and the server refuses it.
    """
    raw = path.read_bytes()
    refuse_utf_16(raw, name, "PostgreSQL")
    refuse_nul(raw, name, "PostgreSQL")
    if transaction != "whole":
        raw = raw.removeprefix(codecs.BOM_UTF8)
    text = raw.decode("utf-8", "surrogateescape")
    return SqlFile(name, text, split(text))


def refuse_utf_16(raw: bytes, name: str, server: str) -> None:
    """Raise UnreadableFile for a file that begins as UTF-16 does."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableFile(name, None, f"the file is UTF-16, which {server} does not read", "Save it as UTF-8.")


def refuse_nul(raw: bytes, name: str, server: str) -> None:
    """Raise UnreadableFile for a file with a NUL byte."""
    if b"\0" in raw:
        line = raw.count(b"\n", 0, raw.index(b"\0")) + 1
        raise UnreadableFile(name, line, f"there is a NUL byte, which {server} does not take", "Remove it.")


def section(file: SqlFile, start: int, end: int | None = None) -> SqlFile:
    """A part of a file by itself, from one position to another; its statements keep the lines that they have in the file."""
    text = file.text[start:end]
    before = file.text.count("\n", 0, start)
    pieces = tuple(replace(piece, line=piece.line + before) for piece in split(text))
    return SqlFile(file.name, text, pieces, file.line + before)


def refuse_psql(file: SqlFile) -> None:
    """Raise ToolFailed where a file can be run by psql only; that says nothing about the file."""
    if found := file.needs_psql:
        raise needs_client(file.name, found, "psql", "psql")


def needs_client(name: str, command: MetaCommand, what: str, program: str) -> ToolFailed:
    """That a command in a file is ``program``'s own, which ``what`` says in words."""
    return ToolFailed(
        f"{name}:{command.line}: '{command.text[:80]}' needs {what}: cannot run here",
        f"Apply these files with {program} itself: "
        f'set migrations.tool to "command" and migrations.command to that call of {program}.',
    )


def utf8(path: Path, name: str, server: str) -> str:
    """A file's text, for a server that is sent text and no bytes; raises UnreadableFile, ToolFailed."""
    raw = path.read_bytes()
    refuse_utf_16(raw, name, server)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        raise ToolFailed(f"{name}:{line}: the file is not UTF-8", "Save it as UTF-8.") from None


def apply_file(session: Session, file: SqlFile, transaction: Transaction) -> Broke | None:
    """Apply a file; gives why it stopped, or ``None``. The event carries no revision: the adapter knows it."""
    if transaction == "whole":
        return _whole(session, file)
    if transaction == "statement":
        return _one_by_one(session, file)
    return bracket(session, file, "BEGIN") or _one_by_one(session, file) or bracket(session, file, "COMMIT")


def _one_by_one(session: Session, file: SqlFile) -> Broke | None:
    for statement in file.statements:
        prefix = stamps.comment(Place(file.name, statement.line))
        refusal = session.send(prefix + statement.text, statement.data).refusal
        if refusal is not None:
            return _broke(file, statement, refusal, len(prefix))
    return None


def bracket(session: Session, file: SqlFile, command: str) -> Broke | None:
    """Send BEGIN or COMMIT; gives why it was refused (a deferred constraint, say), or ``None``."""
    refusal = session.send(command).refusal
    if refusal is None:
        return None
    return Broke(None, Place(file.name), command, refusal.said, refusal.code, refusal.detail, refusal.timed_out)


def _whole(session: Session, file: SqlFile) -> Broke | None:
    statements = file.statements
    if not all(isinstance(piece, Statement) and piece.data is None and not piece.unterminated for piece in file.pieces):
        return _as_it_is(session, file, None)
    if len(statements) < 2:
        return _as_it_is(session, file, statements[0] if statements else None)
    message, starts = _stamped(file)
    reply = session.send(message)
    if reply.refusal is None:
        return None
    if reply.refusal.timed_out:  # the server keeps its results to itself until the end of a message
        return Broke(None, Place(file.name), "", reply.refusal.said, timed_out=True)
    return _broke_within(file, starts, reply, reply.refusal)


def _as_it_is(session: Session, file: SqlFile, statement: Statement | None) -> Broke | None:
    """Send the file untouched behind one stamp: it is one statement, or nothing that can be told apart."""
    prefix = stamps.comment(Place(file.name, statement.line if statement else 1))
    refusal = session.send(prefix + file.text).refusal
    if refusal is None:
        return None
    position = max(0, (refusal.position or 0) - len(prefix))
    if statement is None:
        statement = next((found for found in reversed(file.statements) if found.start <= position), None)
    if statement is None:
        return Broke(None, Place(file.name), "", refusal.said, refusal.code, refusal.detail, refusal.timed_out)
    return _broke(file, statement, refusal, len(prefix) + statement.start)


def _stamped(file: SqlFile) -> tuple[str, list[int]]:
    """The file as one message in which a SET before each statement names its place; and where the statements start in it."""
    parts: list[str] = []
    starts: list[int] = []
    length = 0
    for number, statement in enumerate(file.statements, 1):
        stamp = f"{stamps.setting(Place(file.name, statement.line))}\n"
        following = file.statements[number].text if number < len(file.statements) else None
        starts.append(length + len(stamp))
        parts.append(f"{stamp}{statement.text};{room_after(statement.text, number, following)}\n")
        length += len(parts[-1])
    return "".join(parts), starts


def _broke_within(file: SqlFile, starts: list[int], reply: Reply, refusal: Refusal) -> Broke:
    """Each statement has a SET before it, so that results come in pairs; a message that does not parse has no results."""
    index = reply.completed // 2
    if not reply.completed and refusal.position is not None:
        index = max(0, bisect_right(starts, refusal.position) - 1)
    index = min(index, len(starts) - 1)
    return _broke(file, file.statements[index], refusal, starts[index])


def _broke(file: SqlFile, statement: Statement, refusal: Refusal, offset: int) -> Broke:
    """``offset`` is where the statement's text starts in the message. A syntax error is placed at its very line."""
    line = statement.line
    if refusal.code == _SYNTAX_ERROR and refusal.position is not None:
        line += statement.text.count("\n", 0, max(0, refusal.position - offset))
    place, text = Place(file.name, line), statement.text[:_LONGEST]
    return Broke(None, place, text, refusal.said, refusal.code, refusal.detail, refusal.timed_out)


def read_all(paths: Iterator[tuple[Path, str]], transaction: Transaction) -> list[SqlFile]:
    """Read every file before the first is applied, so that what cannot run here changes nothing."""
    files = [read(path, name, transaction) for path, name in paths]
    if transaction != "whole":
        for file in files:
            refuse_psql(file)
    return files
