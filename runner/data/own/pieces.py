"""The statements of an SQL file, one after the other: no more of it is kept than the longest of them, rows of COPY not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import IO

from runner.migrations.statements import MetaCommand, Statement

#: Characters after which it is tried whether a statement has ended.
_ENOUGH = 1 << 18
#: Characters of rows that are handed on at once.
_CHUNK = 1 << 16
#: The client's command that says what ends a statement (MariaDB): from there on a file is split as a whole.
_DELIMITER = re.compile(r"\s*delimiter\s", re.IGNORECASE)

Split = Callable[[str], Iterable[Statement | MetaCommand]]


@dataclass(frozen=True)
class Copy:
    """``COPY … FROM stdin`` with the rows that follow it; ``line`` is that of the first. The rows can be read once."""

    statement: Statement
    line: int
    rows: Iterator[bytes]


Piece = Statement | MetaCommand | Copy


def pieces(text: IO[str], split: Split) -> Iterator[Piece]:
    """The pieces of a text whose lines end in a line feed, with their lines in the whole of it."""
    return _Pieces(text, split).read()


class _Pieces:
    def __init__(self, text: IO[str], split: Split) -> None:
        self._text, self._split = text, split
        self._kept: list[str] = []
        self._size, self._enough = 0, _ENOUGH
        self._lines = 0  # before what is kept
        self._read = 0

    def read(self) -> Iterator[Piece]:
        for line in self._text:
            self._read += 1
            self._kept.append(line)
            self._size += len(line)
            if _DELIMITER.match(line):
                self._kept.append(self._text.read())
                break
            if not line.rstrip().endswith(";"):
                continue
            if "stdin" in line.lower():
                yield from self._copy()
            elif self._size > self._enough:
                yield from self._ended()
        yield from self._shifted(self._split("".join(self._kept)))

    def _copy(self) -> Iterator[Piece]:
        """What is kept, where it ends in a COPY: its rows come next."""
        text = "".join(self._kept)
        *before, last = (*self._split(text),) or (None,)
        if not isinstance(last, Statement) or last.data is None or last.unterminated or text[last.end :].strip() != ";":
            return
        yield from self._shifted(piece for piece in before if piece is not None)
        (statement,) = self._shifted([replace(last, data=None)])
        assert isinstance(statement, Statement)  # noqa: S101 - it was one before
        rows = self._rows()
        yield Copy(statement, self._read + 1, rows)
        for _ in rows:  # those that nobody wanted
            pass
        self._keep("", self._read)

    def _rows(self) -> Iterator[bytes]:
        """The lines up to the one that ends them, in chunks of bytes."""
        parts: list[str] = []
        length = 0
        for line in self._text:
            self._read += 1
            if line.rstrip("\r\n") == "\\.":
                break
            parts.append(line)
            length += len(line)
            if length >= _CHUNK:
                yield _bytes(parts)
                parts, length = [], 0
        yield _bytes(parts)

    def _ended(self) -> Iterator[Piece]:
        """Every statement but the last, which may go on: only what stands before another one is known to have ended."""
        text = "".join(self._kept)
        *before, last = (*self._split(text),) or (None,)
        if before and isinstance(last, Statement) and _begins_line(text, last.start):
            yield from self._shifted(piece for piece in before if piece is not None)
            self._keep(text[last.start :], self._lines + text.count("\n", 0, last.start))
        self._enough = max(_ENOUGH, 2 * self._size)

    def _keep(self, text: str, lines: int) -> None:
        self._kept, self._size, self._lines, self._enough = [text], len(text), lines, _ENOUGH

    def _shifted(self, found: Iterable[Statement | MetaCommand]) -> Iterator[Statement | MetaCommand]:
        for piece in found:
            yield replace(piece, line=piece.line + self._lines)


def _begins_line(text: str, position: int) -> bool:
    """Whether a line begins there: only at one do clients know their own commands."""
    return not text[text.rfind("\n", 0, position) + 1 : position].strip()


def _bytes(parts: list[str]) -> bytes:
    return "".join(parts).encode("utf-8", "surrogateescape")
