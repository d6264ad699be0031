"""What made rows are worth: what checks say of rows, weighed by where those rows are from.

Rows that were made from the schema are a stand-in for production's. They meet every rule of the schema that they were made by:
one that they break has come since, which is a warning with the query to ask production. Rules that only the settings know they
neither keep nor break for a reason, and whatever they keep is not proven by it. Nothing is weighed in the checks themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from checks.evidence import Evidence
from checks.interface import Check, Finding, Need, NotProven, Outcome, Severity, State
from checks.schema.names import ObjectKind, ObjectReference, TableName
from runner.scheduler import Checks, state_of

#: What a rule of the schema's is named by.
_OF_THE_SCHEMA = frozenset({ObjectKind.CONSTRAINT, ObjectKind.INDEX, ObjectKind.VALIDATOR})

#: Why a subject is not proven.
MADE = "made rows only"
AMONG = "made rows among them"

_ASK = "Rows that dbproof made show this, so ask production first."
_ON_MADE_ROWS = "on rows that dbproof made"


def weighed(outcome: Outcome, checks: Checks, evidence: Evidence) -> Outcome:
    """The same outcome with what rests on made rows taken for what it is; the same where no rows were made."""
    if not evidence.invented | evidence.derived:
        return outcome
    check = checks[outcome.check]
    known_by = {} if Need.ANY_ROWS in check.NEEDS else outcome.known_by
    doubtful = {subject: why for subject, objects in known_by.items() if (why := _doubt(objects, evidence))}
    said = [_finding(one, check, evidence) for one in outcome.findings]
    findings = tuple(one for one in said if isinstance(one, Finding))
    proven = tuple(subject for subject in outcome.proven if subject not in doubtful)
    gaps = (
        *outcome.not_proven,
        *(NotProven(subject, doubtful[subject]) for subject in outcome.proven if subject in doubtful),
        *(one for one in said if isinstance(one, NotProven)),
    )
    changed = replace(outcome, findings=findings, proven=proven, not_proven=gaps)
    if outcome.state is State.ERRORED or gaps == outcome.not_proven:
        return changed
    state, reason = state_of(check, findings, proven, gaps, "")
    return replace(changed, state=state, reason=reason)


def _finding(finding: Finding, check: Check[Any], evidence: Evidence) -> Finding | NotProven:
    doubt = _doubt(finding.objects, evidence)
    if not doubt or not check.NEEDS & {Need.ROWS, Need.ANY_ROWS}:
        return finding
    if Need.ANY_ROWS in check.NEEDS:
        told = replace(finding, message=f"{finding.message}, {_ON_MADE_ROWS}")
        return told if Need.EVIDENCE in check.NEEDS else replace(told, severity=Severity.WARNING, invented=True)
    if finding.count is None and not finding.values:
        return finding  # it says nothing of rows
    of_the_schema = finding.subject in evidence.audits or any(one.kind in _OF_THE_SCHEMA for one in finding.objects)
    if finding.severity is Severity.NOTICE or (doubt == MADE and not of_the_schema):
        return NotProven(finding.subject, doubt)
    return replace(finding, severity=Severity.WARNING, remedy=f"{_ASK} {finding.remedy}".rstrip(), invented=True)


def _doubt(objects: Sequence[ObjectReference], evidence: Evidence) -> str:
    """Why rows of these say little, empty where they are the repository's own; what a view reads is not known."""
    tables = {TableName(one.schema, one.relation) for one in objects if one.relation}
    views = any(one.kind is ObjectKind.VIEW for one in objects)
    if tables and tables <= evidence.invented and not views:
        return MADE
    return AMONG if views or tables & (evidence.invented | evidence.derived) else ""
