"""Comments that speak to us in the files of migrations, each with the lines of code that it stands at.

They are found as their language finds comments, so that the same words in a string, a quoted name or the rows of a COPY are none.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from checks.interface import Engine
from runner.migrations import sqlite_statements, statements
from runner.migrations.statements import Comment

#: How a comment begins that speaks to us, behind its marks.
_MARK = "dbproof:"
#: Python's errors for a text that is none of its own, however deeply nested.
_NO_PYTHON = (SyntaxError, tokenize.TokenError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True)
class Remark:
    """What a comment says behind ``dbproof:``, the ``line`` it begins on, and the lines of the statement it stands at, if any."""

    text: str
    line: int
    about: range | None


@dataclass(frozen=True)
class _Said:
    """A comment's words without its marks, and its lines."""

    words: str
    lines: range


def remarks(name: str, content: bytes, engine: Engine) -> tuple[Remark, ...]:
    """The comments to us in a file of SQL or Python; none in a file of another kind, or one that cannot be read."""
    if _MARK.encode() not in content:
        return ()
    with suppress(*_NO_PYTHON):
        if name.endswith(".py"):
            return tuple(_attached(_python_comments(content), _python_statements(content)))
        if name.endswith(".sql") and engine is not Engine.MONGODB:
            return tuple(_attached(*_sql(content.decode("utf-8-sig"), *_lexer(engine))))
    return ()


def _attached(comments: Iterable[_Said], code: Iterable[range]) -> Iterator[Remark]:
    """Each comment to us, with the statement that it stands in, beside or right above."""
    said = list(comments)
    statements_at: dict[int, range] = {}
    beginning: dict[int, range] = {}
    for lines in code:
        beginning.setdefault(lines.start, lines)
        statements_at.update((line, lines) for line in lines if line not in statements_at)
    for one in reversed(said):  # a comment right above another one is above what that one is above
        if one.lines.stop in beginning:
            beginning.setdefault(one.lines.start, beginning[one.lines.stop])
    for one in said:
        if one.words.startswith(_MARK):
            about = statements_at.get(one.lines.start) or statements_at.get(one.lines[-1]) or beginning.get(one.lines.stop)
            yield Remark(one.words.removeprefix(_MARK).strip(), one.lines.start, about)


def _python_comments(content: bytes) -> Iterator[_Said]:
    for token in tokenize.tokenize(io.BytesIO(content).readline):
        if token.type == tokenize.COMMENT:
            line = token.start[0]
            yield _Said(token.string.lstrip("#").strip(), range(line, line + 1))


def _python_statements(content: bytes) -> Iterator[range]:
    """The lines of each statement; of one that holds others only its head."""
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.stmt):
            yield range(node.lineno, _last_line(node) + 1)


def _last_line(node: ast.stmt) -> int:
    if not any(getattr(node, name, None) for name in _HOLDING):
        return node.end_lineno or node.lineno
    head = [value for name, value in ast.iter_fields(node) if name not in _HOLDING]
    parts = (part for value in head for part in (value if isinstance(value, list) else [value]) if isinstance(part, ast.AST))
    return max([node.lineno, *(getattr(inner, "end_lineno", 0) for part in parts for inner in ast.walk(part))])


#: The fields of a statement of Python's that hold other statements, and what stands above it.
_HOLDING = ("body", "orelse", "finalbody", "handlers", "cases", "decorator_list")


_Split = Callable[[str], Iterable[statements.Statement | statements.MetaCommand]]
_Comments = Callable[[str], Sequence[Comment]]

_MARKS = re.compile(r"^(?:--+|/\*+|#+)\s*|\s*\*+/$")


def _lexer(engine: Engine) -> tuple[_Split, _Comments]:
    """How an engine's files are split into statements and comments."""
    if engine is Engine.POSTGRESQL:
        return statements.split, statements.comments
    if engine is Engine.SQLITE:
        return sqlite_statements.split, sqlite_statements.comments
    from runner.migrations import mariadb_files  # brings a driver along

    return mariadb_files.split, mariadb_files.comments


def _sql(text: str, split: _Split, comments: _Comments) -> tuple[Sequence[_Said], Sequence[range]]:
    starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def lines(start: int, end: int) -> range:
        return range(bisect_right(starts, start), bisect_right(starts, max(start, end - 1)) + 1)

    said = [_Said(" ".join(_MARKS.sub("", one.text).split()), lines(one.start, one.end)) for one in comments(text)]
    return said, [lines(one.start, one.end) for one in split(text) if isinstance(one, statements.Statement)]
