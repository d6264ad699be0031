"""Where Liquibase ends a statement: at its delimiter, outside of quotes, comments and what stands between BEGIN and END.

It knows nothing of dollar quotes, which is why functions need ``splitStatements:false`` or an ``endDelimiter`` of their own
(Liquibase's manual, "splitStatements" and "endDelimiter"; compared with Liquibase itself).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from runner.migrations.statements import Statement

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)
    |(?P<quoted>'(?:[^'\\]|\\.|'')*+'|"[^"]*+"|`[^`]*+`|\[[^\]]*+\])
    |(?P<word>[\w$][\w.$]*)
    |(?P<blank>\s)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_WITHIN_A_WORD = re.compile(r"[\w$][\w.$]")
#: What after BEGIN says that it begins a transaction, or something else that is not ended by END.
_NO_BLOCK = frozenset({"transaction", "trans", "tran", "dialog", "conversation", "distributed"})
_TRANSACTION = frozenset({"transaction", "trans", "tran"})


def statements(text: str, line: int, delimiter: str = "") -> Iterator[Statement]:
    """The statements of a part of a file that begins on a line; ``delimiter`` stands in the place of ``;``, ``go`` and ``/``."""
    start, end, depth, position, before = -1, -1, 0, 0, ""
    while position < len(text):
        token = _TOKEN.match(text, position)
        assert token is not None  # noqa: S101 - the last branch takes any character
        ends = _length(text, token, before, delimiter) if depth == 0 and token.lastgroup not in ("comment", "quoted") else 0
        if ends:
            if start >= 0:
                yield _statement(text, start, end, line)
            start, position, before = -1, position + ends, delimiter or token[0]
            continue
        position = token.end()
        if token.lastgroup == "comment":
            continue
        depth = max(0, depth + _deeper(token, text)) if token.lastgroup == "word" else depth
        before = token[0]
        if token.lastgroup != "blank":
            start, end = token.start() if start < 0 else start, token.end()
    if start >= 0:
        yield _statement(text, start, end, line)


def without_comments(statement: Statement) -> Statement:
    """A statement as Liquibase sends it, unless ``stripComments:false``; also within a dollar-quoted body."""
    kept = "".join(token[0] for token in _TOKEN.finditer(statement.text) if token.lastgroup != "comment")
    return replace(statement, text=kept)


def _length(text: str, token: re.Match[str], before: str, delimiter: str) -> int:
    """How long the delimiter is that stands there, 0 where none does."""
    begins_line = before in ("", "\n")
    if delimiter:
        end = token.start() + len(delimiter)
        there = text[token.start() : end].lower() == delimiter.lower() and (delimiter != "/" or begins_line)
        return len(delimiter) if there and not _WITHIN_A_WORD.match(text, end - 1) else 0
    return len(token[0]) if token[0] == ";" or (begins_line and token[0].lower() in ("go", "/")) else 0


def _deeper(token: re.Match[str], text: str) -> int:
    word = token[0].lower()
    if word not in ("begin", "end"):
        return 0
    following = re.compile(r"(?:\s|--[^\n]*|/\*.*?\*/)*(\w*)", re.DOTALL).match(text, token.end())
    after = following[1].lower() if following else ""
    if word == "begin":
        return 0 if after in _NO_BLOCK else 1
    return 0 if after in _TRANSACTION else -1


def _statement(text: str, start: int, end: int, line: int) -> Statement:
    return Statement(text[start:end], line + text.count("\n", 0, start), start, end)
