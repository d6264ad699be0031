"""Foreign text in GitHub's Markdown: it never becomes markup, a link, an image, a mention or a piece of HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runner.text import shorten

_BACKTICKS = re.compile(r"`+")
_WORDS = re.compile(r"(\s+)")
# What is markup anywhere in a line (an underscore only beside no letter), and what is at its beginning.
_ACTIVE = re.compile(r"[\\`*\[\]<>~|&]|(?<![^\W_])_|_(?![^\W_])")
_AT_START = re.compile(r"^(\d+(?=[.)](?:\s|$))|(?=[-+=]))")
# GitHub links or reads these in plain text, escaped or not: mentions, mail, URLs, #12, GH-12, commits, $math$, :emoji:.
_LINKED = re.compile(r"[@#$`]|://|www\.|GH-\d|\b[0-9a-f]{7,64}\b|:[\w+-]+:", re.IGNORECASE)
_HTML = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}

#: How many characters a text in a table's cell and in a block may have.
CELL = 240
BLOCK = 4_000


def code(text: str, in_table: bool = False) -> str:
    """A code span: longer fences than any run of backticks inside, on one line; in a table with its pipes escaped."""
    line = text.replace("\n", r"\n")
    if in_table:
        line = shorten(line, CELL).replace("\\|", r"\x7c").replace("|", r"\|")
    if not line:
        return ""
    fence = "`" * (_longest_run(line) + 1)
    pad = " " if line[0] in "` " or line[-1] in "` " else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def prose(text: str, in_table: bool = False) -> str:
    """Running text on one line: what is markup is escaped, and a word that GitHub would link stands as code."""
    lines = [line.strip() for line in shorten(text, CELL if in_table else BLOCK).splitlines()]
    shown = "<br>".join("".join(_word(word, in_table) for word in _WORDS.split(line)) for line in lines if line)
    return _AT_START.sub(r"\1\\", shown)


def fence(text: str) -> str:
    """A fenced block whose fence is longer than any run of backticks inside."""
    shown = shorten(text, BLOCK).strip("\n")
    marks = "`" * max(3, _longest_run(shown) + 1)
    return f"{marks}text\n{shown}\n{marks}\n"


def row(cells: Sequence[str]) -> str:
    """A row of a table; the cells are safe already."""
    return f"| {' | '.join(cells)} |\n"


def head(titles: Sequence[str]) -> str:
    """The head of a table, with the line below it."""
    return row(titles) + row(["---"] * len(titles))


def _word(word: str, in_table: bool) -> str:
    if _LINKED.search(word):
        return code(word, in_table)
    return _ACTIVE.sub(lambda found: _HTML.get(found[0], f"\\{found[0]}"), word)


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
