"""Rows of the step summary's tables on what stands beside the findings: criteria, proofs, what is allowed, what is gone."""

from __future__ import annotations

from collections.abc import Iterator

from runner.report import Held, Report, ReportedDatabase, ReportedFinding
from runner.reports import accounts, wording
from runner.reports.markdown import code, prose, row

_MARKS = {Held.HELD: "✅", Held.NOT_HELD: "❌", Held.NOT_JUDGED: "⚪"}

#: The titles of the columns, by table.
CRITERIA = ("", "The verdict rests on", "Held")
PROVEN = ("Database", "Check", "Proven")
ALLOWED = ("Check", "Subject", "Where", "Why", "Allowed by")
GONE = ("Check", "Subject", "Now", "What it was")


def criteria(report: Report) -> Iterator[str]:
    """Each criterion with its numbers, then the score and the coverage."""
    for one in report.criteria:
        why = f" ({prose(one.why, True)})" if one.why else ""
        nothing = "none" if one.state is Held.HELD else ""
        counted = f"{wording.thousands(one.held)} of {wording.thousands(one.of)}" if one.of else nothing
        yield row([_MARKS[one.state], f"{prose(one.says, True)}{why}", counted])
    if said := accounts.score(report):
        yield row(["", "quality score", prose(said, True)])
    if report.coverage:
        yield row(["", "tried by probes", prose(", ".join(accounts.coverage(report)), True)])


def proven(report: Report) -> Iterator[str]:
    """What each check proved, database by database."""
    for database in report.databases:
        for check in database.checks:
            if check.proven:
                said = wording.proven_sentence(check.proven, check.judged, check.subjects, check.proves)
                yield row([code(database.name, True), code(check.id, True), prose(said, True)])


def allowed(report: Report) -> Iterator[str]:
    """Each finding that is accepted, with the reason and the place of its allow."""
    for database in report.databases:
        for finding in accounts.allowed_of(database):
            yield row(list(_allowed(report, database, finding)))


def _allowed(report: Report, database: ReportedDatabase, finding: ReportedFinding) -> Iterator[str]:
    given = finding.allowed
    yield code(finding.check, True)
    yield code(wording.with_database(report, database, finding.subject), True)
    yield "" if finding.provenance is None else code(str(finding.provenance.place), True)
    yield "" if given is None else prose(given.reason, True)
    yield "" if given is None else code(str(given.place), True) + (f" until {prose(given.until, True)}" if given.until else "")


def gone(report: Report) -> Iterator[str]:
    """Each finding of base that head has not any more."""
    for database, check, one in accounts.gone(report):
        subject = code(wording.with_database(report, database, one.subject), True)
        yield row([code(check.id, True), subject, "holds" if one.holds else "is not there", prose(one.message, True)])
