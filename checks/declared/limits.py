"""What the settings say that migrations may cost at most, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class MigrationLimits:
    """Limits of each new migration in seconds, ``None`` where none is declared.

    ``migration`` is how long it may take, ``blocked`` how long it may keep other sessions waiting. ``production_rows`` are those
    that production has in its large tables, by their label.
    """

    migration: float | None = None
    blocked: float | None = None
    production_rows: Mapping[str, int] = field(default_factory=dict)
