"""``junit.xml``: a suite for each database, a case for each check; valid against Jenkins's and Windy Road's schemas.

The two schemas share one shape: bare ``<testsuites>``, suites with all attributes, properties, then cases with at most one
result, then system-out and system-err. The package junit-xml builds the elements, and what it writes beyond that shape is put
right here. A finding that counts is a ``<failure>``, what could not run an ``<error>``; known findings and those below
``fail-on`` are told in system-out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree

from junit_xml import TestCase, TestSuite

from checks.interface import State
from runner.report import Problem, Report, ReportedCheck, ReportedDatabase, ReportedFinding, Verdict
from runner.reports import made, measured, wording
from runner.reports.selfproof import properties

FILE = "junit.xml"

#: GitLab refuses 30 MB; megabytes of XML help nobody.
MOST_BYTES = 25_000_000

_CASE_ATTRIBUTES = ("name", "classname", "time")
_SUITE_ATTRIBUTES = ("name", "package", "id", "hostname", "timestamp", "tests", "failures", "errors", "skipped", "time")


@dataclass(frozen=True)
class _Room:
    """How many findings of a check are told, and with how many characters each."""

    findings: int
    characters: int


#: Tried in order until the file is small enough.
_ROOMS = (_Room(5_000, 20_000), _Room(1_000, 2_000), _Room(100, 1_000), _Room(10, 500), _Room(1, 200), _Room(0, 100))


def render(report: Report) -> str:
    """The report as JUnit XML. Where it would grow beyond :data:`MOST_BYTES`, findings are left out, and it says how many."""
    for room in _ROOMS:
        text = _document(report, room)
        if len(text.encode("utf-8")) <= MOST_BYTES:
            break
    return text


def _document(report: Report, room: _Room) -> str:
    root = ElementTree.Element("testsuites")
    suites = list(_suites(report, room))
    _make_unique([case for suite in suites for case in suite.test_cases])
    root.extend(_shape(suite.build_xml_doc()) for suite in suites)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suites(report: Report, room: _Room) -> Iterator[TestSuite]:
    databases = [(database.name.strip() or "database", database) for database in report.databases]
    run = list(_run_cases(report))
    if run:
        yield _suite(report, 0, "dbproof", run, {}, "\n".join(report.notes))
    for number, (name, database) in enumerate(databases, start=1 if run else 0):
        cases = [_case(f"dbproof.{_segment(name)}", check, database, room) for check in database.checks]
        yield _suite(report, number, name, cases, _properties(report, database), _aside(database, room))


def _suite(report: Report, number: int, name: str, cases: Sequence[TestCase], properties: dict[str, str], said: str) -> TestSuite:
    about = {"dbproof": report.version, "verdict": report.verdict.value, "exit_code": str(int(report.exit_code)), **properties}
    return TestSuite(
        name, list(cases), "localhost", str(number), "dbproof", _timestamp(report.started), about, stdout=said, stderr=""
    )


def _properties(report: Report, database: ReportedDatabase) -> dict[str, str]:
    return {
        "fail_on": report.fail_on,
        "engine": database.engine,
        "version": database.version,
        "origin": database.origin,
        "compared": database.compared,
        **properties(database),
        **measured.properties(database),
        **made.properties(database),
    }


def _run_cases(report: Report) -> Iterator[TestCase]:
    """What went wrong with the run itself, so that a report without findings is never read as a green one."""
    for problem in report.problems:
        yield _problem_case(problem)
    silent = not report.problems and not any(wording.errored(report))
    if silent and report.verdict in (Verdict.NOTHING_CHECKED, Verdict.BROKEN, Verdict.CANCELLED):
        case = TestCase("verdict", "dbproof.run", 0.0)
        case.add_error_info(f"{wording.verdict(report)}: {wording.reckoning(report)}", "", report.verdict.value)
        yield case


def _problem_case(problem: Problem) -> TestCase:
    name = problem.exit_code.name.lower().replace("_", "-")
    case = TestCase(name, "dbproof.run", 0.0)
    case.add_error_info(_first_line(problem.message) or name, f"{problem.message}\n{problem.remedy}".strip(), name)
    return case


def _case(prefix: str, check: ReportedCheck, database: ReportedDatabase, room: _Room) -> TestCase:
    case = TestCase(check.id, f"{prefix}.{_segment(check.area or 'checks')}", check.seconds)
    failing = [finding for finding in check.findings if finding.fails]
    if check.outcome is State.ERRORED:
        body = [check.reason, *_told(failing, database.engine, room)]
        case.add_error_info(_first_line(check.reason) or "could not run", "\n\n".join(body), "check-errored")
    elif failing:
        case.add_failure_info(_failure_title(failing), "\n\n".join(_told(failing, database.engine, room)), check.id)
    elif check.outcome is State.SKIPPED:
        case.add_skipped_info(check.reason or "skipped")
    return case


def _failure_title(failing: Sequence[ReportedFinding]) -> str:
    first = f"{failing[0].subject}: {_first_line(failing[0].message)}"
    return first if len(failing) == 1 else f"{wording.plural(len(failing), 'finding')}; {first}"


def _told(findings: Sequence[ReportedFinding], engine: str, room: _Room) -> Iterator[str]:
    for finding in findings[: room.findings]:
        yield _tell(finding, engine, room)
    if len(findings) > room.findings:
        left_out = wording.plural(len(findings) - room.findings, "more finding")
        yield f"{left_out} left out here to keep the file small; report.json has all."


def _tell(finding: ReportedFinding, engine: str, room: _Room) -> str:
    title = f"{finding.severity.upper()} {finding.check} · {finding.subject} ({finding.state})"
    lines = [title, *(text for _, text in wording.parts(finding, engine)), f"Fingerprint: {finding.fingerprint}"]
    text = "\n".join(lines)
    if len(text) <= room.characters:
        return text
    return f"{text[: room.characters]} … {wording.thousands(len(text) - room.characters)} characters left out, see report.json"


def _aside(database: ReportedDatabase, room: _Room) -> str:
    """What a pipeline should not count, for people: notes, what was not proven, known findings and those below ``fail-on``."""
    told = [finding for check in database.checks for finding in check.findings if not finding.fails]
    gaps = [
        f"not proven: {check.id} · {gap.subject}: {gap.reason}"
        for check in database.checks
        for gap in check.not_proven[: room.findings]
    ]
    return "\n\n".join(["\n".join([*database.notes, *gaps]), *_told(told, database.engine, room)]).strip()


def _make_unique(cases: Iterable[TestCase]) -> None:
    """GitLab drops all but one of the cases with the same class name and name."""
    seen: set[tuple[str, str]] = set()
    for case in cases:
        plain, number = case.name, 1
        while (case.classname, case.name) in seen:
            number += 1
            case.name = f"{plain} ({number})"
        seen.add((case.classname, case.name))


def _shape(suite: ElementTree.Element) -> ElementTree.Element:
    """The one shape that both schemas take, from what junit-xml builds."""
    shaped = ElementTree.Element("testsuite", {name: suite.get(name, "0") for name in _SUITE_ATTRIBUTES})
    cases = suite.findall("testcase")
    shaped.set("time", _decimal(sum(float(case.get("time", "0")) for case in cases)))
    shaped.append(_first(suite, "properties"))
    shaped.extend(_shape_case(case) for case in cases)
    shaped.extend(_first(suite, name) for name in ("system-out", "system-err"))
    return shaped


def _first(suite: ElementTree.Element, name: str) -> ElementTree.Element:
    found = suite.find(name)
    return ElementTree.Element(name) if found is None else found


def _shape_case(case: ElementTree.Element) -> ElementTree.Element:
    shaped = ElementTree.Element("testcase", {name: case.get(name, "") for name in _CASE_ATTRIBUTES})
    shaped.set("time", _decimal(float(case.get("time", "0"))))
    for result in list(case)[:1]:
        if result.tag == "skipped":
            del result.attrib["type"]
        shaped.append(result)
    return shaped


def _decimal(seconds: float) -> str:
    return f"{max(seconds, 0.0):.3f}"


def _timestamp(started: str) -> str:
    """ISO 8601 in UTC without a zone and without fractions, which is all that the schemas take."""
    try:
        moment = datetime.fromisoformat(started)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return "1970-01-01T00:00:00"
    return moment.replace(tzinfo=None, microsecond=0).isoformat()


def _segment(name: str) -> str:
    """A part of a class name: Jenkins splits these at dots."""
    return re.sub(r"[.\s]+", "_", name)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
