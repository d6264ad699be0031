"""What is to be built of one database, and what was."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from checks.declared.across import CrossReference
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.schema.names import TableName
from runner import git
from runner.backends.interface import Backend
from runner.migrations.interface import Adapter
from runner.progress import Progress
from runner.servers.interface import Golden, Server
from runner.settings.model import DatabaseSettings


@dataclass(frozen=True)
class Plan:
    """One database to build: ``provision`` starts an empty server for it, ``hide`` registers a secret.

    ``settings_file`` is where the settings stand, relative to the root where it lies under it. ``checks`` are those that judge
    it, by which passes know what nobody would look at. ``expect`` is what is declared, by which rows are made too; ``elsewhere``
    are its references to other databases.
    """

    name: str
    settings: DatabaseSettings
    root: Path
    base: git.Base | git.NoBase
    adapter: Adapter | None
    backend: Backend
    provision: Callable[[], AbstractContextManager[Server]]
    hide: Callable[[str], None]
    progress: Progress
    settings_file: Path | None = None
    checks: frozenset[str] = frozenset()
    expect: Expectations = field(default_factory=Expectations)
    elsewhere: tuple[CrossReference, ...] = ()


@dataclass(frozen=True)
class Built:
    """A sealed database with its evidence, on the server that clones it.

    Of head ``grown`` is what the new migrations made of base's rows, where head itself has others, and ``refilled`` are tables
    that were empty behind the migrations and were filled since.
    """

    server: Server
    golden: Golden
    evidence: Evidence
    grown: tuple[Server, Golden] | None = None
    refilled: frozenset[TableName] = frozenset()


@dataclass(frozen=True)
class Pair:
    """What is compared. ``base`` is ``None`` where there is nothing to compare with; ``compared`` and ``notes`` say why."""

    base: Built | None
    head: Built
    compared: str
    notes: tuple[str, ...]
