"""SQL files of PostgreSQL, split into statements as psql splits them: in one pass, in linear time, losing nothing.

A tokenizer of our own, because sqlglot's reads ``a$b$`` as the start of a dollar quote where PostgreSQL reads a name, and
does not know where psql ends a statement. The rules are those of PostgreSQL's ``scan.l`` and psql's ``psqlscan.l``:
nested block comments, ``E''`` strings and their continuation on the next line, dollar quotes, parentheses (``CREATE RULE …
DO (a; b)``), function bodies of the form ``BEGIN ATOMIC … END``. Strings conform to the standard (a backslash is a letter).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HIGH = "\\x80-\U0010ffff"
_WORD = rf"[A-Za-z_{_HIGH}][A-Za-z0-9_${_HIGH}]*+"
_NUMBER = rf"[0-9]++(?:{_WORD})?+"
_TOKEN = re.compile(
    rf"""(?P<blank>[ \t\r\n\f\v]++|--[^\r\n]*+)
    |(?P<block>/\*)
    |(?P<escape>[eE]')
    |(?P<string>')
    |(?P<name>")
    |(?P<dollar>\$(?:[A-Za-z_{_HIGH}][A-Za-z0-9_{_HIGH}]*+)?\$)
    |(?P<word>{_WORD})
    |(?P<end>;)
    |(?P<opening>\()
    |(?P<closing>\))
    |(?P<meta>\\)
    |(?P<other>{_NUMBER}|[^'"$;()\\/ \t\r\n\f\v-]|.)""",
    re.VERBOSE | re.DOTALL,
)
#: Runs in which no statement can end; a word before a quote may be the E of an E'' string.
_PLAIN = re.compile(rf"(?:{_WORD}(?!')|{_NUMBER}(?!')|'[^']*+'|\"[^\"]*+\"|[^A-Za-z0-9_{_HIGH}'\"$;()\\/-])++")
_ESCAPED = re.compile(r"(?:[^'\\]++|\\.|'')*+'", re.DOTALL)
_CONTINUED = re.compile(r"[ \t\f\v]*+(?:--[^\r\n]*+)?[\r\n](?:[ \t\r\n\f\v]|--[^\r\n]*+[\r\n])*+'")
_BLOCK = re.compile(r"/\*|\*/")
_LINE_REST = re.compile(r"[ \t\f\v]*+(?:--[^\r\n]*+)?(?:\r?\n|\Z)")
_COPY_END = re.compile(r"^\\\.\r?(?:\n|\Z)", re.MULTILINE)
_ROUTINES = frozenset(f"create {word}{kind}" for word in ("", "or replace ") for kind in ("function", "procedure"))


@dataclass(frozen=True)
class Statement:
    """One statement: its exact text from its first token to its last, and where that stands in the file.

    ``line`` counts from 1. ``data`` are the rows of ``COPY … FROM stdin``, up to the line ``\\.``. ``unterminated`` is the line
    of a quote or comment that never ends: the rest of the file then belongs to this statement.
    """

    text: str
    line: int
    start: int
    end: int
    data: str | None = None
    unterminated: int | None = None


@dataclass(frozen=True)
class MetaCommand:
    """A command to psql itself (``\\copy``, ``\\i``), up to the end of its line. No server understands it.

    ``within`` says that it stands inside a statement, which psql then sends in its own way (``\\gexec``) or not at all.
    """

    text: str
    line: int
    within: bool = False


@dataclass(frozen=True)
class Comment:
    """A comment with its marks, where it begins and ends in the file."""

    text: str
    start: int
    end: int


def split(text: str) -> tuple[Statement | MetaCommand, ...]:
    """The statements and psql commands of a file, in order."""
    return tuple(_Splitter(text).split())


def comments(text: str) -> tuple[Comment, ...]:
    """The comments of a file, in order; one that stands between the parts of an E'' string is not among them."""
    splitter = _Splitter(text)
    splitter.split()
    return tuple(Comment(text[start:end], start, end) for start, end in splitter.comments)


class _Splitter:
    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Statement | MetaCommand] = []
        self.comments: list[tuple[int, int]] = []
        self.counted = 0
        self.line = 1
        self.forget()

    def forget(self) -> None:
        """Stand before the first token of a statement."""
        self.start = self.end = -1
        self.words: list[str] = []
        self.settled = False
        self.parentheses = 0
        self.bodies = 0
        self.routine = False
        self.copies = False
        self.open_at: int | None = None

    def split(self) -> list[Statement | MetaCommand]:
        text, position = self.text, 0
        while position < len(text):
            if self.settled and (plain := _PLAIN.match(text, position)):
                position = plain.end()
                length = len(plain[0].rstrip(" \t\r\n\f\v"))
                self.end = plain.start() + length if length else self.end
                continue
            token = _TOKEN.match(text, position)
            assert token is not None and token.lastgroup is not None  # noqa: S101, PT018 - the last branch takes any character
            position = self.take(token.lastgroup, token)
        self.finish(len(text))
        return self.found

    def take(self, kind: str, token: re.Match[str]) -> int:
        """Take one token in; gives the position after it."""
        if kind == "blank":
            if token[0].startswith("--"):
                self.comments.append(token.span())
            return token.end()
        if kind == "block":
            return self.comment(token.end())
        if kind == "end" and not self.parentheses and not self.bodies:
            return self.finish(token.end())
        if kind == "meta":
            return self.meta(token.start())
        if self.start < 0:
            self.start = token.start()
        self.end = self.inside(kind, token)
        return self.end

    def inside(self, kind: str, token: re.Match[str]) -> int:
        """Where a token of a statement ends."""
        if kind == "word":
            self.word(token[0].lower())
        elif kind == "opening":
            self.parentheses += 1
        elif kind == "closing":
            self.parentheses = max(0, self.parentheses - 1)
        elif kind in ("string", "name", "dollar"):
            return self.closed(self.text.find(token[0], token.end()), token, len(token[0]))
        elif kind == "escape":
            return self.escaped(token)
        return token.end()

    def closed(self, found: int, token: re.Match[str], length: int) -> int:
        """The end of a quote whose closing stands at ``found``, or of the file where it never ends."""
        if found >= 0:
            return found + length
        self.open_at = token.start()
        return len(self.text)

    def escaped(self, token: re.Match[str]) -> int:
        """The end of an E'' string, continued on later lines or not."""
        position = token.end()
        while literal := _ESCAPED.match(self.text, position):
            continued = _CONTINUED.match(self.text, literal.end())
            if continued is None:
                return literal.end()
            position = continued.end()
        return self.closed(-1, token, 0)

    def comment(self, position: int) -> int:
        """The end of a block comment, which may hold others."""
        opened, depth = position - 2, 1
        while depth and (mark := _BLOCK.search(self.text, position)):
            depth += 1 if mark[0] == "/*" else -1
            position = mark.end()
        if not depth:
            self.comments.append((opened, position))
            return position
        self.start = opened if self.start < 0 else self.start
        self.open_at, self.end = opened, len(self.text)
        return self.end

    def word(self, word: str) -> None:
        """Look at a word that stands outside quotes, until it is known that no further word matters."""
        if self.settled:
            return
        if self.words[:1] == ["copy"]:
            self.copies = self.copies or (not self.parentheses and self.words[-1] == "from" and word == "stdin")
            self.words[1:] = [word]
        elif len(self.words) < 4:
            self.words.append(word)
            self.routine = self.routine or " ".join(self.words) in _ROUTINES
        if self.routine and not self.parentheses:
            self.body(word)
        known = self.words[0] not in ("create", "copy") or len(self.words) == 4
        self.settled = known and not self.routine

    def body(self, word: str) -> None:
        """Count BEGIN and END in a routine, as psql does; CASE ends with END too."""
        if word == "begin" or (word == "case" and self.bodies):
            self.bodies += 1
        elif word == "end" and self.bodies:
            self.bodies -= 1

    def finish(self, position: int) -> int:
        """Keep the statement that ends here, if there is one, with the rows that follow a COPY."""
        if self.start < 0:
            return position
        line = self.line_of(self.start)
        unterminated = None if self.open_at is None else self.line_of(self.open_at)
        data, after = self.rows(position) if self.copies else (None, position)
        text = self.text[self.start : self.end]
        self.found.append(Statement(text, line, self.start, self.end, data, unterminated))
        self.forget()
        return after

    def rows(self, position: int) -> tuple[str | None, int]:
        """The rows after ``COPY … FROM stdin;``, from the next line on, and where they end."""
        rest = _LINE_REST.match(self.text, position)
        if rest is None:
            return None, position
        ending = _COPY_END.search(self.text, rest.end())
        if ending is None:
            return self.text[rest.end() :], len(self.text)
        return self.text[rest.end() : ending.start()], ending.end()

    def meta(self, position: int) -> int:
        """A command to psql, to the end of its line. A statement that it stands in is not kept: it goes nowhere without psql."""
        end = self.text.find("\n", position)
        end = len(self.text) if end < 0 else end
        self.found.append(MetaCommand(self.text[position:end].strip(), self.line_of(position), within=self.start >= 0))
        self.forget()
        return end

    def line_of(self, position: int) -> int:
        """The line of a position; positions come in ascending order, so that every line is counted once."""
        self.line += self.text.count("\n", self.counted, position)
        self.counted = position
        return self.line
