"""What made rows are worth: what checks say of rows, weighed by where those rows are from.

Rows that were made from the schema are a stand-in for production's. What only they show is a warning at most, that what only they
have been asked holds is not proven; nothing is weighed in the checks themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from checks.interface import Check, Finding, Need, NotProven, Outcome, Severity, State
from checks.schema.names import ObjectKind, ObjectReference, TableName
from runner.scheduler import Checks, state_of

#: Why a subject is not proven.
MADE = "made rows only"

_ASK = "Rows that dbproof made show this, so ask production first."
_ON_MADE_ROWS = "on rows that dbproof made"


def weighed(outcome: Outcome, checks: Checks, invented: frozenset[TableName]) -> Outcome:
    """The same outcome with what rests on made rows taken for what it is; the same where no rows were made."""
    if not invented:
        return outcome
    check = checks[outcome.check]
    doubtful = {subject for subject, objects in outcome.known_by.items() if _any(objects, invented)}
    doubtful = set() if Need.ANY_ROWS in check.NEEDS else doubtful
    said = [_finding(one, check, invented) for one in outcome.findings]
    findings = tuple(one for one in said if isinstance(one, Finding))
    proven = tuple(subject for subject in outcome.proven if subject not in doubtful)
    gaps = (
        *outcome.not_proven,
        *(NotProven(subject, MADE) for subject in outcome.proven if subject in doubtful),
        *(one for one in said if isinstance(one, NotProven)),
    )
    changed = replace(outcome, findings=findings, proven=proven, not_proven=gaps)
    if outcome.state is State.ERRORED or gaps == outcome.not_proven:
        return changed
    state, reason = state_of(check, findings, proven, gaps, "")
    return replace(changed, state=state, reason=reason)


def _finding(finding: Finding, check: Check[Any], invented: frozenset[TableName]) -> Finding | NotProven:
    if not check.NEEDS & {Need.ROWS, Need.ANY_ROWS} or not _any(finding.objects, invented):
        return finding
    if Need.ANY_ROWS in check.NEEDS:
        return replace(finding, message=f"{finding.message}, {_ON_MADE_ROWS}")
    if finding.count is None and not finding.values:
        return finding  # it says nothing of rows
    if check.SEVERITY is Severity.OFF or finding.severity is Severity.NOTICE:
        return NotProven(finding.subject, MADE)  # a guess at what values mean says nothing where they were made
    remedy = f"{_ASK} {finding.remedy}".rstrip()
    return replace(finding, severity=Severity.WARNING, remedy=remedy, invented=True)


def _any(objects: Iterable[ObjectReference], invented: frozenset[TableName]) -> bool:
    """Whether some of them may hold made rows; what a view reads is not known."""
    return any(TableName(one.schema, one.relation) in invented or one.kind is ObjectKind.VIEW for one in objects)
