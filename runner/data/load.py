"""What an adapter's last event says, as evidence."""

from __future__ import annotations

from checks.evidence import MigrationFailure
from runner.migrations.interface import Broke


def failure(broke: Broke) -> MigrationFailure:
    """What an adapter's last event says, as evidence."""
    return MigrationFailure(
        revision=broke.revision,
        place=broke.place,
        statement=broke.statement,
        code=broke.code,
        said=broke.said,
        detail=broke.detail,
        timed_out=broke.timed_out,
    )
