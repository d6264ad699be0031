"""Whether rows hold together: what dbproof's own checks find in a database."""

from __future__ import annotations

from judging import target

from checks.constraints import constraint_violation, duplicate_rows, sequence_behind
from checks.interface import Finding, Severity
from checks.references import orphaned_rows
from runner.servers.interface import Database, Server

_CHECKS = (constraint_violation, duplicate_rows, orphaned_rows, sequence_behind)


def violations(server: Server, database: Database) -> list[str]:
    """Every row that breaks a key, a reference or a condition, and every sequence that is behind."""
    with target(server, database) as judged:
        said = [(check.__name__, one) for check in _CHECKS for one in check.run(judged)]
    found = [(name, one) for name, one in said if isinstance(one, Finding) and one.severity is not Severity.NOTICE]
    return [f"{name}: {one.subject}: {one.message}" for name, one in found]
