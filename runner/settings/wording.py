"""How wrong settings are put into words: a fault is a key path and a sentence; suggestions are near names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

#: A key that TOML does not want in quotes.
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

#: Where something stands: keys, and positions in lists.
KeyPath = tuple[str | int, ...]
#: What contradicts something else within a section: where, and what.
Contradiction = tuple[KeyPath, str]

#: How much of a wrong word is repeated.
_SHOWN = 60


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a settings file: where, as keys and list positions, and what."""

    path: KeyPath
    message: str

    def __str__(self) -> str:
        return f"{key_path(self.path)}: {self.message}" if self.path else self.message


def did_you_mean(wrong: str, known: Iterable[str | None]) -> str:
    """``; did you mean 'alembic'?``, or the whole list where nothing is near."""
    names = sorted({name for name in known if name})
    near = difflib.get_close_matches(wrong[:_SHOWN], names, n=1) or [n for n in names if n.lower() == wrong.lower()]
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; there are: {', '.join(names)}" if len(names) > 1 else f"; there is: {''.join(names)}"


def key_path(path: Iterable[str | int]) -> str:
    """``databases.shop.expect.references[2]``; keys that TOML would quote are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            shown = part if BARE_KEY.fullmatch(part) else f'"{shorten(part)}"'
            text += f".{shown}" if text else shown
    return text


def shorten(text: str) -> str:
    """At most 60 printable characters."""
    printable = "".join(character if character.isprintable() else "�" for character in text)
    return printable if len(printable) <= _SHOWN else f"{printable[:_SHOWN]}…"
