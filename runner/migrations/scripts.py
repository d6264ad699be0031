"""Migrations of a tool of SQL files: what each sends, what undoes it, and what the tool would not begin."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checks.evidence import Place
from runner.migrations.sql_files import SqlFile, Transaction


@dataclass(frozen=True)
class Script:
    """One migration: ``name`` is its file's, relative to the root, ``version`` what the tool's books know it by.

    Each of ``parts`` goes to the server as ``sent`` says; with ``bracket`` BEGIN and COMMIT stand round them, and round the row
    of the books. ``wrong`` is what the tool says, and of which line, where it cannot read the file. One that is ``repeatable``
    is applied again when it was edited.
    """

    id: str
    version: str
    title: str
    path: Path
    name: str
    parts: tuple[SqlFile, ...] = ()
    sent: Transaction = "whole"
    bracket: bool = False
    wrong: tuple[int, str] | None = None
    repeatable: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Way:
    """What undoes a script: ``parts`` sent as the script's own are, from ``place`` on; ``missing`` says why there is nothing.

    ``wrong`` is what the tool says, and of which line, where it cannot read it.
    """

    place: Place
    parts: tuple[SqlFile, ...] = ()
    bracket: bool = False
    missing: str = ""
    wrong: tuple[int, str] | None = None


class Refused(Exception):
    """The tool would not begin: what it says, and of which script and line."""

    def __init__(self, said: str, script: Script | None = None, line: int | None = None) -> None:
        super().__init__(said)
        self.said = said
        self.script = script
        self.line = line


class PassedOver(Exception):
    """Raised by :meth:`Books.begin`: the tool goes on without this script."""


def twice(scripts: Sequence[Script]) -> tuple[Script, Script] | None:
    """Two scripts of one version, where there are such."""
    seen = dict[str, Script]()
    for script in scripts:
        if script.version in seen:
            return seen[script.version], script
        seen[script.version] = script
    return None
