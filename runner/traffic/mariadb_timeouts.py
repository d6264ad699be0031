"""How long each session of the migrations would wait for a table: lock_wait_timeout, of which MariaDB tells others nothing.

So it is followed through what the session itself sends: SET, SET STATEMENT … FOR, and WAIT or NOWAIT of a single statement.
"""

from __future__ import annotations

import re

#: The server's default, a day: nobody chose it, and nobody waits for so long.
ENDLESS = 86_400.0

_TEXT = re.compile(r"`(?:[^`]|``)*`|'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|/\*(?![!M]).*?\*/", re.DOTALL)
_SET = re.compile(r"^\s*set\b(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_FOR = re.compile(r"^\s*set\s+statement\b(?P<set>.*?)\bfor\b", re.IGNORECASE | re.DOTALL)
_NAMED = re.compile(r"(?P<scope>global\s+|global\.)?\block_wait_timeout\s*:?=\s*(?P<value>[^,;]*)", re.IGNORECASE)
_WAIT = re.compile(r"\b(?:wait\s+(?P<seconds>\d+(?:\.\d+)?)|(?P<none>nowait))\b", re.IGNORECASE)
_CHANGING = re.compile(r"^\s*(?:alter|create|drop|rename|truncate|optimize|lock)\b", re.IGNORECASE)


class Timeouts:
    """The lock_wait_timeout of every session, from what it sends, in the order in which it comes."""

    def __init__(self, otherwise: float) -> None:
        self._otherwise: float | None = otherwise
        self._of: dict[int, float | None] = {}

    def of(self, thread: int, text: str) -> float | None:
        """How many seconds this statement would wait, 0 for without an end, ``None`` where its value is computed.

        A SET is entered, and holds from the next statement of its session on.
        """
        plain = _TEXT.sub(" ", text)
        now = self._of.get(thread, self._otherwise)
        if (own := _FOR.match(plain)) and (said := _NAMED.search(own["set"])):
            return _endless(_seconds(said["value"], self._otherwise))
        if found := _SET.match(plain):
            for said in _NAMED.finditer(found["rest"]):
                if not said["scope"]:
                    self._of[thread] = _seconds(said["value"], self._otherwise)
            return _endless(self._of.get(thread, now))
        if _CHANGING.match(plain) and (waits := _WAIT.search(plain)):
            return float(waits["seconds"] or 0.001)
        return _endless(now)


def _seconds(value: str, otherwise: float | None) -> float | None:
    """A value as it was sent; what is no number is not known, but ``DEFAULT`` is the server's."""
    plain = value.strip().rstrip(";").lower()
    if plain == "default":
        return otherwise
    return float(plain) if re.fullmatch(r"\d+", plain) else None


def _endless(seconds: float | None) -> float | None:
    return 0.0 if seconds is not None and seconds >= ENDLESS else max(seconds, 0.001) if seconds is not None else None
