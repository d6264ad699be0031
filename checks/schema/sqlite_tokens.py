"""The words, names and signs of a statement, as SQLite reads them."""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<string>[xX]?'(?:[^']|'')*')
    |(?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    |(?P<word>[A-Za-z_$\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
    |(?P<number>\d[\w.]*|\.\d\w*)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A word, a quoted name (without its quotes), a string, a number or a sign, and where it stands."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def keyword(self) -> str:
        """The word in capitals; what is quoted is never one."""
        return self.text.upper() if self.kind == "word" else self.text if self.kind == "other" else ""

    @property
    def name(self) -> str:
        """The identifier that stands here; SQLite takes one in single quotes as well."""
        return self.text[1:-1].replace("''", "'") if self.kind == "string" else self.text

    @property
    def plain(self) -> str:
        """The same for two texts that mean the same."""
        return f'"{self.text.lower()}' if self.kind == "name" else self.text if self.kind == "string" else self.text.lower()


def tokens(text: str) -> list[Token]:
    """The tokens of a statement, without white space and comments."""
    return [_token(found) for found in _TOKEN.finditer(text) if found.lastgroup != "blank"]


def _token(found: re.Match[str]) -> Token:
    kind, text = str(found.lastgroup), found[0]
    if kind == "name":
        text = text[1:-1].replace(text[-1] * 2, text[-1]) if text[0] != "[" else text[1:-1]
    return Token(kind, text, found.start(), found.end())
