"""How a look at databases tells what was found: the most telling first, the size of tables, what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from checks.interface import Finding, Outcome, State
from checks.schema.names import TableName
from runner.overview import Overview, rounded
from runner.report import ReportedDatabase
from runner.scheduler import Checks
from runner.settings.load import Loaded

#: Why a check that judges what is declared has nothing to judge.
NOT_DECLARED = "nothing is declared of it"
#: Checks of what a database has by itself: where it has none of that, there was nothing to declare.
_OF_THE_DATABASE = frozenset(
    {
        "cascade-reach",
        "constraint-violation",
        "damaged-collection",
        "disabled-trigger",
        "document-violates-validator",
        "duplicate-index",
        "duplicate-rows",
        "invalid-index",
        "key-exhaustion",
        "large-document",
        "missing-primary-key",
        "mixed-type-field",
        "no-policy",
        "no-validator",
        "null-passes-check",
        "nullable-unique",
        "policy-always-true",
        "redundant-index",
        "reference-cycle",
        "row-security-off",
        "sequence-behind",
        "unbounded-array",
        "undeclared-reference",
        "unused-field-in-schema",
        "validator-weak",
    }
)
#: So many rows, by the server's estimate, make a table's size worth a word.
_WORTH_SAYING = 10_000
#: Checks whose findings name keys that nobody has.
_NAMES_KEYS = frozenset({"orphaned-rows", "dangling-reference"})


def as_told(outcome: Outcome, checks: Checks, seen: Overview) -> Outcome:
    """An outcome as a look tells it: the most telling finding first, and one reason for all that nobody has declared."""
    findings = sorted(outcome.findings, key=lambda finding: (-(finding.count or 0), -_rows(finding, seen)))
    sized = [replace(finding, message=finding.message + _size(finding, seen)) for finding in findings]
    nothing = outcome.state is State.SKIPPED and outcome.reason == f"no {checks[outcome.check].SUBJECTS}"
    undeclared = nothing and outcome.check not in _OF_THE_DATABASE
    return replace(outcome, findings=tuple(sized), reason=NOT_DECLARED if undeclared else outcome.reason)


def _rows(finding: Finding, seen: Overview) -> int:
    """The estimated rows of the table that a finding is about."""
    return seen.rows.get(_table(finding), 0)


def _table(finding: Finding) -> str:
    return TableName(finding.objects[0].schema, finding.objects[0].relation).label() if finding.objects else ""


def _size(finding: Finding, seen: Overview) -> str:
    """What tells an old habit from a burning house: how large the table is."""
    rows = _rows(finding, seen)
    return f" ({_table(finding)}: about {rounded(rows)} rows)" if rows >= _WORTH_SAYING else ""


def next_steps(databases: Sequence[ReportedDatabase], loaded: Loaded) -> tuple[str, ...]:
    """What to do after a look at databases that nothing is declared of."""
    standing = [database for database in databases if database.standing]
    if not standing or len(standing) < len(databases):
        return ()
    found = [finding for database in standing for check in database.checks for finding in check.findings]
    shown = loaded.settings.show_values or not any(finding.check in _NAMES_KEYS for finding in found)
    values = () if shown else ("`--show-values` shows the keys of rows",)
    behind = " and names the migration behind each finding" if found else ""
    prove = f"`dbproof run` in its repository proves the next change{behind}"
    write = () if loaded.file else ("`dbproof init` writes down what must hold here",)
    return ("; ".join((*values, *write, prove)),)
