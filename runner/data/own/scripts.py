"""SQL files on PostgreSQL as psql sends them, in one transaction, with those of psql's own commands that bring rows."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from checks.evidence import Place
from checks.schema.model import Catalogue
from runner.data.own.pieces import Copy, Piece, pieces
from runner.data.own.refusing import Refused, refused
from runner.data.own.sources import RowFile, chunks
from runner.data.own.texts import raw
from runner.errors import ToolFailed, UsageError
from runner.migrations.simple_query import Refusal, Session, session
from runner.migrations.sql_files import HARMLESS
from runner.migrations.statements import MetaCommand, Statement, split
from runner.recorder import stamps
from runner.servers.interface import Address
from runner.settings.loading import Format

#: Where in a COPY it was: the line of what was sent, the column, and what stood there.
CONTEXT = re.compile(r"^COPY [^\n]*?, line (?P<line>\d+)(?:, column (?P<column>[^\n:]+))?(?P<rest>[^\n]*)", re.MULTILINE)

_SYNTAX_ERROR = "42601"
#: What pg_dump from 17 on begins with, and servers before that do not know: it says that there is no such timeout.
_NO_TIMEOUT = re.compile(r"SET\s+transaction_timeout\s*=\s*0", re.IGNORECASE)
_INCLUDE = re.compile(r"\\(?P<beside>i|ir|include|include_relative)\s+(?P<file>'[^']+'|[^\s']+)\s*")
_COPY = re.compile(
    r"\\copy\s+(?P<target>[^\n]*?)\s+from\s+(?P<file>'[^']+'|(?!program\b|stdin\b|pstdin\b)[^\s']+)(?P<options>[^\n]*)",
    re.IGNORECASE,
)
#: How deep files may include each other.
_DEPTH = 20


def send(root: Path, file: RowFile, on: Address, deadline: float, catalogue: Callable[[], Catalogue]) -> None:
    """Send a file of SQL, or a dump by way of pg_restore, in one transaction.

    Raises Refused, and ToolFailed for what only psql can do.
    """
    with session(on, deadline) as opened:
        script = _Script(opened, root, file)
        script.sent("BEGIN", None)
        if file.format is Format.DUMP:
            from runner.data.own.restoring import restored

            script.sent("SET CONSTRAINTS ALL DEFERRED", None)
            with closing(restored(file, catalogue(), deadline)) as texts:
                for text in texts:
                    script.run(pieces(text, split))
        else:
            script.included()
        script.sent("COMMIT", None)


@contextmanager
def opened_sql(file: RowFile, errors: str = "surrogateescape") -> Iterator[IO[str]]:
    """The text of a file of SQL; bytes that are no UTF-8 go to the server, which says so. Raises Refused for a broken gzip."""
    with raw(file) as (stream, encoding):
        text = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="\n")
        try:
            yield text
        finally:
            text.detach()


@dataclass
class _Script:
    session: Session
    root: Path
    file: RowFile
    depth: int = 0

    def included(self) -> None:
        with opened_sql(self.file) as text:
            self.run(pieces(text, split))

    def run(self, found: Iterator[Piece]) -> None:
        for piece in found:
            if isinstance(piece, MetaCommand):
                self.command(piece)
            elif isinstance(piece, Copy):
                self.copied(piece)
            elif not _NO_TIMEOUT.fullmatch(piece.text):
                self.statement(piece)

    def sent(self, text: str, line: int | None) -> None:
        refusal = self.session.send(text).refusal
        if refusal is not None:
            raise self.refusal(refusal, line, text)

    def statement(self, statement: Statement) -> None:
        prefix = self.stamp(statement.line)
        refusal = self.session.send(prefix + statement.text, statement.data).refusal
        if refusal is None:
            return
        line = statement.line
        if refusal.code == _SYNTAX_ERROR and refusal.position is not None:
            line += statement.text.count("\n", 0, max(0, refusal.position - len(prefix)))
        if statement.data is not None and (found := CONTEXT.search(refusal.context)):
            line += statement.text.count("\n") + int(found["line"])
        raise self.refusal(refusal, line, statement.text)

    def copied(self, copy: Copy) -> None:
        """Rows of COPY: what is refused is one of their lines."""
        statement = copy.statement
        refusal = self.session.send(self.stamp(statement.line) + statement.text, copy.rows).refusal
        if refusal is None:
            return
        found = CONTEXT.search(refusal.context)
        if self.file.format is Format.DUMP and found:
            refusal = replace(refusal, said=f"{refusal.said} (row {found['line']} of {statement.text.split('(')[0].strip()})")
        raise self.refusal(refusal, copy.line - 1 + int(found["line"]) if found else statement.line, statement.text)

    def command(self, command: MetaCommand) -> None:
        """One of psql's own commands: those that bring rows are done, those that change nothing passed."""
        if not command.within and HARMLESS.match(command.text):
            return
        if not command.within and (include := _INCLUDE.fullmatch(command.text)):
            relative = include["beside"] in ("ir", "include_relative")
            self.include(self.named(include["file"], command, beside=relative), command)
        elif not command.within and (copy := _COPY.fullmatch(command.text)):
            self.copy_of(copy, command)
        else:
            raise ToolFailed(
                f"{self.file.name}:{command.line}: '{command.text[:80]}' needs psql: cannot run here",
                'Let psql load it itself: { command = "psql -v ON_ERROR_STOP=1 -f FILE" }.',
            )

    def named(self, text: str, command: MetaCommand, *, beside: bool = False) -> RowFile:
        """The file that a command names: from the repository's root or beside the file itself."""
        name = text.strip("'")
        places = [self.file.path.parent / name] if beside else [self.root / name, self.file.path.parent / name]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise UsageError(
                f"{self.file.name}:{command.line}: there is no file {name}", "It is looked for at the root and beside the file."
            )
        shown = path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()
        return replace(self.file, name=shown, path=path, format=Format.SQL)

    def include(self, file: RowFile, command: MetaCommand) -> None:
        if self.depth >= _DEPTH:
            raise UsageError(f"{self.file.name}:{command.line}: files include each other", "Let one of them not.")
        _Script(self.session, self.root, file, self.depth + 1).included()

    def copy_of(self, copy: re.Match[str], command: MetaCommand) -> None:
        r"""``\copy table from 'file'``: the file's bytes are sent as they are."""
        file = self.named(copy["file"], command)
        text = f"COPY {copy['target']} FROM STDIN {copy['options'].rstrip(' ;')}"
        refusal = self.session.send(self.stamp(command.line) + text, chunks(file)).refusal
        if refusal is None:
            return
        found = CONTEXT.search(refusal.context)
        raise replace_place(self.refusal(refusal, command.line, command.text), file.name, found)

    def stamp(self, line: int) -> str:
        return stamps.comment(Place(self.file.name, line))

    def refusal(self, refusal: Refusal, line: int | None, statement: str) -> Refused:
        return told(refusal, self.file.name, None if self.file.format is Format.DUMP else line, statement)


def told(refusal: Refusal, file: str, line: int | None, statement: str) -> Refused:
    """What the server refused, in its words, with the column that a COPY was at; values stand in the detail only."""
    found = CONTEXT.search(refusal.context)
    column = found["column"] if found else None
    said = f"{refusal.said} (column {column})" if column and f'"{column}"' not in refusal.said else refusal.said
    detail = "; ".join(part for part in (refusal.detail, found[0] if found and found["rest"] else "") if part)
    return refused(file, line, said, statement=statement, code=refusal.code, detail=detail, timed_out=refusal.timed_out)


def replace_place(refusal: Refused, file: str, found: re.Match[str] | None) -> Refused:
    """The refusal at the line of the file that rows came from, where the server says it."""
    if found is None:
        return refusal
    return Refused(replace(refusal.failure, place=Place(file, int(found["line"]))))
