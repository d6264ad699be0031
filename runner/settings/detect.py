"""Without a settings file: what the repository's files show, and why. Nothing is applied on a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from checks.interface import Engine
from runner.migrations.interface import Adapter, Detected
from runner.settings.engines import usual
from runner.settings.model import DatabaseSettings

#: What the one database of a repository is called that does not name its own.
DATABASE = "app"


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
    databases = {DATABASE: DatabaseSettings(engine=_engine(sure[0]), migrations=sure[0].settings)}
    return Detection(databases, sure[0], _others(found, sure[0]))


def _engine(found: Detected) -> Literal[Engine.POSTGRESQL, Engine.MONGODB]:
    return Engine.MONGODB if usual(found.settings.tool) is Engine.MONGODB else Engine.POSTGRESQL


def _others(found: Sequence[Detected], taken: Detected) -> tuple[Detected, ...]:
    return tuple(one for one in found if one is not taken)


def _registered() -> Mapping[str, Adapter]:
    from runner.migrations.registry import ADAPTERS

    return ADAPTERS
