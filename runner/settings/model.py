"""What the settings mean: one validated, frozen value. Only keys that something reads stand here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from checks.expectations import Category
from checks.interface import Engine, Severity

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: object) -> float:
    """Read a duration with a unit (``200ms``, ``1.5s``, ``10m``, ``1h``) into seconds; raises ValueError."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("expected a duration with a unit, such as '200ms', '30s', '10m'")
    return float(found[1]) * _SECONDS[found[2]]


Duration = Annotated[float, BeforeValidator(seconds)]


class FailOn(StrEnum):
    """From which severity on a new finding fails the run."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"
    NEVER = "never"


class Section(BaseModel):
    """A table of the settings file: frozen, no unknown keys, no coercion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class MigrationSettings(Section):
    """How the repository's migrations are applied. Paths are relative to the repository's root."""

    tool: Literal["alembic", "command", "sql", "prisma"]
    directory: str = "."
    config: str | None = None
    command: str | None = None
    current: str | None = None
    files: str | None = None
    transaction: Literal["statement", "file", "whole"] | None = None
    python: str | None = None
    setup: str | None = None
    env: Mapping[str, str] = Field(default_factory=dict)
    env_file: str | None = None
    pass_env: tuple[str, ...] = ()
    timeout: Duration = 600.0


class DataSettings(Section):
    """The rows to judge: SQL files of the repository, loaded in order."""

    load: tuple[str, ...] = ()


class ExpectSettings(Section):
    """What the repository declares of its own database."""

    references: tuple[str, ...] = ()
    no_rows: Mapping[str, str] = Field(default_factory=dict)


class QuerySettings(Section):
    """A declared query with its limit; without one the category's default holds."""

    sql: str
    category: Category = Category.SIMPLE
    limit: Duration | None = None


class DatabaseSettings(Section):
    """One database: which server, which migrations, which rows, what is expected."""

    engine: Literal[Engine.POSTGRESQL] = Engine.POSTGRESQL
    version: str | None = None
    image: str | None = None
    url_env: str | None = None
    disposable: bool = False
    preload: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    migrations: MigrationSettings | None = None
    data: DataSettings = DataSettings()
    expect: ExpectSettings = ExpectSettings()
    queries: Mapping[str, QuerySettings] = Field(default_factory=dict)


class Settings(Section):
    """Everything a run is told. ``compare`` is a git revision, ``"nothing"``, or ``None`` for what the CI system says."""

    fail_on: FailOn = FailOn.ERROR
    compare: str | None = None
    report_dir: str = "dbproof-report"
    show_values: bool = False
    severity: Mapping[str, Severity] = Field(default_factory=dict)
    databases: Mapping[str, DatabaseSettings] = Field(default_factory=dict)
