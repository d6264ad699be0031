"""A text stream that can always be written to: no line is a command, all can be encoded, a closed pipe is no error."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import TextIO

from runner.text import defuse

#: What our own signs become where the stream's encoding has them not.
_PLAIN = str.maketrans({"✓": "+", "✗": "x", "·": "-", "…": "...", "→": "->"})


class SafeStream:
    """Wraps stdout or stderr. ``terminal`` says whether a person sees it live."""

    def __init__(self, stream: TextIO | None, environment: Mapping[str, str]) -> None:
        self._stream = stream
        self.terminal = stream is not None and _is_terminal(stream, environment)
        self.encoding = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write whole lines, and see them out. On a terminal control codes of ours pass; elsewhere lines are defused again."""
        self._put(text if self.terminal else defuse(text))
        return len(text)

    def command(self, line: str) -> None:
        """Write a line that the CI system is meant to act upon. Nothing else ever reaches it as a command."""
        self._put(f"{line}\n")

    def flush(self) -> None:
        """Nothing is kept back."""

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self.terminal

    @property
    def has_signs(self) -> bool:
        """Whether the stream's encoding has our own signs."""
        return self._can_encode("✓✗·…→⠋")

    def _put(self, text: str) -> None:
        if self._stream is not None:
            try:
                self._stream.write(self._encodable(text))
                self._stream.flush()
            except (OSError, ValueError):
                self._give_up(self._stream)

    def _encodable(self, text: str) -> str:
        if self._can_encode(text):
            return text
        plain = text if self.has_signs else text.translate(_PLAIN)
        return plain.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def _can_encode(self, text: str) -> bool:
        try:
            text.encode(self.encoding)
        except UnicodeEncodeError:
            return False
        return True

    def _give_up(self, stream: TextIO) -> None:
        """Nobody reads any more (``| head``) or the disk is full: go on without, and keep Python from complaining at its end."""
        self._stream = None
        with contextlib.suppress(OSError, ValueError):
            descriptor = stream.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)


def _is_terminal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    return stream.isatty() and environment.get("TERM", "") not in ("dumb", "unknown")
