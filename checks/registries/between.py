"""The registry of checks between databases: id to module, nothing hidden."""

from __future__ import annotations

from checks.declared.across import AcrossTarget
from checks.interface import Check
from checks.references import cross_database_reference

#: Every check of what one database says of another, reported with the one that says it.
BETWEEN: dict[str, Check[AcrossTarget]] = {
    "cross-database-reference": cross_database_reference,
}
