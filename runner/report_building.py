"""From outcomes to the Report: what is new, what is known, what fails the run, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from checks.evidence import Evidence, Migration, Statement
from checks.interface import Check, Finding, Outcome, Severity, State, fingerprint
from runner.errors import Exit, strongest
from runner.report import (
    Problem,
    Provenance,
    ReportedCheck,
    ReportedDatabase,
    ReportedFinding,
    ReportedGap,
    ReportedMigration,
    ReportedStatement,
    Standing,
    Verdict,
)
from runner.settings.model import Settings
from runner.settings.surface import FailOn

_FROM = {FailOn.ERROR: Severity.ERROR, FailOn.WARNING: Severity.WARNING, FailOn.NOTICE: Severity.NOTICE}


def known_fingerprints(outcomes: Iterable[Outcome]) -> frozenset[str]:
    """The fingerprints of everything that base has too."""
    return frozenset(fingerprint(outcome.check, finding.subject) for outcome in outcomes for finding in outcome.findings)


def reported_checks(
    outcomes: Sequence[Outcome],
    checks: Mapping[str, Check[Any]],
    evidence: Evidence,
    known: frozenset[str],
    settings: Settings,
) -> tuple[ReportedCheck, ...]:
    """The checks of one database as reports show them."""
    return tuple(_reported_check(outcome, checks[outcome.check], evidence, known, settings) for outcome in outcomes)


def _reported_check(
    outcome: Outcome, check: Check[Any], evidence: Evidence, known: frozenset[str], settings: Settings
) -> ReportedCheck:
    return ReportedCheck(
        id=outcome.check,
        outcome=outcome.state,
        reason=outcome.reason,
        seconds=outcome.seconds,
        subjects=check.SUBJECTS,
        proves=check.PROVES,
        area=_area(check),
        proven=len(outcome.proven),
        not_proven=tuple(ReportedGap(gap.subject, gap.reason) for gap in outcome.not_proven),
        findings=tuple(_reported_finding(outcome.check, finding, evidence, known, settings) for finding in outcome.findings),
    )


def _area(check: Check[Any]) -> str:
    """The package that the check's module lies in: ``references``."""
    return str(getattr(check, "__name__", "")).split(".")[-2]


def _reported_finding(
    check: str, finding: Finding, evidence: Evidence, known: frozenset[str], settings: Settings
) -> ReportedFinding:
    severity = settings.severity.get(check, finding.severity or Severity.ERROR)
    mark = fingerprint(check, finding.subject)
    state = Standing.KNOWN if mark in known else Standing.NEW
    return ReportedFinding(
        check=check,
        subject=finding.subject,
        severity=severity,
        state=state,
        message=finding.message,
        fingerprint=mark,
        provenance=_provenance(finding, evidence),
        count=finding.count,
        code=finding.code,
        said=finding.said,
        detail=finding.detail if settings.show_values else "",
        values=finding.values if settings.show_values else (),
        evidence=finding.evidence,
        remedy=finding.remedy,
        fails=state is Standing.NEW and _reaches(severity, settings.fail_on),
    )


def _reaches(severity: Severity, fail_on: FailOn) -> bool:
    return fail_on in _FROM and severity.weight >= _FROM[fail_on].weight


def _provenance(finding: Finding, evidence: Evidence) -> Provenance | None:
    made = next((evidence.provenance[thing] for thing in finding.objects if thing in evidence.provenance), None)
    if finding.place is not None:
        revision = next((one.revision for one in evidence.migrations if one.place.file == finding.place.file), None)
        return Provenance(finding.place, str(finding.evidence.get("statement", "")), revision)
    return None if made is None else Provenance(made.place, made.statement, made.revision)


def reported_migrations(evidence: Evidence) -> tuple[ReportedMigration, ...]:
    """The migrations in their order; a new one with its statements."""
    return tuple(_reported_migration(migration, evidence.statements) for migration in evidence.migrations)


def _reported_migration(migration: Migration, statements: Sequence[Statement]) -> ReportedMigration:
    of_it = [said for said in statements if migration.new and _belongs(said, migration)]
    return ReportedMigration(
        revision=migration.revision,
        title=migration.title,
        place=migration.place,
        state=migration.state,
        new=migration.new,
        seconds=migration.seconds,
        statements=tuple(_reported_statement(list(same)) for _, same in groupby(of_it, key=lambda said: (said.place, said.text))),
    )


def _reported_statement(same: Sequence[Statement]) -> ReportedStatement:
    """The same statement from the same line, as often as it ran in a row: a migration may insert a row ten thousand times."""
    seconds = [said.seconds for said in same if said.seconds is not None]
    return ReportedStatement(
        place=same[0].place,
        text=same[0].text,
        seconds=sum(seconds) if seconds else None,
        locks=tuple(dict.fromkeys(lock for said in same for lock in said.locks)),
        rewrites=tuple(dict.fromkeys(rewrite for said in same for rewrite in said.rewrites)),
        times=len(same),
    )


def _belongs(statement: Statement, migration: Migration) -> bool:
    return statement.place is not None and statement.place.file == migration.place.file


def exit_code(databases: Sequence[ReportedDatabase], problems: Sequence[Problem]) -> Exit:
    """The one exit code of a run: cancelled, 2, 4, 1, 3, 0 in that precedence."""
    checks = [check for database in databases for check in database.checks]
    codes = [problem.exit_code for problem in problems]
    if any(finding.fails for check in checks for finding in check.findings):
        codes.append(Exit.FINDINGS)
    if any(check.outcome is State.ERRORED for check in checks):
        codes.append(Exit.ENVIRONMENT)
    if not any(check.outcome in (State.PASSED, State.FAILED) for check in checks):
        codes.append(Exit.NOTHING_CHECKED)
    return strongest(codes)


def verdict(code: Exit) -> Verdict:
    """The words for an exit code."""
    return {
        Exit.HELD: Verdict.GO,
        Exit.FINDINGS: Verdict.NO_GO,
        Exit.NOTHING_CHECKED: Verdict.NOTHING_CHECKED,
        Exit.INTERRUPTED: Verdict.CANCELLED,
        Exit.TERMINATED: Verdict.CANCELLED,
    }.get(code, Verdict.BROKEN)
