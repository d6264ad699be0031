"""A statement of MariaDB's as words, names, texts and signs, and the way through them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<blank>\s+|--(?=\s)[^\n]*|\#[^\n]*|/\*(?![!M]).*?\*/|/\*M?!\d*|\*/)
    |(?P<name>`(?:[^`]|``)*`)
    |(?P<text>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
    |(?P<word>[\w$]+)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """A word as it stands, or a quoted name without its quotes; ``plain`` is the word in lower case, empty for a quoted name."""

    text: str
    plain: str


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text; none of its comments, but what stands in those that MariaDB executes."""
    for found in _TOKEN.finditer(text):
        match found.lastgroup:
            case "name":
                yield Token(found[0][1:-1].replace("``", "`"), "")
            case "text":
                yield Token(found[0], "''")
            case "word" | "sign":
                yield Token(found[0], found[0].lower())
            case _:
                pass


def words(statement: str) -> frozenset[str]:
    """All words and quoted names of a statement, as they stand there; none of its strings and comments."""
    return frozenset(token.text for token in tokens(statement) if token.plain != "''")


def split(found: Sequence[Token]) -> list[list[Token]]:
    """Cut at the commas outside of parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        depth += (token.plain == "(") - (token.plain == ")")
        if token.plain == "," and not depth:
            parts.append([])
        elif token.plain != ";":
            parts[-1].append(token)
    return parts


class Reader:
    """Goes through tokens, from the first to the last."""

    def __init__(self, found: Sequence[Token]) -> None:
        self._tokens = found
        self._at = 0

    @property
    def ended(self) -> bool:
        """Whether none is left."""
        return self._at >= len(self._tokens)

    @property
    def last(self) -> str:
        """The plain word that was passed last."""
        return self._tokens[self._at - 1].plain

    def next(self) -> Token:
        """The next token, an empty one behind the last."""
        self._at += 1
        return self._tokens[self._at - 1] if self._at <= len(self._tokens) else Token("", "")

    def peek(self, ahead: int = 0) -> str:
        """The plain word that comes next, or so many after it; nothing behind the last."""
        place = self._at + ahead
        return self._tokens[place].plain if place < len(self._tokens) else ""

    def skip(self, *words: str) -> bool:
        """Go past these words, where they come next; whether they do."""
        if [self.peek(number) for number in range(len(words))] == list(words):
            self._at += len(words)
            return True
        return False

    def seek(self, *words: str) -> None:
        """Go to where one of these words comes next, else behind the last."""
        while not self.ended and self.peek() not in words:
            self._at += 1

    def condition(self) -> None:
        """Go past IF EXISTS and IF NOT EXISTS."""
        if self.skip("if"):
            self.skip("not")
            self.skip("exists")

    def name(self) -> str:
        """A name; of ``shop.orders`` the last part."""
        self.condition()
        name = self.next().text
        while self.peek() == ".":
            self._at += 1
            name = self.next().text
        return name

    def columns(self) -> tuple[str, ...]:
        """The names in the parentheses that follow."""
        self.seek("(")
        inside = self.group()
        return tuple(part[0].text for part in split(inside) if part)

    def group(self) -> Sequence[Token]:
        """What stands in the parentheses that follow."""
        if self.peek() != "(":
            return []
        start, depth = self._at + 1, 0
        while not self.ended:
            sign = self.next().plain
            depth += (sign == "(") - (sign == ")")
            if not depth:
                break
        return self._tokens[start : self._at - 1]

    def rest(self) -> Sequence[Token]:
        """All that is left."""
        return self._tokens[self._at :]
