"""What GitHub shows of a run beside the step summary: annotations on the change's lines, and the step's outputs.

GitHub keeps ten annotations of a type and a step, and cuts a message at 4 096 UTF-16 units; so the weightiest are chosen here,
and the last one says how many more there are.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from checks.evidence import Place
from checks.interface import Severity, State
from runner.report import Report
from runner.reports import wording
from runner.reports.github_commands import Command
from runner.reports.registry import REPORTERS
from runner.reports.wording import Part
from runner.text import shorten

#: How many annotations of one type GitHub keeps from a step.
MOST = 10
#: Characters of a message and of a title. A character is at most two of the units that GitHub counts.
LONGEST_MESSAGE = 2_000
LONGEST_TITLE = 200

_SHOWN = (Part.SAID, Part.DETAIL, Part.MESSAGE, Part.VALUES, Part.ALLOWED, Part.REMEDY)


@dataclass(frozen=True)
class Change:
    """Which lines a change touched, by file; files and ``root`` are relative to the top of the repository.

    ``lines`` is ``None`` where nothing was compared: then every line counts as touched.
    """

    root: str = ""
    lines: Mapping[str, Sequence[range]] | None = None

    def path(self, place: Place) -> str | None:
        """The place's file as GitHub names it; nothing where it lies outside the repository."""
        path = posixpath.normpath(posixpath.join(self.root, place.file))
        return None if path.startswith(("../", "/")) else path

    def touches(self, place: Place | None) -> bool:
        """Whether the place is a line of the change; a place without a line is its whole file, and no place is no line of it."""
        if place is None:
            return self.lines is None
        path = self.path(place)
        if path is None or self.lines is None:
            return path is not None
        touched = self.lines.get(path, ())
        return bool(touched) if place.line is None else any(place.line in lines for lines in touched)


@dataclass(frozen=True)
class _Entry:
    """Something that may become an annotation. Where it is ``local``, it needs a line of the change."""

    type: Severity
    title: str
    message: str
    place: Place | None = None
    local: bool = True


def annotate(report: Report, change: Change) -> list[Command]:
    """The commands that annotate the change: errors, then warnings; notices never."""
    entries = list(_entries(report))
    return [
        command
        for severity in (Severity.ERROR, Severity.WARNING)
        for command in _of_type(severity, [entry for entry in entries if entry.type is severity], change)
    ]


def outputs(report: Report, paths: Mapping[str, str], directory: str) -> dict[str, str]:
    """The step's outputs by name. ``paths`` are the files that were written, by format."""
    checks = [check for database in report.databases for check in database.checks]
    return {
        "result": report.verdict.value,
        "findings": str(sum(wording.is_prominent(finding) for finding in report.findings)),
        "checks-run": str(sum(check.outcome in (State.PASSED, State.FAILED) for check in checks)),
        "report-dir": directory,
        **{name: paths.get(name, "") for name in REPORTERS},
    }


def _entries(report: Report) -> Iterator[_Entry]:
    """All there is to annotate, the weightiest first."""
    for problem in report.problems:
        title, _, rest = problem.message.strip().partition("\n")
        remedy = f"Remedy: {problem.remedy}" if problem.remedy else ""
        yield _Entry(Severity.ERROR, "dbproof", "\n".join(text for text in (title, rest, remedy) if text), local=False)
    for database, check in wording.errored(report):
        name = wording.with_database(report, database, check.id)
        yield _Entry(Severity.ERROR, f"{name} could not run", check.reason or "no reason was given", local=False)
    for database, _, finding in wording.located(report):
        if wording.is_prominent(finding):
            said = [text for part, text in wording.parts(finding, database.engine) if part in _SHOWN]
            subject = wording.with_database(report, database, finding.subject)
            place = finding.provenance.place if finding.provenance else None
            yield _Entry(finding.severity, f"{finding.check} · {subject}", "\n".join(said) or subject, place)


def _of_type(severity: Severity, entries: Sequence[_Entry], change: Change) -> list[Command]:
    """At most :data:`MOST`: where not all can be shown at their place, the last one counts the others."""
    placed = [entry for entry in entries if not entry.local or change.touches(entry.place)]
    shown = placed if len(placed) == len(entries) <= MOST else placed[: MOST - 1]
    rest = [entry for entry in entries if not any(entry is one for one in shown)]
    commands = [_annotation(severity, entry, change) for entry in shown]
    return [*commands, _more(severity, rest, bool(shown))] if rest else commands


def _annotation(severity: Severity, entry: _Entry, change: Change) -> Command:
    properties = {"title": shorten(entry.title, LONGEST_TITLE)}
    if entry.place is not None:
        line = "" if entry.place.line is None else str(entry.place.line)
        properties = {"file": change.path(entry.place) or "", "line": line, **properties}
    return Command(severity.value, shorten(entry.message, LONGEST_MESSAGE), properties)


def _more(severity: Severity, rest: Sequence[_Entry], shown: bool) -> Command:
    counted = wording.plural(len(rest), f"more {severity.value}" if shown else severity.value)
    title = f"dbproof: {'and ' if shown else ''}{counted}{'' if shown else ', none on a line of this change'}"
    listed = [entry.title + (f" ({entry.place})" if entry.place else "") for entry in rest[: MOST - 1]]
    closing = "The step summary and the reports have them all."
    return Command(severity.value, shorten("\n".join([*listed, closing]), LONGEST_MESSAGE), {"title": title})
