"""What stands beside the findings, in sentences: gaps, allows, what is gone, criteria, score and coverage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.interface import State
from runner.report import (
    AllowState,
    Coverage,
    Criterion,
    Held,
    Report,
    ReportedAllow,
    ReportedCheck,
    ReportedDatabase,
    ReportedFinding,
    ReportedGone,
    Standing,
)
from runner.reports import wording


def allowed_of(database: ReportedDatabase) -> Iterator[ReportedFinding]:
    """The findings of one database that the repository accepts."""
    return (finding for check in database.checks for finding in check.findings if finding.state is Standing.ALLOWED)


def allowed(report: Report) -> int:
    """How many findings the repository accepts."""
    return sum(1 for database in report.databases for _ in allowed_of(database))


def allow_notices(report: Report) -> list[str]:
    """A sentence for each allow that is past its date, that nothing needs, or that was not heeded; the weightiest first."""
    order = [AllowState.NOT_HEEDED, AllowState.EXPIRED, AllowState.UNUSED]
    told = sorted((one for one in report.allows if one.state in order), key=lambda one: order.index(one.state))
    return [_allow_notice(one) for one in told]


def _allow_notice(allow: ReportedAllow) -> str:
    of = " ".join(word for word in (allow.check, allow.subject) if word)
    if allow.state is AllowState.NOT_HEEDED:
        return f"{allow.place}: a comment that accepts nothing: {allow.fault}"
    if allow.state is AllowState.EXPIRED:
        again = "1 finding counts" if allow.findings == 1 else f"{wording.thousands(allow.findings)} findings count"
        return f"{allow.place}: the allow of {of} ended on {allow.until}, and {again} again, as a warning at most"
    return f"{allow.place}: no finding needs the allow of {of}"


def gone(report: Report) -> Iterator[tuple[ReportedDatabase, ReportedCheck, ReportedGone]]:
    """What base has and head has not any more."""
    return ((d, c, one) for d in report.databases for c in d.checks for one in c.gone)


def bases(databases: Sequence[ReportedDatabase]) -> str:
    """What databases were compared with, in a few words."""
    named = {database.compared for database in databases}
    return named.pop() if len(named) == 1 else "their bases"


def criteria(report: Report) -> list[str]:
    """What the verdict rests on, in a line or two; what is not held first, with its numbers."""
    by_state = {state: [one for one in report.criteria if one.state is state] for state in Held}
    rows = [f"not held: {criterion(one)}" for one in by_state[Held.NOT_HELD]]
    judged = len(report.criteria) - len(by_state[Held.NOT_JUDGED])
    if judged:
        open_ones = ", ".join(one.id for one in by_state[Held.NOT_JUDGED])
        rows.append(
            f"{len(by_state[Held.HELD])} of {judged} criteria are held" + (f"; not judged: {open_ones}" if open_ones else "")
        )
    return rows


def criterion(one: Criterion) -> str:
    """``20 of 21 migrations apply``, with what there is to say of it in brackets."""
    counted = "" if one.id == "completed" else f"{wording.thousands(one.held)} of {wording.thousands(one.of)} "
    said = f"{counted}{one.says}" if one.state is not Held.NOT_JUDGED else one.says
    return said + (f" ({one.why})" if one.why else "")


def score(report: Report) -> str:
    """``98.6 %: 204 of 210 rules about the data hold``; empty where there are no such rules."""
    quality = report.quality
    gaps = f"{wording.thousands(quality.not_proven)} not proven" if quality.not_proven else ""
    if quality.score is None:
        return f"no score: {gaps}, and nothing else" if gaps else ""
    judged = wording.thousands(quality.held + quality.broken)
    said = f"{quality.score:g} %: {wording.thousands(quality.held)} of {judged} rules about the data hold"
    return f"{said}; {gaps}, which no score can count" if gaps else said


def coverage(report: Report) -> list[str]:
    """``references 16 of 16``, ``constraints 24 of 28 (85 %)``: what was not only read but tried."""
    return [_covered(one) for one in report.coverage]


def _covered(one: Coverage) -> str:
    share = "" if one.exercised == one.of else f" ({one.exercised * 100 // one.of} %)"
    return f"{one.kind} {wording.thousands(one.exercised)} of {wording.thousands(one.of)}{share}"


def gaps(report: Report) -> dict[str, list[str]]:
    """What was not proven, by reason: subjects, and checks that were skipped as a whole. Each is named once a reason.

    Last come the checks that had nothing to judge, which is nothing to worry about.
    """
    by_reason: dict[str, list[str]] = {}
    for database in report.databases:
        for check in database.checks:
            for subject, reason in (_skipped(report, database, check), *_not_proven(report, database, check)):
                listed = by_reason.setdefault(reason, [])
                if subject and subject not in listed:
                    listed.append(subject)
    by_reason[NOTHING] = by_reason.pop(NOTHING, [])
    return {reason: names for reason, names in by_reason.items() if names}


#: Why a check was skipped whose subjects a database has none of.
NOTHING = "there is nothing of that kind here"


def _skipped(report: Report, database: ReportedDatabase, check: ReportedCheck) -> tuple[str, str]:
    """The name and reason of a check that met no subject; its database is named where it was not so in every one."""
    if check.outcome is not State.SKIPPED or check.not_proven:
        return "", NOTHING
    same = [one for other in report.databases for one in other.checks if one.id == check.id]
    everywhere = all(one.outcome is State.SKIPPED and _reason(one) == _reason(check) for one in same)
    return check.id if everywhere else wording.with_database(report, database, check.id), _reason(check)


def _reason(check: ReportedCheck) -> str:
    return NOTHING if check.reason == f"no {check.subjects}" else check.reason or "no reason was given"


def _not_proven(report: Report, database: ReportedDatabase, check: ReportedCheck) -> Iterator[tuple[str, str]]:
    for gap in check.not_proven:
        yield wording.with_database(report, database, gap.subject), gap.reason or "no reason was given"
