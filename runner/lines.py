"""What children say: lines of output, and messages of programs of ours that run inside them, cut out of streams of bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Line:
    """A line of the child's output (stdout and stderr as they came), without its end, cut where it is very long."""

    text: str


@dataclass(frozen=True)
class Message:
    """A JSON object that a program of ours sent from inside the child."""

    body: Mapping[str, Any]


class Lines:
    """Cuts a stream of bytes into lines, keeping no more of one than ``longest`` bytes."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._begun = bytearray()
        self._cut = False

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The lines that this chunk completes."""
        *complete, begun = chunk.split(b"\n")
        for part in complete:
            self._add(part)
            yield self._line()
        self._add(begun)

    def rest(self) -> Iterator[str]:
        """The last line, where it has no end."""
        if self._begun:
            yield self._line()

    def _add(self, part: bytes) -> None:
        room = self._longest - len(self._begun)
        self._begun += part[:room]
        self._cut = self._cut or len(part) > room

    def _line(self) -> str:
        text = self._begun.decode("utf-8", "replace").rstrip("\r") + (" …" if self._cut else "")
        self._begun.clear()
        self._cut = False
        return text


def message(text: str) -> Line | Message:
    """A message; what is no JSON object is shown as output, for it is not ours."""
    try:
        body = json.loads(text)
    except ValueError:
        return Line(text)
    return Message(body) if isinstance(body, dict) else Line(text)
