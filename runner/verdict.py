"""The verdict and the criteria that it rests on; the score and the coverage beside it. docs/verdict.md says it to people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from checks.evidence import MigrationState
from checks.interface import Severity, State
from runner.errors import Exit, strongest
from runner.report import (
    Coverage,
    Criterion,
    Held,
    Problem,
    Quality,
    ReportedCheck,
    ReportedDatabase,
    SelfProof,
    Standing,
    Verdict,
)
from runner.settings.surface import FailOn

#: The packages of checks whose subjects are rules about data.
_ABOUT_DATA = frozenset({"references", "constraints", "tenancy", "documents", "rules"})

#: What a probe exercises, in words that several of them share; any other is named by its own subjects.
_KINDS = {
    "reference-probe": "references",
    "check-probe": "constraints",
    "enum-probe": "constraints",
    "exclusion-probe": "constraints",
    "not-null-probe": "constraints",
    "unique-probe": "constraints",
    "insert-probe": "tables",
    "delete-rule-probe": "delete rules",
    "update-rule-probe": "update rules",
    "tenant-isolation-probe": "ways to other tenants' rows",
}


def exit_code(criteria: Iterable[Criterion]) -> Exit:
    """The one exit code of a run, made of the criteria that are not held: cancelled, 2, 4, 1, 3, 0 in that precedence."""
    return strongest([one.exit_code for one in criteria if one.state is Held.NOT_HELD and one.exit_code is not None])


def verdict(code: Exit) -> Verdict:
    """The words for an exit code."""
    return {
        Exit.HELD: Verdict.GO,
        Exit.FINDINGS: Verdict.NO_GO,
        Exit.NOTHING_CHECKED: Verdict.NOTHING_CHECKED,
        Exit.INTERRUPTED: Verdict.CANCELLED,
        Exit.TERMINATED: Verdict.CANCELLED,
    }.get(code, Verdict.BROKEN)


def criteria(databases: Sequence[ReportedDatabase], problems: Sequence[Problem], fail_on: FailOn) -> tuple[Criterion, ...]:
    """What the verdict rests on, each with its numbers."""
    checks = [check for database in databases for check in database.checks]
    probes, limits = [one for one in checks if one.probe], [one for one in checks if one.id == "query-limit"]
    return (
        _completed(problems),
        _judged(checks),
        _ran(checks),
        _migrations(databases, checks),
        _findings(checks, fail_on),
        _of_checks("rules", "the rules that were tried hold", probes, "nothing could be tried"),
        _of_checks("limits", "queries stay within their limits", limits, "no query is declared"),
        _self_proof([database.selftest for database in databases if database.selftest is not None]),
    )


def _completed(problems: Sequence[Problem]) -> Criterion:
    state = Held.NOT_HELD if problems else Held.HELD
    why = f"{len(problems)} {'error' if len(problems) == 1 else 'errors'} of the run itself" if problems else ""
    code = strongest([problem.exit_code for problem in problems])
    return Criterion("completed", "the run came to its end", state, 0 if problems else 1, 1, why, code)


def _judged(checks: Sequence[ReportedCheck]) -> Criterion:
    judged = sum(check.outcome in (State.PASSED, State.FAILED) for check in checks)
    state = Held.HELD if judged else Held.NOT_HELD
    return Criterion("judged", "checks came to a verdict", state, judged, len(checks), "", Exit.NOTHING_CHECKED)


def _ran(checks: Sequence[ReportedCheck]) -> Criterion:
    asked = [check for check in checks if check.outcome is not State.SKIPPED]
    broke = [check.id for check in asked if check.outcome is State.ERRORED]
    why = f"could not run: {', '.join(broke)}" if broke else "" if asked else "no check had anything to run on"
    state = _state(bool(broke), bool(asked))
    return Criterion("ran", "no check broke", state, len(asked) - len(broke), len(asked), why, Exit.ENVIRONMENT)


def _migrations(databases: Sequence[ReportedDatabase], checks: Sequence[ReportedCheck]) -> Criterion:
    migrations = [migration for database in databases for migration in database.migrations]
    applied = sum(migration.state is MigrationState.APPLIED for migration in migrations)
    failing = any(finding.fails for check in checks if check.id == "migration-failed" for finding in check.findings)
    why = "" if migrations else "there are no migrations"
    state = _state(failing, bool(migrations))
    return Criterion("migrations", "migrations apply", state, applied, len(migrations), why, Exit.FINDINGS)


def _findings(checks: Sequence[ReportedCheck], fail_on: FailOn) -> Criterion:
    new = [finding for check in checks for finding in check.findings if finding.state is Standing.NEW]
    failing = sum(finding.fails for finding in new)
    judged = any(check.outcome is not State.SKIPPED for check in checks)
    never = fail_on is FailOn.NEVER
    why = "fail_on is never" if never else "" if judged else "no check came to a verdict"
    says = "new findings fail nothing" if never else f"new findings are below {fail_on.value}"
    return Criterion(
        "findings", says, _state(failing > 0, judged and not never), len(new) - failing, len(new), why, Exit.FINDINGS
    )


def _of_checks(identifier: str, says: str, checks: Sequence[ReportedCheck], nothing: str) -> Criterion:
    held, subjects = sum(check.proven for check in checks), sum(check.judged for check in checks)
    failing = any(finding.fails for check in checks for finding in check.findings)
    judged = any(check.outcome in (State.PASSED, State.FAILED) for check in checks)
    return Criterion(identifier, says, _state(failing, judged), held, subjects, "" if judged else nothing, Exit.FINDINGS)


def _self_proof(proofs: Sequence[SelfProof]) -> Criterion:
    """Whether the checks can fail. It decides nothing: a miss says what a green check is worth, not how the database is."""
    found, planted = sum(proof.found for proof in proofs), sum(proof.planted for proof in proofs)
    why = "" if planted else "no fault was planted"
    return Criterion("self-proof", "planted faults were found", _state(found < planted, planted > 0), found, planted, why)


def _state(broken: bool, judged: bool) -> Held:
    if broken:
        return Held.NOT_HELD
    return Held.HELD if judged else Held.NOT_JUDGED


def quality(databases: Sequence[ReportedDatabase]) -> Quality:
    """The rules about data that hold, by number and by weight (error 3, warning 2, notice 1).

    The simple ratio of Pipino, Lee and Wang, "Data Quality Assessment", Communications of the ACM 45(4), 2002, with weights.
    """
    checks = [check for database in databases for check in database.checks if check.area in _ABOUT_DATA]
    broken = [weight for check in checks for weight in _broken(check).values()]
    weight_held = sum(check.proven * check.severity.weight for check in checks)
    return Quality(
        held=sum(check.proven for check in checks),
        broken=len(broken),
        not_proven=sum(len({gap.subject for gap in check.not_proven} - _broken(check).keys()) for check in checks),
        weight_held=weight_held,
        weight=weight_held + sum(broken),
    )


def _broken(check: ReportedCheck) -> dict[str, int]:
    """The subjects with a finding, be it new, known or allowed, each with what it weighs."""
    weights: dict[str, int] = {}
    for finding in check.findings:
        weights[finding.subject] = max(finding.severity.weight, weights.get(finding.subject, Severity.NOTICE.weight))
    return weights


def coverage(databases: Sequence[ReportedDatabase]) -> tuple[Coverage, ...]:
    """What probes exercised, by kind, of what there is."""
    sums: dict[str, tuple[int, int]] = {}
    for check in _probes(databases):
        exercised, of = sums.get(kind := _KINDS.get(check.id, check.subjects), (0, 0))
        tried = check.judged - len({gap.subject for gap in check.not_proven} - _broken(check).keys())
        sums[kind] = exercised + tried, of + check.judged
    return tuple(Coverage(kind, exercised, of) for kind, (exercised, of) in sums.items() if of)


def _probes(databases: Sequence[ReportedDatabase]) -> Iterator[ReportedCheck]:
    return (check for database in databases for check in database.checks if check.probe)
