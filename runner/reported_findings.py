"""From a check's finding to a reported one: where it is from, whether it is new, known or allowed, and whether the run fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from checks.evidence import Evidence
from checks.interface import Engine, Finding, Outcome, Severity, State, fingerprint
from runner.allows.allow import Allow
from runner.allows.allows import Allows
from runner.report import Allowance, Provenance, ReportedFinding, ReportedGone, Standing
from runner.settings.model import Settings
from runner.settings.surface import FailOn

_FROM = {FailOn.ERROR: Severity.ERROR, FailOn.WARNING: Severity.WARNING, FailOn.NOTICE: Severity.NOTICE}


@dataclass(frozen=True)
class Standards:
    """What the findings of one database are held against: the settings, what is accepted, and what ``base`` was found to have."""

    settings: Settings
    engine: Engine
    allows: Allows = field(default_factory=Allows)
    base: Sequence[Outcome] = ()

    @property
    def known(self) -> frozenset[str]:
        """The fingerprints of everything that base has too."""
        return frozenset(_mark(one, finding) for one in self.base for finding in one.findings)


def reported_findings(outcome: Outcome, evidence: Evidence, by: Standards, known: frozenset[str]) -> Iterator[ReportedFinding]:
    """The findings of one check; ``known`` are the fingerprints of base's."""
    for finding in outcome.findings:
        provenance = _provenance(finding, evidence)
        place = provenance.place if provenance else None
        allow = next(iter(by.allows.of(outcome.check, finding.subject, place, by.engine)), None)
        yield _reported(outcome.check, finding, provenance, _Standing.of(outcome.check, finding, allow, by, known))


@dataclass(frozen=True)
class _Standing:
    """What a finding amounts to."""

    severity: Severity
    state: Standing
    allowed: Allowance | None
    fails: bool
    shows_values: bool

    @classmethod
    def of(cls, check: str, finding: Finding, allow: Allow | None, by: Standards, known: frozenset[str]) -> _Standing:
        severity = by.settings.severity.get(check, finding.severity or Severity.ERROR)
        if finding.invented and severity is Severity.ERROR:
            severity = Severity.WARNING
        state = Standing.KNOWN if fingerprint(check, finding.subject) in known else Standing.NEW
        allowed = None if allow is None else _allowance(allow, by.allows)
        if allowed is not None and not allowed.expired:
            state = Standing.ALLOWED
        if allowed is not None and allowed.expired and severity is Severity.ERROR:
            severity = Severity.WARNING
        fails = allowed is None and state is Standing.NEW and _reaches(severity, by.settings.fail_on)
        return cls(severity, state, allowed, fails, by.settings.show_values)


def _allowance(allow: Allow, allows: Allows) -> Allowance:
    until = allow.until.isoformat() if allow.until else ""
    return Allowance(allow.place, allow.reason, until, allow.expired(allows.today))


def _reported(check: str, finding: Finding, provenance: Provenance | None, standing: _Standing) -> ReportedFinding:
    return ReportedFinding(
        check=check,
        subject=finding.subject,
        severity=standing.severity,
        state=standing.state,
        message=finding.message,
        fingerprint=fingerprint(check, finding.subject),
        provenance=provenance,
        count=finding.count,
        code=finding.code,
        said=finding.said,
        detail=finding.detail if standing.shows_values else "",
        values=finding.values if standing.shows_values else (),
        evidence=finding.evidence,
        remedy=finding.remedy,
        fails=standing.fails,
        allowed=standing.allowed,
    )


def _reaches(severity: Severity, fail_on: FailOn) -> bool:
    return fail_on in _FROM and severity.weight >= _FROM[fail_on].weight


def _provenance(finding: Finding, evidence: Evidence) -> Provenance | None:
    made = next((evidence.provenance[thing] for thing in finding.objects if thing in evidence.provenance), None)
    if finding.place is not None:
        revision = next((one.revision for one in evidence.migrations if one.place.file == finding.place.file), None)
        return Provenance(finding.place, str(finding.evidence.get("statement", "")), revision)
    return None if made is None else Provenance(made.place, made.statement, made.revision)


def gone(outcome: Outcome, subjects: str, base: Iterable[Outcome], severities: Mapping[str, Severity]) -> Iterator[ReportedGone]:
    """What a check found on base and head has not any more, where head could be judged. ``subjects`` is the check's own word."""
    before = [finding for one in base if one.check == outcome.check for finding in one.findings]
    there = {finding.subject for finding in outcome.findings} | {gap.subject for gap in outcome.not_proven}
    looked = outcome.state in (State.PASSED, State.FAILED) or outcome.reason == f"no {subjects}"
    if not looked or outcome.check in there:  # what is not proven under the check's own name is the whole of it
        return
    for finding in before:
        if finding.subject not in there:
            severity = severities.get(outcome.check, finding.severity or Severity.ERROR)
            holds = finding.subject in outcome.proven
            yield ReportedGone(finding.subject, severity, finding.message, fingerprint(outcome.check, finding.subject), holds)


def _mark(outcome: Outcome, finding: Finding) -> str:
    return fingerprint(outcome.check, finding.subject)
