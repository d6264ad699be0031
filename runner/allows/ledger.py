"""What became of each allow: which findings it is of, whether it is past its date, not needed, or was not heeded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.interface import Engine, State
from runner.allows.allow import Allow
from runner.allows.allows import Allows
from runner.report import AllowState, ReportedAllow, ReportedCheck, ReportedDatabase


def reported_allows(allows: Allows, databases: Sequence[ReportedDatabase], compared: bool) -> tuple[ReportedAllow, ...]:
    """Every allow of the settings, then those in comments.

    Compared with base, comments that no finding needs are told of new migrations only: what was applied is not to be edited.
    """
    declared = [_reported(allow, databases, allows) for allow in allows.declared]
    said = [_reported(allow, databases, allows) for allow in _comments(allows, databases, compared)]
    return (*declared, *said)


def _comments(allows: Allows, databases: Sequence[ReportedDatabase], compared: bool) -> Iterator[Allow]:
    fresh: dict[tuple[str, Engine], None] = {}
    old: dict[tuple[str, Engine], None] = {}
    for database in databases:
        engine = Engine(database.engine)
        fresh |= {(one.place.file, engine): None for one in database.migrations if one.new or not compared}
        old |= {
            (finding.provenance.place.file, engine): None
            for check in database.checks
            for finding in check.findings
            if finding.provenance
        }
    met: dict[Allow, None] = {}
    for file, engine in fresh:
        met |= dict.fromkeys(allows.in_file(file, engine))
    for file, engine in old.keys() - fresh.keys():
        met |= dict.fromkeys(allow for allow in allows.in_file(file, engine) if _count(allow, databases))
    return iter(sorted(met, key=lambda allow: (allow.place.file, allow.place.line or 0)))


def _reported(allow: Allow, databases: Sequence[ReportedDatabase], allows: Allows) -> ReportedAllow:
    count = _count(allow, databases)
    return ReportedAllow(
        check=allow.check,
        subject="" if allow.lines is not None or allow.fault else allow.subject,
        reason=allow.reason,
        place=allow.place,
        state=_state(allow, count, databases, allows),
        until=allow.until.isoformat() if allow.until else "",
        findings=count,
        fault=allow.fault,
    )


def _state(allow: Allow, count: int, databases: Sequence[ReportedDatabase], allows: Allows) -> AllowState:
    if allow.fault:
        return AllowState.NOT_HEEDED
    if count:
        return AllowState.EXPIRED if allow.expired(allows.today) else AllowState.USED
    asked = [check for database in databases for check in database.checks if check.id == allow.check and _applies(check)]
    return AllowState.UNUSED if asked and all(_told(allow, check) for check in asked) else AllowState.NOT_JUDGED


def _count(allow: Allow, databases: Sequence[ReportedDatabase]) -> int:
    return sum(
        allow.accepts(finding.check, finding.subject, finding.provenance.place if finding.provenance else None)
        for database in databases
        for check in database.checks
        if check.id == allow.check
        for finding in check.findings
    )


def _applies(check: ReportedCheck) -> bool:
    return not (check.outcome is State.SKIPPED and check.reason.startswith("not for "))


def _told(allow: Allow, check: ReportedCheck) -> bool:
    """Whether a check came to a verdict on all that the allow could be of."""
    looked = check.outcome in (State.PASSED, State.FAILED) or check.reason == f"no {check.subjects}"
    gaps = [gap for gap in check.not_proven if allow.lines is not None or allow.accepts(check.id, gap.subject, None)]
    return looked and not gaps
