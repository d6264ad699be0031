"""Patterns of subjects: ``*`` is any text, ``?`` any one character, all else is itself, in its own case.

A bracket is a bracket (``invoices.lines[].id``), unless it holds one character that would mean something else: ``[*]``, ``[?]``
and ``[[]`` are that character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_TOKEN = re.compile(r"\[(?P<exact>[*?\[])\]|(?P<any>\*+)|(?P<one>\?)|(?P<itself>.)", re.DOTALL)
_MEANING = re.compile(r"[*?]|\[(?=\[\])")


def matches(pattern: str, subject: str) -> bool:
    """Whether the pattern is of this subject, from its first character to its last; in linear time for each star."""
    return _compiled(pattern).fullmatch(subject) is not None


def exactly(subject: str) -> str:
    """The pattern that is of this subject and of no other."""
    return _MEANING.sub(r"[\g<0>]", subject)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    first, *rest = _pieces(pattern)
    # Each piece is taken where it first fits and not tried again further on, so that many stars cost no more than few.
    middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1])
    return re.compile(first + middle + (f".*{rest[-1]}" if rest else ""), re.DOTALL)


def _pieces(pattern: str) -> Iterator[str]:
    """What stands between the stars, as regular expressions."""
    piece = ""
    for token in _TOKEN.finditer(pattern):
        if token["any"]:
            yield piece
            piece = ""
        else:
            piece += "." if token["one"] else re.escape(token["exact"] or token["itself"])
    yield piece
