"""SQL files of SQLite, split into statements as its shell splits them: in one pass, losing nothing.

A semicolon ends a statement unless it stands in a string, a quoted name or a comment (comments do not nest), or within a trigger,
whose end SQLite itself is asked for (``sqlite3_complete``). A line that begins with a dot where a statement could begin is a
command to the shell.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator

from runner.migrations.statements import Comment, MetaCommand, Statement

_TOKEN = re.compile(
    r"""(?P<blank>[\s\ufeff]+|--[^\n]*|/\*.*?\*/)
    |(?P<closed>'(?:[^']|'')*+'|"(?:[^"]|"")*+"|`(?:[^`]|``)*+`|\[[^\]]*+\])
    |(?P<open>/\*|['"`\[])
    |(?P<end>;)
    |(?P<plain>[^\s;'"`\[/-]+|.)""",
    re.VERBOSE | re.DOTALL,
)
_TRIGGER = re.compile(r"(?:explain\s+)?create\s+(?:temp\s+|temporary\s+)?trigger\b", re.IGNORECASE)
_BEGINNING = 200
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def split(text: str) -> tuple[Statement | MetaCommand, ...]:
    """The statements and shell commands of a file, in order."""
    return tuple(_pieces(text))


def comments(text: str) -> tuple[Comment, ...]:
    """The comments of a file, in order."""
    found, position = list[Comment](), 0
    while position < len(text) and (token := _TOKEN.match(text, position)):
        if token.lastgroup == "open":  # it never ends
            break
        position = token.end()
        if token[0].startswith(("--", "/*")):
            found.append(Comment(token[0], token.start(), position))
    return tuple(found)


def _pieces(text: str) -> Iterator[Statement | MetaCommand]:
    lines = _Lines(text)
    start = end = -1
    open_at: int | None = None
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        assert token is not None  # noqa: S101 - the last branch takes any character
        kind = token.lastgroup
        if start < 0 and token[0].startswith(".") and lines.begins(position):
            position = lines.end(position)
            yield MetaCommand(text[token.start() : position].strip(), lines.number(token.start()))
            continue
        position = token.end()
        if kind == "blank" or (kind == "end" and start < 0):
            continue
        if kind == "end":
            if _ends(text[start : token.end()]):
                yield Statement(text[start:end], lines.number(start), start, end)
                start = -1
            end = token.end()
            continue
        start = token.start() if start < 0 else start
        if kind == "open":
            open_at, position = token.start(), len(text)
        end = position
    if start >= 0:
        line = lines.number(start)
        yield Statement(text[start:end], line, start, end, None, None if open_at is None else lines.number(open_at))


def _ends(text: str) -> bool:
    """Whether a text that ends in a semicolon is whole; only a trigger can be without being at its end."""
    return not _TRIGGER.match(" ".join(_COMMENT.sub(" ", text[:_BEGINNING]).split())) or sqlite3.complete_statement(text)


class _Lines:
    """Line numbers of positions that come in ascending order, so that every line is counted once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._counted = 0
        self._line = 1

    def number(self, position: int) -> int:
        self._line += self._text.count("\n", self._counted, position)
        self._counted = position
        return self._line

    def begins(self, position: int) -> bool:
        """Whether a line begins there."""
        return position == 0 or self._text[position - 1] == "\n"

    def end(self, position: int) -> int:
        found = self._text.find("\n", position)
        return len(self._text) if found < 0 else found
