"""The form of what GitHub's runner reads: workflow commands in a log, and values in the files it names.

Sources: GitHub's "Workflow commands for GitHub Actions"; in actions/runner ``ActionCommand.cs`` (what is escaped and how it is
read again) and ``FileCommandManager.cs`` (values of several lines between delimiters).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


@dataclass(frozen=True)
class Command:
    """A workflow command. Its text is escaped when it is written, so it may hold anything."""

    name: str
    message: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        properties = ",".join(f"{name}={_escape(value, _PROPERTY)}" for name, value in self.properties.items() if value)
        return f"::{self.name}{' ' if properties else ''}{properties}::{_escape(self.message, _DATA)}"


def stop(token: str) -> Command:
    """From here on the runner takes nothing for a command, until :func:`resume` with the same token."""
    return Command("stop-commands", token)


def resume(token: str) -> Command:
    """Commands count again."""
    return Command(token)


def new_token() -> str:
    """A word that nobody can guess: it ends what foreign text must not end."""
    return f"dbproof-{secrets.token_hex(16)}"


def values(named: Mapping[str, str]) -> str:
    """Lines for the file of ``GITHUB_OUTPUT``: each value between delimiters of its own."""
    return "".join(_value(name, value, new_token()) for name, value in named.items())


def _value(name: str, value: str, delimiter: str) -> str:
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _escape(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)
