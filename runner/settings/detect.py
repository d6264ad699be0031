"""Without a settings file: what the repository's files show, and why. Nothing is applied on a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from checks.interface import Engine
from runner.migrations.interface import Adapter, Detected
from runner.settings.data import DataSettings
from runner.settings.engines import TOOL_ENGINES, usual
from runner.settings.model import DatabaseSettings
from runner.settings.services import find

#: What the one database of a repository is called that does not name its own.
DATABASE = "app"
#: How many rows are made in each table where nobody has said anything: checks mean little on empty ones.
ROWS = 100


@dataclass(frozen=True)
class Detection:
    """What was recognised. ``databases`` is what a run goes by, ``suggestions`` what a person has to confirm first."""

    databases: Mapping[str, DatabaseSettings] = field(default_factory=dict)
    sure: Detected | None = None
    suggestions: tuple[Detected, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each suggestion."""
        return tuple(
            f"{one.because}: looks like {one.settings.tool} migrations in {one.settings.directory}; "
            "nothing is applied on a guess, `dbproof init` writes it down"
            for one in self.suggestions
        )


def detect(root: Path, adapters: Mapping[str, Adapter] | None = None) -> Detection:
    """Ask every adapter; the one that is sure is taken, several that are sure contradict each other and are suggestions."""
    found = [one for adapter in (_registered() if adapters is None else adapters).values() if (one := adapter.detect(root))]
    sure = [one for one in found if one.sure]
    if len(sure) != 1:
        return Detection(suggestions=tuple(found))
    data = DataSettings(rows=ROWS)
    databases = {DATABASE: DatabaseSettings(engine=engine(root, sure[0]), migrations=sure[0].settings, data=data)}
    return Detection(databases, sure[0], _others(found, sure[0]))


def engine(root: Path, found: Detected) -> Literal[Engine.POSTGRESQL, Engine.MARIADB, Engine.MONGODB]:
    """The engine that migrations are of: the tool's usual one, or MariaDB where the repository's own files show that one."""
    if usual(found.settings.tool) is Engine.MONGODB:
        return Engine.MONGODB
    mariadb = Engine.MARIADB in TOOL_ENGINES[found.settings.tool] and _shows_mariadb(root, found)
    return Engine.MARIADB if mariadb else Engine.POSTGRESQL


def _shows_mariadb(root: Path, found: Detected) -> bool:
    """Whether the tool's configuration has an address of it, or the workflows run it and no PostgreSQL."""
    because = root / found.because.file
    for file in (because, *_of_spring(root, found)):
        if file.suffix in (".ini", ".toml", ".conf", ".properties", ".yml", ".yaml") and file.is_file():
            address = _ADDRESS.search(file.read_text("utf-8", "replace"))
            if address is not None:
                return address["scheme"] in ("mysql", "mariadb")
    return find(root, Engine.MARIADB).wanted is not None and find(root, Engine.POSTGRESQL).wanted is None


def _of_spring(root: Path, found: Detected) -> list[Path]:
    """The settings of a Java application above the folder ``db/migration`` of its resources."""
    resources = root / (found.settings.directory or ".") / "../.."
    return sorted(resources.glob("application.*")) if found.settings.directory.endswith("resources/db/migration") else []


#: The address in an alembic.ini, a pyproject.toml, Flyway's settings or those of Spring.
_ADDRESS = re.compile(r"^\s*(?:sqlalchemy[._]url\s*=\s*[\"']?|[\w.]*\burl\s*[=:]\s*[\"']?jdbc:)(?P<scheme>[a-z]+)", re.MULTILINE)


def _others(found: Sequence[Detected], taken: Detected) -> tuple[Detected, ...]:
    return tuple(one for one in found if one is not taken)


def _registered() -> Mapping[str, Adapter]:
    from runner.migrations.registry import ADAPTERS

    return ADAPTERS
